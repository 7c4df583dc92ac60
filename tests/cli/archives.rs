//! Zip archives as evidence: sound, broken, and made to hurt.

use std::fs;

use serde_json::Value;

use crate::organisation::{Judged, Organisation, STATED};
use crate::run::{Run, flat, reading, within};
use crate::zipped::{Entry, overlapping, zip};

/// Contoso's files as entries below this folder.
fn entries(organisation: &Organisation, folder: &str) -> Vec<Entry> {
    let files = organisation.files().into_iter();
    files.map(|it| Entry::deflated(format!("{folder}{it}"), organisation.octets(&it))).collect()
}

/// A folder that holds nothing but these files.
fn holding(files: &[(&str, Vec<u8>)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, octets) in files {
        fs::write(folder.path().join(name), octets).unwrap();
    }
    folder
}

fn check(folder: &tempfile::TempDir, more: &[&str]) -> Judged {
    let arguments = ["check", ".", "--format", "json"].iter().chain(&STATED).chain(more);
    Judged::of(&within(folder.path(), arguments))
}

fn evidence(octets: &[u8], more: &[&str]) -> String {
    let folder = holding(&[("case.zip", octets.to_vec())]);
    listed(&within(folder.path(), ["evidence", "case.zip"].iter().chain(more)))
}

fn listed(run: &Run) -> String {
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    run.stdout.clone()
}

/// Outcomes without the paths at which files stand.
fn outcomes(judged: &Judged, within: &str) -> String {
    judged.json["outcomes"].to_string().replace(within, "./")
}

#[test]
fn an_archive_is_judged_like_the_folder_that_it_holds() {
    for organisation in [Organisation::healthy(), Organisation::with("27-application-disabled")] {
        let folder = organisation.judge();
        let flat = zip(&entries(&organisation, ""));
        let deep = zip(&entries(&organisation, "export\\2026/"));
        let nested = zip(&[Entry::stored("inner.zip", &flat)]);
        for (octets, at) in [
            (&flat, "./case.zip/"),
            (&deep, "./case.zip/export/2026/"),
            (&nested, "./case.zip/inner.zip/"),
        ] {
            let judged = check(&holding(&[("case.zip", octets.clone())]), &[]);
            assert_eq!((judged.code, judged.notes()), (folder.code, vec![]), "{at}");
            assert_eq!(outcomes(&judged, at), outcomes(&folder, "./"), "{at}");
        }
        let arguments = ["check", "-", "--format", "json"].iter().chain(&STATED);
        let judged = Judged::of(&reading(&flat, arguments));
        assert_eq!(outcomes(&judged, "standard input/"), outcomes(&folder, "./"));
    }
}

#[test]
fn copies_in_and_beside_an_archive_change_nothing() {
    let organisation = Organisation::healthy();
    let alone = organisation.judge();
    let archive = zip(&entries(&organisation, "x/"));
    organisation.write("a.zip", &archive);
    organisation.write("b.zip", &archive);
    organisation.write("c.zip", zip(&[Entry::stored("a.zip", &archive)]));
    let judged = organisation.judge();
    assert_eq!((judged.code, judged.notes()), (0, vec![]));
    // Of several copies, the one whose path comes first is named.
    assert_eq!(outcomes(&judged, "./a.zip/x/"), outcomes(&alone, "./"));
}

#[test]
fn a_server_can_be_stated_for_a_file_in_an_archive() {
    let organisation = Organisation::healthy();
    let text = organisation.text("Certificates-EX2.xml");
    organisation.write("Certificates-EX2.xml", text.replace("ex2.corp.contoso.com\\", ""));
    let folder = holding(&[("case.zip", zip(&entries(&organisation, "x/")))]);
    assert_eq!(check(&folder, &[]).code, 3);
    for file in ["Certificates-EX2.xml=EX2", "./case.zip/x/Certificates-EX2.xml=EX2"] {
        assert_eq!(check(&folder, &["--server", file]).code, 0, "{file}");
    }
}

