//! What a heap of evidence holds: each file with what it was taken for, where
//! and when it was made, what it gave and what in it could not be used; and
//! what is still missing for a verdict.

use checks::facts::Organisation;
use jiff::Timestamp;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;

use super::gaps::{self, Gap};
use super::json::pretty;
use super::page::{Page, Tone};
use super::{Report, Style};
use crate::decode::{Form, Origin};
use crate::evidence::{Evidence, EvidenceFile};

/// What the file says that it is.
pub const FORMAT: &str = "trustprobe/inventory";
/// The version of the format; a newer major one means something else.
pub const VERSION: &str = "1.0";

/// What a heap of evidence holds, and what it lacks.
#[derive(Serialize, JsonSchema)]
struct Inventory<'a> {
    /// What this is.
    #[schemars(extend("const" = FORMAT))]
    format: &'static str,
    /// The version of the format, major and minor.
    #[schemars(extend("pattern" = r"^1\.[0-9]+$"))]
    version: &'static str,
    /// The files, in the order in which they were read.
    files: Vec<File<'a>>,
    /// What could not be read or assigned, one line each.
    notes: &'a [String],
    /// What is missing, for each organisation.
    trusts: Vec<Lacking<'a>>,
}

/// One file.
#[derive(Serialize, JsonSchema)]
struct File<'a> {
    /// Its path as it was given; within an archive, behind the archive's.
    path: &'a str,
    /// What it was taken for.
    form: String,
    /// Whether anything in it could be used.
    used: bool,
    /// The organisations whose objects stand in it.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    organisations: &'a [String],
    /// The servers that ran the cmdlets, or that answered.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    servers: Vec<&'a str>,
    /// When it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    made_at: Option<Timestamp>,
    /// When the newest object in it last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    made_after: Option<Timestamp>,
    /// What it gave, in a few words each.
    gave: &'a [String],
    /// What in it could not be used.
    notes: &'a [String],
}

/// What is missing for a verdict about one trust.
#[derive(Serialize, JsonSchema)]
struct Lacking<'a> {
    /// The trust's name.
    name: &'a str,
    /// The Exchange organisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    organisation: Option<&'a Organisation>,
    /// The id of the procedure.
    procedure: &'static str,
    /// What is missing, and what would provide it.
    missing: Vec<Gap<'a>>,
}

/// The inventory for people.
pub fn table(evidence: &Evidence, reports: &[Report], style: &Style) -> String {
    let mut page = Page::new(style);
    for file in &evidence.files {
        page.blank();
        print(&mut page, file);
    }
    if !evidence.notes.is_empty() {
        page.heading("Left out, or doubtful");
        for note in &evidence.notes {
            page.prose(Tone::Doubtful, 2, note);
        }
    }
    for report in reports.iter().filter(|report| !report.facts.is_empty()) {
        let (name, procedure) = (&report.trust.name, report.procedure.id);
        let gaps = gaps::of(report);
        if gaps.is_empty() {
            page.heading(&format!("Nothing is missing for a verdict on {name} by {procedure}"));
        }
        let heading = format!("Missing for a full verdict on {name} by {procedure}");
        gaps::print(&mut page, &heading, &gaps);
    }
    page.finish()
}

fn print(page: &mut Page, file: &EvidenceFile) {
    page.line(&[(Tone::Strong, &file.path)]);
    let unknown = matches!(file.form, Form::Unrecognised(_));
    let tone = if unknown { Tone::Open } else { Tone::Plain };
    page.prose(tone, 2, &file.form.to_string());
    let mut all = |label: &str, texts: &[String], tone: Tone| {
        for (at, text) in texts.iter().enumerate() {
            page.hanging((Tone::Faint, if at == 0 { label } else { "" }), (tone, text));
        }
    };
    all("of", &file.organisations, Tone::Plain);
    let servers: Vec<String> = file.origin.servers.iter().cloned().collect();
    all("from", &servers, Tone::Plain);
    all("made", &made(&file.origin), Tone::Plain);
    all("gives", &file.gave, Tone::Good);
    all("but", &file.notes, Tone::Doubtful);
}

fn made(origin: &Origin) -> Vec<String> {
    let minute = |time: Timestamp| time.strftime("%Y-%m-%d %H:%MZ").to_string();
    match (origin.at, origin.changed) {
        (Some(at), _) => vec![minute(at)],
        (None, Some(changed)) => {
            vec![format!("after {}, when the newest object in it changed", minute(changed))]
        }
        (None, None) => Vec::new(),
    }
}

/// The inventory for programs, as pretty-printed JSON with a final line break.
pub fn json(evidence: &Evidence, reports: &[Report]) -> anyhow::Result<String> {
    let files = evidence.files.iter().map(|file| File {
        path: &file.path,
        form: file.form.to_string(),
        used: !file.gave.is_empty(),
        organisations: &file.organisations,
        servers: file.origin.servers.iter().map(String::as_str).collect(),
        made_at: file.origin.at,
        made_after: file.origin.changed,
        gave: &file.gave,
        notes: &file.notes,
    });
    let trusts = reports.iter().map(|report| Lacking {
        name: &report.trust.name,
        organisation: report.facts.organisation.as_ref(),
        procedure: report.procedure.id,
        missing: gaps::of(report),
    });
    pretty(&Inventory {
        format: FORMAT,
        version: VERSION,
        files: files.collect(),
        notes: &evidence.notes,
        trusts: trusts.collect(),
    })
}

/// The JSON Schema of what [`json`] writes.
pub fn schema() -> anyhow::Result<String> {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    pretty(&settings.into_generator().into_root_schema_for::<Inventory>())
}
