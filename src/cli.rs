//! The command line: one declaration, from which help, completions and the
//! manual page follow.

mod diff;
mod pack;
mod plan;
mod report;
mod sources;
mod trace;

use std::ffi::{OsStr, OsString};
use std::net::SocketAddr;
use std::path::PathBuf;

use checks::Procedure;
use checks::procedure::{Cloud, PROCEDURES};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Arg, Args, Parser, Subcommand, ValueEnum};
use jiff::Timestamp;
use tracing_subscriber::filter::LevelFilter;

pub use self::diff::{Diff, DiffFormat};
use crate::cloud;
use crate::config::value::{domain_name, tenant_id, time};
use crate::evidence::{LIMITS, Limits, Moved, Refused, ServerOf};
use crate::output::escape;
pub use trace::Trace;

pub use pack::{Explain, Pack, Packs};
pub use plan::{Plan, PlanFormat, PlanOutput, PlanShell};
pub use report::{Planned, Report, ReportFormat};
pub use sources::{Many, Sources};

/// Does server-to-server OAuth between this Exchange organisation and this
/// Microsoft 365 tenant work, and if not, which step broke and what fixes it?
///
/// trustprobe reads and never writes: nothing in Exchange, Entra, a directory or DNS is changed.
#[derive(Debug, Parser)]
#[command(name = "trustprobe", version, max_term_width = 100, disable_help_subcommand = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Judge an organisation step by step and name the one thing to fix first
    Check(Check),
    /// Ask the directory, Entra and the endpoints, and write what they said to a file
    Collect(Collect),
    /// Print what mends the trust as one ordered, commented script for each shell; runs nothing
    Plan(Plan),
    /// Compare two records of a trust: what got worse, what was fixed, what was lost from sight
    Diff(Diff),
    /// Show what each file was taken for, what it gave, and what is still missing
    Evidence(Evidence),
    /// Write whether an organisation is ready, why, and what to do in which order
    Report(Report),
    /// Show the handshake in captured traffic, and what a token says
    Trace(Trace),
    /// Judge a recorded, broken organisation; needs no network and no credentials
    Demo(Demo),
    /// Look after the configured trusts, for Prometheus and for a browser
    Serve(Serve),
    /// Print a read-only script for the Exchange Management Shell that writes all its facts
    ///
    /// `trustprobe collector-script > Collect-TrustFacts.ps1`, then run it in the Exchange
    /// Management Shell: it writes one JSON file, which `check` reads like any other evidence.
    CollectorScript,
    /// Print the manual page of a check
    Explain(Explain),
    /// Try out checks of your own
    #[command(subcommand)]
    Pack(Pack),
    /// Print the least right that each source and each check needs, or verify what is held
    Permissions(Permissions),
    /// List the checks, the procedures, the clouds and the limits; or the trusts, for Prometheus
    List(List),
    /// Print the JSON Schema of a format
    Schema {
        /// The format
        #[arg(value_enum)]
        of: SchemaOf,
    },
    /// Print shell completions
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Print the manual page of trustprobe, or of one of its commands, as roff
    Man {
        /// The command
        command: Option<String>,
    },
}

/// `trustprobe check`.
#[derive(Debug, Args)]
pub struct Check {
    /// What is judged.
    #[command(flatten)]
    pub sources: Sources,
    /// Whether many are judged.
    #[command(flatten)]
    pub many: Many,
    /// How to judge.
    #[command(flatten)]
    pub judge: Judge,
    /// How to show it.
    #[command(flatten)]
    pub output: Output,
}

/// `trustprobe collect`.
#[derive(Debug, Args)]
pub struct Collect {
    /// The trust, as the configuration names it
    #[arg(long, value_name = "NAME")]
    pub trust: Option<String>,
    /// Where it is configured.
    #[command(flatten)]
    pub place: Where,
    /// The file to write, which `check` reads like any other evidence
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Replace whatever tells whose facts they are, each the same way throughout
    #[arg(long)]
    pub redact: bool,
    /// What is shown meanwhile.
    #[command(flatten)]
    pub shown: Shown,
}

/// What is shown while live sources are asked.
#[derive(Debug, Default, Clone, Copy, Args)]
pub struct Shown {
    /// Print each request to a live source on standard error, with its duration and outcome
    #[arg(short, long)]
    pub verbose: bool,
}

