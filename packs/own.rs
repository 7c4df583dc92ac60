//! One check of a pack: compiled once, and then asked about cases.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use checks::facts::{ApplicationId, Grade, SeenId};
use checks::{
    Answered, Answers, Case, Certainty, Evidence, Finding, Judgement, Object, Remedy, Severity,
    Shell, Subject, quoted,
};

use crate::document::{Problem, Source, Written, WrittenCheck, WrittenSeverity, WrittenShell};
use crate::expression::{
    self, Compiled, Failed, Frame, LONGEST, Name, Parsed, Scope, as_object, as_shown,
};
use crate::template::{Piece, pieces};
use crate::types::Type;

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
        Ok(Remedy { action, shell: steps.shell, script: script.collect::<Result<_, _>>()? })
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

/// Compiles a check, or tells everything that is wrong with it. The stack has to be large.
pub(crate) fn compile(written: &WrittenCheck, around: &Around) -> Result<Own, Vec<Problem>> {
    Compiler::new(written, around).compile(written)
}

struct Compiler<'a> {
    around: &'a Around<'a>,
    scope: Scope,
    reads: BTreeSet<String>,
    problems: Vec<Problem>,
}

impl<'a> Compiler<'a> {
    fn new(written: &WrittenCheck, around: &'a Around<'a>) -> Self {
        let mut scope = Scope { names: expression::global_names(), ..Scope::default() };
        let names = written.names.0.iter().map(|(_, own)| own);
        let parts = written.applies.iter().chain(names).chain([&written.pass]);
        // What is wrong with them is told when each has its turn.
        for parsed in parts.filter_map(|it| expression::parse(it.text()).ok()) {
            parsed.tests(&mut scope.tested);
        }
        Self { around, scope, reads: BTreeSet::new(), problems: Vec::new() }
    }

    fn compile(mut self, written: &WrittenCheck) -> Result<Own, Vec<Problem>> {
        let variable = written.variable.as_ref().map_or("it", Written::text).to_owned();
        let for_each = written.for_each.as_ref().and_then(|own| self.part(own, &LIST));
        if let Some(own) = &written.variable {
            self.named(own);
        }
        let item = for_each.as_ref().map(|it| it.compiled.of.present());
        if let Some(Type::List(item)) = item {
            let of = item.read();
            self.scope.names.push(Name { name: variable.clone(), of, kept: false });
        } else if written.for_each.is_some() {
            self.scope.broken.insert(variable.clone());
        }
        let name = written.name.as_ref().and_then(|own| self.part(own, &SHOWN));
        let applies = written.applies.as_ref().and_then(|own| self.part(own, &BOOL));
        let mut names = Vec::new();
        for (own, written) in &written.names.0 {
            self.named(own);
            if let Some(part) = self.part(written, &ANY) {
                let of = part.compiled.of.clone();
                let name = own.text().to_owned();
                self.scope.names.push(Name { name: name.clone(), of, kept: true });
                names.push((name, part));
            } else {
                self.scope.broken.insert(own.text().to_owned());
            }
        }
        let pass = self.part(&written.pass, &BOOL);
        let title = vec![Shown::Text(written.title.text().to_owned())];
        let message = self.template(&written.message);
        let wanted = written.wanted.as_ref().map(|it| self.template(it));
        let passed = written.passed.as_ref().map(|it| self.template(it));
        let remedy = written.remedy.as_ref().map(|it| Steps {
            action: self.template(&it.action),
            shell: it.shell.map(|shell| match shell {
                WrittenShell::Exchange => Shell::Exchange,
                WrittenShell::Graph => Shell::Graph,
            }),
            script: it.script.iter().map(|line| self.template(line)).collect(),
        });
        let whole = for_each.is_some() == written.for_each.is_some();
        match (pass, self.problems.is_empty() && whole) {
            (Some(pass), true) => Ok(Own {
                id: self.around.id,
                code: self.around.code,
                severity: match written.severity {
                    WrittenSeverity::Advice => Severity::Advice,
                    WrittenSeverity::Warning => Severity::Warning,
                    WrittenSeverity::Critical => Severity::Critical,
                },
                variable,
                for_each,
                name,
                applies,
                names,
                pass,
                message,
                wanted: wanted.unwrap_or_else(|| text(&title)),
                passed: passed.unwrap_or(title),
                remedy,
                reads: self.reads,
            }),
            _ => Err(self.problems),
        }
    }

