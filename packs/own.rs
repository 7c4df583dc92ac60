//! One check of a pack: compiled once, and then asked about cases.

mod compiler;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use checks::facts::{ApplicationId, Grade, SeenId};
use checks::{
    Answered, Answers, Case, Certainty, Evidence, Finding, Judgement, Object, Remedy, Severity,
    Shell, Subject, quoted,
};

pub(crate) use compiler::compile;

use crate::document::Source;
use crate::expression::{self, Compiled, Failed, Frame, LONGEST, as_object, as_shown};

/// A check that can be asked.
#[derive(Debug)]
pub(crate) struct Own {
    id: &'static str,
    code: &'static str,
    severity: Severity,
    variable: String,
    for_each: Option<Part>,
    name: Option<Part>,
    applies: Option<Part>,
    names: Vec<(String, Part)>,
    pass: Part,
    message: Template,
    wanted: Template,
    passed: Template,
    remedy: Option<Steps>,
    /// The parts of the facts that it takes.
    pub(crate) reads: BTreeSet<String>,
}

/// An expression, and where it stands.
#[derive(Debug)]
struct Part {
    compiled: Compiled,
    place: String,
}

#[derive(Debug)]
enum Shown {
    Text(String),
    Part(Part),
}

type Template = Vec<Shown>;

#[derive(Debug)]
struct Steps {
    action: Template,
    shell: Option<Shell>,
    script: Vec<Template>,
}

/// What a check needs to know of the pack that it is in.
pub(crate) struct Around<'a> {
    pub(crate) source: &'a Source,
    pub(crate) id: &'static str,
    pub(crate) code: &'static str,
}

/// The checks of a pack, which are asked together.
#[derive(Debug)]
pub(crate) struct Answering(pub(crate) Vec<Asked>);

/// A check, or what is wrong with it.
#[derive(Debug)]
pub(crate) enum Asked {
    Own(Box<Own>),
    Broken(String),
}

impl Answers for Answering {
    fn answers(&self, case: &Case) -> Vec<Answered> {
        let answers = expression::on_own_thread(|| {
            let ends = Instant::now().checked_add(LONGEST_OF_ALL);
            let own = self.0.iter().filter_map(|it| match it {
                Asked::Own(own) => Some(&own.reads),
                Asked::Broken(_) => None,
            });
            let reads: BTreeSet<String> = own.flatten().cloned().collect();
            // One that was stopped leaves nothing behind in it but names of its own.
            let mut frame = Frame::of(case, &reads);
            self.0.iter().map(|it| it.answer(&mut frame, ends)).collect()
        });
        answers.unwrap_or_else(|broken| {
            let told = || vec![(organisation(), Judgement::Error(broken.text()))];
            self.0.iter().map(|_| told()).collect()
        })
    }
}

impl Asked {
    fn answer(&self, frame: &mut Frame, ends: Option<Instant>) -> Answered {
        let own = match self {
            Self::Own(own) => own,
            Self::Broken(why) => return vec![(organisation(), Judgement::Error(why.clone()))],
        };
        let stopped = |why: &str| {
            let text = format!("{}: {}: {why}", own.pass.place, own.id);
            vec![(organisation(), Judgement::Error(text))]
        };
        let left = ends.map_or(LONGEST, |it| it.saturating_duration_since(Instant::now()));
        if left.is_zero() {
            return stopped("the checks before it took all the time there is");
        }
        let judged = expression::stoppable(|| {
            expression::begin(left.min(LONGEST));
            own.judge_all(frame)
        });
        judged.unwrap_or_else(|broken| stopped(&broken.text()))
    }
}

