//! Microsoft's cloud on loopback: where tokens are issued, Microsoft Graph, and
//! ACS, with the answers that are documented, over the data of `trustprobe demo`.
//!
//! It checks what it is given as strictly as the real one, and goes wrong on
//! demand.

#[path = "cloud/server.rs"]
pub(crate) mod server;
#[path = "cloud/token.rs"]
mod token;

use std::fs;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use self::server::{Authority, Reply, Request, Server};

pub(crate) const TENANT: &str = "11111111-2222-3333-4444-555555555555";
pub(crate) const CLIENT: &str = "99999999-8888-7777-6666-555555555555";
/// The dedicated hybrid application.
pub(crate) const DEDICATED: &str = "0f1e2d3c-4b5a-4968-8776-655443322110";
pub(crate) const EXCHANGE: &str = "00000002-0000-0ff1-ce00-000000000000";
pub(crate) const SKYPE: &str = "00000004-0000-0ff1-ce00-000000000000";
/// What must appear nowhere; the signature of every token is the last of them.
pub(crate) const SECRET: &str = "S3cret~of.the-application";
pub(crate) const FEDERATED: &str = "federated-token-of-the-platform";
pub(crate) const TOKEN: &str = "t0ken-that-opens-graph";
/// The certificate and key of the caller.
pub(crate) const CALLER: &str = include_str!("cloud/caller.pem");

const OBJECT: &str = "dddddddd-1111-4222-8333-444444444444";