/// `trustprobe list`.
#[derive(Debug, Args)]
pub struct List {
    /// Print the configured trusts as targets of /probe, in the form of file service discovery
    #[arg(long)]
    pub targets: bool,
    /// Where Prometheus reaches the exporter
    #[arg(long, value_name = "HOST:PORT", requires = "targets", default_value = "127.0.0.1:9966",
          value_parser = authority)]
    pub exporter: String,
    /// Users' own checks.
    #[command(flatten)]
    pub packs: Packs,
    /// Where the trusts are configured.
    #[command(flatten)]
    pub place: Where,
}

/// `trustprobe serve`.
#[derive(Debug, Args)]
pub struct Serve {
    /// Where the trusts are configured.
    #[command(flatten)]
    pub place: Where,
    /// The address and port to listen on
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:9966")]
    pub listen: SocketAddr,
    /// TLS and passwords, in the file format that Prometheus exporters share
    #[arg(long, value_name = "FILE")]
    pub web_config: Option<PathBuf>,
    /// Let POST /-/reload read the configuration again; SIGHUP always does
    #[arg(long)]
    pub enable_reload: bool,
    /// The form of the log, which goes to standard error
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = LogFormat::Logfmt)]
    pub log_format: LogFormat,
    /// The least that is worth a line
    #[arg(long, value_name = "LEVEL", value_enum, default_value_t = LogLevel::Info)]
    pub log_level: LogLevel,
}

/// The form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// key=value
    Logfmt,
    /// One object a line
    Json,
}

/// What is worth a line in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogLevel {
    /// What needs somebody
    Error,
    /// What may need somebody
    Warn,
    /// What changed
    Info,
    /// Everything
    Debug,
}

impl From<LogLevel> for LevelFilter {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::Error => Self::ERROR,
            LogLevel::Warn => Self::WARN,
            LogLevel::Info => Self::INFO,
            LogLevel::Debug => Self::DEBUG,
        }
    }
}

/// `trustprobe permissions`.
#[derive(Debug, Args)]
pub struct Permissions {
    /// Ask what the identities of a trust may do: too little, enough, or too much; nothing is
    /// changed, and nothing is tried
    #[arg(long)]
    pub verify: bool,
    /// The trust, as the configuration names it
    #[arg(long, value_name = "NAME", requires = "verify")]
    pub trust: Option<String>,
    /// Where it is configured.
    #[command(flatten)]
    pub place: Where,
    /// The format
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = ListFormat::Table)]
    pub format: ListFormat,
}

/// Where the trusts are configured.
#[derive(Debug, Default, Args)]
pub struct Where {
    /// The configuration [default: $TRUSTPROBE_CONFIG, or trustprobe.yaml here]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// `trustprobe evidence`.
#[derive(Debug, Args)]
pub struct Evidence {
    /// Files, folders and zip archives; `-` is standard input
    #[arg(value_name = "PATH", required = true)]
    pub paths: Vec<PathBuf>,
    /// A server whose certificates a list belongs to that names none; FILE= for one list only
    #[arg(long, value_name = "[FILE=]SERVER", value_parser = server_of)]
    pub server: Vec<ServerOf>,
    /// Move a bound on what is read, as in file=200MiB; `trustprobe list` names them all
    #[arg(long, value_name = "NAME=VALUE", value_parser = Bound)]
    pub limit: Vec<Moved>,
    /// Write what was understood to a file that `check` reads like any other evidence
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// Write it under other names, as `collect --redact` does
    #[arg(long, requires = "record")]
    pub redact: bool,
    /// The procedure for whose verdict something may be missing
    #[arg(long, value_name = "PROCEDURE", value_parser = procedure())]
    pub procedure: Option<&'static Procedure>,
    /// The format
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = ListFormat::Table)]
    pub format: ListFormat,
    /// What the owner states.
    #[command(flatten)]
    pub trust: Stated,
}

/// A format of `evidence` and `permissions`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// For people
    Table,
    /// For programs
    Json,
}

/// `trustprobe demo`.
#[derive(Debug, Args)]
#[command(mut_arg("by", |by| by.requires("report")))]
pub struct Demo {
    /// Show the same organisation in good health
    #[arg(long)]
    pub healthy: bool,
    /// Write its readiness report to a file, of HTML or, by the ending .md, Markdown
    #[arg(long, value_name = "FILE", conflicts_with_all = ["output", "format", "only", "fail_on"])]
    pub report: Option<PathBuf>,
    /// What is planned.
    #[command(flatten)]
    pub planned: Planned,
    /// How to judge.
    #[command(flatten)]
    pub judge: Judge,
    /// Users' own checks.
    #[command(flatten)]
    pub packs: Packs,
    /// How to show it.
    #[command(flatten)]
    pub output: Output,
}

