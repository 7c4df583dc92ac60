//! Servers that are programs of their own.

use std::fs;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A server that ends with the test.
pub(crate) struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a server, and waits until it accepts connections on all of its ports.
/// Somebody else may take a port in between: then other ones are tried.
pub(crate) fn start<const N: usize>(
    package: &str,
    folder: &Path,
    command: impl Fn([u16; N]) -> Command,
) -> (Server, [u16; N]) {
    let log = folder.join("log");
    for _ in 0..5 {
        let ports = free_ports();
        let output = fs::File::create(&log).unwrap();
        let mut command = command(ports);
        // Debian keeps servers where not everybody looks.
        let path = std::env::var("PATH").unwrap_or_default();
        command.env("PATH", format!("{path}:/usr/sbin"));
        command.stdin(Stdio::piped()).stdout(output.try_clone().unwrap()).stderr(output);
        let mut server = match command.spawn() {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                panic!("{command:?} is not installed; it comes with Debian's package {package}")
            }
            started => Server(started.unwrap()),
        };
        let until = Instant::now() + Duration::from_secs(20);
        while Instant::now() < until && server.0.try_wait().unwrap().is_none() {
            if ports.iter().all(|port| TcpStream::connect((Ipv4Addr::LOCALHOST, *port)).is_ok()) {
                return (server, ports);
            }
            sleep(Duration::from_millis(10));
        }
    }
    panic!("{package} does not start: {}", fs::read_to_string(log).unwrap());
}

/// Ports on which neither TCP nor UDP is in use.
pub(crate) fn free_ports<const N: usize>() -> [u16; N] {
    let mut held = Vec::new();
    std::array::from_fn(|_| {
        loop {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            let port = listener.local_addr().unwrap().port();
            if UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
                held.push(listener);
                return port;
            }
        }
    })
}