#[test]
fn what_is_no_evidence_in_an_archive_is_named() {
    let organisation = Organisation::healthy();
    let photo = [b"\xff\xd8\xff\xe0\0\x10JFIF".to_vec(), vec![7; 3 << 20]].concat();
    let mut all = entries(&organisation, "");
    all.push(Entry::stored("photo.jpg", photo));
    all.push(Entry::stored("noise.bin", [0, 1, 2, 3].repeat(1 << 20)));
    all.push(Entry::stored("mail.msg", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0"));
    let office = zip(&[
        Entry::stored("[Content_Types].xml", "<Types/>"),
        Entry::stored("word/document.xml", organisation.octets("AuthConfig.xml")),
    ]);
    all.push(Entry::stored("report.docx", office));
    all.push(Entry::stored("empty.zip", zip(&[])));
    let judged = check(&holding(&[("case.zip", zip(&all))]), &[]);
    assert_eq!(judged.code, 0);
    assert_eq!(outcomes(&judged, "./case.zip/"), outcomes(&organisation.judge(), "./"));
    let notes = judged.notes();
    for (name, what) in [
        ("photo.jpg", "not recognised: a picture"),
        ("noise.bin", "not recognised: binary data"),
        ("mail.msg", "not recognised: an Office document or an Outlook message"),
        ("report.docx", "not recognised: an Office document, not used: save the output as text"),
        ("empty.zip", "an empty archive"),
    ] {
        let note = format!("./case.zip/{name}: {what}");
        assert!(notes.iter().any(|it| it.starts_with(&note)), "{note}: {notes:?}");
    }
    assert_eq!(notes.len(), 5, "{notes:?}");
}

#[test]
fn answers_in_an_archive_of_fiddler_are_read() {
    let answer = Organisation::healthy().octets("mail.contoso.com.txt");
    let saz = zip(&[
        Entry::stored("raw/1_s.txt", answer),
        Entry::stored("[Content_Types].xml", "<Types/>"),
    ]);
    let listed = evidence(&saz, &[]);
    let listed = flat(&listed);
    for told in
        ["case.zip captured calls (Fiddler archive)", "an answer 401 with a bearer challenge"]
    {
        assert!(listed.contains(told), "{listed}");
    }
}

#[test]
fn an_entry_that_leads_out_of_the_archive_is_not_read() {
    let config = Organisation::healthy().octets("AuthConfig.xml");
    for (name, why) in [
        ("../AuthConfig.xml", "leads out of the archive"),
        ("a/../../AuthConfig.xml", "leads out of the archive"),
        ("a\\..\\..\\AuthConfig.xml", "leads out of the archive"),
        ("..", "leads out of the archive"),
        ("a/.. /AuthConfig.xml", "leads out of the archive"),
        ("/etc/AuthConfig.xml", "a path of its own"),
        ("\\\\server\\share\\AuthConfig.xml", "a path of its own"),
        ("C:\\AuthConfig.xml", "a path of its own"),
        ("c:AuthConfig.xml", "a path of its own"),
        ("a\0.xml", "no name"),
        (".", "no name"),
        (&"x".repeat(2000), "a name that cannot be used"),
    ] {
        let octets = zip(&[Entry::stored(name, &config), Entry::stored("good.xml", &config)]);
        let listed = evidence(&octets, &[]);
        assert_eq!(listed.matches("the AuthConfig").count(), 1, "{name:?}: {listed}");
        assert!(listed.contains("case.zip/good.xml\n"), "{name:?}: {listed}");
        let (_, notes) = listed.split_once("\nLeft out, or doubtful\n").unwrap();
        let note = flat(notes.split("\n\n").next().unwrap());
        assert!(note.contains(why) && note.ends_with(", left out"), "{name:?}: {note}");
    }
}

#[test]
fn names_are_read_in_any_encoding_and_shown_harmless() {
    let config = Organisation::healthy().octets("AuthConfig.xml");
    let names: [(&[u8], &str); 5] = [
        (b"Pr\x81fung.xml", "case.zip/Prüfung.xml"),
        ("Prüfung.xml".as_bytes(), "case.zip/Prüfung.xml"),
        (b"./a//b\\c.xml", "case.zip/a/b/c.xml"),
        ("x\u{1b}[2J\u{202e}.xml".as_bytes(), "case.zip/x\\u{1b}[2J\\u{202e}.xml"),
        (b"a..b/..c.xml", "case.zip/a..b/..c.xml"),
    ];
    for (name, shown) in names {
        let listed = evidence(&zip(&[Entry::stored(name, &config)]), &[]);
        assert!(listed.starts_with(&format!("{shown}\n")), "{shown}: {listed}");
        assert!(!listed.contains(['\u{1b}', '\u{202e}']), "{listed}");
    }
}

#[test]
fn entries_that_cannot_be_read_are_told_and_the_others_are_used() {
    let config = Organisation::healthy().octets("AuthConfig.xml");
    let bad = |change: fn(&mut Entry)| {
        let mut entry = Entry::deflated("bad.xml", &config);
        change(&mut entry);
        entry
    };
    for (entry, why) in [
        (bad(|it| it.flags = 1), "encrypted, left out: give it unencrypted"),
        (bad(|it| it.attributes = 0o120_777 << 16), "a link, left out"),
        (bad(|it| it.attributes = 0o020_666 << 16), "no regular file, left out"),
        (bad(|it| it.attributes = 0o010_666 << 16), "no regular file, left out"),
        (bad(|it| it.method = 9), "compressed by deflate64, which is not read"),
        (bad(|it| it.method = 12), "compressed by bzip2, which is not read"),
        (bad(|it| it.method = 14), "compressed by LZMA, which is not read"),
        (bad(|it| it.method = 93), "compressed by zstd, which is not read"),
        (bad(|it| it.method = 95), "compressed by xz, which is not read"),
        (bad(|it| it.method = 77), "compressed by method 77, which is not read"),
        (bad(|it| it.checksum = Some(7)), "damaged (Invalid checksum), left out"),
        (bad(|it| it.size = Some(7)), "damaged ("),
    ] {
        let octets =
            zip(&[Entry::stored("a.xml", &config), entry, Entry::stored("z.xml", &config)]);
        let listed = evidence(&octets, &[]);
        assert_eq!(listed.matches("the AuthConfig").count(), 2, "{why}: {listed}");
        let listed = flat(&listed);
        assert!(listed.contains(&format!("case.zip/bad.xml: {why}")), "{why}: {listed}");
    }
}

#[test]
fn two_entries_of_one_name_are_both_read() {
    let organisation = Organisation::healthy();
    let octets = zip(&[
        Entry::stored("a.xml", organisation.octets("AuthConfig.xml")),
        Entry::stored("a.xml", organisation.octets("AuthServers.xml")),
    ]);
    let listed = evidence(&octets, &[]);
    assert!(listed.contains("the AuthConfig") && listed.contains("2 AuthServers"), "{listed}");
    let twice = "case.zip/a.xml: twice in the archive, both are read";
    assert!(flat(&listed).contains(twice), "{listed}");
}

#[test]
fn of_an_archive_that_is_cut_the_beginning_is_used() {
    let organisation = Organisation::healthy();
    let octets = zip(&[
        Entry::deflated("a.xml", organisation.octets("AuthConfig.xml")),
        Entry::stored("b.xml", organisation.octets("AuthServers.xml")),
    ]);
    // Every place in the directory at the end, and some in what stands before it.
    let cuts = (1..140).step_by(3).chain((140..octets.len() - 4).step_by(499));
    for cut in cuts {
        let listed = evidence(&octets[..octets.len() - cut], &[]);
        assert!(listed.contains("case.zip: the archive is cut or damaged"), "{cut}: {listed}");
        assert_eq!(listed.contains("2 AuthServers"), cut < 125, "{cut}: {listed}");
    }
    let listed = evidence(&octets[..octets.len() - 2000], &[]);
    assert!(listed.contains("the AuthConfig"), "{listed}");
    assert!(listed.contains("b.xml: damaged ("), "{listed}");
}

#[test]
fn archives_made_to_burst_end_in_a_note() {
    let zeros = vec![b' '; 20 << 20];
    let config = Entry::stored("z.xml", Organisation::healthy().octets("AuthConfig.xml"));
    let bomb = zip(&[Entry::deflated("bomb.txt", &zeros), config.clone()]);
    let deep = (0..6).fold(bomb.clone(), |inner, _| zip(&[Entry::deflated("i.zip", inner)]));
    let wide: Vec<Entry> = (0..4).map(|at| Entry::stored(format!("{at}.zip"), &bomb)).collect();
    for (octets, limit) in [
        (bomb.clone(), "ratio"),
        (overlapping(&zeros[..1 << 20], 1000), "ratio"),
        (deep, "archives"),
        (zip(&wide), "ratio"),
    ] {
        let listed = evidence(&octets, &[]);
        assert!(listed.contains(&format!("beyond the limit {limit}=")), "{limit}: {listed}");
    }
    let total = evidence(&bomb, &["--limit", "ratio=100000", "--limit", "total=3MiB"]);
    assert!(total.contains("bomb.txt: beyond the limit total=3MiB"), "{total}");
    let all = evidence(&bomb, &["--limit", "ratio=100000"]);
    assert!(all.contains("the AuthConfig") && !all.contains("beyond"), "{all}");
}

#[test]
fn a_declared_size_is_not_believed() {
    let content = Organisation::healthy().octets("AuthConfig.xml");
    let with = |size| Entry { size: Some(size), ..Entry::deflated("a.xml", &content) };
    let listed = evidence(&zip(&[with(u32::MAX - 1)]), &[]);
    assert!(listed.contains("a.xml: beyond the limit file=64MiB"), "{listed}");
    // Within the limit, it reserves nothing: what is there is read.
    let listed = evidence(&zip(&[with(60 << 20)]), &[]);
    assert!(listed.contains("the AuthConfig"), "{listed}");
}

/// The same objects as those of another organisation.
fn of_another(organisation: &Organisation) -> Organisation {
    let other = Organisation::healthy();
    for file in organisation.files() {
        other.remove(&file);
    }
    for file in ["AuthConfig.xml", "AuthServers.xml", "PartnerApplications.xml"] {
        let text = organisation.text(file);
        let text = text.replace("CN=Contoso Org", "CN=Fabrikam");
        other.write(file, text.replace("DC=corp,DC=contoso,DC=com", "DC=fabrikam,DC=com"));
    }
    let answer = r#"{"error": {"code": "Request_ResourceNotFound", "message": "Resource '' does not exist."}, "appId": "00000004-0000-0ff1-ce00-000000000000"}"#;
    other.write("principal.json", answer);
    // A copy under the same name, which is read once and belongs to both.
    other.write("OAuthCert.cer", organisation.octets("OAuthCert.cer"));
    other
}

/// What is said of the trust of this name.
fn trust<'a>(json: &'a Value, name: &str) -> &'a Value {
    let mut trusts = json["trusts"].as_array().unwrap().iter();
    trusts.find(|it| it["organisation"]["name"] == name).unwrap()
}

