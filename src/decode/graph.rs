//! What the tenant holds: from Graph, its PowerShell and `az`.

mod application;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use checks::facts::{
    Application, ApplicationId, Certificate, Consent, CustomKeyIdentifier, Fact, Facts,
    KeyCredential, Needs, Reason, SeenId, ServicePrincipal, Thumbprint, Unknown, is_guid,
};
use checks::procedure::application_name;

use super::reading::Reading;
use super::value::{Object, Tree, Value};
use super::{Asked, Decoded, Form, Owner, Source, beyond, certificate, limits};

/// Decodes what Graph said, if the file is that.
pub(crate) fn decode(tree: &Tree, source: &Source, seen: &SeenId) -> Option<Decoded> {
    let limits = &source.limits;
    let mut decoded = Decoded::new(Form::Graph);
    let mut recognised = false;
    let (mut found, mut applications, mut assignments) = (Vec::new(), Vec::new(), Vec::new());
    let mut left = limits.objects;
    let root = tree.objects.last().map_or("", |root| root.text("@odata.context"));
    for object in &tree.objects {
        let own = object.text("@odata.context");
        let context = if own.is_empty() { root } else { own }.to_ascii_lowercase();
        if let Some(refusal) = refusal(object, seen, source.asked) {
            recognised = true;
            match refusal {
                Refusal::Told(facts) => {
                    found.extend(facts.service_principals.items);
                    applications.extend(facts.applications);
                }
                Refusal::Ambiguous(note) => decoded.notes.push(note),
                Refusal::Refused(unknown) => {
                    decoded.of(Owner::Anyone).service_principals.complete.merge(unknown.into());
                }
            }
            continue;
        }
        let is_application = application::is_application(object, &context);
        let is_principal = !is_application && is_service_principal(object, &context);
        let is_assignment = object.has(&["appRoleId", "principalId", "resourceId"]);
        if !is_application && !is_principal && !is_assignment {
            continue;
        }
        recognised = true;
        let keys = object.get("keyCredentials").map_or(0, |keys| keys.elements().len());
        let Some(enough) = left.checked_sub(1 + keys) else {
            let (line, most) = (object.line, limits.objects);
            let text = format!("line {line}: more than {most} objects and keys, left out");
            decoded.notes.push(beyond(&text, "objects"));
            break;
        };
        left = enough;
        if is_application {
            let (application, notes) = application::application(object, seen);
            decoded.notes.extend(notes);
            applications.push(application);
        } else if is_principal {
            let (principal, notes) = service_principal(object, seen);
            decoded.notes.extend(notes);
            found.push(principal);
        } else if let Some(assignment) = application::assignment(object, seen) {
            assignments.push(assignment);
        }
    }
    if !applications.is_empty() || !assignments.is_empty() {
        // Joining puts several descriptions of one application together.
        decoded.of(Owner::Anyone).merge(Facts {
            applications,
            app_role_assignments: assignments,
            ..Facts::default()
        });
    }
    if !found.is_empty() {
        decoded.of(Owner::Anyone).service_principals.extend(found);
    }
    if let Some(root) = tree.objects.last().filter(|_| !recognised) {
        let context = root.text("@odata.context").to_ascii_lowercase();
        let asked = if context.contains("approleassignments") {
            Some("whose consented permissions were asked for")
        } else if context.contains("#serviceprincipals") {
            Some("the service principal that was asked for")
        } else if context.contains("#applications") {
            Some("the application that was asked for")
        } else {
            None
        };
        if let Some(asked) = asked {
            recognised = true;
            decoded.notes.push(format!("an empty answer, which does not tell {asked}"));
        }
    }
    if let Some(problem) = tree.problem.as_ref().filter(|_| recognised) {
        decoded.notes.push(format!("{problem}; what stands before it is used"));
    }
    recognised.then_some(decoded)
}

