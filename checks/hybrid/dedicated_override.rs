#![doc = include_str!("dedicated_override.md")]

use super::dedicated::{Switch, switch};
use crate::case::Case;
use crate::check::{Check, Subject};
use crate::facts::{Complete, SettingOverride, Unknown};
use crate::hybrid::lifecycle;
use crate::outcome::{Finding, Verdict};
use crate::remedy::{Cmdlet, Lines, Query, Remedy};
use crate::wording::{count, list, not_among, shown};

pub(crate) const CHECK: Check = Check {
    id: "hybrid-dedicated-override",
    title: "The dedicated hybrid application is switched on",
    manual: include_str!("dedicated_override.md"),
    after: &[],
    reads: &["connectors", "setting_overrides"],
    subjects: super::with_dedicated,
    judge,
};

const WANTED: &str = "one accepted override ExchangeOnpremAsThirdPartyAppId with Enabled=true, \
                      for all servers";

fn judge(case: &Case, _: &Subject) -> Result<Verdict, Unknown> {
    if !super::calls_the_cloud(case)? {
        let why = "no connector to the cloud is enabled, so that Exchange calls nobody there";
        return Ok(Verdict::NotApplicable(why.into()));
    }
    let finding = match switch(case)? {
        Switch::On(item) => {
            let seen = format!("override {}", shown(item.identity.label()));
            return Ok(Verdict::passed_by(seen, &item.seen));
        }
        Switch::Absent(complete) => absent(case, complete),
        Switch::Several(items) => several(&items),
        Switch::Disabled(item) => disabled(item),
        Switch::NotAccepted(item, status) => not_accepted(item, status),
        Switch::Limited(item) => limited(item),
    };
    Ok(in_force(case, finding).into())
}

/// Before the shared service principal was blocked the feature was a choice.
fn in_force(case: &Case, finding: Finding) -> Finding {
    if case.context.now < lifecycle::shared_principal_blocked() {
        return Finding { severity: crate::outcome::Severity::Advice, ..finding };
    }
    finding
}

fn absent(case: &Case, complete: Complete) -> Finding {
    let listing = &case.facts.setting_overrides;
    let files = list(listing.seen.iter().map(|seen| case.facts.source(seen)));
    let place = not_among(listing.items.len(), "setting override", &format!("in {files}"));
    Finding::critical(
        "not_enabled",
        format!(
            "an override ExchangeOnpremAsThirdPartyAppId is {place}; from 2025-10-31 on Exchange \
             Online takes no EWS calls with the shared service principal"
        ),
        WANTED,
    )
    .absent_from(complete)
    .seen_in(&listing.seen)
    .remedy(super::run_the_script("which creates the application, its consent and its key first"))
    .remedy(
        Remedy::exchange("switch it on, once application, consent and key are there")
            .run(
                Cmdlet::new("New-SettingOverride")
                    .code("Name", "'EnableExchangeHybrid3PAppFeature'")
                    .code("Component", "'Global'")
                    .code("Section", "'ExchangeOnpremAsThirdPartyAppId'")
                    .code("Parameters", "@('Enabled=true')")
                    .code("Reason", "'Enable dedicated Exchange hybrid app feature'"),
            )
            .test(show())
            .undo(
                Cmdlet::new("Remove-SettingOverride")
                    .code("Identity", "'EnableExchangeHybrid3PAppFeature'"),
            )
            .disturbs(SWITCHED)
            .instead(),
    )
}

fn several(items: &[&SettingOverride]) -> Finding {
    let names = list(items.iter().map(|item| shown(item.identity.label())));
    let sources = items.iter().flat_map(|item| &item.seen);
    let remove =
        |it: &&SettingOverride| Cmdlet::new("Remove-SettingOverride").identity(&it.identity);
    let remove = Remedy::exchange("keep one of them and remove the others, such as")
        .then(items.iter().skip(1).map(remove).collect::<Lines>())
        .test(show())
        .undo_with(
            "with the Parameters, the Reason and the limits that the test showed",
            items.iter().skip(1).map(|it| again(it)).collect::<Lines>(),
        )
        .disturbs("where they differ, the one that stays decides from then on");
    Finding::critical(
        "several_overrides",
        format!("{} ExchangeOnpremAsThirdPartyAppId: {names}", count(items.len(), "override")),
        WANTED,
    )
    .seen_in(sources)
    .remedy(remove)
}

fn disabled(item: &SettingOverride) -> Finding {
    let before = item.parameters.value().map_or(&[][..], Vec::as_slice);
    let parameters = list(before);
    let set = || Cmdlet::new("Set-SettingOverride").identity(&item.identity);
    Finding::critical(
        "disabled",
        of(item, &format!("has the parameters {}", shown(&parameters))),
        WANTED,
    )
    .seen_in(&item.seen)
    .remedy(
        Remedy::exchange("switch it on, once application, consent and key are there")
            .run(set().code("Parameters", "@('Enabled=true')"))
            .test(show())
            .undo(set().values("Parameters", before))
            .disturbs(SWITCHED),
    )
}