fn apart(folder: &tempfile::TempDir) -> Value {
    let arguments =
        ["check", ".", "--format", "json", "--at", "2026-11-24", "--procedure", "skype-online"];
    let run = within(folder.path(), arguments);
    assert_eq!(run.stderr, "");
    run.json()
}

#[test]
fn two_organisations_are_judged_apart_where_each_has_its_folder() {
    let contoso = Organisation::healthy();
    let fabrikam = of_another(&contoso);
    let alone = holding(&[("a.zip", zip(&entries(&contoso, "contoso/")))]);
    let alone = apart(&alone)["trusts"][0]["outcomes"].to_string();
    let one = [entries(&contoso, "contoso/"), entries(&fabrikam, "deep/fabrikam/")].concat();
    let two =
        [("contoso.zip", zip(&entries(&contoso, ""))), ("f.zip", zip(&entries(&fabrikam, "")))];
    for (folder, at) in
        [(holding(&[("a.zip", zip(&one))]), "./a.zip/contoso/"), (holding(&two), "./contoso.zip/")]
    {
        let json = apart(&folder);
        assert_eq!(json["trusts"].as_array().unwrap().len(), 2);
        let own = trust(&json, "Contoso Org");
        let own = own["outcomes"].to_string().replace(at, "./a.zip/contoso/");
        assert_eq!(own, alone);
        let notes = own_notes(&json);
        let taken: Vec<&String> =
            notes.iter().filter(|it| it.contains("taken for files of")).collect();
        assert_eq!(taken.len(), 2, "{notes:?}");
        assert!(taken[0].contains("Contoso Org (corp.contoso.com)"), "{taken:?}");
        assert!(taken[1].contains("Fabrikam (fabrikam.com)"), "{taken:?}");
        assert!(taken[1].contains("OAuthCert.cer"), "{taken:?}");
        assert!(!notes.iter().any(|it| it.contains("nothing tells")), "{notes:?}");
    }
}

