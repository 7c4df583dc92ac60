//! Applications registered in the tenant, and permissions consented to.

use checks::facts::{AppRoleAssignment, Application, ApplicationId, Needs, SeenId, is_guid};

use super::super::reading::Reading;
use super::super::value::{Object, Value};
use super::{key_credentials, key_notes};

/// Whether the object is an application. `context` is what Graph says that it
/// gave; service principals have some of the same properties.
pub(super) fn is_application(object: &Object, context: &str) -> bool {
    let own = ["identifierUris", "requiredResourceAccess", "signInAudience"];
    let of_principal = ["servicePrincipalNames", "accountEnabled", "servicePrincipalType"];
    let has = |names: [&str; 3]| names.iter().any(|name| object.get(name).is_some());
    is_guid(object.text("appId"))
        && !has(of_principal)
        && !context.contains("#serviceprincipals")
        && (context.contains("#applications") || has(own))
}

pub(super) fn application(object: &Object, seen: &SeenId) -> (Application, Vec<String>) {
    let app_id = ApplicationId::new(object.text("appId"));
    let needs = Needs::Application(app_id.clone());
    let reading = Reading::new(object, seen, needs.clone());
    let keys = key_credentials(&reading, &needs);
    let notes = key_notes(&app_id, &keys);
    let application = Application {
        present: reading.known(true),
        display_name: reading.text("displayName"),
        keys,
        app_id,
        seen: vec![seen.clone()],
    };
    (application, notes)
}

/// A consented permission; those of people and groups are other things.
pub(super) fn assignment(object: &Object, seen: &SeenId) -> Option<AppRoleAssignment> {
    let id = |name: &str| {
        let id = object.text(name).trim();
        is_guid(id).then(|| id.to_ascii_lowercase())
    };
    let (principal_id, role_id, resource_id) =
        (id("principalId")?, id("appRoleId")?, id("resourceId")?);
    let holder = object.text("principalType");
    let of_application = holder.is_empty() || holder.eq_ignore_ascii_case("ServicePrincipal");
    let deleted = matches!(object.get("deletedDateTime"),
        Some(value) if !matches!(value, Value::Null) && value.as_text() != Some(""));
    (of_application && !deleted).then(|| AppRoleAssignment {
        principal_id,
        role_id,
        resource_id,
        seen: seen.clone(),
    })
}

#[cfg(test)]
mod tests {
    use checks::facts::{Facts, Reason};

    use super::super::super::{Asked, Decoded, Form, Owner, Source, decode};
    use super::*;

    const APP: &str = "0f1e2d3c-4b5a-4968-8776-655443322110";

    fn decoded(json: &str) -> Decoded {
        decode(json.as_bytes(), Source::named("a.json"))
    }

    fn facts(json: &str) -> Facts {
        let mut decoded = decoded(json);
        assert_eq!(decoded.form, Form::Graph, "{json}");
        std::mem::take(decoded.of(Owner::Anyone))
    }