impl Own {
    fn judge_all(&self, frame: &mut Frame) -> Answered {
        let Some(for_each) = &self.for_each else {
            return vec![(organisation(), self.judge(frame))];
        };
        let subjects = match frame.items(&for_each.compiled) {
            Ok(subjects) => subjects,
            Err(failed) => return vec![(organisation(), self.failed(failed, for_each))],
        };
        let nobody = subjects.items.is_empty();
        let mut answers = Vec::with_capacity(subjects.items.len());
        let mut taken: BTreeSet<Object> = BTreeSet::new();
        for (at, item) in subjects.items.into_iter().enumerate() {
            let own = item.clone();
            frame.set(&self.variable, item);
            let object = match self.called(frame, own.as_ref(), at) {
                Ok(object) => apart(object, &mut taken),
                Err(judgement) => {
                    let object = apart(Object::Named(format!("item {}", at + 1)), &mut taken);
                    answers.push((Subject { step: None, object }, judgement));
                    continue;
                }
            };
            answers.push((Subject { step: None, object }, self.judge(frame)));
        }
        // Of a list that nobody asked for, or asked in vain, somebody may be missing.
        // What only the network shows is missing from no export.
        match subjects.rest {
            Some(unknown) if !(nobody && self.only_live()) => {
                answers.push((organisation(), Judgement::Unknown(unknown)));
            }
            _ => {}
        }
        answers
    }

    /// Whether those who are judged come from live sources alone.
    fn only_live(&self) -> bool {
        let live = ["resolutions", "tls_servers", "clocks", "fetches", "autodiscover"];
        let of = self.for_each.as_ref().map(|it| &it.compiled.reads);
        of.is_some_and(|reads| reads.iter().all(|it| live.contains(&it.as_str())))
    }

    /// How one of those who are judged is called.
    fn called(
        &self,
        frame: &Frame,
        item: &expression::Item,
        at: usize,
    ) -> Result<Object, Judgement> {
        if let Some(name) = &self.name {
            return match frame.shown(&name.compiled) {
                Ok(text) => Ok(Object::Named(text.chars().take(LONGEST_NAME).collect())),
                // Who is not known by name is judged all the same.
                Err(Failed::Missing(_)) => Ok(Object::Named(format!("item {}", at + 1))),
                Err(failed) => Err(self.failed(failed, name)),
            };
        }
        Ok(object_of(item).unwrap_or_else(|| Object::Named(format!("item {}", at + 1))))
    }

    fn judge(&self, frame: &Frame) -> Judgement {
        expression::take_read();
        if let Some(applies) = &self.applies {
            match frame.holds(&applies.compiled) {
                Ok(true) => {}
                Ok(false) => {
                    return Judgement::NotApplicable("its condition does not hold here".to_owned());
                }
                Err(failed) => return self.failed(failed, applies),
            }
        }
        for (name, part) in &self.names {
            if let Err(why) = frame.keep(name, &part.compiled) {
                return self.failed(Failed::Fault(why), part);
            }
        }
        match frame.holds(&self.pass.compiled) {
            Ok(true) => self.passed(frame),
            Ok(false) => self.flawed(frame),
            Err(failed) => self.failed(failed, &self.pass),
        }
    }

    fn passed(&self, frame: &Frame) -> Judgement {
        let read = expression::take_read();
        match self.filled(frame, &self.passed, false) {
            Ok(seen) => {
                Judgement::Passed(Evidence { seen, provenance: read.seen.into_iter().collect() })
            }
            Err(judgement) => judgement,
        }
    }

    fn flawed(&self, frame: &Frame) -> Judgement {
        let read = expression::take_read();
        let finding = || -> Result<Finding, Judgement> {
            let seen = self.filled(frame, &self.message, false)?;
            let wanted = self.filled(frame, &self.wanted, false)?;
            let provenance: Vec<SeenId> = read.seen.iter().cloned().collect();
            let finding = Finding {
                severity: self.severity,
                certainty: if read.presumed { Certainty::Presumed } else { Certainty::Certain },
                ..Finding::critical(self.code, seen, wanted)
            };
            let grade = if read.inferred { Grade::Inferred } else { Grade::Documented };
            let finding = finding.seen_in(&provenance).graded(grade);
            Ok(match &self.remedy {
                Some(steps) => finding.remedy(self.remedied(frame, steps)?),
                None => finding,
            })
        };
        finding().map_or_else(|judgement| judgement, |it| Judgement::Flawed(vec![it]))
    }

