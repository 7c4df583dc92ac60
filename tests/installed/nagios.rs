//! Debian's Nagios runs the binary as a plugin, and its own status says what it
//! made of that: state, output, long output and performance data.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A service, and the arguments by which it is checked.
const SERVICES: [(&str, &str); 6] = [
    ("broken", "demo"),
    ("healthy", "demo --healthy"),
    ("warned", "demo --healthy --at 2030-09-01"),
    ("unknown", "demo --only auth-certificate-published"),
    ("misused", "demo --no-such"),
    ("hostile", "check . --trust 'a|b=1 <i>x</i>\\nTRUSTPROBE OK - c'"),
];

/// A daemon, which ends with the test.
struct Nagios(Child);

impl Drop for Nagios {
    fn drop(&mut self) {
        // Told to end, it takes its workers along.
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

impl Nagios {
    fn start(folder: &Path) -> Self {
        fs::create_dir(folder.join("spool")).unwrap();
        fs::create_dir(folder.join("evidence")).unwrap();
        fs::write(folder.join("objects.cfg"), objects(folder)).unwrap();
        fs::write(folder.join("nagios.cfg"), settings(folder)).unwrap();
        let log = fs::File::create(folder.join("log")).unwrap();
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new("nagios4");
        // Debian keeps servers where not everybody looks.
        command.env("PATH", format!("{path}:/usr/sbin")).arg(folder.join("nagios.cfg"));
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        match command.spawn() {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                panic!("nagios4 is not installed; it comes with Debian's package nagios4-core")
            }
            started => Self(started.unwrap()),
        }
    }
}

fn settings(folder: &Path) -> String {
    let own = |flag: &str| {
        let output = Command::new("id").args([flag, "-n"]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let mut text = format!("nagios_user={}\nnagios_group={}\n", own("-u"), own("-g"));
    for (name, file) in [
        ("log_file", "nagios.log"),
        ("cfg_file", "objects.cfg"),
        ("object_cache_file", "objects.cache"),
        ("status_file", "status.dat"),
        ("lock_file", "nagios.pid"),
        ("temp_file", "nagios.tmp"),
        ("temp_path", ""),
        ("check_result_path", "spool"),
        ("state_retention_file", "retention.dat"),
        ("query_socket", "nagios.qh"),
    ] {
        text += &format!("{name}={}\n", folder.join(file).display());
    }
    text += "check_external_commands=0\nexecute_host_checks=0\nexecute_service_checks=1\n\
             enable_notifications=0\ncheck_for_updates=0\nuse_syslog=0\n\
             status_update_interval=1\ncheck_result_reaper_frequency=1\n\
             service_inter_check_delay_method=n\n";
    text
}

fn objects(folder: &Path) -> String {
    let days = ["sun", "mon", "tues", "wednes", "thurs", "fri", "satur"];
    let always = days.map(|day| format!("  {day}day 00:00-24:00\n")).concat();
    let mut text =
        format!("define timeperiod {{\n  timeperiod_name always\n  alias always\n{always}}}\n");
    text += "define host {\n  host_name contoso\n  address 127.0.0.1\n  max_check_attempts 1\n  check_period always\n}\n";
    text += "define contact {\n  contact_name nobody\n  host_notification_period always\n  service_notification_period always\n  host_notification_commands broken\n  service_notification_commands broken\n}\n";
    let (program, evidence) = (env!("CARGO_BIN_EXE_trustprobe"), folder.join("evidence"));
    for (service, arguments) in SERVICES {
        text += &format!(
            "define command {{\n  command_name {service}\n  command_line cd {} && {program} {arguments} --format nagios\n}}\n\
             define service {{\n  host_name contoso\n  service_description {service}\n  check_command {service}\n  max_check_attempts 1\n  check_interval 60\n  check_period always\n}}\n",
            evidence.display(),
        );
    }
    text
}

/// What the status says of each service, once all were checked.
fn status(folder: &Path) -> BTreeMap<String, BTreeMap<String, String>> {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let text = fs::read_to_string(folder.join("status.dat")).unwrap_or_default();
        let blocks = text.split("servicestatus {").skip(1);
        let services: Vec<BTreeMap<String, String>> = blocks
            .map(|block| {
                let lines = block.split("\n\t}").next().unwrap().lines();
                let pairs = lines.filter_map(|line| line.trim().split_once('='));
                pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
            })
            .collect();
        let checked = services.iter().filter(|it| it["has_been_checked"] == "1").count();
        if checked == SERVICES.len() {
            let named = |it: BTreeMap<String, String>| (it["service_description"].clone(), it);
            return services.into_iter().map(named).collect();
        }
        let log = || fs::read_to_string(folder.join("log")).unwrap_or_default();
        assert!(Instant::now() < until, "{checked} of {}\n{text}\n{}", SERVICES.len(), log());
        sleep(Duration::from_millis(200));
    }
}

#[test]
fn nagios_takes_state_output_and_performance_data() {
    let folder = tempfile::tempdir().unwrap();
    let _nagios = Nagios::start(folder.path());
    let services = status(folder.path());
    for (service, state, begins) in [
        (
            "broken",
            "2",
            "TRUSTPROBE CRITICAL - contoso: fix first step 6 · service-principal-current-key",
        ),
        ("healthy", "0", "TRUSTPROBE OK - contoso: 55 passed"),
        ("warned", "1", "TRUSTPROBE WARNING - contoso: step 5 · auth-certificate-validity"),
        ("unknown", "3", "TRUSTPROBE UNKNOWN - contoso: step 5 · auth-certificate-published"),
        ("misused", "3", "TRUSTPROBE UNKNOWN - unexpected argument '--no-such' found"),
        ("hostile", "3", "TRUSTPROBE UNKNOWN - a¦b=1 ‹i›x‹/i›＼nTRUSTPROBE OK - c: step 1"),
    ] {
        let status = &services[service];
        assert_eq!(status["current_state"], state, "{status:#?}");
        // In the first line Nagios makes a colon of a semicolon, and nothing else.
        assert!(status["plugin_output"].starts_with(begins), "{status:#?}");
        assert!(!status["plugin_output"].contains('|'), "{status:#?}");
    }
    let broken = &services["broken"];
    let data = &broken["performance_data"];
    assert!(data.starts_with("entra_skype_for_business_online_current_days=-40;60:;0:"), "{data}");
    assert!(data.contains(" server_current_days=1421;60:;0: failed=4;;;0 "), "{data}");
    let long = &broken["long_plugin_output"];
    assert!(long.contains("\\n  do: give the account the roles\\n"), "{long}");
    assert!(long.ends_with("blocked step 7 · service-principal-useless-names · service principal Exchange Online: by service-principal-host of mail.contoso.com"), "{long}");
    let hostile = &services["hostile"];
    assert!(hostile["performance_data"].starts_with("failed=0;;;0 "), "{hostile:#?}");
    assert!(!hostile["performance_data"].contains("b="), "{hostile:#?}");
    assert_eq!(services["misused"]["performance_data"], "");
}
