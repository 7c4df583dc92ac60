//! As whom Microsoft Graph is asked, and the token that proves it.
//!
//! Secrets are read when they are needed, from a file or from the environment.
//! A token lives as long as one collection, and nothing shows it.

use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::path::PathBuf;

use checks::facts::Reason;
use jiff::Timestamp;
use serde::Deserialize;
use url::Url;

use super::super::http::{self, Client, Platform};
use super::super::{Failure, Task, failure};
use super::assertion::Caller;
use super::{NAME, azure_cli, device_code, refusal, usable};
use crate::config::{Entra, Secret, SecretFile};
use crate::stdout;

/// Who was let in.
#[derive(Debug)]
pub(super) struct Identity {
    /// As whom, for the provenance.
    pub(super) who: String,
    pub(super) token: Secret,
}

/// What is around this process.
pub(super) struct Surroundings<'a> {
    /// A variable of the environment.
    pub(super) variable: &'a (dyn Fn(&str) -> Option<OsString> + Sync),
    /// Whether a person sits there.
    pub(super) terminal: bool,
    /// Says something to that person.
    pub(super) tell: &'a (dyn Fn(&str) + Sync),
}

/// Where tokens are asked for, and for what.
pub(super) struct Endpoint {
    pub(super) token: Url,
    pub(super) device_code: Url,
    /// `https://<graph>/.default`.
    pub(super) scope: String,
    /// `https://<graph>`, as older endpoints name it.
    resource: String,
}

/// How the caller proves who it is.
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

impl Surroundings<'_> {
    /// Those of this process.
    pub(super) fn real() -> Surroundings<'static> {
        Surroundings {
            variable: &|name| std::env::var_os(name),
            terminal: std::io::stdin().is_terminal() && std::io::stderr().is_terminal(),
            tell: &stdout::complain,
        }
    }

    /// A variable that is text and not empty.
    fn text(&self, name: &str) -> Option<String> {
        (self.variable)(name)?.into_string().ok().filter(|it| !it.is_empty())
    }
}

impl Endpoint {
    pub(super) fn of(task: &Task, tenant: &str) -> Self {
        let at = |end: &str| {
            let mut url = task.endpoints.login.clone();
            url.set_path(&format!("/{tenant}/oauth2/v2.0/{end}"));
            url
        };
        let resource = task.endpoints.graph.as_str().trim_end_matches('/').to_owned();
        let scope = format!("{resource}/.default");
        Self { token: at("token"), device_code: at("devicecode"), scope, resource }
    }
}

/// Gets a token in the way that the configuration names; or as whom it was
/// tried, and why there is none.
pub(super) async fn token(
    task: &Task<'_>,
    client: &Client,
    around: &Surroundings<'_>,
    notes: &mut Vec<String>,
) -> Result<Identity, (String, Failure)> {
    let entra = task.trust.entra.clone().unwrap_or_default();
    let id = entra.client_id.clone().or_else(|| around.text("AZURE_CLIENT_ID"));
    let who = who(&entra, id.as_deref());
    let tenant = task.trust.tenant.clone();
    let tenant =
        tenant.or_else(|| around.text("AZURE_TENANT_ID").filter(|_| entra.workload_identity));
    let result = match tenant {
        None => Err(failure(Reason::NotCollected, "the tenant is not known".to_owned())),
        Some(tenant) => {
            let asking = Asking { task, client, around, entra: &entra, tenant: &tenant };
            asking.token(id.as_deref(), notes).await
        }
    };
    match result {
        Ok(token) => Ok(Identity { who, token }),
        Err(failed) => Err((who, failed)),
    }
}

/// As whom, in the words of the configuration.
fn who(entra: &Entra, id: Option<&str>) -> String {
    let named = if entra.managed_identity { entra.client_id.as_deref() } else { id };
    match named {
        _ if entra.azure_cli => "the account of az".to_owned(),
        _ if entra.device_code => "a person".to_owned(),
        None if entra.managed_identity => "the machine's identity".to_owned(),
        named => named.unwrap_or_default().to_owned(),
    }
}

struct Asking<'a> {
    task: &'a Task<'a>,
    client: &'a Client,
    around: &'a Surroundings<'a>,
    entra: &'a Entra,
    tenant: &'a str,
}

