//! Every limit, crossed: what it says, and that the rest is still used.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::organisation::{Judged, Organisation};
use crate::run::{Run, flat, trustprobe, within};
use crate::zipped::{Entry, zip};

/// The lines of `trustprobe list` on limits: name, default, what it bounds.
fn limits() -> Vec<[String; 3]> {
    let list = trustprobe(["list"]).stdout;
    let lines = list.split_once("\nLimits\n").unwrap().1.lines();
    let parts = |line: &str| {
        let mut parts = line.trim().splitn(2, ' ');
        let name = parts.next().unwrap().to_owned();
        let (value, bounds) = parts.next().unwrap().trim().split_once("  ").unwrap();
        [name, value.to_owned(), bounds.to_owned()]
    };
    lines.map(parts).collect()
}

#[test]
fn the_readme_has_the_table_of_limits() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(path).unwrap();
    let table = readme.split_once("<!-- limits -->\n").unwrap().1.split_once("\n\n").unwrap().0;
    let mut expected = String::from("| limit | default | bounds |\n|---|---|---|");
    for [name, value, bounds] in limits() {
        write!(expected, "\n| `{name}` | {value} | {bounds} |").unwrap();
    }
    assert_eq!(table, expected);
}

/// A folder in which each limit has something beyond it.
fn hostile() -> Organisation {
    let organisation = Organisation::healthy();
    let nested = (0..4).fold(b"x".to_vec(), |inner, _| zip(&[Entry::stored("i.zip", inner)]));
    let nested = zip(&[Entry::stored("i.zip", nested)]);
    organisation.write("nested.zip", nested);
    organisation.write("ratio.zip", zip(&[Entry::deflated("b.txt", vec![b' '; 20 << 20])]));
    let deep = organisation.path().join("1/2/3/4");
    fs::create_dir_all(&deep).unwrap();
    fs::write(deep.join("a.txt"), "x").unwrap();
    let object = r#"<Obj RefId="1"><MS><S N="Identity">x</S></MS></Obj>"#;
    let reference =
        r#"<Obj RefId="2"><MS><Ref N="a" RefId="1" /><Ref N="b" RefId="1" /></MS></Obj>"#;
    organisation.write("references.xml", format!("<Objs>{object}{reference}</Objs>"));
    organisation
}

fn listed(organisation: &Organisation, limit: &str) -> Run {
    within(organisation.path(), ["evidence", ".", "--limit", limit])
}

#[test]
fn every_limit_is_told_with_what_moves_it_and_the_rest_is_used() {
    let organisation = hostile();
    let crossed = [
        ("file", "8KiB", "./AuthServers.xml: beyond the limit file=8KiB"),
        ("total", "20KiB", "./Certificates-EX1.xml: beyond the limit total=20KiB"),
        ("facts", "30KiB", "beyond the limit facts=30KiB, left out"),
        ("ratio", "2", "./ratio.zip: beyond the limit ratio=2"),
        ("files", "9", "files beyond the limit files=9"),
        ("archives", "2", "./nested.zip/i.zip/i.zip: beyond the limit archives=2"),
        ("folders", "3", "./1/2/3: beyond the limit folders=3"),
        ("notes", "1", "more notes beyond the limit notes=1"),
        ("depth", "2", "nested deeper than 2 levels (--limit depth=… moves this)"),
        ("values", "20", "more than 20 values (--limit values=… moves this)"),
        (
            "references",
            "1",
            "references repeat more than 1 octets (--limit references=… moves this)",
        ),
        ("objects", "1", "(--limit objects=… moves this)"),
        ("configuration", "1", "(--limit configuration=… moves this)"),
    ];
    let names: Vec<String> = limits().into_iter().map(|[name, ..]| name).collect();
    assert_eq!(names.len(), crossed.len());
    for (name, value, told) in crossed {
        assert!(names.iter().any(|it| it == name), "{name}");
        let run = listed(&organisation, &format!("{name}={value}"));
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{name}");
        let text = flat(&run.stdout);
        assert!(text.contains(told), "{name}: {text}");
        assert!(text.contains(&format!("--limit {name}=… moves")), "{name}");
        assert!(text.contains("the AuthConfig"), "{name}: {text}");
        // Moved far enough, it does not stand in the way.
        let run = listed(
            &organisation,
            &format!("{name}={}", if name == "depth" { "120" } else { "16" }),
        );
        assert_eq!(run.code, 0);
    }
}

