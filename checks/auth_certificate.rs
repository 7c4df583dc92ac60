//! Step 5: the certificate with which Exchange signs its tokens.

mod configured;
mod exported;
mod installed;
mod private_key;
mod published;
mod rollover;
mod strength;
mod validity;

use crate::case::Case;
use crate::check::{Check, Object, Subject};
use crate::facts::{InstalledCertificate, Reason, Server, Thumbprint, Unknown};
use crate::procedure::StepId;
use crate::remedy::{Cmdlet, Lines, Milestone, Query, Remedy};

pub(crate) const CHECKS: &[Check] = &[
    configured::CHECK,
    installed::CHECK,
    private_key::CHECK,
    validity::CHECK,
    strength::CHECK,
    rollover::CHECK,
    published::CHECK,
    exported::CHECK,
];

/// The auth certificate belongs to the organisation as a whole.
#[expect(clippy::unnecessary_wraps, reason = "the signature of `Check::subjects`")]
fn organisation(case: &Case) -> Result<Vec<Subject>, Unknown> {
    let step = case.procedure.auth_certificate();
    Ok(step.map(|step| Subject::new(step, Object::Organisation)).into_iter().collect())
}

/// Every server that was seen, and the organisation in place of those that
/// nobody listed: servers that were not seen must not count as healthy.
#[expect(clippy::unnecessary_wraps, reason = "the signature of `Check::subjects`")]
fn servers(case: &Case) -> Result<Vec<Subject>, Unknown> {
    Ok(case.procedure.auth_certificate().map(|step| servers_of(case, step)).unwrap_or_default())
}

/// The servers as subjects of this step.
pub(crate) fn servers_of(case: &Case, step: StepId) -> Vec<Subject> {
    let servers = &case.facts.servers;
    let mut objects: Vec<Object> =
        servers.items.iter().map(|server| Object::Server(server.name.clone())).collect();
    if servers.items.is_empty() || servers.complete.value().is_none() {
        objects.push(Object::Organisation);
    }
    objects.into_iter().map(|object| Subject::new(step, object)).collect()
}

/// Why nobody can tell about servers that are not among the facts.
pub(crate) fn other_servers(case: &Case) -> Unknown {
    match case.facts.servers.complete.read() {
        Err(unknown) if unknown.detail.is_empty() => {
            unknown.detail("nothing tells whether other servers exist")
        }
        Err(unknown) => unknown,
        Ok(complete) => Unknown::new(Reason::SourceAbsent, crate::facts::Needs::Servers)
            .detail("the list of Exchange servers holds none")
            .tried(&complete.seen),
    }
}

/// The facts about the server of this name; several where no name is known.
pub(crate) fn servers_named<'a>(case: &Case<'a>, name: &str) -> Vec<&'a Server> {
    let named = case.facts.servers.items.iter().filter(|server| server.name == name);
    let mut servers: Vec<&Server> = named.collect();
    servers.sort_by_key(|server| &server.seen);
    servers
}

/// The certificate of this thumbprint in a server's store.
fn installed<'a>(server: &'a Server, thumbprint: &Thumbprint) -> Option<&'a InstalledCertificate> {
    server.certificates.items.iter().find(|it| it.thumbprint == *thumbprint)
}

/// A server from which the certificate can be copied: one known to lack the private
/// key cannot give it, and one known to have it is the better choice.
fn holder<'a>(case: &Case<'a>, thumbprint: &Thumbprint) -> Option<&'a str> {
    let servers = case.facts.servers.items.iter().filter(|server| !server.name.is_empty());
    servers
        .filter_map(|server| Some((server, &installed(server, thumbprint)?.private_key)))
        .filter(|(_, key)| !key.is(|has| !has))
        .map(|(server, key)| (key.value().is_none(), server.name.as_str()))
        .min()
        .map(|(_, name)| name)
}

/// Copies the certificate to a server, or replaces it where no server can give it.
fn provide(case: &Case, thumbprint: &Thumbprint, to: &str) -> Remedy {
    holder(case, thumbprint)
        .filter(|from| *from != to)
        .map_or_else(validity::replace, |from| copy(thumbprint, from, to))
}

/// Writes the public part of a certificate to the file that the articles name.
pub(crate) fn export(thumbprint: &Thumbprint) -> Remedy {
    Remedy::exchange("export the public part of the certificate, on a server that holds it")
        .set("thumbprint", thumbprint.as_str())
        .line("$certificate = Get-Item \"Cert:\\LocalMachine\\My\\$thumbprint\"")
        .line("New-Item -ItemType Directory -Force \"$env:SystemDrive\\OAuthConfig\" | Out-Null")
        .line(
            "[System.IO.File]::WriteAllBytes(\"$env:SystemDrive\\OAuthConfig\\OAuthCert.cer\", \
             $certificate.RawData)",
        )
        .test(
            Query::get("PfxCertificate")
                .code("FilePath", "\"$env:SystemDrive\\OAuthConfig\\OAuthCert.cer\"")
                .if_any()
                .pipe("Format-List Thumbprint,Subject,NotAfter"),
        )
        .undo_with(
            "a file that was there under this name is overwritten",
            Lines::new().line("Remove-Item \"$env:SystemDrive\\OAuthConfig\\OAuthCert.cer\""),
        )
        .leaves(Milestone::Exported(thumbprint.clone()))
}

/// Shows which certificates are the current, the next and the previous one.
fn show() -> Query {
    Query::get("AuthConfig").pipe(
        "Format-List CurrentCertificateThumbprint,PreviousCertificateThumbprint,\
         NextCertificateThumbprint,NextCertificateEffectiveDate",
    )
}

/// Copies a certificate with its private key from one server to another.
fn copy(thumbprint: &Thumbprint, from: &str, to: &str) -> Remedy {
    Remedy::exchange("copy the certificate with its private key from a server that holds it")
        .line("$password = Read-Host -AsSecureString 'a password for the copy'")
        .run(
            Cmdlet::new("$copy = Export-ExchangeCertificate")
                .value("Server", from)
                .value("Thumbprint", thumbprint.as_str())
                .switch("BinaryEncoded")
                .code("Password", "$password"),
        )
        .run(
            Cmdlet::new("Import-ExchangeCertificate")
                .value("Server", to)
                .code("FileData", "$copy.FileData")
                .code("Password", "$password")
                .code("PrivateKeyExportable", "$true"),
        )
        .test(
            Query::get("ExchangeCertificate")
                .value("Server", to)
                .value("Thumbprint", thumbprint.as_str())
                .if_any()
                .pipe("Format-List Thumbprint,HasPrivateKey,Status,NotAfter"),
        )
        .undo(
            Cmdlet::new("Remove-ExchangeCertificate")
                .value("Server", to)
                .value("Thumbprint", thumbprint.as_str()),
        )
        .leaves(Milestone::Installed(thumbprint.clone()))
}
