//! Two sets of facts: judged alike, then compared.

use anyhow::bail;
use checks::comparison::{Comparison, Judged, Side, Trend};
use checks::facts::{Facts, Organisation};
use checks::procedure::detect;
use checks::{Case, Checks, Context, Procedure, Trust};
use jiff::Timestamp;

use super::results::{organisations_apart, shortened};
use super::sides::shown;
use crate::cli::Diff as Arguments;
use crate::material::{Material, fill};
use crate::output::diff::{Diff, Record, Records, TrustDiff};

pub(super) fn compared(
    arguments: &Arguments,
    mut old: Material,
    mut new: Material,
) -> anyhow::Result<Diff> {
    if old.evidence.redacted != new.evidence.redacted {
        bail!(
            "OLD and NEW cannot be compared: in one or both other names stand for the real ones, \
             and each redacted file has its own; redact after comparing, or record both without"
        );
    }
    let [olds, news] =
        [&mut old, &mut new].map(|it| std::mem::take(&mut it.evidence.organisations));
    let [old_as_of, new_as_of] = [&olds, &news].map(|it| it.iter().filter_map(as_of).max());
    let (pairs, only_in_old, only_in_new) = pairs(olds, news, arguments.trust.trust.as_deref())?;
    let question = Question::new(arguments, &old, &new, 1 < pairs.len());
    let mut notes = [(&old, &arguments.old), (&new, &arguments.new)]
        .map(|(it, at)| notes(it, &shown(at)))
        .concat();
    notes.extend(question.disagreement(&old, &new));
    if matches!((old_as_of, new_as_of), (Some(old), Some(new)) if new < old) {
        notes.push("OLD was looked at after NEW: are they the right way round?".to_owned());
    }
    Ok(Diff {
        records: Records::Facts,
        old: Record { path: shown(&arguments.old), as_of: old_as_of },
        new: Record { path: shown(&arguments.new), as_of: new_as_of },
        trend: Trend::Unchanged,
        trusts: pairs.iter().map(|(old, new)| question.judged(old, new)).collect(),
        only_in_old,
        only_in_new,
        notes,
    })
}

/// When the newest source was looked at.
fn as_of(facts: &Facts) -> Option<Timestamp> {
    facts.seen.values().filter_map(|seen| seen.at).max()
}

/// What of the evidence could not be used.
fn notes(material: &Material, path: &str) -> Vec<String> {
    let files = material.evidence.files.iter();
    let files =
        files.flat_map(|file| file.notes.iter().map(|note| format!("{}: {note}", file.path)));
    let notes = material.evidence.notes.iter().map(|note| format!("{path}: {note}"));
    files.chain(notes).collect()
}

type Pairs = (Vec<(Facts, Facts)>, Vec<String>, Vec<String>);

/// The organisations that are in both, and those that are not.
fn pairs(olds: Vec<Facts>, news: Vec<Facts>, wanted: Option<&str>) -> anyhow::Result<Pairs> {
    // Of one organisation each, the name is its owner's choice.
    let chosen = |facts: Vec<Facts>| -> Vec<Facts> {
        let is_wanted = |it: &Facts| wanted.is_none_or(|name| is_called(it, name));
        if facts.len() == 1 { facts } else { facts.into_iter().filter(is_wanted).collect() }
    };
    let (mut olds, news) = (chosen(olds), chosen(news));
    if let ([old], [new]) = (olds.as_slice(), news.as_slice())
        && let (Some(old), Some(new)) = (&old.organisation, &new.organisation)
        && let Some(why) = organisations_apart(old, new)
    {
        bail!("{why}");
    }
    let alone = olds.len() == 1 && news.len() == 1;
    let folded = |it: &Facts| it.organisation.as_ref().map(Organisation::folded);
    let (mut pairs, mut only_in_new) = (Vec::new(), Vec::new());
    for new in news {
        match olds.iter().position(|old| alone || folded(old) == folded(&new)) {
            Some(at) => pairs.push((olds.remove(at), new)),
            None => only_in_new.push(called(&new)),
        }
    }
    let only_in_old: Vec<String> = olds.iter().map(called).collect();
    if pairs.is_empty() {
        bail!(
            "no organisation is in both: OLD holds {}, NEW holds {}",
            shortened(&only_in_old),
            shortened(&only_in_new)
        );
    }
    Ok((pairs, only_in_old, only_in_new))
}