/// What the owner of a trust states about it.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "The trust")]
pub struct Stated {
    /// A trust of the configuration, or a name of your choice [default: the organisation's name]
    #[arg(long, value_name = "NAME")]
    pub trust: Option<String>,
    /// The tenant id, or one of the tenant's verified domains
    #[arg(long, value_name = "ID|DOMAIN", value_parser = tenant)]
    pub tenant: Option<String>,
    /// The Microsoft cloud: global, us-gov-high, us-gov-dod, china, bleu, delos, or a JSON file
    /// that defines one
    #[arg(long, value_name = "CLOUD", value_parser = cloud::named)]
    pub cloud: Option<&'static Cloud>,
    /// A SIP or SMTP domain of the users; may be repeated
    #[arg(long, value_name = "DOMAIN", value_parser = domain, value_delimiter = ',')]
    pub domain: Vec<String>,
    /// An external host of Exchange, such as mail.contoso.com; may be repeated
    #[arg(long, value_name = "HOST", value_parser = domain, value_delimiter = ',')]
    pub host: Vec<String>,
}

/// How to judge, and what of it to show.
#[derive(Debug, Args)]
#[command(next_help_heading = "The judgement")]
pub struct Judge {
    /// How to judge.
    #[command(flatten)]
    pub terms: Terms,
    /// Show only this check and what blocks it; may be repeated
    #[arg(long, value_name = "CHECK", value_parser = pack::CheckId, hide_possible_values = true)]
    pub only: Vec<String>,
    /// The mildest status that makes the exit code 1
    #[arg(long, value_name = "STATUS", value_enum, default_value_t = FailOn::Failed)]
    pub fail_on: FailOn,
}

/// How to judge.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "The judgement")]
pub struct Terms {
    /// The procedure that lists what must exist
    #[arg(long, value_name = "PROCEDURE", value_parser = procedure())]
    pub procedure: Option<&'static Procedure>,
    /// Judge for this day (00:00 UTC) or instant instead of now
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub at: Option<Timestamp>,
    /// Judge as if the configuration accepted nothing
    #[arg(long)]
    pub no_waivers: bool,
}

/// How to show it.
#[derive(Debug, Args)]
#[command(next_help_heading = "The output")]
pub struct Output {
    /// The format [default: by the ending of --output, else table]
    #[arg(long, value_name = "FORMAT", value_enum)]
    pub format: Option<Format>,
    /// Write to a file, at once or not at all
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// A format of `check` and `demo`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Table,
    /// For programs
    Json,
    /// Metrics, for the textfile collector
    Prometheus,
    /// For the summary of a CI job, or a ticket
    Markdown,
    /// For a log: one JSON object a line
    Jsonl,
    /// For a CI system, which shows it as tests
    Junit,
    /// For Nagios or Icinga, with their exit codes
    Nagios,
}

/// What makes the exit code 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// Something is broken
    Failed,
    /// Something is not as it should be
    Warning,
}

/// A format that has a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SchemaOf {
    /// What `check --format json` prints
    Outcomes,
    /// What each line of `check --format jsonl` is
    Lines,
    /// What `evidence --format json` prints
    Inventory,
    /// What `plan --format json` prints
    Plan,
    /// Recorded facts
    Facts,
    /// What `diff --format json` prints
    Diff,
    /// What `trace --format json` prints
    Trace,
    /// The files of a pack of users' own checks
    Pack,
    /// The cases of a pack
    PackTest,
}

impl Output {
    /// The format asked for, or the one that the file's ending suggests.
    pub fn format(&self) -> Format {
        let ending = self.output.as_ref().and_then(|path| path.extension());
        self.format.unwrap_or(match ending.and_then(|ending| ending.to_str()) {
            Some("json") => Format::Json,
            Some("prom") => Format::Prometheus,
            Some("md") => Format::Markdown,
            Some("jsonl" | "ndjson") => Format::Jsonl,
            Some("xml") => Format::Junit,
            _ => Format::Table,
        })
    }
}

