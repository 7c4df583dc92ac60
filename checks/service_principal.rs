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
use crate::remedy::{Cmdlet, Draft, Lines, Milestone, Query, Remedy};
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
pub(crate) fn connected(case: &Case, action: impl Into<String>) -> Draft {
    let connect = Cmdlet::new("Connect-MgGraph").code("Scopes", "Application.ReadWrite.All");
    let environment = case.cloud().and_then(|cloud| cloud.value.graph_environment);
    let connect = match environment {
        Some(environment) => connect.code("Environment", environment),
        None => connect,
    };
    Remedy::graph(action, connect)
}

/// What holds keys: each its own words for the same lines.
struct Holder {
    noun: &'static str,
    /// Finds it by `$appId`.
    find: &'static str,
    /// Reads it with its keys, which a list does not show.
    read: &'static str,
    add: &'static str,
    remove: &'static str,
}

const BY_ID: &str = "\"appId eq '$appId'\"";

const PRINCIPAL: Holder = Holder {
    noun: "MgServicePrincipal",
    find: "Get-MgServicePrincipal -Filter \"appId eq '$appId'\" |",
    read: "  ForEach-Object { Get-MgServicePrincipal -ServicePrincipalId $_.Id \
           -Property Id,KeyCredentials } |",
    add: "  ForEach-Object { Update-MgServicePrincipal -ServicePrincipalId $_.Id \
          -KeyCredentials (@($_.KeyCredentials | Where-Object { $_ }) + $key) }",
    remove: "  ForEach-Object { Update-MgServicePrincipal -ServicePrincipalId $_.Id \
             -KeyCredentials @($_.KeyCredentials | Where-Object { $_.KeyId -ne $added }) }",
};

const APPLICATION: Holder = Holder {
    noun: "MgApplication",
    find: "Get-MgApplication -Filter \"appId eq '$appId'\" |",
    read: "  ForEach-Object { Get-MgApplication -ApplicationId $_.Id -Property Id,KeyCredentials } |",
    add: "  ForEach-Object { Update-MgApplication -ApplicationId $_.Id \
          -KeyCredentials (@($_.KeyCredentials | Where-Object { $_ }) + $key) }",
    remove: "  ForEach-Object { Update-MgApplication -ApplicationId $_.Id \
             -KeyCredentials @($_.KeyCredentials | Where-Object { $_.KeyId -ne $added }) }",
};

const CERTIFICATE_LINE: &str = "$certificate = [System.Security.Cryptography.X509Certificates.X509Certificate2]::new(\
     \"$env:SystemDrive\\OAuthConfig\\OAuthCert.cer\")";

const KEY_LINE: &str = "$key = @{ Type = 'AsymmetricX509Cert'; Usage = 'Verify'; Key = $certificate.RawData; \
     StartDateTime = $certificate.NotBefore.ToUniversalTime(); \
     EndDateTime = $certificate.NotAfter.ToUniversalTime() }";

/// The two steps that put a certificate on a service principal.
fn upload(case: &Case, id: &ApplicationId, thumbprint: &Thumbprint) -> [Remedy; 2] {
    let action =
        "copy OAuthCert.cer to this computer and add it to the keys, keeping those that are there";
    [crate::auth_certificate::export(thumbprint), add_key(case, action, &PRINCIPAL, id, thumbprint)]
}

/// The same two steps for an application that is registered in the tenant.
pub(crate) fn upload_to_application(
    case: &Case,
    id: &ApplicationId,
    thumbprint: &Thumbprint,
) -> [Remedy; 2] {
    let action = "copy OAuthCert.cer to this computer and add it to the application's keys, \
                  keeping those that are there";
    let add = add_key(case, action, &APPLICATION, id, thumbprint);
    [crate::auth_certificate::export(thumbprint), add]
}