/// What an `error` of Graph means.
enum Refusal {
    /// What it says of the object that was asked for.
    Told(Box<Facts>),
    /// There is no such thing, and nothing tells which of several was asked for.
    Ambiguous(String),
    /// It did not answer.
    Refused(Unknown),
}

/// An `error` of Graph: an absence that it proves, or why it did not answer.
///
/// A 404 does not name the collection. Of a first-party application a customer's
/// tenant only ever holds the service principal. Any other id may be that of an
/// application, of its service principal, or of an object: an application of
/// another tenant has the one here and not the other. Whoever asked knows.
fn refusal(object: &Object, seen: &SeenId, asked: Option<Asked>) -> Option<Refusal> {
    let Some(Value::Object(error)) = object.get("error") else { return None };
    let (code, message) = (error.text("code"), error.text("message"));
    let reason = match code {
        "Request_ResourceNotFound" => {
            let id = message.split('\'').nth(1).filter(|id| is_guid(id)).map(ApplicationId::new);
            if let Some(asked) = asked {
                let about = id.is_none_or(|id| id == *asked.id());
                return about.then(|| Refusal::Told(Box::new(asked.absent(seen))));
            }
            let id = id?;
            return Some(if application_name(&id).is_some() {
                Refusal::Told(Box::new(Asked::ServicePrincipal(&id).absent(seen)))
            } else {
                Refusal::Ambiguous(format!(
                    "Graph did not find {id}, and the answer does not tell whether an application \
                     or a service principal was asked for"
                ))
            });
        }
        "Authorization_RequestDenied" => Reason::Forbidden,
        "InvalidAuthenticationToken" | "AuthenticationError" => Reason::Unauthenticated,
        "TooManyRequests" | "Request_ThrottledTemporarily" => Reason::Throttled,
        _ => return None,
    };
    let detail = format!("Graph answered {code}");
    if let Some(asked) = asked {
        return Some(Refusal::Told(Box::new(asked.unread(reason, &detail, seen))));
    }
    let needs = Needs::ServicePrincipal(ApplicationId::well_known("of the tenant"));
    let why = Unknown::new(reason, needs).detail(detail).tried(seen);
    Some(Refusal::Refused(why))
}

impl Asked<'_> {
    /// Its application's id.
    pub fn id(&self) -> &ApplicationId {
        match self {
            Self::ServicePrincipal(id) | Self::Application(id) | Self::Consent(id) => id,
        }
    }

    /// What would make it known.
    fn needs(&self) -> Needs {
        match self {
            Self::ServicePrincipal(id) => Needs::ServicePrincipal((*id).clone()),
            Self::Application(id) => Needs::Application((*id).clone()),
            Self::Consent(id) => Needs::AppRoleAssignments((*id).clone()),
        }
    }

    /// Whether it is there, as these facts tell.
    pub(crate) fn present<'f>(&self, facts: &'f Facts) -> Option<&'f Fact<bool>> {
        match self {
            Self::ServicePrincipal(id) => {
                let mut items = facts.service_principals.items.iter();
                items.find(|it| it.app_id == **id).map(|it| &it.present)
            }
            Self::Application(id) => {
                facts.applications.iter().find(|it| it.app_id == **id).map(|it| &it.present)
            }
            // A list is told by its length, and not by an object.
            Self::Consent(_) => None,
        }
    }

    /// The facts of its absence, which is proven.
    fn absent(&self, seen: &SeenId) -> Facts {
        let nothing = Unknown::new(Reason::SourceAbsent, self.needs()).tried(seen);
        self.without(&Fact::known(false, seen), &nothing, seen)
    }

    /// The facts where it could not be read.
    pub(crate) fn unread(&self, reason: Reason, detail: &str, seen: &SeenId) -> Facts {
        let why = Unknown::new(reason, self.needs()).detail(detail).tried(seen);
        self.without(&why.clone().into(), &why, seen)
    }

    fn without(&self, present: &Fact<bool>, why: &Unknown, seen: &SeenId) -> Facts {
        let mut facts = Facts::default();
        let (present, seen) = (present.clone(), vec![seen.clone()]);
        match self {
            Self::ServicePrincipal(id) => {
                facts.service_principals.extend([ServicePrincipal {
                    app_id: (*id).clone(),
                    object_id: why.clone().into(),
                    present,
                    display_name: why.clone().into(),
                    enabled: why.clone().into(),
                    disabled_by_microsoft: why.clone().into(),
                    names: why.clone().into(),
                    keys: why.clone().into(),
                    seen,
                }]);
            }
            Self::Application(id) => facts.applications.push(Application {
                app_id: (*id).clone(),
                present,
                display_name: why.clone().into(),
                keys: why.clone().into(),
                seen,
            }),
            Self::Consent(id) => facts.consents.push(Consent {
                app_id: (*id).clone(),
                permissions: why.clone().into(),
                seen,
            }),
        }
        facts
    }
}