/// What the arguments ask for, or the text and exit code to end with.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Cli, Refusal> {
    Cli::try_parse_from(arguments).map_err(|error| match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            Refusal { asked_for: true, text: format!("{}\n", error.to_string().trim_end()) }
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            Refusal { asked_for: false, text: error.to_string() }
        }
        _ => Refusal { asked_for: false, text: one_line(&error.to_string()) },
    })
}

/// The text that the arguments lead to instead of a command.
#[derive(Debug)]
pub struct Refusal {
    /// Help or version, which were asked for.
    pub asked_for: bool,
    /// What to print.
    pub text: String,
}

/// clap explains an error in a paragraph; here it is one line, with the nearest
/// valid name rather than all of them.
fn one_line(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut wanted: Vec<&str> = lines
        .take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more"))
        .map(|line| line.strip_prefix("error: ").unwrap_or(line))
        .collect();
    let near = wanted.iter().any(|line| line.starts_with("tip:"));
    let listed = |line: &str| line.starts_with("[possible values:");
    if near {
        wanted.retain(|line| !listed(line));
    } else if let Some(all) = wanted.iter_mut().find(|line| listed(line) && line.len() > 200) {
        *all = "see `trustprobe list`";
    }
    format!("trustprobe: {}\n", escape(&wanted.join("; ").replace(":; ", ": ")))
}

fn procedure() -> impl clap::builder::TypedValueParser<Value = &'static Procedure> {
    PossibleValuesParser::new(PROCEDURES.iter().map(|it| it.id))
        .try_map(|id| Procedure::named(&id).ok_or("no such procedure"))
}

pub(crate) fn tenant(text: &str) -> Result<String, String> {
    tenant_id(text).map_or_else(|| domain(text), Ok)
}

pub(crate) fn domain(text: &str) -> Result<String, String> {
    domain_name(text).ok_or_else(|| "expected a name with a dot, such as contoso.com".to_owned())
}

/// A host and a port, and nothing beside them.
fn authority(text: &str) -> Result<String, String> {
    let url = url::Url::parse(&format!("http://{text}/"));
    let whole = url.is_ok_and(|url| {
        let stated = text.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
        url.path() == "/" && url.username().is_empty() && url.query().is_none() && stated.is_some()
    });
    let plain = !text.contains(['/', '?', '#', '@']);
    (whole && plain)
        .then(|| text.to_owned())
        .ok_or_else(|| "expected a host and a port, such as 127.0.0.1:9966".to_owned())
}

fn server_of(text: &str) -> Result<ServerOf, String> {
    let (file, server) = match text.rsplit_once('=') {
        Some((file, server)) => (Some(file.to_owned()), server),
        None => (None, text),
    };
    if server.is_empty() {
        return Err("expected a server's name".to_owned());
    }
    Ok(ServerOf { file, server: server.to_ascii_lowercase() })
}

/// Reads `NAME=VALUE`; of a name that is misspelt, clap tells the nearest one.
#[derive(Debug, Clone)]
struct Bound;

impl TypedValueParser for Bound {
    type Value = Moved;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&Arg>,
        text: &OsStr,
    ) -> Result<Moved, clap::Error> {
        let stated = text.to_string_lossy().into_owned();
        let name = stated.split('=').next().unwrap_or_default();
        let names = PossibleValuesParser::new(LIMITS.iter().map(|limit| limit.name));
        names.parse_ref(command, argument, OsStr::new(name))?;
        let parser = |stated: &str| {
            let (name, value) = stated.split_once('=').unwrap_or((stated, ""));
            Limits::default().set(name, value)?;
            let known = LIMITS.iter().find(|limit| limit.name == name);
            let name = known.map_or("", |limit| limit.name);
            Ok::<Moved, Refused>(Moved { name, value: value.to_owned() })
        };
        TypedValueParser::parse_ref(&parser, command, argument, text)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_declaration_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_day_means_midnight_utc() {
        assert_eq!(time("2027-03-01").unwrap().to_string(), "2027-03-01T00:00:00Z");
        assert_eq!(time("2027-03-01T08:00:00+01:00").unwrap().to_string(), "2027-03-01T07:00:00Z");
        assert!(time("01.03.2027").is_err());
    }

    #[test]
    fn names_are_cleaned_or_refused() {
        assert_eq!(domain("https://Mail.Contoso.com:443/").unwrap(), "mail.contoso.com");
        for text in ["", "contoso", "a..b", "a b.com", "\u{202e}x.com"] {
            assert!(domain(text).is_err(), "{text:?}");
        }
    }
}