/// What goes wrong.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// 429, with these seconds to wait.
    Throttled(u64),
    /// This status, with this code of Graph.
    Refused(u16, &'static str),
    /// This error of the token endpoint.
    Aadsts(u32),
    /// The token claims this.
    Claims(&'static str),
    /// The whole answer is this.
    Says(u16, String),
    /// Half of the answer, as if that were all.
    Half,
    /// Half of the answer, and the header announces the whole.
    Short,
    /// To itself, again and again.
    Loop,
    /// To this address.
    Redirect(String),
    /// The next page is at this address.
    NextPage(String),
    Hang,
    Drip,
    /// Ten million octets.
    Large,
}

/// Faults by the end of the path that they strike, and how often they still do.
type Faults = Arc<Mutex<Vec<(String, Fault, usize)>>>;

pub(crate) struct Cloud {
    pub(crate) authority: Authority,
    pub(crate) login: Server,
    pub(crate) graph: Server,
    pub(crate) acs: Server,
    /// A host that is nobody's, and must never be asked.
    pub(crate) foreign: Server,
    faults: Faults,
}

impl Cloud {
    pub(crate) fn start() -> Self {
        let here = (Ipv4Addr::LOCALHOST, 0);
        let places = [here, here, here, (Ipv4Addr::new(127, 0, 0, 2), 0)];
        Self::at(places, Authority::new(), |_| ())
    }

    /// The same at these addresses and ports: where tokens are issued, Graph, ACS,
    /// and the host that is nobody's; and what comes before each answer.
    pub(crate) fn at(
        places: [(Ipv4Addr, u16); 4],
        authority: Authority,
        before: impl Fn(&Request) + Clone + Send + Sync + 'static,
    ) -> Self {
        let faults = Faults::default();
        let serve = |place, answer: fn(&Request) -> Reply| {
            let (faults, before) = (Arc::clone(&faults), before.clone());
            let answer = move |request: &Request| {
                before(request);
                struck(&faults, request, answer)
            };
            Server::at(place, Some(&authority), answer)
        };
        let (login, graph, acs) =
            (serve(places[0], login), serve(places[1], graph), serve(places[2], acs));
        let foreign =
            Server::at(places[3], Some(&authority), |_| Reply::json(200, &json!({ "value": [] })));
        Self { authority, login, graph, acs, foreign, faults }
    }

    /// From now on something goes wrong where a path holds this text, so often.
    pub(crate) fn fault(&self, place: &str, fault: Fault, times: usize) {
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        faults.push((place.to_owned(), fault, times));
    }

    /// Nothing goes wrong any more.
    pub(crate) fn mend(&self) {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// A configuration for it in this folder, with these lines under `entra`.
    pub(crate) fn configuration(&self, folder: &std::path::Path, entra: &str) -> PathBuf {
        let write = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
        write("roots.pem", &self.authority.pem);
        write("secret", SECRET);
        write("federated", FEDERATED);
        write("caller.pem", CALLER);
        let (login, graph, acs) = (self.login.url(""), self.graph.url(""), self.acs.url(""));
        write(
            "trustprobe.yaml",
            &format!(
                r#"
defaults: {{ timeout: 1s, deadline: 4s }}
trusts:
  contoso:
    tenant: {TENANT}
    cloud: lab
    procedure: skype-online
    entra: {{ {entra} }}
clouds:
  lab: {{ login: "{login}", graph: "{graph}", acs: "{acs}" }}
network: {{ ca_file: roots.pem, allow_local: true }}
"#
            ),
        );
        folder.join("trustprobe.yaml")
    }
}

/// The answer, or what goes wrong instead.
fn struck(faults: &Faults, request: &Request, answer: fn(&Request) -> Reply) -> Reply {
    let fault = {
        let mut faults = faults.lock().unwrap_or_else(PoisonError::into_inner);
        let here = |(place, _, left): &&mut (String, Fault, usize)| {
            0 < *left && request.target.contains(place.as_str())
        };
        faults.iter_mut().find(here).map(|(_, fault, left)| {
            *left -= 1;
            fault.clone()
        })
    };
    let whole = || match answer(request) {
        Reply::Whole(_, _, body) => body,
        _ => Vec::new(),
    };
    let half = || {
        let body = whole();
        body[..body.len() / 2].to_vec()
    };
    match fault {
        None => answer(request),
        Some(Fault::Throttled(seconds)) => {
            let body = refusal("TooManyRequests", "Too many requests.");
            let after = vec![("retry-after", seconds.to_string())];
            Reply::Whole(429, after, body.to_string().into_bytes())
        }
        Some(Fault::Refused(status, code)) => Reply::json(
            status,
            &refusal(code, "Insufficient privileges to complete the operation."),
        ),
        Some(Fault::Aadsts(code)) => token::aadsts(code),
        Some(Fault::Claims(claims)) => token::claiming(claims),
        Some(Fault::Says(status, body)) => Reply::Whole(status, Vec::new(), body.into_bytes()),
        Some(Fault::Half) => Reply::Whole(200, Vec::new(), half()),
        Some(Fault::Short) => Reply::Short(half()),
        Some(Fault::Loop) => Reply::redirect(&request.target),
        Some(Fault::Redirect(to)) => Reply::redirect(&to),
        Some(Fault::NextPage(to)) => {
            let mut page: Value = serde_json::from_slice(&whole()).unwrap();
            page["@odata.nextLink"] = json!(to);
            Reply::json(200, &page)
        }
        Some(Fault::Hang) => Reply::Hang,
        Some(Fault::Drip) => Reply::Drip,
        Some(Fault::Large) => Reply::Whole(200, Vec::new(), vec![b' '; 10_000_000]),
    }
}

/// Where tokens are issued, and where Entra tells about itself.
fn login(request: &Request) -> Reply {
    let path = request.path();
    let (tenant, rest) = path.trim_start_matches('/').split_once('/').unwrap_or_default();
    if tenant != TENANT && tenant != "contoso.com" {
        return token::aadsts(90_002);
    }
    let issuer = format!("https://sts.windows.net/{TENANT}/");
    match rest {
        "oauth2/v2.0/token" => token::issued(request),
        "oauth2/v2.0/devicecode" => token::device_code(request),
        "v2.0/.well-known/openid-configuration" => Reply::json(
            200,
            &json!({
                "issuer": format!("https://login.microsoftonline.com/{TENANT}/v2.0"),
                "token_endpoint":
                    format!("https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token"),
            }),
        ),
        "federationmetadata/2007-06/federationmetadata.xml" => {
            let key = STANDARD.encode(include_bytes!("../fixtures/certificates/evosts.der"));
            let body = format!(
                r#"<?xml version="1.0" encoding="utf-8"?><EntityDescriptor ID="_x" entityID="{issuer}" xmlns="urn:oasis:names:tc:SAML:2.0:metadata"><RoleDescriptor xsi:type="fed:SecurityTokenServiceType" protocolSupportEnumeration="http://docs.oasis-open.org/wsfed/federation/200706" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:fed="http://docs.oasis-open.org/wsfed/federation/200706"><KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>{key}</X509Certificate></X509Data></KeyInfo></KeyDescriptor></RoleDescriptor></EntityDescriptor>"#
            );
            Reply::Whole(200, Vec::new(), body.into_bytes())
        }
        _ => Reply::json(404, &json!({})),
    }
}

fn acs(request: &Request) -> Reply {
    if request.path() == format!("/{TENANT}/metadata/json/1") {
        let body = include_bytes!("../../src/demo/healthy/acs.json").to_vec();
        return Reply::Whole(200, Vec::new(), body);
    }
    Reply::json(404, &json!({}))
}

fn refusal(code: &str, message: &str) -> Value {
    let inner = json!({ "date": "2026-11-24T08:00:00", "request-id": "x" });
    json!({ "error": { "code": code, "message": message, "innerError": inner } })
}

/// Microsoft Graph, as far as trustprobe asks it.
fn graph(request: &Request) -> Reply {
    let bearer = request.header("authorization").and_then(|it| it.strip_prefix("Bearer "));
    // What stands before it is what it claims.
    if bearer.and_then(|it| it.rsplit('.').next()) != Some(TOKEN) {
        let message = "Access token is empty.";
        return Reply::json(401, &refusal("InvalidAuthenticationToken", message));
    }
    let path = request.path().strip_prefix("/v1.0/").unwrap_or_default();
    let id = path.split('\'').nth(1).unwrap_or_default();
    let absent = || {
        let message = format!(
            "Resource '{id}' does not exist or one of its queried reference-property objects are not present."
        );
        Reply::json(404, &refusal("Request_ResourceNotFound", &message))
    };
    if path == format!("servicePrincipals(appId='{id}')/appRoleAssignments") {
        return if id == DEDICATED { consent(request) } else { absent() };
    }
    let collection = path.split('(').next().unwrap_or_default();
    let object = match (collection, id) {
        ("servicePrincipals", EXCHANGE) => {
            include_str!("../../src/demo/healthy/00000002-0000-0ff1-ce00-000000000000.json")
        }
        ("servicePrincipals", SKYPE) => {
            include_str!("../../src/demo/healthy/00000004-0000-0ff1-ce00-000000000000.json")
        }
        ("servicePrincipals", DEDICATED) => &json!({
            "id": OBJECT, "appId": DEDICATED, "displayName": "ExchangeServerApp-x",
            "accountEnabled": true, "disabledByMicrosoftStatus": null,
            "servicePrincipalNames": [DEDICATED], "keyCredentials": [],
        })
        .to_string(),
        ("applications", DEDICATED) => &json!({
            "id": "ffffffff-1111-4222-8333-444444444444", "appId": DEDICATED,
            "displayName": "ExchangeServerApp-x", "requiredResourceAccess": [],
            "keyCredentials": [{
                "customKeyIdentifier": null, "displayName": "CN=x", "keyId": OBJECT,
                "startDateTime": "2026-01-10T08:00:00Z", "endDateTime": "2030-12-15T08:00:00Z",
                "key": STANDARD.encode(include_bytes!("../fixtures/certificates/auth.der")),
                "type": "AsymmetricX509Cert", "usage": "Verify",
            }],
        })
        .to_string(),
        _ => return absent(),
    };
    let mut object: Value = serde_json::from_str(object).unwrap();
    selected(&mut object, collection, request.query("$select").as_deref());
    Reply::json(200, &object)
}

/// `$select`: what it names, and the material of keys only where it names them.
fn selected(object: &mut Value, collection: &str, select: Option<&str>) {
    let members = object.as_object_mut().unwrap();
    let asked: Option<Vec<&str>> = select.map(|it| it.split(',').collect());
    if let Some(asked) = &asked {
        members.retain(|name, _| asked.contains(&name.as_str()));
    } else {
        for key in members["keyCredentials"].as_array_mut().unwrap() {
            key["key"] = Value::Null;
        }
    }
    let names = select.map_or(String::new(), |it| format!("({it})"));
    let context = format!("https://graph.microsoft.com/v1.0/$metadata#{collection}{names}/$entity");
    members.insert("@odata.context".to_owned(), json!(context));
}

/// Two permissions, one on each page.
fn consent(request: &Request) -> Reply {
    let exchange = "eeeeeeee-1111-4222-8333-444444444444";
    let item = |role: &str| {
        json!({
            "id": "x", "appRoleId": role, "principalId": OBJECT, "principalType": "ServicePrincipal",
            "resourceId": exchange, "deletedDateTime": null,
        })
    };
    let context = "https://graph.microsoft.com/v1.0/$metadata#appRoleAssignments";
    if request.query("$skiptoken").is_some() {
        let last = item("dc890d15-9560-4a4c-9b7f-a736ec74ec40");
        return Reply::json(200, &json!({ "@odata.context": context, "value": [last] }));
    }
    let host = request.header("host").unwrap_or_default();
    let next = format!("https://{host}{}?$skiptoken=two", request.path());
    let first = item("aaaaaaaa-9560-4a4c-9b7f-a736ec74ec40");
    let page = json!({ "@odata.context": context, "@odata.nextLink": next, "value": [first] });
    Reply::json(200, &page)
}
