//! From what is written to a check that can be asked, or to everything that is
//! wrong with it.

use std::collections::BTreeSet;

use checks::{Severity, Shell};

use super::{Around, Own, Part, Shown, Steps, Template};
use crate::document::{Problem, Written, WrittenCheck, WrittenSeverity, WrittenShell};
use crate::expression::{self, Name, Parsed, Scope};
use crate::template::{Piece, pieces};
use crate::types::Type;

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
            self.scope.names.push(Name { text: variable.clone(), of, kept: false });
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
                self.scope.names.push(Name { text: name.clone(), of, kept: true });
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
        } else if self.scope.names.iter().any(|it| it.text == name) {
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
