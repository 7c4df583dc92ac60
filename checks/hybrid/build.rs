#![doc = include_str!("build.md")]

use crate::auth_certificate::{other_servers, servers_named, servers_of};
use crate::case::Case;
use crate::check::{Check, Object, Subject};
use crate::facts::{Grade, Needs, Reason, SeenId, Server, Unknown, host_name, same_server};
use crate::outcome::{Finding, Verdict};
use crate::procedure::{Requirement, StepId};
use crate::remedy::Remedy;
use crate::wording::shown;

pub(crate) const CHECK: Check = Check {
    id: "hybrid-build",
    title: "Every server runs a build that can take part",
    manual: include_str!("build.md"),
    after: &[],
    reads: &["connectors", "servers"],
    subjects,
    judge,
};

/// Major, minor, build and revision; the first three are the cumulative update.
type Build = [u32; 4];

/// Exchange 2016 CU3, the first with which Teams talks.
/// Source: Microsoft, "How Exchange and Microsoft Teams interact".
const TEAMS: &[Build] = &[[15, 1, 544, 27]];

/// The first builds that can use the dedicated hybrid application: Exchange 2016
/// CU23, Exchange 2019 CU14 and CU15. Exchange SE is above them all.
/// Source: Microsoft, "Deploy dedicated Exchange hybrid app".
const DEDICATED: &[Build] = &[[15, 1, 2507, 55], [15, 2, 1544, 25], [15, 2, 1748, 24]];

#[expect(clippy::unnecessary_wraps, reason = "the signature of `Check::subjects`")]
fn subjects(case: &Case) -> Result<Vec<Subject>, Unknown> {
    let step = build_step(case).or_else(|| super::dedicated_step(case));
    Ok(step.map(|step| servers_of(case, step)).unwrap_or_default())
}

fn build_step(case: &Case) -> Option<StepId> {
    case.procedure.step(|it| matches!(it, Requirement::Build))
}

fn judge(case: &Case, subject: &Subject) -> Result<Verdict, Unknown> {
    let Object::Server(name) = &subject.object else { return Err(other_servers(case)) };
    let server = servers_named(case, name).first().copied().ok_or_else(|| other_servers(case))?;
    if server.edge.is(|edge| *edge) {
        return Ok(Verdict::NotApplicable("an Edge server takes no part in this trust".into()));
    }
    let running = running(case, server)?;
    if build_step(case).is_some() && running.reaches(TEAMS)? == Reach::Below {
        return Ok(running.below_teams(server).into());
    }
    let dedicated = running.reaches(DEDICATED);
    if dedicated == Ok(Reach::Reached) || super::dedicated_step(case).is_none() {
        return Ok(Verdict::passed(running.text(), running.seen));
    }
    // Who calls nobody in the cloud does not need the application.
    if !super::calls_the_cloud(case)? {
        return Ok(Verdict::passed(running.text(), running.seen));
    }
    dedicated?;
    Ok(running.below_dedicated(server).into())
}

/// The build that a server runs.
struct Running<'a> {
    build: Build,
    /// Whether the revision is that of the last update.
    whole: bool,
    grade: Grade,
    seen: &'a SeenId,
}

/// How a build relates to the lowest ones that will do.
#[derive(Debug, PartialEq, Eq)]
enum Reach {
    Reached,
    Below,
}

/// What the server itself answers with, else what the directory says.
fn running<'a>(case: &Case<'a>, server: &'a Server) -> Result<Running<'a>, Unknown> {
    let answers = case
        .facts
        .challenges
        .iter()
        .filter(|it| !server.name.is_empty() && same_server(&host_name(&it.url), &server.name));
    let answered = answers.filter_map(|it| Some((parsed(&it.build)?, &it.seen))).max();
    if let Some((build, seen)) = answered {
        return Ok(Running { build, whole: true, grade: Grade::Documented, seen });
    }
    let stored = server.build.read()?;
    let build = parsed(&stored.value).ok_or_else(|| {
        Unknown::new(Reason::Malformed, Needs::Servers)
            .detail(format!("the build of {} is {}", server.name, shown(&stored.value)))
            .tried(&stored.seen)
    })?;
    Ok(Running { build, whole: false, grade: stored.grade, seen: &stored.seen })
}

fn parsed(text: &str) -> Option<Build> {
    let numbers: Vec<u32> =
        text.trim().split('.').map(str::parse).collect::<Result<_, _>>().ok()?;
    numbers.try_into().ok()
}

