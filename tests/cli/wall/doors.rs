//! The doors out of a pure crate, one a line. `wall.rs` has clippy refuse every
//! one of them with the configuration of `checks`; nothing here ever runs.

use std::path::Path;

use std::net::ToSocketAddrs as _;

pub fn files(path: &Path, permissions: std::fs::Permissions) {
    let _ = std::fs::File::open(path);
    let _ = std::fs::OpenOptions::new();
    let _ = std::fs::DirBuilder::new();
    let _ = std::fs::canonicalize(path);
    let _ = std::fs::copy(path, path);
    let _ = std::fs::create_dir(path);
    let _ = std::fs::create_dir_all(path);
    let _ = std::fs::exists(path);
    let _ = std::fs::hard_link(path, path);
    let _ = std::fs::metadata(path);
    let _ = std::fs::read(path);
    let _ = std::fs::read_dir(path);
    let _ = std::fs::read_link(path);
    let _ = std::fs::read_to_string(path);
    let _ = std::fs::remove_dir(path);
    let _ = std::fs::remove_dir_all(path);
    let _ = std::fs::remove_file(path);
    let _ = std::fs::rename(path, path);
    let _ = std::fs::set_permissions(path, permissions);
    let _ = std::fs::soft_link(path, path);
    let _ = std::fs::symlink_metadata(path);
    let _ = std::fs::write(path, []);
    let _ = std::os::unix::fs::chown(path, None, None);
    let _ = std::os::unix::fs::chroot(path);
    let _ = std::os::unix::fs::lchown(path, None, None);
    let _ = std::os::unix::fs::symlink(path, path);
    let _ = std::path::absolute(path);
    let _ = path.canonicalize();
    let _ = path.exists();
    let _ = path.is_dir();
    let _ = path.is_file();
    let _ = path.is_symlink();
    let _ = path.metadata();
    let _ = path.read_dir();
    let _ = path.read_link();
    let _ = path.symlink_metadata();
    let _ = path.try_exists();
}

pub fn sockets(path: &Path) {
    let _ = std::net::TcpStream::connect("localhost:443");
    let _ = std::net::TcpListener::bind("localhost:443");
    let _ = std::net::UdpSocket::bind("localhost:443");
    let _ = std::os::unix::net::UnixStream::connect(path);
    let _ = std::os::unix::net::UnixListener::bind(path);
    let _ = std::os::unix::net::UnixDatagram::bind(path);
    let _ = "localhost:443".to_socket_addrs();
}

pub fn streams() {
    let _ = std::io::pipe();
    let _ = std::io::stdin();
    let _ = std::io::stdout();
    let _ = std::io::stderr();
    print!("");
    println!();
    eprint!("");
    eprintln!();
    dbg!();
}

pub fn environment() {
    let _ = std::env::args();
    let _ = std::env::args_os();
    let _ = std::env::current_dir();
    let _ = std::env::current_exe();
    let _ = std::env::home_dir();
    let _ = std::env::set_current_dir("/");
    let _ = std::env::temp_dir();
    let _ = std::env::var("HOME");
    let _ = std::env::var_os("HOME");
    let _ = std::env::vars();
    let _ = std::env::vars_os();
    let _ = std::backtrace::Backtrace::force_capture();
}

pub fn processes_and_threads(duration: std::time::Duration) {
    let _ = std::process::Command::new("true");
    let _: fn() -> ! = std::process::abort;
    let _: fn(i32) -> ! = std::process::exit;
    let _ = std::process::id();
    let _ = std::os::unix::process::parent_id();
    let _ = std::panic::set_hook(Box::new(|_| {}));
    let _ = std::panic::take_hook();
    let _ = std::thread::Builder::new();
    let _ = std::thread::available_parallelism();
    let _ = std::thread::current();
    let _ = std::thread::park();
    let _ = std::thread::park_timeout(duration);
    let _ = std::thread::scope(|_| {});
    let _ = std::thread::sleep(duration);
    let _ = std::thread::spawn(|| {});
    let _ = std::thread::yield_now();
}

pub fn clocks(date: jiff::civil::Date, instant: jiff::Timestamp) {
    let _ = std::time::SystemTime::now();
    let _ = std::time::UNIX_EPOCH.elapsed();
    let _ = std::time::Instant::now();
    let _ = std::time::Instant::elapsed;
    let _ = jiff::Timestamp::now();
    let _ = jiff::ZonedDateTime::now();
    let _ = jiff::tz::TimeZone::system();
    let _ = jiff::tz::TimeZoneDatabase::from_env();
    let _ = jiff::tz::db();
    let _ = instant.in_tz("Europe/Berlin");
    let _ = date.in_tz("Europe/Berlin");
    let _ = date.at(0, 0, 0, 0).in_tz("Europe/Berlin");
    let _ = jiff::fmt::strtime::BrokenDownTime::default().to_zoned_datetime();
    let _ = jiff::fmt::temporal::DateTimeParser::new().parse_zoned_datetime("");
}
