//! Expressions: parsed, held against the types of the facts, and evaluated.
//!
//! Every use of the crate `cel` is below this module, since its interface breaks
//! with each minor version. What it may do is bounded here: the length and depth
//! of a source, the loops in one another, and what an evaluation goes through.
//! Nothing below looks at a file, the network or the environment.

mod checker;
mod facts;
mod functions;
mod ledger;
mod value;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::Duration;

use cel::common::ast::{EntryExpr, Expr, SourceInfo};
use cel::common::types::CelBool;
use cel::common::value::Val;
use cel::parser::{Expression, Parser};
use cel::{Context, ExecutionError, Value};
use checks::Case;
use checks::facts::Unknown;

pub(crate) use checker::{Fault, Name, Scope};
pub(crate) use ledger::{LONGEST, MOST_STEPS, Stopped, take_read};
pub(crate) use value::Object;

use crate::types::{FACTS, TRUST, Type};
use checker::Checker;
use value::Many;

/// Octets of one expression.
pub(crate) const LONGEST_SOURCE: usize = 8 << 10;
/// Expressions in one another.
pub(crate) const DEEPEST: usize = 200;
/// What recursion may take: a chain of thousands of `1+1+…` is deep before it can be refused.
const STACK: usize = 64 << 20;

/// An expression that was read, and not yet understood.
#[derive(Debug)]
pub(crate) struct Parsed {
    own: Expression,
    info: SourceInfo,
}

/// An expression that means something.
#[derive(Debug)]
pub(crate) struct Compiled {
    own: Expression,
    /// What it comes to.
    pub(crate) of: Type,
    /// The parts of the facts that it reads.
    pub(crate) reads: BTreeSet<String>,
}

/// Why an expression came to nothing.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Failed {
    /// A fact is missing.
    Missing(Unknown),
    /// The check is at fault.
    Fault(String),
}

/// Why work on a thread of its own came to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Broken {
    Stopped(Stopped),
    Panicked,
}

impl Broken {
    pub(crate) fn text(self) -> String {
        match self {
            Self::Stopped(Stopped::Time) => format!("it took longer than {} s", LONGEST.as_secs()),
            Self::Stopped(Stopped::Steps) => format!("it took more than {MOST_STEPS} steps"),
            Self::Panicked => "its evaluation broke".to_owned(),
        }
    }
}

/// Does this on a thread whose stack is large enough for any expression that is
/// not refused, and that may be stopped.
pub(crate) fn on_own_thread<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, Broken> {
    thread::scope(|scope| {
        let builder = thread::Builder::new().name("pack".into()).stack_size(STACK);
        let thread = builder.spawn_scoped(scope, || stoppable(work));
        thread.map_err(|_| Broken::Panicked)?.join().map_err(|_| Broken::Panicked)?
    })
}

/// Does this until its end, or until it has spent too much.
pub(crate) fn stoppable<T>(work: impl FnOnce() -> T) -> Result<T, Broken> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| match payload.downcast_ref() {
        Some(stopped) => Broken::Stopped(*stopped),
        None => Broken::Panicked,
    })
}

/// Begins an evaluation on this thread.
pub(crate) fn begin(longest: Duration) {
    ledger::begin(longest);
}

/// The names that every expression has.
pub(crate) fn global_names() -> Vec<Name> {
    let object = |name: &str| Type::Object(name.to_owned());
    let names = [
        ("facts", object(FACTS)),
        ("trust", object(TRUST)),
        ("procedure", Type::Text),
        ("now", Type::Instant),
        ("expiry_notice", Type::Span),
    ];
    names.map(|(name, of)| Name { text: name.to_owned(), of, kept: false }).into()
}

/// Reads an expression. The stack has to be large.
pub(crate) fn parse(source: &str) -> Result<Parsed, Fault> {
    let fault = |at: usize, text: String| Fault { at, text };
    if LONGEST_SOURCE < source.len() {
        return Err(fault(0, format!("an expression has at most {LONGEST_SOURCE} octets")));
    }
    if source.trim().is_empty() {
        return Err(fault(0, "an expression is missing here".to_owned()));
    }
    let deepest = u16::try_from(DEEPEST).unwrap_or(u16::MAX);
    let parser = Parser::new().max_recursion_depth(deepest).error_recovery_limit(5);
    let (own, info) = parser.parse_with_source_info(source).map_err(|errors| {
        let Some(first) = errors.errors.into_iter().next() else {
            return fault(0, "this is no expression".to_owned());
        };
        let text = first.msg.lines().next().unwrap_or_default();
        let text = text.trim_start_matches("Syntax error: ");
        // What else could stand there is a list of all tokens.
        let text = text.split(" expecting ").next().unwrap_or_default();
        fault(offset(source, first.pos), text.replace("'<EOF>'", "end"))
    })?;
    if DEEPEST < depth(&own) {
        return Err(fault(0, format!("more than {DEEPEST} expressions in one another")));
    }
    Ok(Parsed { own, info })
}

/// Where a line and a column are.
fn offset(source: &str, (line, column): (isize, isize)) -> usize {
    let line = usize::try_from(line).unwrap_or(1).max(1) - 1;
    let before: usize = source.split_inclusive('\n').take(line).map(|it| it.chars().count()).sum();
    before + usize::try_from(column).unwrap_or(0).saturating_sub(1)
}