const SWITCHED: &str = "Exchange calls the cloud as the dedicated application from then on: without \
                        its consent and its key these calls fail";

fn show() -> Query {
    Query::get("SettingOverride").pipe(
        "Format-List Name,ComponentName,SectionName,Parameters,Status,Server,MinVersion,\
         MaxVersion,Reason",
    )
}

/// Creates an override again.
fn again(item: &SettingOverride) -> Cmdlet {
    Cmdlet::new("New-SettingOverride")
        .value("Name", item.identity.label())
        .code("Component", "'Global'")
        .code("Section", "'ExchangeOnpremAsThirdPartyAppId'")
        .values("Parameters", item.parameters.value().map_or(&[][..], Vec::as_slice))
        .code("Reason", "'<the Reason before>'")
}

fn not_accepted(item: &SettingOverride, status: &str) -> Finding {
    Finding::critical(
        "not_accepted",
        of(item, &format!("has the status {}", shown(status))),
        WANTED,
    )
    .seen_in(&item.seen)
    .remedy(Remedy::advice(
        "look at the override's XmlRaw for a misspelt name, remove it and create it again",
    ))
}

fn limited(item: &SettingOverride) -> Finding {
    Finding::warning("limited", of(item, "is limited to some servers or versions"), WANTED)
        .seen_in(&item.seen)
        .remedy(Remedy::advice(
            "create it again without Server, MinVersion and MaxVersion, once every server can use it",
        ))
}

fn of(item: &SettingOverride, what: &str) -> String {
    format!("override {} {what}", shown(item.identity.label()))
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::facts::{Complete, Needs, Side};
    use crate::healthy::{Organisation, day, forbidden, hybrid, known, text};
    use crate::outcome::Certainty;

    const FILE: &str = "SettingOverrides.xml";

    fn said(organisation: &Organisation) -> String {
        organisation.summary(&CHECK).join("; ").replace("organisation: ", "")
    }

    fn with(change: impl Fn(&mut Organisation)) -> Organisation {
        let mut organisation = hybrid();
        change(&mut organisation);
        organisation
    }

    #[test]
    fn an_override_that_is_on_passes() {
        assert_eq!(said(&hybrid()), "passed");
    }

    #[test]
    fn without_an_override_calls_are_dead_since_they_were_blocked() {
        let mut organisation = with(|it| it.facts.setting_overrides.items.clear());
        assert_eq!(said(&organisation), "failed not_enabled");
        assert_eq!(organisation.judged(&CHECK)[0].findings()[0].certainty, Certainty::Presumed);
        organisation.facts.setting_overrides.complete = known(Complete::Proven, FILE);
        assert_eq!(organisation.judged(&CHECK)[0].findings()[0].certainty, Certainty::Certain);
        organisation.context.now = day("2025-10-31");
        assert_eq!(said(&organisation), "failed not_enabled");
        organisation.context.now = day("2025-10-30");
        assert_eq!(said(&organisation), "passed not_enabled");
    }

    #[test]
    fn an_override_that_does_not_take_effect_is_not_on() {
        let two = with(|it| {
            let second = it.setting_override().clone();
            it.facts.setting_overrides.items.push(second);
        });
        assert_eq!(said(&two), "failed several_overrides");
        let off = || known(vec!["Enabled=false".to_owned()], FILE);
        assert_eq!(said(&with(|it| it.setting_override().parameters = off())), "failed disabled");
        let refused = with(|it| it.setting_override().status = text("Invalid", FILE));
        assert_eq!(said(&refused), "failed not_accepted");
        let limited = with(|it| it.setting_override().max_version = text("15.2.1", FILE));
        assert_eq!(said(&limited), "warning limited");
    }

    #[test]
    fn who_calls_nobody_needs_none() {
        let change = |it: &mut Organisation| it.facts.setting_overrides.items.clear();
        let mut organisation = with(change);
        organisation.connector(Side::OnPremises).enabled = known(false, "Connectors.xml");
        assert_eq!(said(&organisation), "not_applicable");
        organisation.facts.connectors.items.clear();
        assert_eq!(said(&organisation), "not_applicable");
        let mut organisation = with(change);
        organisation.connector(Side::OnPremises).enabled = forbidden(Needs::Connectors);
        assert_eq!(said(&organisation), "unknown forbidden");
        organisation.facts.connectors.items.retain(|it| it.side == Side::Cloud);
        assert_eq!(said(&organisation), "unknown not_collected");
    }

    #[test]
    fn what_was_not_read_is_unknown() {
        let unread = with(|it| {
            it.facts.setting_overrides.complete = forbidden(Needs::SettingOverrides);
        });
        assert_eq!(said(&unread), "unknown forbidden");
    }
}
