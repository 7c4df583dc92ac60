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
    let files = [
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
    ]
    .map(|(name, file)| format!("{name}={}\n", folder.join(file).display()));
    let text = "check_external_commands=0\nexecute_host_checks=0\nexecute_service_checks=1\n\
                enable_notifications=0\ncheck_for_updates=0\nuse_syslog=0\n\
                status_update_interval=1\ncheck_result_reaper_frequency=1\n\
                service_inter_check_delay_method=n\n";
    let user = format!("nagios_user={}\nnagios_group={}\n", own("-u"), own("-g"));
    [files.concat(), user, text.to_owned()].concat()
}

fn objects(folder: &Path) -> String {
    let days = ["sun", "mon", "tues", "wednes", "thurs", "fri", "satur"];
    let days = days.map(|day| format!("{day}day 00:00-24:00"));
    let [one, more @ ..] = days.each_ref().map(String::as_str);
    let always = [["timeperiod_name always", "alias always", one].as_slice(), &more].concat();
    let host = ["host_name contoso", "address 127.0.0.1", "max_check_attempts 1"];
    // Without a contact it does not start; nobody is notified.
    let nobody = [
        "contact_name nobody",
        "host_notification_period always",
        "service_notification_period always",
        "host_notification_commands broken",
        "service_notification_commands broken",
    ];
    let (program, evidence) = (env!("CARGO_BIN_EXE_trustprobe"), folder.join("evidence"));
    let place = evidence.display();
    let services = SERVICES.map(|(service, arguments)| {
        let line = format!("cd {place} && {program} {arguments} --format nagios");
        let command = [format!("command_name {service}"), format!("command_line {line}")];
        let checked = [
            "host_name contoso",
            &format!("service_description {service}"),
            &format!("check_command {service}"),
            "max_check_attempts 1",
            "check_interval 60",
            "check_period always",
        ];
        define("command", &command.each_ref().map(String::as_str)) + &define("service", &checked)
    });
    let rest = [define("timeperiod", &always), define("host", &host), define("contact", &nobody)];
    [rest.concat(), services.concat()].concat()
}

fn define(kind: &str, lines: &[&str]) -> String {
    format!("define {kind} {{\n  {}\n}}\n", lines.join("\n  "))
}

/// What the status says of each service, once all were checked.
fn status(folder: &Path) -> BTreeMap<String, BTreeMap<String, String>> {
    let until = Instant::now() + Duration::from_mins(1);
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