/// Adds the certificate in the file to the keys.
///
/// An update replaces the whole list of keys, so the script adds to what it reads,
/// in one pipeline: where nothing was read, or the file holds another certificate,
/// nothing is written. The dates are the certificate's: without them the key would
/// not live as long.
fn add_key(
    case: &Case,
    action: &str,
    holder: &Holder,
    id: &ApplicationId,
    thumbprint: &Thumbprint,
) -> Remedy {
    connected(case, action)
        .set("appId", guid(id))
        .set("thumbprint", thumbprint.as_str())
        .line(CERTIFICATE_LINE)
        .line(KEY_LINE)
        .line(holder.find)
        .line(holder.read)
        .line("  Where-Object { $certificate.Thumbprint -eq $thumbprint } |")
        .line(holder.add)
        .test(
            show(holder, id)
                .pipe("Select-Object -ExpandProperty KeyCredentials")
                .pipe("Format-Table KeyId,Type,Usage,StartDateTime,EndDateTime,DisplayName"),
        )
        .undo(
            Lines::new()
                .set("appId", guid(id))
                .set("added", "<the KeyId that was not there before>")
                .line(holder.find)
                .line(holder.read)
                .line(holder.remove),
        )
        .disturbs(
            "the whole list of keys is written: one that is missing from what was read is lost, \
             and whoever signs with it is locked out; compare the lists before and after",
        )
        .takes(Milestone::Exported(thumbprint.clone()))
        .leaves(Milestone::Uploaded(thumbprint.clone()))
}

/// An id that stands in a filter, where a quotation mark would end it and choose
/// other objects: an AuthServer may name any text.
fn guid(id: &ApplicationId) -> &str {
    let harmless = |c: char| c.is_ascii_hexdigit() || c == '-';
    if id.as_str().chars().all(harmless) { id.as_str() } else { "<the id of the application>" }
}

/// Shows the service principal, or the application, of this id.
fn show(holder: &Holder, id: &ApplicationId) -> Query {
    Query::get(holder.noun).code("Filter", BY_ID).given("appId", guid(id))
}

/// Shows the service principal of this id.
fn show_principal(id: &ApplicationId) -> Query {
    show(&PRINCIPAL, id)
}

/// A line that does this to the service principal of `$appId`, where there is one.
fn to_principal(id: &ApplicationId, line: &'static str) -> Lines {
    let found = Cmdlet::new("Get-MgServicePrincipal").code("Filter", BY_ID);
    Lines::new().set("appId", guid(id)).run(found.pipe(line))
}

/// Adds one name. An update replaces the whole list, so the script extends what it
/// reads, and writes nothing where it read nothing.
fn register(case: &Case, id: &ApplicationId, name: &str) -> Remedy {
    let add = "ForEach-Object { Update-MgServicePrincipal -ServicePrincipalId $_.Id \
               -ServicePrincipalNames (@($_.ServicePrincipalNames) + $name) }";
    let remove = "ForEach-Object { Update-MgServicePrincipal -ServicePrincipalId $_.Id \
                  -ServicePrincipalNames @($_.ServicePrincipalNames | Where-Object { $_ -ne $name }) }";
    connected(case, "add the name, keeping those that are there")
        .set("name", name)
        .then(to_principal(id, add))
        .test(show_principal(id).pipe("Select-Object -ExpandProperty ServicePrincipalNames"))
        .undo(Lines::new().set("name", name).then(to_principal(id, remove)))
        .disturbs(
            "the whole list of names is written: after another change of it, wait until the test \
             shows that one, or it is lost",
        )
}

#[cfg(test)]
mod tests {
    use super::guid;
    use crate::facts::ApplicationId;

    #[test]
    fn an_id_cannot_choose_other_objects() {
        let id = "77777777-1111-4222-8333-444444444444";
        assert_eq!(guid(&ApplicationId::new(id)), id);
        let other = ApplicationId::new("x' or startswith(displayName,'E");
        assert_eq!(guid(&other), "<the id of the application>");
    }
}
