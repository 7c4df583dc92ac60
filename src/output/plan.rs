//! The plan: what to do in which order, as scripts for a person to read and copy
//! from, and as JSON.
//!
//! The scripts are never run by trustprobe, and refuse to be run as a whole. They
//! are ASCII: Windows PowerShell reads a file without a byte order mark in the code
//! page of the computer.

mod comment;
mod json;
mod script;

use checks::facts::Organisation;
use checks::{Plan, Shell};

pub use json::{FORMAT, render as render_json, schema};
pub use script::{MARK, both, script};

use super::{Report, tally};

/// One trust, and the plan for it.
#[derive(Debug, Clone, Copy)]
pub struct Planned<'a> {
    /// What was judged.
    pub report: &'a Report<'a>,
    /// What to do.
    pub plan: &'a Plan<'a>,
}

impl<'a> Planned<'a> {
    /// `contoso, judged for 2026-11-24 00:00Z by skype-online: FAILED; 3 failed, 40 passed`.
    fn verdict(&self) -> String {
        let Report { trust, context, procedure, assessment, .. } = self.report;
        format!(
            "{}, judged for {} by {}: {}; {}",
            trust.name,
            context.now.strftime("%Y-%m-%d %H:%MZ"),
            procedure.id,
            assessment.overall().as_str().to_uppercase(),
            tally(&assessment.outcomes),
        )
    }

    fn organisation(&self) -> Option<&'a Organisation> {
        self.report.facts.organisation.as_ref()
    }

    /// Whether there is anything to do in this shell.
    fn has(&self, shell: Shell) -> bool {
        self.plan.steps.iter().any(|step| step.shell == shell)
    }
}

#[cfg(test)]
mod tests;