impl Asking<'_> {
    async fn token(&self, id: Option<&str>, notes: &mut Vec<String>) -> Result<Secret, Failure> {
        let (entra, endpoint) = (self.entra, Endpoint::of(self.task, self.tenant));
        if entra.azure_cli {
            let path = (self.around.variable)("PATH");
            let until = self.task.until;
            let what = || "az account get-access-token".to_owned();
            let begun = self.task.watch.begin(NAME, 1, what);
            let resource = &endpoint.resource;
            let token = azure_cli::token(path.as_deref(), resource, self.tenant, until).await;
            begun.end(token.as_ref().map(|_| "a token".to_owned()).map_err(Failure::told));
            return token;
        }
        if entra.managed_identity {
            return self.machine(&endpoint).await;
        }
        let Some(id) = id else {
            let text = "entra: no client_id, and none in AZURE_CLIENT_ID";
            return Err(failure(Reason::NotCollected, text.to_owned()));
        };
        if entra.device_code {
            return device_code::token(self.task, self.client, self.around, &endpoint, id).await;
        }
        let grant =
            [("client_id", id), ("scope", &endpoint.scope), ("grant_type", "client_credentials")];
        if let Some(file) = &entra.certificate_file {
            let pem = self.secret(file, notes)?;
            let unusable =
                |why: String| failure(Reason::Malformed, format!("certificate_file: {why}"));
            let caller = Caller::of(&pem).map_err(unusable)?;
            let audience = endpoint.token.as_str();
            let proof = caller.assertion(id, audience, Timestamp::now()).map_err(unusable)?;
            return self.proven(&endpoint, &grant, &proof).await;
        }
        if entra.workload_identity {
            let file = self.around.text("AZURE_FEDERATED_TOKEN_FILE").ok_or_else(|| {
                let text = "workload_identity: AZURE_FEDERATED_TOKEN_FILE is not set";
                failure(Reason::NotCollected, text.to_owned())
            })?;
            // The platform decides who can read that file.
            let proof = self.secret(&PathBuf::from(file), &mut Vec::new())?;
            return self.proven(&endpoint, &grant, &proof).await;
        }
        let secret = match &entra.client_secret_file {
            Some(file) => self.secret(file, notes)?,
            None => self.around.text("AZURE_CLIENT_SECRET").map(Secret::new).ok_or_else(|| {
                let text = "entra: no client_secret_file, and AZURE_CLIENT_SECRET is not set";
                failure(Reason::NotCollected, text.to_owned())
            })?,
        };
        let proof = [("client_secret", secret.expose())];
        self.post(&endpoint, &[&grant[..], &proof].concat(), &secret).await
    }

    /// A file of the configuration that holds a secret.
    fn secret(&self, file: &std::path::Path, notes: &mut Vec<String>) -> Result<Secret, Failure> {
        match SecretFile(self.task.path(file)).read() {
            Ok((secret, warning)) => {
                notes.extend(warning);
                Ok(secret)
            }
            Err(error) => Err(failure(Reason::NotCollected, error)),
        }
    }

    /// With a proof that somebody signed.
    async fn proven(
        &self,
        endpoint: &Endpoint,
        grant: &[(&str, &str)],
        proof: &Secret,
    ) -> Result<Secret, Failure> {
        let parts = [("client_assertion_type", ASSERTION), ("client_assertion", proof.expose())];
        self.post(endpoint, &[grant, &parts].concat(), proof).await
    }

    async fn post(
        &self,
        endpoint: &Endpoint,
        form: &[(&str, &str)],
        secret: &Secret,
    ) -> Result<Secret, Failure> {
        let answer = self.client.post_token(&endpoint.token, form).await?;
        if answer.status != 200 {
            return Err(refusal::of_token(&answer, &[secret.expose()]));
        }
        token_in(&answer.body)
    }

    /// Who gives this machine its identity.
    fn platform(&self) -> Result<Platform, Failure> {
        let Some(address) = self.around.text("IDENTITY_ENDPOINT") else {
            return Ok(Platform::Machine);
        };
        let header = self.around.text("IDENTITY_HEADER").map(Secret::new);
        let (endpoint, header) = Url::parse(&address).ok().zip(header).ok_or_else(|| {
            let text = "IDENTITY_ENDPOINT without IDENTITY_HEADER is not supported";
            failure(Reason::NotCollected, text.to_owned())
        })?;
        Ok(Platform::Service { endpoint, header })
    }

    /// The identity that the platform gives to this machine.
    async fn machine(&self, endpoint: &Endpoint) -> Result<Secret, Failure> {
        let platform = self.platform()?;
        let id = self.entra.client_id.as_deref();
        let until = self.task.until;
        let watch = &self.task.watch;
        let answer = http::identity(&platform, &endpoint.resource, id, until, watch).await?;
        if answer.status != 200 {
            return Err(refusal::of_token(&answer, &[]));
        }
        token_in(&answer.body)
    }
}

/// The token in an answer that grants one.
pub(super) fn token_in(body: &[u8]) -> Result<Secret, Failure> {
    #[derive(Deserialize)]
    struct Granted {
        access_token: String,
    }
    // What serde says of it might quote it.
    let granted: Option<Granted> = serde_json::from_slice(body).ok();
    granted
        .and_then(|it| usable(&it.access_token))
        .ok_or_else(|| failure(Reason::Malformed, "no token in the answer".to_owned()))
}