fn own_notes(json: &Value) -> Vec<String> {
    let notes = json["trusts"][0]["notes"].as_array().unwrap().iter();
    notes.map(|it| it.as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_lies_between_two_organisations_is_left_out() {
    let contoso = Organisation::healthy();
    let fabrikam = of_another(&contoso);
    let flat = [entries(&contoso, ""), entries(&fabrikam, "f-")].concat();
    let flat: Vec<Entry> = flat
        .into_iter()
        .map(|it| Entry {
            name: String::from_utf8(it.name).unwrap().replace('/', "-").into(),
            ..it
        })
        .collect();
    let json = apart(&holding(&[("a.zip", zip(&flat))]));
    let notes = own_notes(&json);
    let left = |name: &str| {
        let of =
            |it: &&String| it.contains(name) && it.contains("left out: nothing tells to which");
        notes.iter().filter(of).count()
    };
    assert_eq!(
        (left("/OAuthCert.cer"), left("f-OAuthCert.cer"), left("00000004-")),
        (1, 1, 1),
        "{notes:?}"
    );
    assert!(!notes.iter().any(|it| it.contains("taken for files of")), "{notes:?}");
    // Beside the folders of both it is nobody's, in them it is theirs.
    let mut all = [entries(&contoso, "a/"), entries(&fabrikam, "b/")].concat();
    all.push(Entry::stored("between.cer", contoso.octets("OAuthCert.cer")));
    let notes = own_notes(&apart(&holding(&[("a.zip", zip(&all))])));
    let left = notes.iter().filter(|it| it.contains("left out: nothing tells"));
    assert_eq!(left.count(), 1, "{notes:?}");
}
