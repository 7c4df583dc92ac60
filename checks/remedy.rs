//! Remedies: what a person may do, with commands that are built so that no foreign
//! text can become code.
//!
//! A command is no remedy before it says how to see that it worked and how to take
//! it back: [`Remedy::exchange`] and [`Remedy::graph`] begin a [`Draft`], `test`
//! and `undo` finish it. trustprobe prints remedies and never runs them.

mod lines;

use schemars::JsonSchema;
use serde::Serialize;

use crate::facts::Thumbprint;

pub use lines::{Cmdlet, Lines, Query, quoted};

/// What to do about a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Remedy {
    /// What it achieves, in the imperative.
    pub action: String,
    /// Whether it stands in for the remedy before it, instead of following it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub instead: bool,
    /// Where to run it; `None` where it is no command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shell: Option<Shell>,
    /// What running it could disturb.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disturbs: Option<&'static str>,
    /// The command, line by line; of Graph the first line connects. Without `test` it
    /// is as the author of a pack wrote it, and may be anything.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub script: Vec<String>,
    /// Lines that show the state and change nothing, to run before and after; of
    /// Graph once the script's first line has connected.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub test: Vec<String>,
    /// The way back; of Graph it takes the connection, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undo: Option<Undo>,
    /// Whether it only reads, to be sure before something is changed.
    #[serde(skip)]
    pub(crate) reads: bool,
    /// What it leaves behind for others.
    #[serde(skip)]
    pub(crate) leaves: Option<Milestone>,
    /// What others have to leave behind first.
    #[serde(skip)]
    pub(crate) takes: Vec<Milestone>,
}

/// The way back from a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Undo {
    /// What has to be said of it; why there is none, where it has no lines.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// Its lines.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub script: Vec<String>,
}

/// What one remedy leaves behind and another takes, also in the other shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Milestone {
    /// The certificate is in the file that is uploaded.
    Exported(Thumbprint),
    /// A service principal or an application holds the certificate.
    Uploaded(Thumbprint),
    /// A server holds the certificate with its private key.
    Installed(Thumbprint),
    /// A new certificate, whose thumbprint nobody knows yet, is the current one.
    Replaced,
    /// A new certificate, whose thumbprint nobody knows yet, will be the current one.
    Staged,
}

/// A shell that remedies are written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Shell {
    /// The Exchange Management Shell, on premises.
    Exchange,
    /// Microsoft Graph PowerShell.
    Graph,
}

/// A command without a test and a way back.
#[derive(Debug, Clone)]
#[must_use = "it is no remedy before it has a test and a way back"]
pub struct Draft(Remedy);

/// A command without a way back.
#[derive(Debug, Clone)]
#[must_use = "it is no remedy before it has a way back"]
pub struct Tested(Remedy);

impl Remedy {
    /// Something to do that is no command.
    pub fn advice(action: impl Into<String>) -> Self {
        Self {
            action: action.into(),
            instead: false,
            shell: None,
            disturbs: None,
            script: Vec::new(),
            test: Vec::new(),
            undo: None,
            reads: false,
            leaves: None,
            takes: Vec::new(),
        }
    }

    /// Lines as the author of a check that was loaded wrote them: nobody knows how to
    /// see that they worked, nor the way back.
    pub fn written(action: impl Into<String>, shell: Option<Shell>, script: &[String]) -> Self {
        let script = script.iter().flat_map(|it| it.lines()).map(str::to_owned).collect();
        Self { shell, script, ..Self::advice(action) }
    }

    /// Whether nobody here vouches for its script.
    pub fn is_written(&self) -> bool {
        !self.script.is_empty() && self.test.is_empty()
    }

    /// A script for the Exchange Management Shell.
    pub fn exchange(action: impl Into<String>) -> Draft {
        Draft(Self { shell: Some(Shell::Exchange), ..Self::advice(action) })
    }

    /// A script for Microsoft Graph PowerShell, which begins with a connection.
    pub fn graph(action: impl Into<String>, connect: Cmdlet) -> Draft {
        Draft(Self { shell: Some(Shell::Graph), ..Self::advice(action) }).run(connect)
    }

    /// The same, which could disturb something that runs.
    #[must_use]
    pub fn disturbs(mut self, how: &'static str) -> Self {
        self.disturbs = Some(how);
        self
    }

    /// The same in place of the remedy before it.
    #[must_use]
    pub fn instead(mut self) -> Self {
        self.instead = true;
        self
    }

    /// The same, which leaves this behind.
    #[must_use]
    pub(crate) fn leaves(mut self, milestone: Milestone) -> Self {
        self.leaves = Some(milestone);
        self
    }

    /// The same, which takes this.
    #[must_use]
    pub(crate) fn takes(mut self, milestone: Milestone) -> Self {
        self.takes.push(milestone);
        self
    }

    /// The line that connects, where the script has one.
    pub fn connection(&self) -> Option<&str> {
        match self.shell {
            Some(Shell::Graph) if !self.is_written() => self.script.first().map(String::as_str),
            _ => None,
        }
    }

    /// Whether it makes a certificate, which only a new look tells about.
    pub fn makes_certificate(&self) -> bool {
        matches!(self.leaves, Some(Milestone::Replaced | Milestone::Staged))
    }

    /// The script without the connection.
    pub fn connected_script(&self) -> &[String] {
        match self.connection() {
            Some(_) => self.script.get(1..).unwrap_or_default(),
            None => &self.script,
        }
    }
}

impl Draft {
    /// One more call.
    pub fn run(self, cmdlet: Cmdlet) -> Self {
        self.then(cmdlet)
    }

    /// One more line that stands in this program's source.
    pub fn line(self, code: &'static str) -> Self {
        self.then(Lines::new().line(code))
    }

    /// One more line that gives a variable a value.
    pub fn set(self, variable: &'static str, value: &str) -> Self {
        self.then(Lines::new().set(variable, value))
    }

    /// More lines.
    pub fn then(mut self, lines: impl Into<Lines>) -> Self {
        self.0.script.extend(lines.into().into_text());
        self
    }

    /// Shows the state, before and after.
    pub fn test(mut self, query: Query) -> Tested {
        self.0.test = query.into_text();
        Tested(self.0)
    }
}

impl Tested {
    /// A remedy with its way back.
    pub fn undo(self, script: impl Into<Lines>) -> Remedy {
        self.undo_with("", script)
    }

    /// A remedy with its way back, of which something has to be said.
    pub fn undo_with(self, note: impl Into<String>, script: impl Into<Lines>) -> Remedy {
        let script = script.into().into_text();
        Remedy { undo: Some(Undo { note: note.into(), script }), ..self.0 }
    }

    /// A remedy that only reads.
    pub fn changes_nothing(self) -> Remedy {
        Remedy { reads: true, ..self.no_undo("it changes nothing") }
    }

    /// A remedy without a way back, and why.
    pub fn no_undo(self, why: impl Into<String>) -> Remedy {
        self.undo_with(why, Lines::new())
    }
}

impl Shell {
    /// Both, in the order in which their scripts are numbered.
    pub const ALL: [Self; 2] = [Self::Exchange, Self::Graph];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Exchange => "Exchange Management Shell",
            Self::Graph => "Microsoft Graph PowerShell",
        }
    }
}