/// How many expressions stand in one another.
fn depth(own: &Expression) -> usize {
    let deepest = |all: &mut dyn Iterator<Item = &Expression>| all.map(depth).max().unwrap_or(0);
    1 + match &own.expr {
        Expr::Call(of) => deepest(&mut of.target.iter().map(AsRef::as_ref).chain(&of.args)),
        Expr::Select(of) => depth(&of.operand),
        Expr::List(of) => deepest(&mut of.elements.iter()),
        Expr::Comprehension(of) => deepest(&mut [&of.iter_range, &of.loop_step].into_iter()),
        Expr::Map(of) => deepest(&mut of.entries.iter().flat_map(|it| match &it.expr {
            EntryExpr::MapEntry(it) => vec![&it.key, &it.value],
            EntryExpr::StructField(it) => vec![&it.value],
        })),
        Expr::Struct(of) => deepest(&mut of.entries.iter().filter_map(|it| match &it.expr {
            EntryExpr::StructField(it) => Some(&it.value),
            EntryExpr::MapEntry(_) => None,
        })),
        _ => 0,
    }
}

impl Parsed {
    /// Adds what it tests for being there.
    pub(crate) fn tests(&self, tested: &mut BTreeSet<String>) {
        checker::tests(&self.own, tested);
    }

    /// Holds it against these names.
    pub(crate) fn check(&self, scope: &Scope) -> Result<Compiled, Fault> {
        let mut checker = Checker::new(&self.info, scope);
        let (own, of) = checker.check(&self.own)?;
        Ok(Compiled { own, of, reads: checker.reads })
    }
}

/// What expressions see of one case.
pub(crate) struct Frame {
    context: Context<'static, 'static>,
}

impl Frame {
    /// A case, as far as it is read.
    pub(crate) fn of(case: &Case, reads: &BTreeSet<String>) -> Self {
        let mut context = Context::with_env(functions::ENVIRONMENT.clone());
        for (name, value) in facts::seen_of(case, reads) {
            context.add_variable_as_val(name, value);
        }
        Self { context }
    }

    /// Gives a name to a value.
    pub(crate) fn set(&mut self, name: &str, value: Box<dyn Val>) {
        self.context.add_variable_as_val(name, value);
    }

    /// Keeps what a name of the check stands for, even where that is not known.
    pub(crate) fn keep(&self, name: &str, of: &Compiled) -> Result<(), String> {
        match self.value(of) {
            Ok(value) => ledger::keep(name, Ok(value)),
            Err(Failed::Missing(unknown)) => ledger::keep(name, Err(unknown)),
            Err(Failed::Fault(why)) => return Err(why),
        }
        Ok(())
    }

    fn value(&self, of: &Compiled) -> Result<Box<dyn Val>, Failed> {
        let value = Value::resolve_val(&of.own, &self.context).map_err(|error| failed(&error))?;
        Ok(value.into_owned())
    }

    /// Whether it holds.
    pub(crate) fn holds(&self, of: &Compiled) -> Result<bool, Failed> {
        let value = Value::resolve_val(&of.own, &self.context).map_err(|error| failed(&error))?;
        let holds = value.downcast_ref::<CelBool>().map(|it| *it.inner());
        holds.ok_or_else(|| Failed::Fault("this is neither true nor false".to_owned()))
    }

    /// How it reads in a message.
    pub(crate) fn shown(&self, of: &Compiled) -> Result<String, Failed> {
        let value = Value::resolve_val(&of.own, &self.context).map_err(|error| failed(&error))?;
        let none = || Failed::Fault("this cannot be shown".to_owned());
        if let Some(many) = value.downcast_ref::<Many>() {
            let texts: Option<Vec<String>> =
                many.items().iter().map(|it| functions::shown(it.as_ref())).collect();
            return texts.map(|it| it.join(", ")).ok_or_else(none);
        }
        if let Some(list) = value.downcast_ref::<cel::common::types::CelList>() {
            let texts: Option<Vec<String>> =
                list.inner().iter().map(|it| functions::shown(it.as_ref())).collect();
            return texts.map(|it| it.join(", ")).ok_or_else(none);
        }
        functions::shown(value.as_ref()).ok_or_else(none)
    }

    /// The items of a list, and why there may be others.
    pub(crate) fn items(&self, of: &Compiled) -> Result<Subjects, Failed> {
        let value = Value::resolve_val(&of.own, &self.context).map_err(|error| failed(&error))?;
        if let Some(many) = value.downcast_ref::<Many>() {
            let items = many.items().iter().map(|it| it.clone_as_boxed()).collect();
            return Ok(Subjects { items, rest: many.unknown_rest().cloned() });
        }
        let list = value.downcast_ref::<cel::common::types::CelList>();
        let list = list.ok_or_else(|| Failed::Fault("this is no list".to_owned()))?;
        let items = list.inner().iter().map(|it| it.clone_as_boxed()).collect();
        Ok(Subjects { items, rest: None })
    }
}

/// A value of whatever kind.
pub(crate) type Item = dyn Val;

/// Who is judged.
pub(crate) struct Subjects {
    pub(crate) items: Vec<Box<Item>>,
    /// Why nobody can tell whether there are others.
    pub(crate) rest: Option<Unknown>,
}

/// The object behind a value.
pub(crate) fn as_object(value: &dyn Val) -> Option<&Object> {
    value.downcast_ref()
}

/// A value as a message shows it.
pub(crate) fn as_shown(value: &dyn Val) -> Option<String> {
    functions::shown(value)
}

fn failed(error: &ExecutionError) -> Failed {
    match ledger::told(error) {
        Some(unknown) => Failed::Missing(unknown),
        None => Failed::Fault(match error {
            ExecutionError::FunctionError { message, .. } => message.clone(),
            ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => {
                "it divides by zero".to_owned()
            }
            ExecutionError::Overflow(..) => "a number becomes too large".to_owned(),
            ExecutionError::NoSuchOverload(told)
                if told.argument_types().iter().any(|it| it == "null_type" || it == "null") =>
            {
                "there is nothing here: something that it reads is null".to_owned()
            }
            error => error.to_string().chars().take(200).collect(),
        }),
    }
}

#[cfg(test)]
mod tests;
