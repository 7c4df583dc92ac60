#![doc = include_str!("rollover.md")]

use jiff::{SignedDuration, Timestamp};

use super::validity::{stage, take_over};
use super::{copy, holder, installed, other_servers};
use crate::case::Case;
use crate::check::{Check, Subject};
use crate::facts::{AuthConfig, Complete, Known, SeenId, Server, Thumbprint, Unknown};
use crate::outcome::{Finding, Verdict};
use crate::remedy::{Cmdlet, Milestone, Remedy};
use crate::wording::{count, day, list, shown};

pub(crate) const CHECK: Check = Check {
    id: "auth-certificate-rollover",
    title: "The next auth certificate is staged in time and takes over",
    manual: include_str!("rollover.md"),
    after: &["auth-certificate-configured"],
    reads: &[
        "auth_config",
        "exported_certificates",
        "metadata_documents",
        "server_certificates",
        "service_principals",
    ],
    subjects: super::organisation,
    judge,
};

/// Exchange changes over within about twelve hours; a day leaves room.
const GRACE: SignedDuration = SignedDuration::from_hours(24);
/// Microsoft's own script wants a next certificate to last longer than this.
const LEAST_LEFT: SignedDuration = SignedDuration::from_hours(120 * 24);

fn judge(case: &Case, _: &Subject) -> Result<Verdict, Unknown> {
    let config = case.auth_config()?;
    let stored = config.next.read()?;
    let Some(next) = &stored.value else { return unstaged(case, &stored.seen) };
    let Some(next) = &next.thumbprint else {
        let finding = Finding::warning(
            "malformed_next",
            format!(
                "NextCertificateThumbprint of AuthConfig is {}, which is no thumbprint",
                shown(&next.stored)
            ),
            "the thumbprint of the next certificate, or nothing",
        );
        return Ok(finding.seen_in([&stored.seen]).remedy(stage()).into());
    };
    let staged = Staged { case, config, next, seen: &stored.seen };
    let mut findings = Vec::new();
    let mut untold = Vec::new();
    for question in [Staged::half_done, Staged::too_late, Staged::ending, Staged::not_installed] {
        match question(&staged) {
            Ok(finding) => findings.extend(finding),
            Err(unknown) => untold.push(unknown),
        }
    }
    if !findings.is_empty() {
        return Ok(Verdict::Flawed(findings));
    }
    untold.into_iter().next().map_or_else(|| staged.in_order(), Err)
}

/// Nothing is staged, which is normal until the end comes near.
fn unstaged(case: &Case, seen: &SeenId) -> Result<Verdict, Unknown> {
    let (certificate, source) = case.certificate(case.current_thumbprint()?)?;
    let left = certificate.not_after.duration_since(case.context.now);
    if left.is_negative() {
        let why = "no rollover is staged, and the current certificate is past its end";
        return Ok(Verdict::NotApplicable(why.into()));
    }
    if case.context.expiry_notice < left {
        return Ok(Verdict::NotApplicable("no rollover is staged".into()));
    }
    let finding = Finding::warning(
        "next_not_staged",
        format!(
            "no next certificate is staged, and auth certificate {} is valid until {}",
            certificate.sha1,
            day(certificate.not_after)
        ),
        "a next certificate that takes effect before that day",
    );
    Ok(finding.seen_in([seen, source]).remedy(stage()).into())
}

/// A rollover on its way.
struct Staged<'a> {
    case: &'a Case<'a>,
    config: &'a AuthConfig,
    next: &'a Thumbprint,
    seen: &'a SeenId,
}