/// An application has an appId and keys too, but neither names nor an account.
fn is_service_principal(object: &Object, context: &str) -> bool {
    let id = object.text("appId");
    let own = ["servicePrincipalNames", "accountEnabled", "servicePrincipalType"];
    let keyed = object.get("keyCredentials").is_some()
        && object.get("identifierUris").is_none()
        && object.get("requiredResourceAccess").is_none();
    is_guid(id)
        && (own.iter().any(|name| object.get(name).is_some())
            || context.contains("#serviceprincipals")
            || (keyed && application_name(&ApplicationId::new(id)).is_some()))
}

fn service_principal(object: &Object, seen: &SeenId) -> (ServicePrincipal, Vec<String>) {
    let app_id = ApplicationId::new(object.text("appId"));
    let needs = Needs::ServicePrincipal(app_id.clone());
    let reading = Reading::new(object, seen, needs.clone());
    let keys = key_credentials(&reading, &needs);
    let mut names = match object.get("servicePrincipalNames") {
        // There is always one, the application's id.
        Some(Value::Null) => reading.fact("servicePrincipalNames", |_| None),
        _ => reading.texts("servicePrincipalNames"),
    };
    // A list below the depth becomes one text, its parts joined by blanks.
    if names.is(|names| names.iter().any(|name| name.contains(' '))) {
        names = cut_off(&reading, "servicePrincipalNames");
    }
    let notes = key_notes(&app_id, &keys);
    let principal = ServicePrincipal {
        // Every object has one; null is what PowerShell was not asked for.
        object_id: reading.fact("id", |value| {
            value.as_text().filter(|id| !id.trim().is_empty()).map(str::to_owned)
        }),
        present: reading.known(true),
        display_name: reading.text("displayName"),
        enabled: reading.flag("accountEnabled"),
        disabled_by_microsoft: reading.text("disabledByMicrosoftStatus"),
        names,
        keys,
        app_id,
        seen: vec![seen.clone()],
    };
    (principal, notes)
}

fn key_credentials(reading: &Reading, needs: &Needs) -> Fact<Vec<KeyCredential>> {
    let listed = reading.object.get("keyCredentials").map(Value::elements).unwrap_or_default();
    if !listed.iter().all(|key| matches!(key, Value::Object(_))) {
        return cut_off(reading, "keyCredentials");
    }
    reading.fact("keyCredentials", |value| match value {
        Value::Null => None,
        _ => Some(listed.iter().filter_map(|it| key(it, reading.seen, needs)).collect()),
    })
}

/// A note for each key that cannot be used.
fn key_notes(app_id: &ApplicationId, keys: &Fact<Vec<KeyCredential>>) -> Vec<String> {
    let keys = keys.value().into_iter().flatten().enumerate();
    keys.filter_map(|(at, key)| match &key.certificate {
        Fact::Unknown(unknown) if unknown.reason != Reason::NotCollected => {
            Some(format!("{app_id}, key {}: {}", at + 1, unknown.detail))
        }
        _ => None,
    })
    .collect()
}