#[test]
fn beyond_a_limit_no_list_is_whole() {
    // An absence is presumed, and fails; where a file was left out that may
    // hold what seems to be absent, it is unknown.
    let organisation = Organisation::with("20-application-absent");
    assert_eq!(organisation.judge().code, 1);
    let big = format!("<Objs>{}</Objs>", "<Obj><MS /></Obj>".repeat(2000));
    for (more, limit) in [(&big, "file=20KiB"), (&big, "total=60KiB"), (&big, "files=18")] {
        organisation.write("zz.xml", more);
        let run = organisation.check(&["--limit", limit, "--format", "json"]);
        let judged = Judged::of(&run);
        assert_eq!((run.code, judged.with_status("failed")), (3, vec![]), "{limit}");
        let why = format!("{:?}", judged.of_check("partner-application-present"));
        let told = format!("beyond the limit {}", limit.split_once('=').unwrap().0);
        assert!(why.contains(&told), "{limit}: {why}");
    }
    // A log that is too large is nothing that a list would miss.
    organisation.write("zz.xml", "a line of a log\n".repeat(3000));
    assert_eq!(organisation.check(&["--limit", "file=20KiB"]).code, 1);
}

#[test]
fn a_doctype_and_its_entities_are_refused_in_every_place() {
    let secret = tempfile::tempdir().unwrap();
    let secret = secret.path().join("secret");
    fs::write(&secret, "THE-SECRET").unwrap();
    let uri = format!("file://{}", secret.display());
    let doctype = format!(r#"<!DOCTYPE x [<!ENTITY a SYSTEM "{uri}"><!ENTITY b "&a;&a;">]>"#);
    let object = r#"<Obj RefId="0"><MS><S N="Identity">&b;</S></MS></Obj>"#;
    let metadata = r#"<EntityDescriptor entityID="&b;" />"#;
    for text in [
        format!("{doctype}<Objs>{object}</Objs>"),
        format!("<?xml version=\"1.0\"?>{doctype}<Objs>{object}</Objs>"),
        format!("<Objs>{doctype}{object}</Objs>"),
        format!("<Objs>{object}{doctype}</Objs>"),
        format!("<Objs><Obj RefId=\"0\">{doctype}</Obj></Objs>"),
        format!("<Objs>{object}</Objs>"),
        format!("{doctype}{metadata}"),
        format!("<?xml version=\"1.0\"?>{doctype}{metadata}"),
    ] {
        let organisation = Organisation::healthy();
        organisation.write("x.xml", &text);
        organisation.write("x.zip", zip(&[Entry::stored("x.xml", &text)]));
        let listed = within(organisation.path(), ["evidence", "."]);
        assert_eq!((listed.code, listed.stderr.as_str()), (0, ""), "{text}");
        assert!(!listed.stdout.contains("THE-SECRET"), "{text}");
        let judged = organisation.judge();
        assert_eq!((judged.code, judged.json.to_string().contains("THE-SECRET")), (0, false));
        assert!(judged.notes().iter().any(|it| it.starts_with("./x.xml")), "{:?}", judged.notes());
    }
}

#[test]
fn limits_are_refused_with_the_reason() {
    for (limit, parts) in [
        ("fil=1", &["'fil'", "'file'"][..]),
        ("archive=1", &["'archive'", "'archives'"]),
        ("file", &["the limit \"file\" takes a size such as 200MiB"]),
        ("file=0", &["cannot be 0"]),
        ("files=1KiB", &["takes a number"]),
        ("file=99999999999999GiB", &["is too large"]),
        ("depth=121", &["can be 120 at most"]),
        ("file=\u{1b}[2J", &["takes a size"]),
    ] {
        for command in ["check", "evidence"] {
            let run = trustprobe([command, ".", "--limit", limit]);
            assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{limit}");
            assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
            assert!(!run.stderr.contains('\u{1b}'), "{}", run.stderr);
            for part in parts {
                assert!(run.stderr.contains(part), "{part:?} in {}", run.stderr);
            }
        }
    }
    let last = ["evidence", "Cargo.toml", "--limit", "file=1", "--limit", "file=1MiB"];
    let run = within(Path::new(env!("CARGO_MANIFEST_DIR")), last);
    assert!(!run.stdout.contains("beyond"), "the last one counts: {}", run.stdout);
}
