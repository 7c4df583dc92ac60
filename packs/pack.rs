//! A pack: the checks of a few files, under one name.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use checks::{About, Loaded, TooMuch, interned, interned_list};
use serde::Deserialize;
use serde_saphyr::Spanned;

use crate::document::{Document, File, Problem, Source, Written, WrittenCheck};
use crate::expression::on_own_thread;
use crate::nearest::unknown;
use crate::own::{Answering, Around, Asked, compile};

/// The file that names a pack.
pub(crate) const NAMING: &str = "pack.yaml";
/// Checks of one pack.
const MOST_CHECKS: usize = 500;
/// How long reading a pack may take.
const LONGEST: Duration = Duration::from_secs(20);

/// Checks under one name.
#[derive(Debug, Clone)]
pub struct Pack {
    /// The name, with which the ids of its checks begin.
    pub name: String,
    /// What it is for.
    pub title: String,
    /// Its checks, those that make no sense among them.
    pub checks: Loaded,
    /// What is wrong with those that make no sense.
    pub problems: Vec<Problem>,
}

impl Pack {
    /// Reads a pack. One that is no pack is an error; a check that makes no sense
    /// is one of its checks, and answers what is wrong with it.
    pub fn read(files: Vec<File>) -> Result<Self, Problem> {
        let path = files.first().map(|it| it.path.clone()).unwrap_or_default();
        let (tell, told) = channel();
        let work = move || {
            // Whoever has stopped waiting does not need to know.
            let _ = tell.send(on_own_thread(|| read(files)));
        };
        let nowhere = |text: &str| Problem {
            path: path.clone(),
            line: 1,
            column: 1,
            check: None,
            text: text.to_owned(),
            shown: String::new(),
        };
        let thread = thread::Builder::new().name("packs".into()).spawn(work);
        thread.map_err(|_| nowhere("no thread can be had to read it"))?;
        match told.recv_timeout(LONGEST) {
            Ok(Ok(read)) => read,
            Ok(Err(broken)) => Err(nowhere(&broken.text())),
            Err(_) => Err(nowhere("it takes too long to read")),
        }
    }
}

fn read(files: Vec<File>) -> Result<Pack, Problem> {
    let mut read = Vec::new();
    let mut broken = Vec::new();
    for file in files {
        let (source, document) = tolerantly(file, &mut broken)?;
        read.push((source, document));
    }
    let (name, title) = named(&read)?;
    let mut ids: Vec<String> = Vec::new();
    for (source, document) in &read {
        for check in &document.checks {
            let id = id_of(&name, source, &check.id, &ids)?;
            ids.push(id);
        }
    }
    let mut pack = Making { name, checks: Vec::new(), problems: Vec::new() };
    for (source, document) in &read {
        for check in &document.checks {
            let id = format!("{}-{}", pack.name, check.id.text());
            let added = pack.add(source, check, &id, &ids);
            let full = |_| source.problem(source.place(&check.id, 0), Some(&id), FULL);
            added.map_err(full)?;
        }
    }
    for (source, id, problem) in broken {
        let id = id_of(&pack.name, &source, &id, &ids)?;
        let full = |_| source.problem((problem.line, 1), Some(&id), FULL);
        let problem = Problem { check: Some(id.clone()), ..problem.clone() };
        pack.add_broken(&id, id.as_str(), "", vec![problem]).map_err(full)?;
        ids.push(id);
    }
    let Making { name, mut checks, problems } = pack;
    checks.sort_by_key(|(about, _)| about.id);
    let (about, asked): (Vec<About>, Vec<Asked>) = checks.into_iter().unzip();
    let checks = Loaded::new(about, Arc::new(Answering(asked)));
    Ok(Pack { name, title, checks, problems })
}

/// A pack that is being read.
struct Making {
    name: String,
    checks: Vec<(About, Asked)>,
    problems: Vec<Problem>,
}

const FULL: &str = "too many different checks were loaded since this process began: start it again";