/// What stands below the depth of `ConvertTo-Json` is a text instead.
fn cut_off<T>(reading: &Reading, name: &str) -> Fact<T> {
    let detail = format!("{name} was cut by ConvertTo-Json, which shows it with -Depth 5");
    reading.unknown(Reason::Truncated, detail)
}

/// One key; the AzureAD module calls its parts by other names.
fn key(value: &Value, seen: &SeenId, needs: &Needs) -> Option<KeyCredential> {
    let Value::Object(object) = value else { return None };
    let reading = Reading::new(object, seen, needs.clone());
    let either = |name: &'static str, other: &'static str| {
        if object.get(name).is_some() { name } else { other }
    };
    // Neither is ever empty in Entra.
    let word = |name: &str| reading.fact(name, |value| value.as_text().map(str::to_owned));
    let short = |name: &str| object.text(name).chars().take(limits::TEXT).collect::<String>();
    Some(KeyCredential {
        key_id: short("keyId").to_ascii_lowercase(),
        display_name: short("displayName"),
        certificate: material(object.get(either("key", "Value")), seen, needs),
        custom_key_identifier: object.get("customKeyIdentifier").and_then(identifier),
        start: reading.instant(either("startDateTime", "StartDate")),
        end: reading.instant(either("endDateTime", "EndDate")),
        usage: word("usage"),
        kind: word("type").map(|kind| match kind.as_str() {
            // The retired MSOnline module's name for it.
            "Asymmetric" => "AsymmetricX509Cert".to_owned(),
            _ => kind,
        }),
    })
}

fn material(value: Option<&Value>, seen: &SeenId, needs: &Needs) -> Fact<Certificate> {
    let unknown = |reason: Reason, detail: &str| -> Fact<Certificate> {
        Unknown::new(reason, needs.clone()).detail(detail).tried(seen).into()
    };
    match value {
        None | Some(Value::Null) => {
            unknown(Reason::NotCollected, "the answer holds no key material")
        }
        Some(Value::Text(text)) if text.is_empty() => {
            unknown(Reason::NotCollected, "the answer holds no key material")
        }
        Some(value) => match value.as_bytes() {
            None => unknown(Reason::Malformed, "the key is no base64"),
            Some(octets) => match certificate::wrapped(&octets) {
                Ok(certificate) => Fact::known(certificate, seen),
                Err(problem) => unknown(problem.reason, &problem.text),
            },
        },
    }
}

/// customKeyIdentifier in its many forms: 40 digits as text, 20 octets as
/// base64 or numbers, 40 octets of ASCII, and the 30 octets that appear when
/// the 40 digits were taken for base64.
fn identifier(value: &Value) -> Option<CustomKeyIdentifier> {
    let text = match value {
        Value::Null => return None,
        Value::Text(text) if text.is_empty() => return None,
        Value::Text(text) => text.clone(),
        _ => String::new(),
    };
    if let Some(thumbprint) = Thumbprint::exact(&text) {
        return Some(CustomKeyIdentifier::Thumbprint(thumbprint));
    }
    let octets = value.as_bytes();
    let octets = if text.is_empty() { octets? } else { octets.unwrap_or_default() };
    let thumbprint = match octets.len() {
        20 => octets.clone().try_into().ok().map(Thumbprint::of),
        30 => Thumbprint::exact(&STANDARD.encode(&octets)),
        40 => std::str::from_utf8(&octets).ok().and_then(Thumbprint::exact),
        _ => None,
    };
    let shown = if text.is_empty() { STANDARD.encode(&octets) } else { text };
    let other = || CustomKeyIdentifier::Text(shown.chars().take(limits::TEXT).collect());
    Some(thumbprint.map_or_else(other, CustomKeyIdentifier::Thumbprint))
}

#[cfg(test)]
mod tests {
    use super::super::Limits;
    use super::*;

    const THUMBPRINT: &str = "0A1B2C3D4E5F60718293A4B5C6D7E8F901234567";

