//! The readiness report: what it says, in which order, and that it stands alone.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use crate::foreign::{EVIL, named};
use crate::organisation::Organisation;
use crate::run::{Run, trustprobe, within};

/// The demo's report, as `docs/` keeps it.
const EXAMPLE: [&str; 4] = ["demo", "--by", "2027-07-01", "--report"];

fn docs(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name)
}

/// What a command writes to a file of this name.
fn written(arguments: &[&str], name: &str) -> (Run, String) {
    let folder = tempfile::tempdir().unwrap();
    let run = within(folder.path(), arguments.iter().chain(&[name]));
    let text = fs::read_to_string(folder.path().join(name)).unwrap_or_default();
    (run, text)
}

/// Runs `report .` with what the owner states, and more.
fn report(organisation: &Organisation, more: &[&str]) -> Run {
    organisation.run("report", more)
}

fn html(organisation: &Organisation, more: &[&str]) -> (Run, String) {
    let run = report(organisation, &[more, &["-o", "report.html"]].concat());
    let text = organisation.text("report.html");
    // It would be a file that nobody recognises, among the evidence of the next run.
    organisation.remove("report.html");
    (run, text)
}

/// The document without its stylesheet and the policy that names it.
fn without_style(html: &str) -> String {
    let (before, rest) = html.split_once("<style>").unwrap();
    let (_, after) = rest.split_once("</style>").unwrap();
    let policy = before.lines().find(|line| line.contains("Content-Security-Policy")).unwrap();
    format!("{}{after}", before.replace(policy, ""))
}

/// The values of an attribute, in the order of the page.
fn values<'p>(page: &'p str, attribute: &str) -> Vec<&'p str> {
    let opening = format!(" {attribute}=\"");
    page.split(&opening).skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

#[test]
fn the_example_is_what_the_demo_writes() {
    for name in ["report.html", "report.md"] {
        let (run, text) = written(&EXAMPLE, name);
        assert_eq!((run.code, run.stderr.as_str()), (1, ""));
        let command = format!("trustprobe {} docs/{name}", EXAMPLE.join(" "));
        let kept = fs::read_to_string(docs(name)).unwrap();
        assert!(text == kept, "docs/{name} is out of date; read what changes: {command}");
    }
}

#[test]
fn the_picture_of_the_example_is_of_this_example() {
    use sha2::Digest as _;
    let report = fs::read(docs("report.html")).unwrap();
    let mut own = "sha256:".to_owned();
    for octet in sha2::Sha256::digest(report) {
        let _ = write!(own, "{octet:02x}");
    }
    let picture = fs::read(docs("report.png")).unwrap();
    let is_named = picture.windows(own.len()).any(|it| it == own.as_bytes());
    assert!(is_named, "take it again: node tests/installed/browser/picture.mjs (CONTRIBUTING.md)");
}

#[test]
fn good_news_is_short() {
    let sound = ["demo", "--healthy", "--by", "2027-07-01", "--report"];
    let (run, text) = written(&sound, "report.html");
    assert_eq!(run.code, 0, "{}", run.stderr);
    insta::assert_snapshot!("sound-html", without_style(&text));
    insta::assert_snapshot!("sound-markdown", written(&sound, "report.md").1);
}

#[test]
fn the_move_to_another_procedure_is_told() {
    let moving = ["demo", "--procedure", "teams", "--by", "2031-02-01", "--report"];
    let (_, markdown) = written(&moving, "report.md");
    insta::assert_snapshot!("moving-markdown", markdown);
}

#[test]
fn the_exit_code_is_the_answer() {
    assert_eq!(report(&Organisation::healthy(), &[]).code, 0);
    assert_eq!(report(&Organisation::with("24-one-server-only"), &[]).code, 1);
    let unknown = Organisation::healthy();
    unknown.remove("AuthConfig.xml");
    let run = report(&unknown, &[]);
    assert_eq!(run.code, 3, "{}", run.stdout);
    assert!(run.stdout.contains("cannot be told"), "{}", run.stdout);
    assert!(run.stdout.contains("\n# CANNOT TELL") || run.stdout.starts_with("# CANNOT TELL"));
    // By then the certificate has ended.
    let run = report(&Organisation::healthy(), &["--by", "2031-01-01"]);
    assert_eq!(run.code, 1, "{}", run.stdout);
    assert!(run.stdout.contains("**do** create the next auth certificate"), "{}", run.stdout);
    assert!(!run.stdout.contains("put it in place at once"), "{}", run.stdout);
}

#[test]
fn a_day_that_is_over_is_refused() {
    for by in ["2026-11-24", "2020-01-01"] {
        let run = report(&Organisation::healthy(), &["--by", by]);
        let said = format!("--by {by}T00:00:00Z does not lie after 2026-11-24T00:00:00Z");
        assert_eq!(run.code, 2);
        assert!(run.stderr.contains(&said), "{}", run.stderr);
    }
    assert_eq!(trustprobe(["demo", "--by", "2027-07-01"]).code, 2, "--by is for a report");
    // Of a part nobody can tell whether the whole is ready.
    assert_eq!(report(&Organisation::healthy(), &["--only", "endpoint-tls"]).code, 2);
}

