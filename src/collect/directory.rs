//! The directory of one trust: where the configuration says that it is, and as
//! whom it is asked.

use std::sync::Arc;

use checks::facts::{Facts, Needs, Reason, Unknown};
use rustls::ClientConfig;
use tokio::sync::watch::Sender;

use super::active_directory::{self, Credentials, Directory, Held};
use super::{Failure, Found, Task, failure};
use crate::config::{ActiveDirectory, Secret, SecretFile};

/// The environment variable that holds the password where no file does.
const PASSWORD: &str = "TRUSTPROBE_AD_PASSWORD";

/// Reads it, and tells of the AuthServers as soon as they are there.
pub(super) async fn read(
    task: &Task<'_>,
    configured: &ActiveDirectory,
    waiting: &Sender<Option<Facts>>,
) -> Found {
    let mut notes = Vec::new();
    match asked(task, configured, waiting, &mut notes).await {
        Ok(mut found) => {
            notes.append(&mut found.notes);
            Found { notes, ..found }
        }
        Err(failed) => {
            Found { facts: untold(&failed), failure: Some(failed), notes, ..Found::default() }
        }
    }
}

/// Nothing of the organisation is known, and why.
fn untold(failed: &Failure) -> Facts {
    let why = |needs| Unknown::new(failed.reason, needs).detail(failed.text());
    let mut facts = Facts { auth_config: why(Needs::AuthConfig).into(), ..Facts::default() };
    facts.auth_servers.complete = why(Needs::AuthServers).into();
    facts.partner_applications.complete = why(Needs::PartnerApplications).into();
    facts.role_assignments.complete = why(Needs::RoleAssignments).into();
    facts.servers.complete = why(Needs::Servers).into();
    facts.setting_overrides.complete = why(Needs::SettingOverrides).into();
    facts.connectors.complete = why(Needs::Connectors).into();
    facts.accepted_domains.complete = why(Needs::AcceptedDomains).into();
    facts.virtual_directories.complete = why(Needs::VirtualDirectories).into();
    facts
}

async fn asked(
    task: &Task<'_>,
    configured: &ActiveDirectory,
    waiting: &Sender<Option<Facts>>,
    notes: &mut Vec<String>,
) -> Result<Found, Failure> {
    let access = Access::of(task, configured, notes)?;
    let directory = Directory { waiting: Some(waiting), ..access.directory(task, configured) };
    let read = active_directory::read(&directory).await;
    // Which controller failed matters where another one answered as well.
    for attempt in &read.attempts {
        if let Some(failed) = attempt.failure.as_ref().filter(|_| 1 < read.attempts.len()) {
            notes.push(format!("{}: {}", attempt.controller, failed.detail));
        }
    }
    let failure = read.failure.map(|it| failure(it.reason, it.detail));
    Ok(Found { facts: read.facts, failure, notes: read.notes, ..Found::default() })
}

/// What the account could do beside reading, or why nobody can tell.
pub(super) async fn held(task: &Task<'_>, configured: &ActiveDirectory) -> Result<Held, String> {
    let access = Access::of(task, configured, &mut Vec::new()).map_err(|it| it.text())?;
    let held = active_directory::held(&access.directory(task, configured)).await;
    held.map_err(|failure| failure.detail)
}

/// What it takes to be let in.
struct Access {
    tls: Arc<ClientConfig>,
    password: Option<Secret>,
}

impl Access {
    fn of(
        task: &Task<'_>,
        configured: &ActiveDirectory,
        notes: &mut Vec<String>,
    ) -> Result<Self, Failure> {
        let tls = Arc::new(task.roots.client()?);
        let password = match &configured.user {
            Some(_) => Some(password(task, configured, notes)?),
            None => None,
        };
        Ok(Self { tls, password })
    }

    /// The directory, of which nobody waits for a part.
    fn directory<'a>(
        &'a self,
        task: &'a Task<'_>,
        configured: &'a ActiveDirectory,
    ) -> Directory<'a> {
        let credentials = match (&configured.user, &self.password) {
            (Some(user), Some(password)) => Credentials::Simple { user, password },
            _ => Credentials::Kerberos,
        };
        Directory {
            urls: &configured.url,
            credentials,
            tls: &self.tls,
            names: Some(&task.names),
            timeout: task.timeout,
            deadline: task.until,
            limits: task.limits.decode,
            waiting: None,
            watch: &task.watch,
        }
    }
}

fn password(
    task: &Task<'_>,
    configured: &ActiveDirectory,
    notes: &mut Vec<String>,
) -> Result<Secret, Failure> {
    let unknown = |text: String| failure(Reason::Unauthenticated, text);
    let Some(file) = &configured.password_file else {
        return std::env::var(PASSWORD)
            .map(Secret::new)
            .map_err(|_| unknown(format!("neither password_file nor ${PASSWORD}")));
    };
    let (password, warning) = SecretFile(task.path(file)).read().map_err(unknown)?;
    notes.extend(warning);
    Ok(password)
}