/// A document of a file; a check whose form is wrong is taken out and told.
fn tolerantly(
    file: File,
    broken: &mut Vec<(Source, Written, Problem)>,
) -> Result<(Source, Document), Problem> {
    let mut file = file;
    for _ in 0..=MOST_CHECKS {
        let source = Source::new(file.clone());
        let problem = match source.read::<Document>() {
            Ok(document) => return Ok((source, document)),
            Err(problem) => problem,
        };
        let Ok(outline) = source.read::<Outline>() else { return Err(problem) };
        let begins = |it: &Spanned<OutlineCheck>| line_of(it);
        let entries = outline.checks.unwrap_or_default();
        let Some(at) = entries.iter().rposition(|it| begins(it) <= problem.line) else {
            return Err(problem);
        };
        let (Some(entry), next) = (entries.get(at), entries.get(at + 1)) else {
            return Err(problem);
        };
        let Some(id) = entry.value.id.clone() else { return Err(problem) };
        let from = begins(entry).saturating_sub(1);
        let to = next.map_or(usize::MAX, |it| begins(it).saturating_sub(1));
        broken.push((source.clone(), id, problem));
        let lines = file.text.lines().enumerate();
        let kept = lines.map(|(at, line)| if (from..to).contains(&at) { "" } else { line });
        file.text = kept.collect::<Vec<&str>>().join("\n");
    }
    let source = Source::new(file);
    Err(source.problem((1, 1), None, format!("more than {MOST_CHECKS} checks")))
}

fn line_of<T>(written: &Spanned<T>) -> usize {
    usize::try_from(written.referenced.line()).unwrap_or(1)
}

/// The checks of a file, and nothing else of it.
#[derive(Debug, Deserialize)]
struct Outline {
    #[serde(default)]
    checks: Option<Vec<Spanned<OutlineCheck>>>,
}

#[derive(Debug, Deserialize)]
struct OutlineCheck {
    #[serde(default)]
    id: Option<Written>,
}

/// The pack's name, which exactly one file tells, and what it is for.
fn named(read: &[(Source, Document)]) -> Result<(String, String), Problem> {
    let naming: Vec<&(Source, Document)> =
        read.iter().filter(|(_, document)| document.name.is_some()).collect();
    let (source, document) = match naming.as_slice() {
        [one] => *one,
        [_, other, ..] => return Err(other.0.problem((1, 1), None, "the pack has a name already")),
        [] => {
            let first = read.first().map(|(source, _)| source.clone());
            let first = first.unwrap_or_else(|| {
                Source::new(File { path: NAMING.to_owned(), text: String::new() })
            });
            let text = format!("the pack has no name: write `name:` into {NAMING}");
            return Err(first.problem((1, 1), None, text));
        }
    };
    let checks: usize = read.iter().map(|(_, document)| document.checks.len()).sum();
    if MOST_CHECKS < checks {
        return Err(source.problem((1, 1), None, format!("more than {MOST_CHECKS} checks")));
    }
    let Some(written) = &document.name else {
        return Err(source.problem((1, 1), None, "the pack has no name"));
    };
    let name = written.text();
    let wrong = |text: String| source.problem(source.place(written, 0), None, text);
    if !plain(name) {
        let text = format!("{name:?} is no name of a pack: write lower case, digits and hyphens");
        return Err(wrong(text));
    }
    let group = format!("{name}-");
    if checks::all().any(|check| check.id.starts_with(&group)) {
        return Err(wrong(format!("{name:?} is a group of built-in checks: take another name")));
    }
    Ok((name.to_owned(), document.title.clone().unwrap_or_default()))
}

/// The id of a check, which no other of the pack may have.
fn id_of(
    pack: &str,
    source: &Source,
    written: &Written,
    taken: &[String],
) -> Result<String, Problem> {
    let own = written.text();
    let id = format!("{pack}-{own}");
    let wrong = |text: String| source.problem(source.place(written, 0), None, text);
    if !plain(own) {
        return Err(wrong(format!("{own:?} is no id: write lower case, digits and hyphens")));
    }
    if taken.contains(&id) || checks::named(&id).is_some() {
        return Err(wrong(format!("the id {id:?} is taken")));
    }
    Ok(id)
}

/// Lower case, digits, and hyphens between them.
fn plain(name: &str) -> bool {
    const LONGEST: usize = 60;
    name.len() <= LONGEST
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.split('-').all(|part| {
            !part.is_empty()
                && part.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit())
        })
}

