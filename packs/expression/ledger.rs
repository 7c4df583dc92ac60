//! What an evaluation may still spend, and what it has read so far.
//!
//! One evaluation runs on one thread, so that the ledger is the thread's own.
//! Whoever spends too much is stopped by unwinding: an error would be absorbed by
//! the next `||`, and the loop around it would go on.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::resume_unwind;
use std::time::{Duration, Instant};

use cel::ExecutionError;
use cel::common::value::Val;
use checks::facts::{Grade, SeenId, Unknown};

/// Items, fields and octets that the evaluation of one check may go through.
pub(crate) const MOST_STEPS: u64 = 20_000_000;
/// How long it may take.
pub(crate) const LONGEST: Duration = Duration::from_secs(2);
/// Steps between two looks at the clock.
const LOOK: u64 = 4096;

thread_local! {
    static LEDGER: RefCell<Ledger> = const { RefCell::new(Ledger::empty()) };
}

/// What one evaluation spent and read.
struct Ledger {
    steps: u64,
    looked: u64,
    until: Option<Instant>,
    read: Read,
    missing: Vec<Unknown>,
    /// What the names of the check stand for.
    kept: BTreeMap<String, Result<Box<dyn Val>, Unknown>>,
}

/// What was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Read {
    /// Where it was seen.
    pub(crate) seen: BTreeSet<SeenId>,
    /// Whether some of it is only inferred.
    pub(crate) inferred: bool,
    /// Whether it rests on a list that is only presumed to be whole.
    pub(crate) presumed: bool,
}

/// An evaluation was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stopped {
    Steps,
    Time,
}

impl Ledger {
    const fn empty() -> Self {
        let read = Read { seen: BTreeSet::new(), inferred: false, presumed: false };
        Self { steps: 0, looked: 0, until: None, read, missing: Vec::new(), kept: BTreeMap::new() }
    }
}

/// Begins an evaluation on this thread, which may take so long.
pub(crate) fn begin(longest: Duration) {
    let until = Instant::now().checked_add(longest);
    LEDGER.with_borrow_mut(|ledger| *ledger = Ledger { until, ..Ledger::empty() });
}

/// What was read since this was asked last.
pub(crate) fn take_read() -> Read {
    LEDGER.with_borrow_mut(|ledger| std::mem::take(&mut ledger.read))
}

/// Keeps what a name of the check stands for.
pub(super) fn keep(name: &str, value: Result<Box<dyn Val>, Unknown>) {
    LEDGER.with_borrow_mut(|ledger| ledger.kept.insert(name.to_owned(), value));
}

/// What a name of the check stands for.
pub(super) fn kept<'v>(name: &str) -> Result<Box<dyn Val + 'v>, ExecutionError> {
    let found = LEDGER.with_borrow(|ledger| match ledger.kept.get(name) {
        Some(Ok(value)) => Ok(value.clone_as_boxed()),
        Some(Err(unknown)) => Err(Some(unknown.clone())),
        None => Err(None),
    });
    found.map_err(|unknown| match unknown {
        Some(unknown) => missing(&unknown),
        None => ExecutionError::undeclared_reference(name),
    })
}

/// Spends so many steps.
pub(super) fn spend(steps: usize) {
    let stopped = LEDGER.with_borrow_mut(|ledger| {
        ledger.steps = ledger.steps.saturating_add(steps as u64);
        if MOST_STEPS < ledger.steps {
            return Some(Stopped::Steps);
        }
        if ledger.looked + LOOK <= ledger.steps {
            ledger.looked = ledger.steps;
            return ledger.until.filter(|it| *it < Instant::now()).map(|_| Stopped::Time);
        }
        None
    });
    if let Some(stopped) = stopped {
        resume_unwind(Box::new(stopped));
    }
}

/// Something was read there.
pub(super) fn seen(id: &SeenId) {
    LEDGER.with_borrow_mut(|ledger| {
        if !ledger.read.seen.contains(id) {
            ledger.read.seen.insert(id.clone());
        }
    });
}

/// A value of this grade was read.
pub(super) fn graded(grade: Grade) {
    if grade == Grade::Inferred {
        LEDGER.with_borrow_mut(|ledger| ledger.read.inferred = true);
    }
}

/// It matters that a list is whole, which is only presumed.
pub(super) fn presumed() {
    LEDGER.with_borrow_mut(|ledger| ledger.read.presumed = true);
}

/// The name under which an error says that a fact is missing.
const MISSING: &str = "@missing";
/// Missing facts that are kept apart; of more of them the last stands for the rest.
const MOST_MISSING: usize = 1000;

/// The error that says that this fact is missing.
pub(super) fn missing(unknown: &Unknown) -> ExecutionError {
    let at = LEDGER.with_borrow_mut(|ledger| {
        let known = ledger.missing.iter().position(|it| it == unknown);
        known.unwrap_or_else(|| {
            ledger.missing.truncate(MOST_MISSING);
            ledger.missing.push(unknown.clone());
            ledger.missing.len() - 1
        })
    });
    ExecutionError::function_error(MISSING, at)
}

/// The missing fact of which an error tells.
pub(super) fn told(error: &ExecutionError) -> Option<Unknown> {
    match error {
        ExecutionError::FunctionError { function, message } if function == MISSING => {
            let at: usize = message.parse().ok()?;
            LEDGER.with_borrow(|ledger| ledger.missing.get(at).cloned())
        }
        _ => None,
    }
}
