//! Steps 6 and 7: what the tenant holds for the callers of Exchange.

pub(crate) mod credential;
mod current_key;
mod enabled;
mod host;
mod names;
mod next_key;
mod present;
mod stale_keys;
mod useless_names;

use crate::case::Case;
use crate::check::{Check, Object, Subject};
use crate::facts::{ApplicationId, Needs, Reason, ServicePrincipal, Thumbprint, Unknown};
use crate::hybrid::{Dedicated, dedicated};
use crate::outcome::{Severity, Verdict};
use crate::procedure::{RequiredKey, StepId};
use crate::remedy::{Cmdlet, Remedy};
use names::Name;

pub(crate) use enabled::disabled;

pub(crate) const CHECKS: &[Check] = &[
    present::CHECK,
    enabled::CHECK,
    current_key::CHECK,
    next_key::CHECK,
    stale_keys::CHECK,
    host::CHECK,
    useless_names::CHECK,
];

/// Every service principal of which the procedure requires anything, once.
#[expect(clippy::unnecessary_wraps, reason = "the signature of `Check::subjects`")]
fn required(case: &Case) -> Result<Vec<Subject>, Unknown> {
    let mut subjects: Vec<Subject> = Vec::new();
    for subject in case.procedure.service_principals().map(subject) {
        if subjects.iter().all(|known| known.object != subject.object) {
            subjects.push(subject);
        }
    }
    Ok(subjects)
}

/// The service principals that must hold the auth certificate.
#[expect(clippy::unnecessary_wraps, reason = "the signature of `Check::subjects`")]
fn with_key(case: &Case) -> Result<Vec<Subject>, Unknown> {
    Ok(case.procedure.keys().map(|(step, key)| subject((step, &key.on))).collect())
}

/// The service principals whose names must cover the hosts.
#[expect(clippy::unnecessary_wraps, reason = "the signature of `Check::subjects`")]
fn with_names(case: &Case) -> Result<Vec<Subject>, Unknown> {
    Ok(case.procedure.service_principal_names().map(subject).collect())
}

fn subject((step, id): (StepId, &ApplicationId)) -> Subject {
    Subject::new(step, Object::ServicePrincipal(id.clone()))
}

/// A name as it compares with others of the same service principal.
pub(crate) fn folded_name(text: &str, id: &ApplicationId) -> String {
    let plain = || text.trim().to_lowercase();
    Name::read(text, id).map_or_else(plain, |name| name.covering())
}

/// Whether nobody misses a name: it covers no host of the trust, or one of those
/// that are kept covers the same host in the same way.
pub(crate) fn is_expendable(text: &str, id: &ApplicationId, kept: &[String], case: &Case) -> bool {
    let Some(name) = Name::read(text, id) else { return false };
    let stands_in = |other: &String| {
        Name::read(other, id)
            .is_some_and(|it| it.generation == name.generation && it.covers(&name.host))
    };
    name.useless(case) || (!name.wildcard && kept.iter().any(stands_in))
}

/// What the procedure asks of the keys that are judged.
fn required_key(case: &Case, subject: &Subject) -> Option<&'static RequiredKey> {
    subject.application().and_then(|id| case.procedure.required_key(id))
}

/// Leaves a service principal alone whose place the dedicated hybrid
/// application has taken, which is judged by checks of its own.
///
/// Where nothing tells whether it has, a key that is there is still good, and
/// one that is not may not be wanted.
fn unless_replaced(
    case: &Case,
    subject: &Subject,
    judge: impl FnOnce() -> Result<Verdict, Unknown>,
) -> Result<Verdict, Unknown> {
    if !required_key(case, subject).is_some_and(|key| key.dedicated) {
        return judge();
    }
    match dedicated(case) {
        Ok(Dedicated::On(_)) => Ok(Verdict::NotApplicable(
            "the dedicated hybrid application takes its place".to_owned(),
        )),
        Ok(Dedicated::Off) => judge(),
        Err(unknown) => match judge()? {
            Verdict::Flawed(findings)
                if findings.iter().any(|it| it.severity == Severity::Critical) =>
            {
                Err(unknown)
            }
            verdict => Ok(verdict),
        },
    }
}