impl Pack {
    /// The ids of its checks.
    pub fn ids(&self) -> BTreeSet<&'static str> {
        self.checks.checks().iter().map(|it| it.id).collect()
    }
}

impl Making {
    fn add(
        &mut self,
        source: &Source,
        written: &WrittenCheck,
        id: &str,
        ids: &[String],
    ) -> Result<(), TooMuch> {
        let (title, manual) = (written.title.text().trim(), manual(written, id));
        let own_code = || written.id.text().replace('-', "_");
        let code = written.code.as_ref().map_or_else(own_code, |it| it.text().to_owned());
        let around = Around { source, id: interned(id)?, code: interned(&code)? };
        let mut problems = Vec::new();
        let mut problem = |of: &Written, text: String| {
            problems.push(source.problem(source.place(of, 0), Some(id), text));
        };
        if title.is_empty() || title.contains('\n') {
            problem(&written.title, "the title is one line".to_owned());
        }
        let of_code = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_';
        if let Some(own) = written.code.as_ref().filter(|it| {
            let text = it.text();
            text.is_empty() || 60 < text.len() || !text.bytes().all(of_code)
        }) {
            problem(own, "a code is lower case, digits and _".to_owned());
        }
        let mut after = Vec::new();
        for written in &written.after {
            let own = format!("{}-{}", self.name, written.text());
            let known: Vec<&str> =
                checks::all().map(|it| it.id).chain(ids.iter().map(String::as_str)).collect();
            match known.iter().find(|it| **it == own || **it == written.text()) {
                Some(found) if *found == id => {
                    problem(written, "a check does not rest on itself".to_owned());
                }
                Some(found) => after.push((*found).to_owned()),
                None => problem(written, unknown("check", written.text(), known)),
            }
        }
        let compiled = compile(written, &around);
        problems.extend(compiled.as_ref().err().into_iter().flatten().cloned());
        let Ok(own) = compiled else { return self.add_broken(id, title, &manual, problems) };
        if !problems.is_empty() {
            return self.add_broken(id, title, &manual, problems);
        }
        let reads: Vec<&str> = own.reads.iter().map(String::as_str).collect();
        let after: Vec<&str> = after.iter().map(String::as_str).collect();
        let about = About {
            id: around.id,
            title: interned(title)?,
            manual: interned(&manual)?,
            after: interned_list(&after)?,
            reads: interned_list(&reads)?,
        };
        self.checks.push((about, Asked::Own(Box::new(own))));
        Ok(())
    }

    /// A check that answers what is wrong with it.
    fn add_broken(
        &mut self,
        id: &str,
        title: &str,
        manual: &str,
        problems: Vec<Problem>,
    ) -> Result<(), TooMuch> {
        let told: Vec<String> = problems.iter().take(5).map(ToString::to_string).collect();
        let about = About {
            id: interned(id)?,
            title: interned(title)?,
            manual: interned(manual)?,
            after: &[],
            reads: &[],
        };
        self.checks.push((about, Asked::Broken(told.join("; "))));
        self.problems.extend(problems);
        Ok(())
    }
}

/// The manual page of a check: what its author wrote, or else what it tests.
fn manual(written: &WrittenCheck, id: &str) -> String {
    let own = written.manual.as_ref().map(|it| it.text().trim_end().to_owned());
    let own = own.unwrap_or_else(|| format!("{}.", written.title.text().trim()));
    let mut tests = String::new();
    let line = |name: &str, of: Option<&Written>| {
        of.map(|it| format!("{name}: {}\n", it.text().trim())).unwrap_or_default()
    };
    tests += &line("for_each", written.for_each.as_ref());
    tests += &line("applies", written.applies.as_ref());
    for (name, expression) in &written.names.0 {
        tests += &line(name.text(), Some(expression));
    }
    tests += &line("pass", Some(&written.pass));
    let tests: Vec<String> = tests.lines().map(|line| format!("    {line}")).collect();
    let tests = tests.join("\n");
    format!("# {id}\n\n{own}\n\n## The test\n\n{tests}\n")
}
