//! Chromium shows the status pages of a running exporter.
//!
//! `browser/pages.mjs` tells what is wrong with a page, and leaves a picture of
//! each view in `target/tmp/pages`.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::service::{Service, record};

/// As it stands in a path, and as it is configured.
const HOSTILE: [&str; 2] = ["%3Cimg%20src%3Dx%3E%2F%22%26%27", r#"<img src=x>/"&'"#];
/// The name of an application, as CLIXML writes it: markup, and controls of a terminal.
const NAME: &str =
    "&lt;img src=x onerror=&quot;document.title='x'&quot;&gt;_x001B_[31m_x0007__x202E_";

/// One trust that is well, one that is broken by whoever names applications, and one
/// that nobody asked for.
fn serve(folder: &Path) -> Service {
    let exports = folder.join("exports");
    record(&exports.join("contoso"), "healthy");
    record(&exports.join("hostile"), "healthy");
    record(&exports.join("hostile"), "broken");
    let applications = exports.join("hostile/PartnerApplications.xml");
    let text = fs::read_to_string(&applications).unwrap();
    let named = text.replace(">SfBOnline<", &format!(">{NAME}<"));
    assert_ne!(named, text);
    fs::write(&applications, named.replace("\"Enabled\">true<", "\"Enabled\">false<")).unwrap();
    let trust = |name: &str| {
        serde_json::json!({
            "tenant": "11111111-2222-3333-4444-555555555555",
            "procedure": "skype-online",
            "sip_domains": ["contoso.com"],
            "smtp_domains": ["contoso.com"],
            "hosts": ["mail.contoso.com", "autodiscover.contoso.com"],
            "live": false,
            "evidence": [exports.join(name)],
        })
    };
    let configuration = serde_json::json!({
        "exporter": { "background": false },
        "trusts": {
            "contoso": trust("contoso"),
            HOSTILE[1]: trust("hostile"),
            "fabrikam": trust("fabrikam"),
        },
    });
    let service = Service::start(folder, &configuration.to_string(), &[]);
    for name in ["contoso", HOSTILE[0]] {
        let answer = service.get(&format!("/probe?trust={name}"));
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    service
}

#[test]
fn chromium_finds_nothing_wrong_with_the_pages() {
    let folder = tempfile::tempdir().unwrap();
    let service = serve(folder.path());
    let hostile = format!("/trust/{}", HOSTILE[0]);
    let pages = [
        "/",
        "/trust/contoso",
        &hostile,
        "/trust/fabrikam",
        "/check/linked-account-roles",
        "/nowhere",
    ];
    for page in pages {
        let text = service.get(page).text;
        assert!(!text.contains("<img"), "{page}: {text}");
        assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{page}: {text}");
    }
    let text = service.get(&hostile).text;
    for shown in ["&#60;img src=x onerror=", "\\u{1b}[31m\\u{7}\\u{202e}"] {
        assert!(text.contains(shown), "no {shown} in {text}");
    }
    assert!(service.get("/trust/fabrikam").text.contains("not been judged"));
    assert_eq!(service.get("/nowhere").status, 404);

    let pictures = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages");
    fs::create_dir_all(&pictures).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/installed/browser/pages.mjs");
    let mut command = Command::new("node");
    command.arg(script).arg("--screenshots").arg(pictures);
    command.arg(format!("http://{}", service.address())).args(pages);
    let output = command.output().expect("node is installed; `./test` installs it");
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
}
