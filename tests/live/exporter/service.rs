//! The exporter as a process of its own, and a client that says what it likes.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant};

use flate2::read::GzDecoder;

/// A running exporter, which ends with the test.
pub(super) struct Service {
    process: Child,
    address: SocketAddr,
    configuration: PathBuf,
    log: Arc<Mutex<String>>,
}

/// What it answered.
pub(super) struct Answer {
    pub(super) status: u16,
    head: String,
    octets: Vec<u8>,
    /// The body, as far as it is text.
    pub(super) text: String,
}

fn command(folder: &Path, configuration: &str) -> (Command, PathBuf) {
    let path = folder.join("served.yaml");
    fs::write(&path, configuration).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_trustprobe"));
    command.args(["serve", "--listen", "127.0.0.1:0", "--config"]).arg(&path);
    (command, path)
}

/// Copies the exports of a demo, `healthy` or `broken`, over what is in this folder.
pub(super) fn record(into: &Path, which: &str) {
    fs::create_dir_all(into).unwrap();
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/demo").join(which);
    for file in fs::read_dir(demo).unwrap() {
        let file = file.unwrap().path();
        fs::copy(&file, into.join(file.file_name().unwrap())).unwrap();
    }
}

impl Service {
    /// Starts it with this configuration and waits until it listens.
    pub(super) fn start(folder: &Path, configuration: &str, arguments: &[&str]) -> Self {
        let (mut command, configuration) = command(folder, configuration);
        let mut process = command.args(arguments).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let first = lines.next().unwrap().unwrap();
        let at = first.find("127.0.0.1:").unwrap_or_else(|| panic!("{first}"));
        let address = first[at..].split(|c: char| c != '.' && c != ':' && !c.is_ascii_digit());
        let address = address.into_iter().next().unwrap().parse().unwrap();
        let log = Arc::new(Mutex::new(first + "\n"));
        let kept = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                kept.lock().unwrap().push_str(&(line + "\n"));
            }
        });
        Self { process, address, configuration, log }
    }

    /// What it says when it does not start.
    pub(super) fn refused(folder: &Path, configuration: &str, arguments: &[&str]) -> String {
        let output = command(folder, configuration).0.args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8(output.stderr).unwrap()
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn configuration(&self) -> &Path {
        &self.configuration
    }

    pub(super) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    pub(super) fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[])
    }

    pub(super) fn ask(&self, method: &str, path: &str, headers: &[&str]) -> Answer {
        let mut request =
            format!("{method} {path} HTTP/1.1\r\nHost: exporter\r\nConnection: close\r\n");
        for header in headers {
            request.extend([header, "\r\n"]);
        }
        request.push_str("\r\n");
        asked(self.address, &request)
    }

    /// Asks until the answer is as wanted, for so long as the machine may need.
    pub(super) fn until(&self, path: &str, wanted: impl Fn(&Answer) -> bool) -> Answer {
        let started = Instant::now();
        loop {
            let answer = self.get(path);
            if wanted(&answer) {
                return answer;
            }
            let late = Duration::from_mins(1) < started.elapsed();
            assert!(!late, "{path}: {}\n{}", answer.text, self.log());
            sleep(Duration::from_millis(100));
        }
    }

    pub(super) fn signal(&self, name: &str) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    /// Whether it comes to a good end.
    pub(super) fn ended(&mut self) -> bool {
        self.process.wait().unwrap().success()
    }
}

/// Sends this, and takes what comes until the other side ends it.
pub(super) fn asked(address: SocketAddr, request: &str) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|it| it == b"\r\n\r\n").expect("a head");
    let octets = answer.split_off(end + 4);
    let head = String::from_utf8(answer).unwrap().to_ascii_lowercase();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let text = String::from_utf8_lossy(&octets).into_owned();
    Answer { status, head, octets, text }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Answer {
    /// The value of a header, in lower case.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().skip(1).filter_map(|it| it.split_once(": "));
        lines.find_map(|(known, value)| (known == name).then_some(value))
    }

    /// The body as it was before it was compressed.
    pub(super) fn unpacked(&self) -> String {
        if self.header("content-encoding") != Some("gzip") {
            return self.text.clone();
        }
        let mut text = String::new();
        GzDecoder::new(self.octets.as_slice()).read_to_string(&mut text).unwrap();
        text
    }
}
