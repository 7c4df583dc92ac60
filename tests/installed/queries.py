#!/usr/bin/env python3
"""Asks a Prometheus every query of Grafana dashboards, and tells which have no data.

    queries.py http://127.0.0.1:9090 dashboards/*.json --variable trust=contoso

Variables that are not given take the values that Prometheus has for them, as
Grafana's "All" does. Ends with 1 where a panel has a query without data, or with
one that Prometheus refuses; --empty names a panel that may have none.
"""

import argparse
import json
import math
import re
import sys
import urllib.error
import urllib.parse
import urllib.request

VARIABLE = re.compile(r"\$(?:\{(\w+)(?::\w+)?\}|(\w+))")
LABEL_VALUES = re.compile(r"label_values\((.+),\s*(\w+)\)")


class Prometheus:
    def __init__(self, base):
        self.base = base.rstrip("/")

    def ask(self, path, **parameters):
        """The data of an answer; an error of Prometheus in its own words."""
        url = f"{self.base}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise ValueError(json.load(error).get("error", str(error))) from error

    def numbers(self, query):
        result = self.ask("query", query=query)["result"]
        values = [float(series["value"][1]) for series in result]
        return [value for value in values if not math.isnan(value)]


def fill(text, values):
    """Puts the values of variables in; one without a value is a mistake."""

    def value(match):
        name = match[1] or match[2]
        if name not in values:
            raise ValueError(f"no value for ${name}")
        return values[name]

    return VARIABLE.sub(value, text)


def variables(dashboard, given, prometheus):
    """The value of each variable, in the dashboard's order: one may rest on another."""
    values = dict(given)
    for variable in dashboard["templating"]["list"]:
        name = variable["name"]
        if name in values or variable["type"] != "query":
            continue
        selector, label = LABEL_VALUES.fullmatch(variable["query"]["query"]).groups()
        found = prometheus.ask(f"label/{label}/values", **{"match[]": fill(selector, values)})
        if not found:
            raise ValueError(f"the variable {name} has no values")
        any_of = variable.get("allValue") or "|".join(re.escape(each) for each in found)
        value = any_of if variable["multi"] else found[0]
        # It comes to stand in a string of PromQL.
        values[name] = value.replace("\\", "\\\\").replace('"', '\\"')
    return values


def panels(dashboard):
    """Every panel, also those within a collapsed row."""
    for panel in dashboard["panels"]:
        yield panel
        yield from panel.get("panels", [])


def faults(dashboard, given, may_be_empty, prometheus):
    """How many queries there are, and what is wrong with which."""
    values = variables(dashboard, given, prometheus)
    asked, wrong = 0, []
    for panel in panels(dashboard):
        for target in panel.get("targets", []):
            asked += 1
            query, what = target["expr"], None
            try:
                query = fill(query, values)
                if not prometheus.numbers(query) and panel["title"] not in may_be_empty:
                    what = "no data"
            except ValueError as error:
                what = str(error)
            if what:
                place = f"{dashboard['title']} / {panel['title']} / {target['refId']}"
                wrong.append(f"{place}: {what}: {query}")
    return asked, wrong


def main():
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    add = parser.add_argument
    add("prometheus", help="its address, such as http://127.0.0.1:9090")
    add("dashboards", nargs="+", metavar="FILE", help="a dashboard in JSON")
    add("--variable", action="append", default=[], metavar="NAME=VALUE")
    add("--rate-interval", default="5m", help="four times the scrape interval")
    add("--empty", action="append", default=[], metavar="TITLE", help="a panel that may have no data")
    options = parser.parse_args()

    given = {"__rate_interval": options.rate_interval}
    given.update(variable.split("=", 1) for variable in options.variable)
    prometheus = Prometheus(options.prometheus)
    asked, wrong = 0, []
    for path in options.dashboards:
        with open(path, encoding="utf-8") as file:
            here, these = faults(json.load(file), given, options.empty, prometheus)
        asked += here
        wrong += these
    for line in wrong:
        print(line)
    print(f"{asked} queries, {len(wrong)} without data or refused")
    sys.exit(1 if wrong or not asked else 0)


if __name__ == "__main__":
    main()
