//! Management roles: with their entries, or as a list of entries that name them.

use checks::facts::{Fact, Grade, Identity, ManagementRole, Needs, Organisation, Reason, Unknown};

use super::super::reading::Reading;
use super::super::value::Value;
use super::super::{Decoded, Owner, limits};

pub(crate) fn management_role(reading: &Reading) -> ManagementRole {
    let listed = reading.object.get("RoleEntries").map(Value::elements).unwrap_or_default();
    let glued = |value: &Value| value.as_text().is_some_and(|it| it.matches('(').count() > 1);
    let entries = if listed.iter().any(glued) {
        let detail = "RoleEntries was cut by ConvertTo-Json, which shows it with -Depth 5";
        reading.unknown(Reason::Truncated, detail.into())
    } else if listed.iter().map(Value::as_text).any(|it| it.is_some_and(too_long)) {
        // A cmdlet of very many parameters: its name is all that is kept.
        reading.known(listed.iter().filter_map(entry).collect())
    } else {
        reading.fact("RoleEntries", |value| value.elements().iter().map(entry).collect())
    };
    ManagementRole {
        identity: reading.identity(),
        parent: reading.reference("Parent"),
        entries,
        seen: vec![reading.seen.clone()],
    }
}

fn too_long(text: &str) -> bool {
    text.len() > limits::TEXT
}

/// The entry's own name: `(Microsoft.Exchange…) Get-X -Identity …` is `Get-X`.
fn entry(value: &Value) -> Option<String> {
    let text = match value {
        Value::Object(object) if object.text.is_empty() => object.text("Name"),
        value => value.as_text()?,
    };
    let text = match text.trim_start().strip_prefix('(') {
        Some(rest) => rest.split_once(')')?.1,
        None => text,
    };
    let name = text.split_whitespace().next()?;
    (name.len() <= 256).then(|| name.to_owned())
}

/// Adds one row of Get-ManagementRoleEntry to its role. `place` is that role's
/// place in the list of its owner, once there is one.
///
/// Whoever asks for one entry gets one row: that the others do not exist is
/// only presumed.
pub(crate) fn add_entry(
    decoded: &mut Decoded,
    places: &mut std::collections::HashMap<String, usize>,
    reading: &Reading,
) {
    let role = match reading.reference("Role") {
        Fact::Known(known) => known.value.unwrap_or_default(),
        Fact::Unknown(_) => Identity::default(),
    };
    let name = entry(&Value::Text(reading.object.text("Name").into()));
    let (Some(name), Some(key)) = (name, role.keys().into_iter().next()) else {
        let line = reading.object.line;
        decoded.notes.push(format!("line {line}: a role entry without a name or a role"));
        return;
    };
    let owner = role.dn.as_deref().and_then(Organisation::of_dn);
    let roles = decoded.of(owner.map_or(Owner::Anyone, Owner::Organisation));
    let roles = &mut roles.management_roles.items;
    let place = *places.entry(key).or_insert(roles.len());
    if roles.len() == place {
        roles.push(ManagementRole {
            identity: role,
            parent: reading.unknown(Reason::NotCollected, "a list of entries has no Parent".into()),
            entries: reading.known(Vec::new()).graded(Grade::Inferred),
            seen: vec![reading.seen.clone()],
        });
    }
    if let Some(ManagementRole { entries: Fact::Known(entries), .. }) = roles.get_mut(place) {
        entries.value.push(name);
    }
}

/// The entries of a list that is cut are not all.
pub(crate) fn incomplete(roles: &mut [ManagementRole], why: &Unknown) {
    for role in roles {
        if matches!(&role.entries, Fact::Known(known) if known.grade == Grade::Inferred) {
            let why = Unknown { needs: Needs::ManagementRoles, ..why.clone() };
            role.entries = why.detail("the list is cut").into();
        }
    }
}
