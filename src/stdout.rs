//! Standard output and error, which may be closed at any time, and what the
//! terminal behind them can show.

use std::io::{self, BufWriter, ErrorKind, IsTerminal as _, Write};

use anyhow::Context as _;

use crate::output::Style;

/// Prints. A reader that has gone away, as `head` does, is no error.
pub fn print(text: &str) -> anyhow::Result<()> {
    print_by(|to| to.write_all(text.as_bytes()))
}

/// The same for a text that is written piece by piece.
pub fn print_by(text: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> anyhow::Result<()> {
    let mut stdout = BufWriter::new(io::stdout().lock());
    let written = text(&mut stdout).and_then(|()| stdout.flush());
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.context("cannot write to standard output"),
    }
}

/// Prints to standard error, where a failure has nowhere to go.
pub fn complain(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// What standard output can show: colour on a terminal unless `NO_COLOR` is
/// set, the terminal's width or that of `COLUMNS`, else 80 columns.
pub fn style() -> Style {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    let colour = io::stdout().is_terminal() && !set("NO_COLOR") && !dumb;
    let stated = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let measured = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    Style { colour, width: measured.or(stated).unwrap_or(80) }
}