    fn problem(&mut self, of: &Written, at: usize, text: impl Into<String>) {
        let Around { source, id, .. } = self.around;
        let text = text.into();
        if text.is_empty() {
            return;
        }
        let problem = source.problem(source.place(of, at), Some(id), text);
        self.problems.push(problem);
    }

    /// Whether a name may be given.
    fn named(&mut self, own: &Written) {
        let name = own.text();
        let plain = name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
            && !RESERVED.contains(&name);
        if !plain {
            self.problem(own, 0, format!("{name:?} is no name: write lower case, digits and _"));
        } else if self.scope.names.iter().any(|it| it.name == name) {
            self.problem(own, 0, format!("the name {name:?} is taken"));
        }
    }

    fn part(&mut self, own: &Written, wanted: &Wanted) -> Option<Part> {
        let parsed = match expression::parse(own.text()) {
            Ok(parsed) => parsed,
            Err(fault) => {
                self.problem(own, fault.at, fault.text);
                return None;
            }
        };
        self.checked(own, &parsed, 0, wanted)
    }

    /// An expression that begins at this character of what is written.
    fn checked(
        &mut self,
        own: &Written,
        parsed: &Parsed,
        offset: usize,
        wanted: &Wanted,
    ) -> Option<Part> {
        let compiled = match parsed.check(&self.scope) {
            Ok(compiled) => compiled,
            Err(fault) => {
                self.problem(own, offset + fault.at, fault.text);
                return None;
            }
        };
        let (fits, name) = wanted;
        if !fits(&compiled.of) {
            let text = format!("expected {name}, found {}", compiled.of.name());
            self.problem(own, offset, text);
            return None;
        }
        self.reads.extend(compiled.reads.iter().cloned());
        let Around { source, .. } = self.around;
        let (line, column) = source.place(own, offset);
        Some(Part { compiled, place: format!("{}:{line}:{column}", source.path()) })
    }

    fn template(&mut self, own: &Written) -> Template {
        let pieces = match pieces(own.text()) {
            Ok(pieces) => pieces,
            Err((at, why)) => {
                self.problem(own, at, why);
                return Vec::new();
            }
        };
        let mut template = Vec::with_capacity(pieces.len());
        for piece in pieces {
            match piece {
                Piece::Text(text) => template.push(Shown::Text(text)),
                Piece::Expression(source, offset) => match expression::parse(&source) {
                    Ok(parsed) => {
                        let part = self.checked(own, &parsed, offset, &SHOWN);
                        template.extend(part.map(Shown::Part));
                    }
                    Err(fault) => self.problem(own, offset + fault.at, fault.text),
                },
            }
        }
        template
    }
}

/// What CEL keeps for itself.
const RESERVED: [&str; 21] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "false",
    "for",
    "function",
    "if",
    "import",
    "in",
    "let",
    "loop",
    "namespace",
    "null",
    "package",
    "return",
    "true",
    "var",
    "void",
    "while",
];

/// What an expression has to come to, and how that is called.
type Wanted = (fn(&Type) -> bool, &'static str);

const BOOL: Wanted = (|of| *of == Type::Bool, "a condition");
const LIST: Wanted = (|of| matches!(of, Type::List(_)), "a list");
const ANY: Wanted = (|_| true, "a value");
const SHOWN: Wanted = (
    |of| match of.present() {
        Type::List(item) => item.present().is_scalar(),
        other => other.is_scalar(),
    },
    "something that can be shown",
);

/// The same text again.
fn text(of: &Template) -> Template {
    of.iter()
        .filter_map(|it| match it {
            Shown::Text(text) => Some(Shown::Text(text.clone())),
            Shown::Part(_) => None,
        })
        .collect()
}
