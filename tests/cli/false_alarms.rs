//! False alarms and false passes of today's tools, kept out.

use serde_json::{Value, json};

use crate::organisation::{AUTH, CHALLENGE, EXCHANGE, Judged, Organisation, Outcome, SKYPE};

/// Nothing failed, warned or was left open.
fn assert_sound(organisation: &Organisation) -> Judged {
    let judged = organisation.judge();
    assert_eq!(judged.code, 0);
    assert_eq!(judged.json["verdict"], "passed");
    assert_eq!(judged.json["root_causes"], json!([]));
    assert_eq!(judged.notes(), [""; 0]);
    judged
}

fn status(judged: &Judged, check: &str) -> Value {
    judged.only(check)["status"].clone()
}

fn code(judged: &Judged, check: &str) -> Value {
    judged.only(check)["judgement"]["flawed"][0]["code"].clone()
}

#[test]
fn objects_of_the_wizard_are_known_by_what_they_are() {
    // `ACS - <guid>`, `EvoSts - <guid>` and a tenant id in the address stand in
    // the healthy organisation as it is; these are the wizard's other names.
    assert_sound(&Organisation::healthy());
    let names = [
        ("ACS - 0f1e2d3c-4b5a-4968-8776-655443322110", "ACS"),
        ("ACS - 0f1e2d3c-4b5a-4968-8776-655443322110", "WindowsAzureACS"),
        ("ACS - 0f1e2d3c-4b5a-4968-8776-655443322110", "EvoSts"),
        ("EvoSTS - 0f1e2d3c-4b5a-4968-8776-655443322110", "EvoSts"),
        ("EvoSTS - 0f1e2d3c-4b5a-4968-8776-655443322110", "ACS - of somebody"),
    ];
    for (from, to) in names {
        let organisation = Organisation::healthy();
        organisation.replace("AuthServers.xml", from, to);
        assert_sound(&organisation);
    }
    let organisation = Organisation::healthy();
    organisation.replace(
        "AuthServers.xml",
        "windows.net/11111111-2222-3333-4444-555555555555/metadata",
        "windows.net/contoso.onmicrosoft.com/metadata",
    );
    assert_sound(&organisation);
}

#[test]
fn an_application_goes_by_its_id() {
    let organisation = Organisation::healthy();
    organisation
        .replace("PartnerApplications.xml", "SfBOnline<", "Skype<")
        .replace("PartnerApplications.xml", ">Exchange Online<", ">SfBOnline<")
        .replace("PartnerApplications.xml", "0000-0ff1-ce00-", "0000-0FF1-CE00-");
    assert_sound(&organisation);
}