    #[test]
    fn an_application_is_told_from_its_service_principal() {
        let of = |context: &str, members: &str| {
            let facts = facts(&format!(
                r#"{{"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#{context}/$entity",
                     "id": "aaaaaaaa-1111-4222-8333-444444444444", "appId": "{APP}", "keyCredentials": [] {members}}}"#
            ));
            (facts.applications.len(), facts.service_principals.items.len())
        };
        assert_eq!(of("applications(id,appId)", ""), (1, 0));
        assert_eq!(of("servicePrincipals(id,appId)", ""), (0, 1));
        assert_eq!(of("servicePrincipals", r#", "signInAudience": "AzureADMyOrg""#), (0, 1));
        assert_eq!(of("x", r#", "requiredResourceAccess": []"#), (1, 0));
        let sign_in = r#", "signInAudience": "x", "servicePrincipalNames": []"#;
        assert_eq!(of("x", sign_in), (0, 1));
    }

    #[test]
    fn a_list_of_applications_is_read() {
        let facts = facts(&format!(
            r#"{{"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#applications",
                 "value": [{{"appId": "{APP}", "displayName": "ExchangeServerApp",
                 "keyCredentials": [{{"keyId": "b", "key": null, "usage": "Verify"}}]}}]}}"#
        ));
        let [application] = facts.applications.as_slice() else { panic!() };
        assert_eq!(application.app_id, ApplicationId::new(APP));
        assert_eq!(application.keys.value().unwrap().len(), 1);
        assert_eq!(application.present.value(), Some(&true));
    }

    #[test]
    fn consented_permissions_are_those_of_applications() {
        let item = |kind: &str, deleted: &str| {
            format!(
                r#"{{"id": "x", "appRoleId": "DC890D15-9560-4a4c-9b7f-a736ec74ec40",
                    "principalId": "dddddddd-1111-4222-8333-444444444444", "principalType": "{kind}",
                    "resourceId": "eeeeeeee-1111-4222-8333-444444444444", "deletedDateTime": {deleted}}}"#
            )
        };
        let facts = facts(&format!(
            r#"{{"@odata.context": "x#appRoleAssignments", "value": [{}, {}, {}]}}"#,
            item("ServicePrincipal", "null"),
            item("User", "null"),
            item("ServicePrincipal", "\"2026-01-01T00:00:00Z\""),
        ));
        let [assignment] = facts.app_role_assignments.as_slice() else { panic!() };
        assert_eq!(assignment.role_id, "dc890d15-9560-4a4c-9b7f-a736ec74ec40");
        let empty = decoded(r#"{"@odata.context": "x#appRoleAssignments", "value": []}"#);
        assert!(empty.facts.is_empty());
        assert!(empty.notes[0].contains("does not tell"), "{:?}", empty.notes);
    }

    #[test]
    fn what_graph_did_not_find_is_no_proof_where_it_may_be_two_things() {
        let of = |id: &str| {
            decoded(&format!(
                r#"{{"error": {{"code": "Request_ResourceNotFound", "message": "Resource '{id}' does not exist or one of its queried reference-property objects are not present."}}}}"#
            ))
        };
        let mut known = of("00000004-0000-0ff1-ce00-000000000000");
        let principals = &known.of(Owner::Anyone).service_principals.items;
        assert_eq!(principals[0].present.value(), Some(&false));
        assert_eq!(known.notes.len(), 0);
        let other = of(APP);
        assert_eq!((other.form, other.facts.len()), (Form::Graph, 0));
        assert!(other.notes[0].contains("does not tell"), "{:?}", other.notes);
    }

    #[test]
    fn what_graph_did_not_find_is_the_object_that_was_asked_for() {
        let id = ApplicationId::new(APP);
        let of = |asked: Asked, named: &str, code: &str| {
            let json = format!(
                r#"{{"error": {{"code": "{code}", "message": "Resource '{named}' does"}}}}"#
            );
            let source = Source { asked: Some(asked), ..Source::named("graph") };
            let mut decoded = decode(json.as_bytes(), source);
            let facts = std::mem::take(decoded.of(Owner::Anyone));
            let present = asked.present(&facts).cloned();
            present.map(|it| it.read().map(|it| it.value).map_err(|why| why.reason))
        };
        let absent = "Request_ResourceNotFound";
        for asked in [Asked::Application(&id), Asked::ServicePrincipal(&id)] {
            assert_eq!(of(asked, APP, absent), Some(Ok(false)));
            assert_eq!(of(asked, "x", absent), Some(Ok(false)));
            let other = "00000004-0000-0ff1-ce00-000000000000";
            assert_eq!(of(asked, other, absent), None);
            let denied = of(asked, APP, "Authorization_RequestDenied");
            assert_eq!(denied, Some(Err(Reason::Forbidden)));
            assert_eq!(of(asked, APP, "SomethingElse"), None);
        }
    }
}