    fn remedied(&self, frame: &Frame, steps: &Steps) -> Result<Remedy, Judgement> {
        let action = self.filled(frame, &steps.action, false)?;
        let script = steps.script.iter().map(|line| self.filled(frame, line, true));
        let script: Vec<String> = script.collect::<Result<_, _>>()?;
        Ok(Remedy::written(action, steps.shell, &script))
    }

    /// A text with its values. What is not known is said to be so: that the check
    /// failed does not depend on it.
    fn filled(&self, frame: &Frame, of: &Template, quote: bool) -> Result<String, Judgement> {
        let mut text = String::new();
        for shown in of {
            match shown {
                Shown::Text(own) => text.push_str(own),
                Shown::Part(part) => match frame.shown(&part.compiled) {
                    Ok(value) if quote => text.push_str(&quoted(&value)),
                    Ok(value) => text.push_str(&value),
                    Err(Failed::Missing(_)) if quote => text.push_str("'<not known: look it up>'"),
                    Err(Failed::Missing(_)) => text.push_str("(not known)"),
                    Err(failed) => return Err(self.failed(failed, part)),
                },
            }
        }
        Ok(text)
    }

    fn failed(&self, failed: Failed, part: &Part) -> Judgement {
        match failed {
            Failed::Missing(unknown) => Judgement::Unknown(unknown),
            Failed::Fault(why) => Judgement::Error(format!("{}: {}: {why}", part.place, self.id)),
        }
    }
}

/// How long all checks of a pack may take for one case.
const LONGEST_OF_ALL: Duration = Duration::from_secs(10);

/// Characters of a name.
const LONGEST_NAME: usize = 200;

fn organisation() -> Subject {
    Subject { step: None, object: Object::Organisation }
}

/// The object behind what is judged, under the name that built-in checks have for
/// it, so that what is wrong with it there explains what is wrong here.
fn object_of(item: &expression::Item) -> Option<Object> {
    let Some(object) = as_object(item) else { return as_shown(item).map(Object::Named) };
    let own = |field: &str| object.text(field);
    let id = |field: &str| own(field).map(|it| ApplicationId::new(&it));
    match object.kind() {
        "Server" => own("name").map(Object::Server),
        "ServicePrincipal" => id("app_id").map(Object::ServicePrincipal),
        "PartnerApplication" => id("application_identifier").map(Object::PartnerApplication),
        "TlsServer" | "ClockReading" | "AutodiscoverAnswer" => {
            own("host").map(|name| Object::Endpoint { name, port: None })
        }
        "VirtualDirectory" => {
            let name = object.object("identity")?.text("name")?;
            let server = own("server").filter(|_| !name.contains('\\'));
            let server = server.map(|it| format!("{it}\\{name}"));
            Some(Object::VirtualDirectory(server.unwrap_or(name)))
        }
        "MetadataDocument" => own("url").map(Object::Document),
        _ => None,
    }
    .or_else(|| {
        let identity = object.object("identity");
        let name = identity.and_then(|it| it.text("name").or_else(|| it.text("dn")));
        let fields = ["name", "host", "url", "app_id", "thumbprint", "sha1", "stored", "id"];
        name.or_else(|| fields.iter().find_map(|it| own(it))).map(Object::Named)
    })
}

/// The object under a name that no other has.
fn apart(object: Object, taken: &mut BTreeSet<Object>) -> Object {
    if taken.insert(object.clone()) {
        return object;
    }
    let name = object.to_string();
    let another = (2..).map(|at| Object::Named(format!("{name} ({at})")));
    let mut free = another.filter(|it| !taken.contains(it));
    let own = free.next().unwrap_or(object);
    taken.insert(own.clone());
    own
}