#[test]
fn the_ending_of_the_file_tells_the_format() {
    let organisation = Organisation::healthy();
    for (name, begins) in
        [("a.html", "<!DOCTYPE html>"), ("a.md", "# READY: contoso"), ("a", "<!DOCTYPE html>")]
    {
        let run = report(&organisation, &["-o", name]);
        assert_eq!((run.stdout.as_str(), run.code), ("", 0));
        assert!(organisation.text(name).starts_with(begins), "{name}");
        organisation.remove(name);
    }
    assert!(report(&organisation, &[]).stdout.starts_with("# READY: contoso"));
    let run = report(&organisation, &["--format", "html"]);
    assert!(run.stdout.starts_with("<!DOCTYPE html>"), "{}", run.stdout);
}

#[test]
fn html_stands_alone() {
    let two = two_organisations();
    let run = within(two.path(), ["report", ".", "--at", "2026-11-24", "--format", "html"]);
    let mut pages = vec![run.stdout];
    for procedure in ["skype-online", "teams", "exchange-online"] {
        let options = ["demo", "--procedure", procedure, "--by", "2031-02-01", "--report"];
        pages.push(written(&options, "report.html").1);
    }
    for page in &pages {
        for refused in [
            "<script",
            " style=",
            " onclick=",
            "<form",
            "<base",
            "<iframe",
            "<link rel=\"style",
            "@import",
            "url(",
            " src=",
            "unsafe",
        ] {
            assert!(!page.contains(refused), "{refused}");
        }
        assert_eq!(page.matches("<style>").count(), 1);
        let ids = values(page, "id");
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{ids:?}");
        for address in values(page, "href") {
            let own = address.strip_prefix('#').map(|id| ids.contains(&id));
            let icon = address.starts_with("data:image/svg+xml,");
            let source = address.starts_with("https://learn.microsoft.com/");
            assert!(own.unwrap_or(icon || source), "{address}");
        }
    }
}

/// Two organisations of one name in one folder; the second is broken.
fn two_organisations() -> Organisation {
    let two = Organisation::healthy();
    let broken = Organisation::with("24-one-server-only");
    fs::create_dir(two.path().join("other")).unwrap();
    for name in broken.texts() {
        let text =
            broken.text(&name).replace("DC=corp,DC=contoso,DC=com", "DC=ad,DC=fabrikam,DC=com");
        let text = text.replace("corp.contoso.com", "ad.fabrikam.com");
        two.write(&format!("other/{name}"), text);
    }
    two
}

#[test]
fn several_organisations_stand_behind_an_index() {
    let two = two_organisations();
    let page = |format: &str| {
        within(two.path(), ["report", ".", "--at", "2026-11-24", "--format", format])
    };
    let run = page("html");
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(run.stdout.contains("<h1 id=\"index\">Readiness of 2 organisations</h1>"));
    for (id, name) in [
        ("t1-verdict", "Contoso Org (ad.fabrikam.com)"),
        ("t2-verdict", "Contoso Org (corp.contoso.com)"),
    ] {
        assert!(run.stdout.contains(&format!("<a href=\"#{id}\">{name}</a>")), "{name}");
    }
    let markdown = page("markdown").stdout;
    assert_eq!(markdown.lines().filter(|line| line.starts_with("# ")).count(), 2, "{markdown}");
}

#[test]
fn the_same_evidence_gives_the_same_document() {
    let organisation = Organisation::with("24-one-server-only");
    let twice = [(); 2].map(|()| html(&organisation, &["--by", "2027-07-01"]).1);
    assert!(twice[0] == twice[1]);
}

#[test]
fn hostile_names_stay_text() {
    let markup = format!("<img src=x onerror=alert(1)>\"'&amp;](http://evil.example){EVIL}");
    let organisation = named(&markup);
    for by in [&[][..], &["--by", "2031-01-01"]] {
        let (_, page) = html(&organisation, by);
        let page = without_style(&page);
        assert!(!page.contains("<img") && !page.contains("href=\"http://"), "{page}");
        let active = |c: char| {
            c != '\n'
                && (c.is_control()
                    || matches!(c, '\u{200f}' | '\u{2028}' | '\u{202e}' | '\u{2066}'))
        };
        assert!(!page.contains(active));
        assert!(page.contains("&#60;img src=x onerror="));
    }
}

#[test]
fn recorded_calls_have_a_section_without_their_secrets() {
    let organisation = Organisation::healthy();
    let capture = "tests/fixtures/traffic/01-invalid-signature.har";
    let capture = Path::new(env!("CARGO_MANIFEST_DIR")).join(capture);
    let before = report(&organisation, &[]).stdout;
    assert!(!before.contains("The handshake in the traffic"), "{before}");
    organisation.write("capture.har", fs::read(capture).unwrap());
    let markdown = report(&organisation, &[]).stdout;
    let (_, page) = html(&organisation, &[]);
    for text in [&markdown, &page] {
        let section = text.split("The handshake in the traffic").nth(1).unwrap();
        let section = section.split(["<h2", "\n## "][usize::from(*text == markdown)]).next();
        let section = section.unwrap();
        for part in ["Bearer and no token", "invalid", "Skype for Business Online"] {
            assert!(section.contains(part), "{part}: {section}");
        }
        // Two parts of a token begin so; users go by numbers.
        assert!(!text.contains("eyJ") && !text.contains("ann@"), "{section}");
    }
}
