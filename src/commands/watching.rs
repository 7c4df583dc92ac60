//! What a person sees while live sources are asked: every request, or, after a
//! second, which sources are still awaited.

use std::convert::Infallible;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::time::{Instant, sleep};

use crate::cli::Shown;
use crate::collect::{Event, Watch};
use crate::output::escape;
use crate::stdout;

/// A run that ends sooner shows no progress.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often the line is drawn.
const TICK: Duration = Duration::from_millis(100);
/// Columns that most requests fit in, so that their outcomes stand in line.
const REQUEST: usize = 46;

/// Runs a collection, and shows of it what is wished and what can be shown.
pub(crate) async fn watched<T>(shown: Shown, run: impl AsyncFnOnce(&Watch) -> T) -> T {
    if shown.verbose {
        return run(&requests(shown, "")).await;
    }
    // No terminal, or one on which no line can be drawn again.
    if ProgressDrawTarget::stderr().is_hidden() {
        return run(&Watch::default()).await;
    }
    let progress = Arc::new(Mutex::new(Awaited::new()));
    let told = Arc::clone(&progress);
    let watch = Watch::new(move |event| locked(&told).see(&event));
    let result = tokio::select! {
        biased;
        result = run(&watch) => result,
        never = draw(&progress) => match never {},
    };
    locked(&progress).clear();
    result
}

/// Prints every request, where that is wished, with the trust for which it is made.
pub(crate) fn requests(shown: Shown, trust: &str) -> Watch {
    if !shown.verbose {
        return Watch::default();
    }
    let whose = if trust.is_empty() { String::new() } else { format!("{}  ", escape(trust)) };
    Watch::new(move |event| {
        if let Some(line) = line(&event) {
            stdout::complain(&(whose.clone() + &line));
        }
    })
}

/// An event as one line, if it is worth one.
fn line(event: &Event) -> Option<String> {
    let (took, what, end) = match event {
        Event::Requested { what, took, outcome, attempt, .. } => {
            let end = match outcome {
                Ok(answer) => answer.clone(),
                Err((reason, why)) => format!("! {}: {why}", reason.as_str().replace('_', " ")),
            };
            let again = if 1 < *attempt { format!(" (try {attempt})") } else { String::new() };
            (took, what.as_str(), end + &again)
        }
        Event::Ended { source, up, took } => {
            let end = if *up { "answered" } else { "did not answer, or not whole" };
            (took, *source, end.to_owned())
        }
        Event::Started { .. } | Event::Prompting => return None,
    };
    let (what, end) = (escape(what), escape(&end));
    Some(format!("{:>7}  {what:<REQUEST$}  {end}\n", duration(*took)))
}

fn duration(took: Duration) -> String {
    if took < PATIENCE {
        format!("{} ms", took.as_millis())
    } else {
        format!("{:.1} s", took.as_secs_f64())
    }
}

/// One line on the terminal, which goes away again.
struct Awaited {
    begun: Instant,
    /// Every source that is asked, and whether it has ended.
    sources: Vec<(&'static str, bool)>,
    /// Nothing is drawn before its time, nor while a person reads something else.
    bar: Option<ProgressBar>,
    prompted: bool,
}

impl Awaited {
    fn new() -> Self {
        Self { begun: Instant::now(), sources: Vec::new(), bar: None, prompted: false }
    }

    fn see(&mut self, event: &Event) {
        match event {
            Event::Started { source } => self.sources.push((*source, false)),
            Event::Ended { source, .. } => {
                let ended = self.sources.iter_mut().filter(|(name, _)| name == source);
                ended.for_each(|(_, ended)| *ended = true);
            }
            Event::Prompting => {
                self.prompted = true;
                self.clear();
            }
            Event::Requested { .. } => {}
        }
    }

    fn draw(&mut self) {
        if self.prompted {
            return;
        }
        let text = self.text();
        let bar = self.bar.get_or_insert_with(spinner);
        bar.set_message(text);
        bar.tick();
    }

    fn text(&self) -> String {
        let awaited: Vec<&str> =
            self.sources.iter().filter(|(_, ended)| !ended).map(|(name, _)| *name).collect();
        let (all, seconds) = (self.sources.len(), self.begun.elapsed().as_secs_f64());
        let done = all - awaited.len();
        let awaited = awaited.join(", ");
        format!("{seconds:.1} s · {done} of {all} sources · waiting for {awaited}")
    }

    fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

fn spinner() -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {wide_msg}");
    let style = style.unwrap_or_else(|_| ProgressStyle::default_spinner());
    ProgressBar::new_spinner().with_style(style.tick_chars(r"|/-\ "))
}

/// How far the judging of many trusts has come.
pub(crate) struct Progress {
    begun: Instant,
    done: usize,
    all: usize,
    bar: Option<ProgressBar>,
    shown: bool,
}

impl Progress {
    pub(crate) fn of(all: usize, shown: Shown) -> Self {
        let shown = !shown.verbose && !ProgressDrawTarget::stderr().is_hidden();
        Self { begun: Instant::now(), done: 0, all, bar: None, shown }
    }

    /// What is told next; `None` when nobody tells any more.
    pub(crate) fn next<T>(&mut self, given: &Receiver<T>) -> Option<T> {
        loop {
            match given.recv_timeout(TICK) {
                Ok(told) => {
                    self.done += 1;
                    return Some(told);
                }
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => self.draw(),
            }
        }
    }

    fn draw(&mut self) {
        if self.shown && PATIENCE < self.begun.elapsed() {
            let (all, seconds) = (self.all, self.begun.elapsed().as_secs_f64());
            let bar = self.bar.get_or_insert_with(spinner);
            bar.set_message(format!("{seconds:.1} s · {} of {all} trusts", self.done));
            bar.tick();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

/// Draws for as long as it is waited for.
async fn draw(progress: &Mutex<Awaited>) -> Infallible {
    sleep(PATIENCE).await;
    loop {
        locked(progress).draw();
        sleep(TICK).await;
    }
}

fn locked(progress: &Mutex<Awaited>) -> MutexGuard<'_, Awaited> {
    progress.lock().unwrap_or_else(PoisonError::into_inner)
}