/// The service principal that a subject is about.
fn principal<'a>(case: &Case<'a>, subject: &Subject) -> Result<&'a ServicePrincipal, Unknown> {
    match subject.application() {
        Some(id) => case.service_principal(id),
        None => Err(Unknown::new(
            Reason::NotCollected,
            Needs::ServicePrincipal(ApplicationId::well_known("of the subject")),
        )),
    }
}

/// A script that begins with a connection to the tenant's cloud.
pub(crate) fn connected(case: &Case, action: impl Into<String>) -> Remedy {
    let connect = Cmdlet::new("Connect-MgGraph").code("Scopes", "Application.ReadWrite.All");
    let environment = case.cloud().and_then(|cloud| cloud.value.graph_environment);
    Remedy::graph(action).run(match environment {
        Some(environment) => connect.code("Environment", environment),
        None => connect,
    })
}

/// A script that begins with the service principal in `$sp`.
fn script(case: &Case, action: impl Into<String>, id: &ApplicationId) -> Remedy {
    connected(case, action)
        .set("appId", id.as_str())
        .line("$sp = Get-MgServicePrincipal -Filter \"appId eq '$appId'\"")
}

const CERTIFICATE_LINE: &str = "$certificate = [System.Security.Cryptography.X509Certificates.X509Certificate2]::new(\
     \"$env:SystemDrive\\OAuthConfig\\OAuthCert.cer\")";

const KEY_LINE: &str = "$key = @{ Type = 'AsymmetricX509Cert'; Usage = 'Verify'; Key = $certificate.RawData; \
     StartDateTime = $certificate.NotBefore.ToUniversalTime(); \
     EndDateTime = $certificate.NotAfter.ToUniversalTime() }";

/// The two steps that put a certificate on a service principal.
///
/// An update replaces the whole list of keys, so the script reads it first and
/// adds to it. The dates are the certificate's: without them the key would not
/// live as long.
fn upload(case: &Case, id: &ApplicationId, thumbprint: &Thumbprint) -> [Remedy; 2] {
    let action =
        "copy OAuthCert.cer to this computer and add it to the keys, keeping those that are there";
    let add = script(case, action, id)
        .line(CERTIFICATE_LINE)
        .line(
            "$keys = (Get-MgServicePrincipal -ServicePrincipalId $sp.Id -Property KeyCredentials)\
             .KeyCredentials | Where-Object { $_ }",
        )
        .line(KEY_LINE)
        .line("Update-MgServicePrincipal -ServicePrincipalId $sp.Id -KeyCredentials (@($keys) + $key)");
    [crate::auth_certificate::export(thumbprint), add]
}

/// The same two steps for an application that is registered in the tenant.
pub(crate) fn upload_to_application(
    case: &Case,
    id: &ApplicationId,
    thumbprint: &Thumbprint,
) -> [Remedy; 2] {
    let action = "copy OAuthCert.cer to this computer and add it to the application's keys, \
                  keeping those that are there";
    let add = connected(case, action)
        .set("appId", id.as_str())
        .line("$app = Get-MgApplication -Filter \"appId eq '$appId'\"")
        .line(CERTIFICATE_LINE)
        .line(
            "$keys = (Get-MgApplication -ApplicationId $app.Id -Property KeyCredentials)\
             .KeyCredentials | Where-Object { $_ }",
        )
        .line(KEY_LINE)
        .line("Update-MgApplication -ApplicationId $app.Id -KeyCredentials (@($keys) + $key)");
    [crate::auth_certificate::export(thumbprint), add]
}

/// Adds one name. An update replaces the whole list, so the script extends what it read.
fn register(case: &Case, id: &ApplicationId, name: &str) -> Remedy {
    script(case, "add the name, keeping those that are there", id)
        .set("name", name)
        .line("$names = @($sp.ServicePrincipalNames) + $name")
        .line("Update-MgServicePrincipal -ServicePrincipalId $sp.Id -ServicePrincipalNames $names")
}
