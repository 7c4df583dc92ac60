//! Prometheus reads the metrics, and its linter has nothing to say.

use std::io::{ErrorKind, Write as _};
use std::process::{Command, Output, Stdio};

#[test]
fn promtool_accepts_the_metrics_of_the_broken_demo() {
    lint(&printed(&[]));
}

#[test]
fn promtool_accepts_the_metrics_of_the_healthy_demo() {
    lint(&printed(&["--healthy"]));
}

#[test]
fn promtool_accepts_a_file_for_the_textfile_collector() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("contoso.prom");
    let output = demo(&["-o", path.to_str().unwrap()]);
    assert!(output.stdout.is_empty(), "{output:?}");
    lint(&std::fs::read_to_string(path).unwrap());
}

/// What we document is what the other exporters take, too.
#[test]
fn promtool_accepts_the_example_of_a_web_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("web.yml");
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    for (name, text) in [
        ("server.crt", made.cert.pem()),
        ("server.key", made.signing_key.serialize_pem()),
        ("clients.crt", made.cert.pem()),
        ("web.yml", include_str!("../../src/exporter/web_config/example.yml").to_owned()),
    ] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let check = || Command::new("promtool").args(["check", "web-config"]).arg(&path).output();
    let output = check().unwrap();
    assert!(output.status.success(), "{output:?}");
    std::fs::write(&path, "tls_server_config: { cert_fil: server.crt }").unwrap();
    assert!(!check().unwrap().status.success(), "it does check");
}

/// The linter does lint: what is wrong is told.
#[test]
fn promtool_refuses_a_gauge_that_is_called_total() {
    let wrong =
        "# HELP oauth_trust_total It.\n# TYPE oauth_trust_total gauge\noauth_trust_total 1\n";
    let output = promtool(wrong);
    assert!(!output.status.success(), "{output:?}");
}

pub(crate) fn lint(metrics: &str) {
    assert!(metrics.contains("oauth_trust_healthy{"), "{metrics}");
    let output = promtool(metrics);
    let said = [output.stdout, output.stderr].concat();
    assert_eq!(String::from_utf8_lossy(&said), "", "promtool complains");
    assert!(output.status.success(), "promtool ended with {}", output.status);
}

fn promtool(metrics: &str) -> Output {
    let started = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut promtool = match started {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            panic!("promtool is not installed; it comes with Debian's package prometheus")
        }
        started => started.unwrap(),
    };
    promtool.stdin.take().unwrap().write_all(metrics.as_bytes()).unwrap();
    promtool.wait_with_output().unwrap()
}

fn printed(arguments: &[&str]) -> String {
    let output = demo(&[&["--format", "prometheus"], arguments].concat());
    String::from_utf8(output.stdout).unwrap()
}

fn demo(arguments: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_trustprobe");
    let output = Command::new(program).arg("demo").args(arguments).output().unwrap();
    // Whatever the verdict, the program was not misused and did not break.
    assert_ne!(output.status.code(), Some(2), "{output:?}");
    output
}