    #[test]
    fn every_form_of_the_identifier_is_understood() {
        let numbers = |octets: &[u8]| {
            Value::List(octets.iter().map(|octet| Value::Number(octet.to_string())).collect())
        };
        let thirty = [
            208, 13, 65, 216, 45, 195, 224, 78, 69, 235, 78, 245, 243, 111, 119, 3, 128, 121, 11,
            160, 251, 19, 193, 125, 211, 93, 183, 227, 158, 187,
        ];
        let twenty = STANDARD.decode("ChssPU5fYHGCk6S1xtfo+QEjRWc=").unwrap();
        let expected =
            Some(CustomKeyIdentifier::Thumbprint(Thumbprint::exact(THUMBPRINT).unwrap()));
        for value in [
            Value::Text(THUMBPRINT.into()),
            Value::Text(THUMBPRINT.to_lowercase()),
            Value::Text("ChssPU5fYHGCk6S1xtfo+QEjRWc=".into()),
            numbers(&twenty),
            numbers(&thirty),
            numbers(THUMBPRINT.as_bytes()),
        ] {
            assert_eq!(identifier(&value), expected, "{value:?}");
        }
        assert_eq!(
            identifier(&Value::Text("rotated by Ann".into())),
            Some(CustomKeyIdentifier::Text("rotated by Ann".into()))
        );
        assert_eq!(identifier(&Value::Null), None);
    }

    fn principal(json: &str) -> ServicePrincipal {
        let source = super::super::Source::named("a.json");
        let mut decoded = super::super::decode(json.as_bytes(), source);
        decoded.of(Owner::Anyone).service_principals.items.remove(0)
    }

    #[test]
    fn keys_that_a_limit_of_depth_cut_are_not_known_to_be_none() {
        let principal = principal(
            r#"[{"AppId": "00000004-0000-0ff1-ce00-000000000000",
                 "ServicePrincipalNames": "a/b c/d",
                 "KeyCredentials": ["Microsoft.Graph.PowerShell.Models.MicrosoftGraphKeyCredential"]}]"#,
        );
        assert_eq!(principal.keys.read().unwrap_err().reason, Reason::Truncated);
        assert_eq!(principal.names.read().unwrap_err().reason, Reason::Truncated);
    }

    #[test]
    fn no_keys_and_keys_that_were_not_selected_differ() {
        let keys = |keys: &str| {
            principal(&format!(
                r#"{{"appId": "00000004-0000-0ff1-ce00-000000000000", "accountEnabled": true {keys}}}"#
            ))
            .keys
        };
        assert_eq!(keys(r#", "keyCredentials": []"#).value(), Some(&Vec::new()));
        assert_eq!(keys("").read().unwrap_err().reason, Reason::NotCollected);
    }

    #[test]
    fn one_file_may_hold_objects_of_both_sides() {
        let source = super::super::Source::named("a.json");
        let decoded = super::super::decode(
            br#"[{"CurrentCertificateThumbprint": ""},
                 {"appId": "00000004-0000-0ff1-ce00-000000000000", "accountEnabled": true}]"#,
            source,
        );
        let facts = &decoded.facts[&Owner::Anyone];
        assert!(facts.auth_config.value().is_some());
        assert_eq!(facts.service_principals.items.len(), 1);
    }

    #[test]
    fn many_objects_and_keys_are_bounded() {
        let key = r#"{"usage": "Verify"},"#.repeat(Limits::USUAL.objects);
        let source = super::super::Source::named("a.json");
        let text = format!(
            r#"[{{"appId": "00000004-0000-0ff1-ce00-000000000000", "accountEnabled": true}},
                {{"appId": "00000002-0000-0ff1-ce00-000000000000", "keyCredentials": [{key}{{}}]}}]"#
        );
        let decoded = super::super::decode(text.as_bytes(), source);
        assert_eq!(decoded.facts[&Owner::Anyone].service_principals.items.len(), 1);
        assert!(decoded.notes[0].contains("left out"), "{:?}", decoded.notes);
    }
}