impl Staged<'_> {
    fn effective(&self) -> Result<&Known<Option<Timestamp>>, Unknown> {
        self.config.next_effective_date.read()
    }

    /// Whether it takes over at all: another certificate, a date, and then the change.
    fn half_done(&self) -> Result<Option<Finding>, Unknown> {
        let next = self.next;
        let current = self.case.current_thumbprint();
        if current.as_ref().is_ok_and(|current| *current == next) {
            let finding = Finding::warning(
                "same_as_current",
                format!("the next certificate {next} is the current one"),
                "another certificate as the next one, or none",
            );
            let finding = finding.remedy(Remedy::advice(
                "nothing changes on the effective date: stage another certificate in time",
            ));
            return Ok(Some(finding.seen_in([self.seen])));
        }
        let effective = self.effective()?;
        let Some(date) = effective.value else {
            let finding = Finding::warning(
                "no_effective_date",
                format!("next certificate {next} has no effective date, so it never takes over"),
                "an effective date before the end of the current certificate",
            );
            return Ok(Some(finding.seen_in([&effective.seen]).remedy(self.set_date())));
        };
        let due = date.saturating_add(GRACE).unwrap_or(Timestamp::MAX);
        // What was seen before that day cannot tell what came of it.
        let seen = self.case.facts.seen.get(&effective.seen).and_then(|seen| seen.at);
        if self.case.context.now <= due || seen.is_some_and(|at| at <= due) {
            return Ok(None);
        }
        let current = current?;
        let finding = Finding::critical(
            "half_done",
            format!(
                "next certificate {next} was to take effect on {}, but {current} is still current",
                day(date)
            ),
            "the next certificate as the current one since that day",
        );
        let finding = finding.graded(effective.grade).seen_in([self.seen, &effective.seen]);
        Ok(Some(finding.remedy(take_over(next))))
    }

    /// Whether it takes over while the current certificate is still valid.
    fn too_late(&self) -> Result<Option<Finding>, Unknown> {
        let current = self.case.current_thumbprint()?;
        let effective = self.effective()?;
        let Some(date) = effective.value.filter(|_| current != self.next) else { return Ok(None) };
        let (certificate, source) = self.case.certificate(current)?;
        if date <= certificate.not_after {
            return Ok(None);
        }
        let finding = Finding::warning(
            "effective_after_expiry",
            format!(
                "next certificate {} takes effect on {}, auth certificate {current} ends on {}",
                self.next,
                day(date),
                day(certificate.not_after)
            ),
            "an effective date before the end of the current certificate",
        );
        Ok(Some(finding.seen_in([&effective.seen, source]).remedy(self.set_date())))
    }

    /// Whether it lasts long enough to be worth the change.
    fn ending(&self) -> Result<Option<Finding>, Unknown> {
        let (certificate, source) = self.case.certificate(self.next)?;
        let now = self.case.context.now;
        let until = day(certificate.not_after);
        let finding = if certificate.not_after < now {
            Finding::critical(
                "next_expired",
                format!("next certificate {} expired on {until}", self.next),
                "a next certificate that is valid",
            )
        } else if certificate.not_after.duration_since(now) <= LEAST_LEFT {
            Finding::warning(
                "next_ends_soon",
                format!("next certificate {} is valid until {until}", self.next),
                "a next certificate that is valid for more than 120 days",
            )
        } else {
            return Ok(None);
        };
        Ok(Some(finding.seen_in([source]).remedy(stage())))
    }

    /// Whether every server can sign with it on the day of the change.
    fn not_installed(&self) -> Result<Option<Finding>, Unknown> {
        let mut servers: Vec<&Server> = self.servers().collect();
        servers.sort_by_key(|server| &server.name);
        let lacks = |server: &&&Server| {
            installed(server, self.next).is_none() && server.certificates.complete.value().is_some()
        };
        let lacking: Vec<&Server> = servers.iter().filter(lacks).copied().collect();
        if lacking.is_empty() {
            return self.all_servers_told().map(|()| None);
        }
        let proven = lacking.iter().all(|server| {
            server.edge.value().is_some()
                && server.certificates.complete.is(|it| *it == Complete::Proven)
        });
        let names = list(lacking.iter().map(|server| &server.name));
        let seen = lacking.iter().flat_map(|server| &server.certificates.seen);
        let mut finding = Finding::warning(
            "next_not_installed",
            format!(
                "next certificate {} is not among the certificates of {}: {names}",
                self.next,
                count(lacking.len(), "server"),
            ),
            "the next certificate on every server before it takes effect",
        )
        .absent_from(if proven { Complete::Proven } else { Complete::Presumed })
        .seen_in(seen);
        if let Some(holder) = holder(self.case, self.next) {
            for server in lacking {
                finding = finding.remedy(copy(self.next, holder, &server.name));
            }
        }
        Ok(Some(finding))
    }

    /// The servers of which it is known which they are.
    fn servers(&self) -> impl Iterator<Item = &Server> {
        let servers = &self.case.facts.servers.items;
        servers.iter().filter(|server| !server.name.is_empty() && !server.edge.is(|edge| *edge))
    }

    fn all_servers_told(&self) -> Result<(), Unknown> {
        for server in self.servers().filter(|server| installed(server, self.next).is_none()) {
            server.certificates.complete.read()?;
        }
        if self.case.facts.servers.complete.value().is_none() || self.servers().next().is_none() {
            return Err(other_servers(self.case));
        }
        Ok(())
    }

    fn in_order(&self) -> Result<Verdict, Unknown> {
        let effective = self.effective()?;
        let (certificate, source) = self.case.certificate(self.next)?;
        let date =
            effective.value.map_or_else(String::new, |date| format!("from {} on: ", day(date)));
        let seen = format!("{date}{}, valid until {}", self.next, day(certificate.not_after));
        Ok(Verdict::passed_by(seen, [self.seen, &effective.seen, source]))
    }

    fn set_date(&self) -> Remedy {
        let stage =
            || Cmdlet::new("Set-AuthConfig").value("NewCertificateThumbprint", self.next.as_str());
        let before = self.config.next_effective_date.value().copied().flatten();
        let before = before.map_or("<the NextCertificateEffectiveDate before>".to_owned(), |it| {
            it.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
        });
        Remedy::exchange("let the next certificate take effect in time, after it was uploaded")
            .run(stage().code("NewCertificateEffectiveDate", "(Get-Date).AddHours(49)"))
            .test(super::show())
            .undo(stage().value("NewCertificateEffectiveDate", &before))
            .disturbs(
                "in 49 hours Exchange signs with it: whoever does not hold it by then refuses \
                 every call",
            )
            .takes(Milestone::Uploaded(self.next.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::facts::{Fact, Listing, Needs, SeenId, StoredThumbprint};
    use crate::healthy::{CURRENT, NEXT, Organisation, day, forbidden, healthy, known};

    fn staged(effective: &str) -> Organisation {
        let mut organisation = healthy();
        organisation.stage_next(effective);
        organisation
    }

    fn unstaged_on(now: &str) -> Vec<String> {
        let mut organisation = healthy();
        organisation.context.now = day(now);
        organisation.summary(&CHECK)
    }

    fn dated(effective: &str, now: &str) -> Vec<String> {
        let mut organisation = staged(effective);
        organisation.context.now = day(now);
        organisation.summary(&CHECK)
    }

    /// The next certificate ends on this day, wherever it is installed.
    fn ending(end: &str) -> Vec<String> {
        let mut organisation = staged("2027-01-01");
        for server in &mut organisation.facts.servers.items {
            for it in &mut server.certificates.items {
                if let Fact::Known(known) = &mut it.certificate
                    && it.thumbprint.as_str() == NEXT
                {
                    known.value.not_after = day(end);
                }
            }
        }
        organisation.summary(&CHECK)
    }

    #[test]
    fn without_a_next_one_the_days_left_decide() {
        assert_eq!(unstaged_on("2026-11-24"), ["organisation: not_applicable"]);
        assert_eq!(unstaged_on("2030-10-15"), ["organisation: not_applicable"]);
        assert_eq!(unstaged_on("2030-10-16"), ["organisation: warning next_not_staged"]);
        assert_eq!(unstaged_on("2030-12-15"), ["organisation: warning next_not_staged"]);
        assert_eq!(unstaged_on("2030-12-16"), ["organisation: not_applicable"]);
    }

    #[test]
    fn a_day_after_the_effective_date_it_is_half_done() {
        assert_eq!(dated("2027-01-01", "2026-11-24"), ["organisation: passed"]);
        assert_eq!(dated("2027-01-01", "2027-01-02"), ["organisation: passed"]);
        assert_eq!(dated("2027-01-01", "2027-01-03"), ["organisation: failed half_done"]);
    }

    #[test]
    fn what_was_seen_before_the_change_does_not_tell_that_it_failed() {
        let mut organisation = staged("2027-01-01");
        organisation.context.now = day("2027-03-01");
        assert_eq!(organisation.summary(&CHECK), ["organisation: failed half_done"]);
        let mut seen_on = |date: &str| {
            let seen = organisation.facts.seen.get_mut(&SeenId::new("AuthConfig.xml")).unwrap();
            seen.at = Some(day(date));
            organisation.summary(&CHECK)
        };
        assert_eq!(seen_on("2026-11-24"), ["organisation: passed"]);
        assert_eq!(seen_on("2027-02-28"), ["organisation: failed half_done"]);
    }

    #[test]
    fn the_effective_date_must_exist_and_come_in_time() {
        let mut organisation = staged("2027-01-01");
        organisation.auth_config().next_effective_date = known(None, "AuthConfig.xml");
        assert_eq!(organisation.summary(&CHECK), ["organisation: warning no_effective_date"]);
        assert_eq!(staged("2030-12-15").summary(&CHECK), ["organisation: passed"]);
        assert_eq!(
            staged("2030-12-16").summary(&CHECK),
            ["organisation: warning effective_after_expiry"]
        );
    }

    #[test]
    fn the_next_certificate_must_last() {
        assert_eq!(ending("2027-03-25"), ["organisation: passed"]);
        assert_eq!(ending("2027-03-24"), ["organisation: warning next_ends_soon"]);
        assert_eq!(ending("2026-11-24"), ["organisation: warning next_ends_soon"]);
        assert_eq!(ending("2026-11-23"), ["organisation: failed next_expired"]);
    }

    #[test]
    fn the_stored_text_must_mean_another_certificate() {
        let mut organisation = staged("2026-11-01");
        organisation.auth_config().next = known(StoredThumbprint::read(CURRENT), "AuthConfig.xml");
        assert_eq!(organisation.summary(&CHECK), ["organisation: warning same_as_current"]);
        organisation.auth_config().next = known(StoredThumbprint::read("soon"), "AuthConfig.xml");
        assert_eq!(organisation.summary(&CHECK), ["organisation: warning malformed_next"]);
    }

    #[test]
    fn servers_that_lack_it_are_named_and_others_do_not_count() {
        let mut organisation = staged("2027-01-01");
        organisation.server("ex2").certificates.items.pop();
        assert_eq!(organisation.summary(&CHECK), ["organisation: warning next_not_installed"]);
        let outcomes = organisation.judged(&CHECK);
        let finding = &outcomes[0].findings()[0];
        assert!(finding.seen.ends_with("of 1 server: ex2.corp.contoso.com"), "{}", finding.seen);
        assert_eq!(finding.remedies.len(), 1);
        organisation.server("ex2").edge = known(true, "ExchangeServers.xml");
        assert_eq!(organisation.summary(&CHECK), ["organisation: passed"]);
    }

    #[test]
    fn several_flaws_stand_together() {
        let mut organisation = staged("2026-11-01");
        organisation.server("ex2").certificates.items.pop();
        assert_eq!(
            organisation.summary(&CHECK),
            ["organisation: failed half_done next_not_installed"]
        );
    }

    #[test]
    fn what_was_not_read_is_unknown() {
        let unknown = |spoil: fn(&mut Organisation), reason: &str| {
            let mut organisation = staged("2027-01-01");
            spoil(&mut organisation);
            assert_eq!(organisation.summary(&CHECK), [format!("organisation: unknown {reason}")]);
        };
        unknown(|it| it.facts.auth_config = forbidden(Needs::AuthConfig), "forbidden");
        unknown(|it| it.auth_config().next = forbidden(Needs::AuthConfig), "forbidden");
        unknown(
            |it| it.auth_config().next_effective_date = forbidden(Needs::AuthConfig),
            "forbidden",
        );
        unknown(|it| it.auth_config().current = forbidden(Needs::AuthConfig), "forbidden");
        unknown(|it| it.facts.servers.complete = forbidden(Needs::Servers), "forbidden");
        unknown(
            |it| {
                let needs = Needs::ServerCertificates("ex2".into());
                it.server("ex2").certificates = Listing::not_collected(needs);
            },
            "not_collected",
        );
        unknown(
            |it| {
                it.facts.servers.items.clear();
                it.facts.service_principals.items.clear();
            },
            "not_collected",
        );
    }

    #[test]
    fn an_unread_date_hides_no_other_flaw() {
        let mut organisation = staged("2027-01-01");
        organisation.auth_config().next_effective_date = Fact::not_collected(Needs::AuthConfig);
        organisation.server("ex2").certificates.items.pop();
        assert_eq!(organisation.summary(&CHECK), ["organisation: warning next_not_installed"]);
    }
}