fn is_called(facts: &Facts, name: &str) -> bool {
    called(facts).eq_ignore_ascii_case(name)
        || facts.organisation.as_ref().is_some_and(|it| it.name.eq_ignore_ascii_case(name))
}

fn called(facts: &Facts) -> String {
    match &facts.organisation {
        Some(Organisation { name, forest }) => format!("{name} ({forest})"),
        None => "evidence".to_owned(),
    }
}

/// How both are judged.
struct Question {
    trust: Trust,
    context: Context,
    procedure: Option<&'static Procedure>,
    waivers: Vec<checks::Waiver>,
    checks: Checks,
    /// Whether the organisation's name tells one trust from another.
    by_organisation: bool,
}

impl Question {
    fn new(arguments: &Arguments, old: &Material, new: &Material, by_organisation: bool) -> Self {
        let mut trust = new.trust.clone();
        fill(&mut trust, old.trust.clone());
        let mut context = Context::at(arguments.at.unwrap_or_else(Timestamp::now));
        if let Some(notice) = new.expiry_notice.or(old.expiry_notice) {
            context.expiry_notice = notice;
        }
        let waivers = if arguments.no_waivers { Vec::new() } else { new.waivers.clone() };
        let procedure = arguments.procedure.or(new.procedure);
        let checks = new.checks.clone();
        Self { trust, context, procedure, waivers, checks, by_organisation }
    }

    /// Where the records state different things about the trust.
    fn disagreement(&self, old: &Material, new: &Material) -> Option<String> {
        let (one, other) = (&old.trust, &new.trust);
        let lists =
            |one: &[String], other: &[String]| !one.is_empty() && !other.is_empty() && one != other;
        let parts = [
            ("the tenant", matches!((&one.tenant, &other.tenant), (Some(a), Some(b)) if a != b)),
            ("the cloud", matches!((one.cloud, other.cloud), (Some(a), Some(b)) if a.id != b.id)),
            ("the SIP domains", lists(&one.sip_domains, &other.sip_domains)),
            ("the SMTP domains", lists(&one.smtp_domains, &other.smtp_domains)),
            ("the hosts", lists(&one.hosts, &other.hosts)),
            (
                "the procedure",
                self.procedure.is_some_and(|it| old.procedure.is_some_and(|old| old.id != it.id)),
            ),
        ];
        let parts: Vec<&str> =
            parts.into_iter().filter(|(_, it)| *it).map(|(name, _)| name).collect();
        let what = parts.join(", ");
        (!parts.is_empty()).then(|| {
            format!("OLD states another thing of {what}; both are judged by what NEW states")
        })
    }

    fn judged(&self, old: &Facts, new: &Facts) -> TrustDiff {
        let detect_it = || {
            let found = detect(new);
            (found.procedure, Some(found.why))
        };
        let (procedure, detected) = self.procedure.map_or_else(detect_it, |it| (it, None));
        let trust = Trust { name: self.name(new), ..self.trust.clone() };
        let cases = [old, new].map(|facts| Case {
            trust: &trust,
            facts,
            procedure,
            context: &self.context,
        });
        let judged = cases.map(|case| {
            let mut assessment = self.checks.assess(&case);
            assessment.waive(&self.waivers, self.context.now);
            Judged::of(&assessment, case.facts)
        });
        let [old_case, new_case] = &cases;
        let [old_judged, new_judged] = &judged;
        let comparison = Comparison::new(
            Side { judged: old_judged, case: Some(old_case) },
            Side { judged: new_judged, case: Some(new_case) },
        );
        let before = detect(old).procedure;
        let moved = (detected.is_some() && before.id != procedure.id)
            .then(|| format!("OLD speaks for {}; both are judged by {}", before.id, procedure.id));
        TrustDiff {
            name: trust.name.clone(),
            procedure: procedure.id.to_owned(),
            detected,
            old_judged_at: self.context.now,
            new_judged_at: self.context.now,
            comparison: Some(comparison),
            not_compared: None,
            notes: moved.into_iter().collect(),
        }
    }

    fn name(&self, facts: &Facts) -> String {
        match &facts.organisation {
            Some(own) if self.trust.name.is_empty() && !self.by_organisation => own.name.clone(),
            _ if self.by_organisation || self.trust.name.is_empty() => called(facts),
            _ => self.trust.name.clone(),
        }
    }
}