#[test]
fn the_verdict_on_authmetadataurl_is_about_authmetadataurl() {
    let organisation = Organisation::healthy();
    organisation.replace(
        "AuthServers.xml",
        r#""AuthMetadataUrl">https://accounts.accesscontrol.windows.net/"#,
        r#""AuthMetadataUrl">https://accounts.example.com/"#,
    );
    let judged = organisation.judge();
    assert_eq!(code(&judged, "auth-server-metadata-url"), "wrong_host");
    assert_eq!(judged.with_status("failed").len(), 1, "and about nothing else");

    // What is wrong elsewhere is not wrong here.
    for (property, value) in [("TokenIssuingEndpoint", "https://example.com"), ("Realm", "x")] {
        let organisation = Organisation::healthy();
        let text = organisation.text("AuthServers.xml");
        let start = text.find(&format!(r#"N="{property}">"#)).unwrap() + property.len() + 5;
        let end = start + text[start..].find('<').unwrap();
        organisation.write("AuthServers.xml", [&text[..start], value, &text[end..]].concat());
        assert_eq!(status(&organisation.judge(), "auth-server-metadata-url"), "passed");
    }
}

#[test]
fn a_server_without_the_certificate_stays_in_the_list() {
    // Of the third server no certificates were collected: it is not dropped.
    let organisation = Organisation::healthy();
    organisation.replace("ExchangeServers.xml", "EDGE1", "EX3");
    organisation.replace("ExchangeServers.xml", "edge1.", "ex3.");
    organisation.replace(
        "ExchangeServers.xml",
        r#"<B N="IsEdgeServer">true</B>"#,
        r#"<B N="IsEdgeServer">false</B>"#,
    );
    let judged = organisation.judge();
    let subjects = |judged: &Judged| -> Vec<(String, String)> {
        let outcomes = judged.outcomes().into_iter();
        let installed = outcomes.filter(|it| it.check == "auth-certificate-installed");
        installed.map(|it| (it.status, it.subject)).collect()
    };
    let row = |status: &str, subject: &str| (status.to_owned(), subject.to_owned());
    let expected = [
        row("passed", "5 ex1.corp.contoso.com"),
        row("passed", "5 ex2.corp.contoso.com"),
        row("unknown", "5 ex3.corp.contoso.com"),
    ];
    assert_eq!(subjects(&judged), expected);
    assert_eq!(judged.code, 3);

    // An empty store is no reason to drop it either.
    let text = organisation.text("Certificates-EX1.xml");
    let others = text.replace("ex1.corp", "ex3.corp").replace(AUTH, &"00".repeat(20));
    let without =
        others.replacen("<Obj RefId=\"0\">", "<Gone>", 1).replacen("  </Obj>\n", "  </Gone>\n", 1);
    organisation.write("Certificates-EX3.xml", without);
    let judged = organisation.judge();
    assert_eq!(subjects(&judged)[2], row("failed", "5 ex3.corp.contoso.com"));
    assert_eq!(judged.code, 1);
}

#[test]
fn an_edge_server_is_not_counted() {
    let judged = assert_sound(&Organisation::healthy());
    let edge: Vec<Outcome> = judged
        .outcomes()
        .into_iter()
        .filter(|outcome| outcome.subject.contains("edge1") && outcome.status != "not_applicable")
        .collect();
    assert_eq!(edge, []);
}

#[test]
fn the_linked_account_may_lie_anywhere_and_be_disabled() {
    // In the healthy organisation it lies in `OU=Service Accounts`.
    for place in ["CN=Users", "OU=Dienste\\, Konten,OU=Köln"] {
        let organisation = Organisation::healthy();
        for file in ["LinkedAccounts.xml", "PartnerApplications.xml", "RoleAssignments.xml"] {
            organisation.replace(file, "OU=Service Accounts", place);
        }
        assert_sound(&organisation);
    }
    for control in ["AccountDisabled, NormalAccount", "AccountDisabled, PasswordNotRequired"] {
        let organisation = Organisation::healthy();
        let members = format!(
            r#"<S N="UserAccountControl">{control}</S><B N="AccountDisabled">true</B><S N="Name">"#
        );
        organisation.replace("LinkedAccounts.xml", r#"<S N="Name">"#, &members);
        assert_sound(&organisation);
    }
}

/// Every file of an organisation of 2017, and of one that is hybrid and has Teams.
fn files_of_both() -> Vec<(&'static str, String)> {
    let files = |procedure: &'static str| {
        let names = Organisation::healthy_by(procedure).files().into_iter();
        names.map(move |name| (procedure, name))
    };
    files("skype-online").chain(files("teams")).collect()
}

#[test]
fn what_could_not_be_read_neither_fails_nor_passes() {
    for (procedure, name) in files_of_both() {
        let organisation = Organisation::healthy_by(procedure);
        let before = organisation.judge();
        organisation.remove(&name);
        let judged = organisation.judge();
        for bad in ["failed", "blocked", "error", "warning"] {
            assert_eq!(judged.with_status(bad), [], "without {name}");
        }
        let (passed, had) = (judged.with_status("passed"), before.with_status("passed"));
        let news: Vec<&Outcome> = passed.iter().filter(|it| !had.contains(it)).collect();
        assert_eq!(news, [] as [&Outcome; 0], "without {name}");
        let unknown = judged.with_status("unknown");
        let code = match name.as_str() {
            // Of a server without a document its store tells as much, and
            // nobody has to hand over the export of step 5.
            "ex1-metadata.json" | "ex2-metadata.json" | "OAuthCert.cer" => 0,
            _ => 3,
        };
        assert_eq!(judged.code, code, "without {name}");
        assert_eq!(!unknown.is_empty(), code == 3, "without {name}");
    }
}

#[test]
fn one_broken_file_does_not_end_the_run() {
    for (procedure, name) in files_of_both() {
        let organisation = Organisation::healthy_by(procedure);
        let before = organisation.judge();
        let octets = organisation.octets(&name);
        organisation.write(&name, &octets[..octets.len() / 2]);
        let judged = organisation.judge();
        assert!([0, 3].contains(&judged.code), "{name}: exit {}", judged.code);
        for bad in ["failed", "blocked", "error", "warning"] {
            assert_eq!(judged.with_status(bad), [], "cut {name}");
        }
        let (passed, had) = (judged.with_status("passed"), before.with_status("passed"));
        let news: Vec<&Outcome> = passed.iter().filter(|it| !had.contains(it)).collect();
        assert_eq!(news, [] as [&Outcome; 0], "cut {name}");
        let notes = judged.notes();
        let [note] = notes.as_slice() else { panic!("cut {name}: {notes:?}") };
        let place = if name == "OAuthCert.cer" { "DER" } else { "line " };
        assert!(note.starts_with(&format!("./{name}: ")) && note.contains(place), "{note}");
    }
}

#[test]
fn every_cut_is_survived() {
    let healthy = Organisation::healthy();
    let organisation = Organisation::healthy();
    let exports = ["PartnerApplications.xml", "RoleAssignments.xml", "Certificates-EX2.xml"];
    for name in exports.into_iter().chain([SKYPE, CHALLENGE]) {
        let octets = healthy.octets(name);
        for part in 1..16 {
            organisation.write(name, &octets[..octets.len() * part / 16]);
            let judged = organisation.judge();
            assert!([0, 3].contains(&judged.code), "{name}, {part}/16: exit {}", judged.code);
            assert_eq!(judged.with_status("failed"), [], "{name}, {part}/16");
        }
        organisation.write(name, octets);
    }
}

#[test]
fn a_self_signed_sha1_certificate_is_not_weak() {
    // Both certificates of the healthy organisation are.
    let judged = assert_sound(&Organisation::healthy());
    assert_eq!(status(&judged, "auth-certificate-strength"), "passed");
}

#[test]
fn a_key_without_material_is_neither_present_nor_absent() {
    let organisation = Organisation::healthy();
    organisation.change(SKYPE, |principal| principal["keyCredentials"][0]["key"] = Value::Null);
    for identifier in [json!(AUTH), json!("llkAKrvE5pol yIZVcz5+in1/SkY="), Value::Null] {
        organisation.change(SKYPE, |principal| {
            principal["keyCredentials"][0]["customKeyIdentifier"] = identifier.clone();
        });
        let judged = organisation.judge();
        assert_eq!(status(&judged, "service-principal-current-key"), "unknown", "{identifier}");
        assert_eq!((judged.code, judged.with_status("failed")), (3, vec![]), "{identifier}");
    }
    organisation.change(SKYPE, |principal| {
        principal["keyCredentials"][0].as_object_mut().unwrap().remove("key");
    });
    assert_eq!(status(&organisation.judge(), "service-principal-current-key"), "unknown");
}

#[test]
fn the_custom_key_identifier_alone_is_no_pass() {
    // It names the current certificate, and the key is another one.
    let organisation = Organisation::healthy();
    let other: Value = serde_json::from_str(&Organisation::with("24-one-server-only").text(SKYPE))
        .map(|principal: Value| principal["keyCredentials"][0]["key"].clone())
        .unwrap();
    organisation.change(SKYPE, |principal| principal["keyCredentials"][0]["key"] = other);
    let judged = organisation.judge();
    assert_eq!(code(&judged, "service-principal-current-key"), "key_missing");
    assert_eq!(judged.code, 1);
}

#[test]
fn an_answer_without_keys_is_not_an_answer_without_any() {
    let organisation = Organisation::healthy();
    organisation.change(SKYPE, |principal| {
        principal.as_object_mut().unwrap().remove("keyCredentials");
    });
    let judged = organisation.judge();
    assert_eq!(status(&judged, "service-principal-current-key"), "unknown");
    assert_eq!(judged.code, 3);

    organisation.change(SKYPE, |principal| principal["keyCredentials"] = json!([]));
    let judged = organisation.judge();
    assert_eq!(code(&judged, "service-principal-current-key"), "key_missing");
}

#[test]
fn a_refusal_of_graph_is_unknown() {
    let organisation = Organisation::healthy();
    organisation.write(
        SKYPE,
        r#"{ "error": { "code": "Authorization_RequestDenied", "message": "Insufficient privileges to complete the operation.", "innerError": { "date": "2026-11-23T08:00:00", "request-id": "x" } } }"#,
    );
    let judged = organisation.judge();
    assert_eq!((judged.code, judged.with_status("failed")), (3, vec![]));
    let outcome = judged.of_check("service-principal-present").remove(0);
    assert_eq!(outcome["judgement"]["unknown"]["reason"], "forbidden");
}

#[test]
fn a_role_that_is_only_delegated_is_not_held() {
    let organisation = Organisation::healthy();
    let text = organisation.text("RoleAssignments.xml");
    let at = text.rfind("<ToString>Regular</ToString><I32>1</I32>").unwrap();
    let delegating =
        text[at..].replacen("Regular</ToString><I32>1<", "DelegatingOrgWide</ToString><I32>6<", 1);
    organisation.write("RoleAssignments.xml", [&text[..at], &delegating].concat());
    let judged = organisation.judge();
    assert_eq!(code(&judged, "linked-account-roles"), "roles_missing");
}

#[test]
fn microsofts_own_names_prove_nothing_about_the_customer() {
    let organisation = Organisation::with("10-no-name");
    organisation.change(EXCHANGE, |principal| {
        let names = principal["servicePrincipalNames"].as_array_mut().unwrap();
        names.push(json!("https://outlook.office.com/"));
        names.push(json!("00000002-0000-0ff1-ce00-000000000000/*.infra.lync.com"));
    });
    assert_eq!(organisation.judge().with_status("failed").len(), 2);
}

/// The base64 of the first certificate of a store that has this line before it.
fn raw_data(text: &str, at: usize) -> &str {
    let start = text.match_indices(r#"N="RawData">"#).nth(at).unwrap().0 + 12;
    &text[start..start + text[start..].find('<').unwrap()]
}

#[test]
fn a_certificate_that_cannot_be_decoded_may_be_the_one() {
    let file = "Certificates-EX2.xml";
    let on = |judged: &Judged, server: &str| -> String {
        let installed =
            |it: &&Outcome| it.check == "auth-certificate-installed" && it.subject.contains(server);
        judged.outcomes().iter().find(installed).unwrap().status.clone()
    };
    let status_on_ex2 = |organisation: &Organisation| {
        let judged = organisation.judge();
        assert_eq!(judged.with_status("failed"), []);
        (on(&judged, "ex2"), judged.notes().len())
    };
    let text = Organisation::healthy().text(file);
    let (auth, mail) = (raw_data(&text, 0), raw_data(&text, 1));
    for spoiled in ["MIIDnot+base64+of+a+certificate=", "", "not base64 at all"] {
        for named in [true, false] {
            let organisation = Organisation::healthy();
            let mut broken = text.replace(auth, spoiled);
            if !named {
                broken = broken.replacen(&format!(r"ex2.corp.contoso.com\{AUTH}"), "", 1);
            }
            organisation.write(file, &broken);
            // The export names what it holds, whether or not that can be read.
            let (status, notes) = status_on_ex2(&organisation);
            assert_eq!(status, if named { "passed" } else { "unknown" }, "{spoiled}, {named}");
            assert_eq!(notes, usize::from(!spoiled.is_empty()), "{spoiled}, {named}");
            // Whatever another one may be, the one that was read is there.
            organisation.write(file, text.replace(mail, spoiled));
            assert_eq!(status_on_ex2(&organisation).0, "passed", "{spoiled}");
        }
    }
    // That of one server says nothing about another.
    let both = Organisation::with("24-one-server-only");
    let text = both.text("Certificates-EX1.xml");
    both.write("Certificates-EX1.xml", text.replace(raw_data(&text, 2), "MIID"));
    assert_eq!(on(&both.judge(), "ex2"), "failed");
}

#[test]
fn a_signing_key_that_cannot_be_decoded_may_be_the_one() {
    let organisation = Organisation::healthy();
    let text = organisation.text("AuthServers.xml");
    let start = text.find("<LST><S>").unwrap() + 8;
    let end = start + text[start..].find('<').unwrap();
    organisation.write("AuthServers.xml", text.replace(&text[start..end], "MIIDnot"));
    let judged = organisation.judge();
    assert_eq!(status(&judged, "auth-server-signing-keys"), "unknown");
    assert_eq!((judged.code, judged.notes().len()), (3, 1));
}

#[test]
fn what_convertto_json_cut_is_unknown() {
    // Below its depth an object becomes the name of its type, a list one text.
    let organisation = Organisation::healthy();
    let type_name = "Microsoft.Graph.PowerShell.Models.MicrosoftGraphKeyCredential";
    for keys in [json!([type_name]), json!(type_name), json!(format!("{type_name} {type_name}"))] {
        organisation.change(SKYPE, |principal| principal["keyCredentials"] = keys);
        let judged = organisation.judge();
        let outcome = judged.only("service-principal-current-key");
        assert_eq!(outcome["judgement"]["unknown"]["reason"], "truncated", "{outcome}");
        assert_eq!((judged.code, judged.with_status("failed")), (3, vec![]));
    }
    let organisation = Organisation::healthy();
    organisation.change(EXCHANGE, |principal| {
        let names = principal["servicePrincipalNames"].as_array().unwrap();
        let names: Vec<&str> = names.iter().map(|name| name.as_str().unwrap()).collect();
        principal["servicePrincipalNames"] = json!(names.join(" "));
    });
    let judged = organisation.judge();
    assert_eq!((judged.code, judged.with_status("failed")), (3, vec![]));
}

/// Nothing that is not known may fail or newly pass.
fn assert_open(judged: &Judged, healthy: &Judged, what: &str) {
    for bad in ["failed", "blocked", "error", "warning"] {
        assert_eq!(judged.with_status(bad), [], "{what}");
    }
    let known: Vec<(String, String)> =
        healthy.outcomes().into_iter().map(|it| (it.check, it.subject)).collect();
    for outcome in judged.with_status("passed") {
        // Of what another object says the name may be another.
        let same = |(check, _): &&(String, String)| *check == outcome.check;
        assert!(known.iter().any(|it| same(&it)), "{what}: {outcome}");
    }
    assert!([0, 3].contains(&judged.code), "{what}: exit {}", judged.code);
}

#[test]
fn a_property_that_was_not_exported_fails_nothing() {
    for (procedure, file) in files_of_both() {
        let whole = Organisation::healthy_by(procedure);
        if file == "OAuthCert.cer" || !whole.text(&file).starts_with("<Objs") {
            continue;
        }
        let (healthy, text) = (whole.judge(), whole.text(&file));
        let property = |line: &str| -> Option<String> {
            let member = line.strip_prefix("      <")?;
            Some(member.split_once(r#" N=""#)?.1.split('"').next()?.to_owned())
        };
        let mut names: Vec<String> = text.lines().filter_map(property).collect();
        names.sort();
        names.dedup();
        assert!(4 <= names.len(), "{file}");
        for name in names {
            let kept = text.lines().filter(|line| property(line).as_ref() != Some(&name));
            let organisation = Organisation::healthy_by(procedure);
            organisation.write(&file, kept.collect::<Vec<&str>>().join("\n"));
            assert_open(&organisation.judge(), &healthy, &format!("{file} without {name}"));
        }
    }
}

/// A metadata document, in contrast, is whole: what is not in it is not published.
#[test]
fn a_member_that_is_not_in_the_answer_fails_nothing() {
    let (old, new) = ("skype-online", "teams");
    for (procedure, file, within) in [
        (old, SKYPE, ""),
        (old, SKYPE, "/keyCredentials/0"),
        (old, EXCHANGE, ""),
        (new, EXCHANGE, ""),
        (new, "application.json", ""),
        (new, "application.json", "/keyCredentials/0"),
        (new, "application-principal.json", ""),
        (new, "consent.json", "/value/0"),
    ] {
        let organisation = Organisation::healthy_by(procedure);
        let healthy = organisation.judge();
        let whole: Value = serde_json::from_str(&organisation.text(file)).unwrap();
        for name in whole.pointer(within).unwrap().as_object().unwrap().keys() {
            for null in [false, true] {
                let organisation = Organisation::healthy_by(procedure);
                organisation.change(file, |answer| {
                    let object = answer.pointer_mut(within).unwrap().as_object_mut().unwrap();
                    let removed = object.remove(name);
                    // Of these null is what a healthy answer says.
                    if null && removed.is_some_and(|it| !it.is_null()) {
                        object.insert(name.clone(), Value::Null);
                    }
                });
                let what = format!("{file}{within} without {name}, null {null}");
                assert_open(&organisation.judge(), &healthy, &what);
            }
        }
    }
}
