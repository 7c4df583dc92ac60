//! How an object of the directory is found, put in order and told from its tombstone.

use crate::facts::{Identity, relative_names};

/// The strongest thing by which a cmdlet finds this object.
pub(crate) fn address(object: &Identity) -> &str {
    object.dn.as_deref().or(object.guid.as_deref()).unwrap_or_else(|| object.label())
}

/// By name, and those of one name by what else is known of them, so that the
/// order of a list does not matter.
pub(crate) fn order(object: &Identity) -> (String, String) {
    (object.label().to_lowercase(), address(object).to_lowercase())
}

/// Whether an object is only the tombstone of one.
///
/// A directory renames a deleted object to `<name><line feed>DEL:<GUID>` and
/// moves it to the container `Deleted Objects`.
pub(crate) fn is_deleted(object: &Identity) -> bool {
    let dn = object.dn.as_deref().map(relative_names).unwrap_or_default();
    let canonical = object.canonical.as_deref().unwrap_or_default().to_lowercase();
    dn.iter().any(|name| name.contains("\ndel:") || name == "cn=deleted objects")
        || canonical.contains("\ndel:")
        || canonical.contains("/deleted objects/")
}

/// Whether both have something by which they could be told apart.
pub(crate) fn comparable(a: &Identity, b: &Identity) -> bool {
    (a.guid.is_some() && b.guid.is_some())
        || (a.dn.is_some() && b.dn.is_some())
        || (a.canonical.is_some() && b.canonical.is_some())
        || (!a.name.is_empty() && !b.name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::is_deleted;
    use crate::facts::Identity;

    #[test]
    fn a_tombstone_is_told_by_its_dn_or_its_canonical_text() {
        let dn = |dn: &str| Identity { dn: Some(dn.into()), ..Identity::default() };
        let canonical = |text: &str| Identity { canonical: Some(text.into()), ..dn("CN=x,DC=y") };
        let guid = "5f0c1d2e-3b4a-4c5d-8e6f-708192a3b4c5";
        assert!(is_deleted(&dn(&format!("CN=a\\0ADEL:{guid},CN=Deleted Objects,DC=corp"))));
        assert!(is_deleted(&dn(&format!("cn=a\\0adel:{guid},OU=Service,DC=corp"))));
        assert!(is_deleted(&dn("CN=a,CN=Deleted Objects,DC=corp")));
        assert!(is_deleted(&canonical("corp.contoso.com/Deleted Objects/a")));
        assert!(is_deleted(&canonical(&format!("corp.contoso.com/Users/a\nDEL:{guid}"))));
        assert!(!is_deleted(&dn("CN=Model:1,OU=Not Deleted Objects,DC=corp")));
        assert!(!is_deleted(&canonical("corp.contoso.com/Users/a")));
    }
}