impl Running<'_> {
    /// Whether it is at least one of these. Inside the right cumulative update a
    /// build of the directory that is too low tells nothing: it may leave the
    /// update out.
    fn reaches(&self, lowest: &[Build]) -> Result<Reach, Unknown> {
        let update = |build: &Build| [build[0], build[1], build[2]];
        let own = update(&self.build);
        if let Some(same) = lowest.iter().find(|it| update(it) == own) {
            return match (*same <= self.build, self.whole) {
                (true, _) => Ok(Reach::Reached),
                (false, true) => Ok(Reach::Below),
                (false, false) => Err(self.perhaps(same)),
            };
        }
        // Later updates of a line, and lines after the last, can do it too.
        let version = |build: &Build| [build[0], build[1]];
        let of_line = |it: &&Build| version(it) == version(&self.build);
        let first = lowest.iter().find(of_line).or(lowest.last());
        Ok(if first.is_none_or(|first| *first < self.build) {
            Reach::Reached
        } else {
            Reach::Below
        })
    }

    fn perhaps(&self, lowest: &Build) -> Unknown {
        Unknown::new(Reason::NotCollected, Needs::Challenge(String::new()))
            .detail(format!(
                "the build in the directory is {}, which may leave out an update that makes it {} \
                 or later",
                text(&self.build),
                text(lowest)
            ))
            .tried(self.seen)
    }

    fn below_teams(&self, server: &Server) -> Finding {
        Finding::critical(
            "below_teams_minimum",
            format!("{} runs {}, with which Teams does not talk", server.name, self.text()),
            "Exchange 2016 CU3 (15.1.544.27) or later",
        )
        .graded(self.grade)
        .seen_in([self.seen])
        .remedy(Remedy::advice("update the server, or move its mailboxes to a newer one"))
    }

    fn below_dedicated(&self, server: &Server) -> Finding {
        Finding::warning(
            "below_dedicated_minimum",
            format!(
                "{} runs {}, which cannot use the dedicated hybrid application",
                server.name,
                self.text()
            ),
            "Exchange 2016 CU23 15.1.2507.55, Exchange 2019 CU14 15.2.1544.25 or CU15 \
             15.2.1748.24, or Exchange SE",
        )
        .seen_in([self.seen])
        .remedy(Remedy::advice(
            "install the last cumulative update and its latest update, or move to Exchange SE",
        ))
    }

    fn text(&self) -> String {
        text(&self.build)
    }
}

fn text(build: &Build) -> String {
    build.map(|number| number.to_string()).join(".")
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::facts::{Challenge, Fact, Needs, SeenId, Side};
    use crate::healthy::{Organisation, forbidden, hybrid, known, text};
    use crate::procedure::TEAMS;

    const FILE: &str = "ExchangeServers.xml";

    /// What is said of a server with this build: for Teams, and for Exchange Online alone.
    fn said(build: &str) -> [String; 2] {
        let mut organisation = hybrid();
        organisation.server("ex2").build = text(build, FILE);
        let teams = Organisation { procedure: &TEAMS, ..organisation.clone() };
        [teams, organisation].map(|it| of_ex2(&it))
    }

    fn of_ex2(organisation: &Organisation) -> String {
        organisation.summary(&CHECK)[1].replace("ex2.corp.contoso.com: ", "")
    }

    #[test]
    fn each_line_has_its_own_minimum() {
        let below = "warning below_dedicated_minimum";
        for build in [
            "15.1.2507.55",
            "15.1.2507.61",
            "15.2.1544.25",
            "15.2.1748.24",
            "15.2.2562.17",
            "15.3.1.0",
        ] {
            assert_eq!(said(build), ["passed", "passed"], "{build}");
        }
        for build in ["15.1.2375.7", "15.1.544.27", "15.2.1258.12", "15.2.986.5"] {
            assert_eq!(said(build), [below, below], "{build}");
        }
        for build in ["15.0.1497.2", "15.1.466.34", "14.3.1.0"] {
            assert_eq!(said(build), ["failed below_teams_minimum", below], "{build}");
        }
    }

    #[test]
    fn a_directory_may_leave_the_update_out() {
        let untold = "unknown not_collected";
        assert_eq!(said("15.2.1748.10"), [untold, untold]);
        assert_eq!(said("15.1.2507.6"), [untold, untold]);
        assert_eq!(said("15.1.544.1"), [untold, "warning below_dedicated_minimum"]);
        let mut organisation = hybrid();
        organisation.server("ex2").build = text("15.2.1748.10", FILE);
        organisation.facts.challenges = vec![answer("15.2.1748.26")];
        assert_eq!(of_ex2(&organisation), "passed");
        organisation.facts.challenges = vec![answer("15.2.1748.10")];
        assert_eq!(of_ex2(&organisation), "warning below_dedicated_minimum");
    }

    fn answer(build: &str) -> Challenge {
        Challenge {
            url: "https://ex2.corp.contoso.com/ews/exchange.asmx".into(),
            status: known(401, "challenge.txt"),
            schemes: vec![],
            bearer: None,
            server: String::new(),
            build: build.into(),
            diagnoses: vec![],
            seen: SeenId::new("challenge.txt"),
        }
    }

    #[test]
    fn who_calls_nobody_needs_no_minimum() {
        let mut organisation = hybrid();
        organisation.server("ex2").build = text("15.2.986.5", FILE);
        organisation.connector(Side::OnPremises).enabled = known(false, "Connectors.xml");
        assert_eq!(of_ex2(&organisation), "passed");
        organisation.connector(Side::OnPremises).enabled = forbidden(Needs::Connectors);
        assert_eq!(of_ex2(&organisation), "unknown forbidden");
    }

    #[test]
    fn what_was_not_read_is_unknown_for_that_server_alone() {
        let mut organisation = hybrid();
        organisation.server("ex2").build = forbidden(Needs::Servers);
        assert_eq!(
            organisation.summary(&CHECK),
            ["ex1.corp.contoso.com: passed", "ex2.corp.contoso.com: unknown forbidden"]
        );
        organisation.server("ex2").edge = known(true, FILE);
        assert_eq!(of_ex2(&organisation), "not_applicable");
        assert_eq!(said("Version 15.2")[0], "unknown malformed");
        organisation.facts.servers.complete = Fact::not_collected(Needs::Servers);
        assert_eq!(organisation.summary(&CHECK)[0], "organisation: unknown not_collected");
    }
}
