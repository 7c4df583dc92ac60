//! Every search that is ever made of a directory.
//!
//! A connection takes searches of this module only, so that what a controller
//! may be asked for stands here and nowhere else. Attributes are named one by
//! one: asking for `*` would hand over secrets to whoever may read them.

use checks::facts::Needs;
use ldap3::Scope;

use crate::decode::directory::ATTRIBUTES;

/// One search, apart from where it begins and what its filter is filled with.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Search {
    /// What it looks for, as it reads after "search for".
    pub(super) what: &'static str,
    /// Where it begins, below the object that is known so far.
    pub(super) below: &'static str,
    pub(super) depth: Depth,
    /// Its filter; `{}` stands for an object's name.
    pub(super) filter: &'static str,
    pub(super) attributes: Attributes,
    /// Whether every organisation has the place where it begins, so that one
    /// that is not shown is hidden.
    pub(super) always: bool,
}

/// How far a search reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// The object itself.
    Object,
    /// What is directly below it.
    Children,
    /// It, and all that is below it.
    All,
}

/// What a search asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attributes {
    /// Where the directory's parts are.
    Root,
    /// What the decoder uses of an object of Exchange.
    Used,
    /// What names an object.
    Names,
    /// The groups in whose name the connection asks.
    Token,
    /// What the connection could change of an object. The directory works it out
    /// for whoever asks, so that nothing has to be tried.
    Writable,
    /// What tells a group from others.
    Groups,
}

/// Every object of Exchange has it. Who can read it can read others of Exchange's
/// attributes, so that one that is absent may be believed to be.
const VERSION: &str = "msExchVersion";

const ROOT_ATTRIBUTES: [&str; 5] = [
    "configurationNamingContext",
    "defaultNamingContext",
    "dnsHostName",
    "isGlobalCatalogReady",
    "rootDomainNamingContext",
];

impl Attributes {
    pub(super) fn names(self) -> Vec<&'static str> {
        match self {
            Self::Root => ROOT_ATTRIBUTES.to_vec(),
            Self::Used => ATTRIBUTES.into_iter().chain([VERSION]).collect(),
            Self::Names => vec!["cn", "objectClass", "objectGUID"],
            Self::Token => vec!["tokenGroups"],
            Self::Writable => {
                vec![
                    "allowedAttributesEffective",
                    "allowedChildClassesEffective",
                    "sDRightsEffective",
                ]
            }
            Self::Groups => vec!["cn", "objectSid"],
        }
    }
}

impl Depth {
    pub(super) fn scope(self) -> Scope {
        match self {
            Self::Object => Scope::Base,
            Self::Children => Scope::OneLevel,
            Self::All => Scope::Subtree,
        }
    }
}

/// Where the directory's parts are.
pub(super) const ROOT: Search = Search {
    what: "the root",
    below: "",
    depth: Depth::Object,
    filter: "(objectClass=*)",
    attributes: Attributes::Root,
    always: true,
};

/// The organisation of Exchange, below the configuration.
pub(super) const ORGANISATION: Search = Search {
    what: "the Exchange organisation",
    below: "CN=Microsoft Exchange,CN=Services",
    depth: Depth::Children,
    filter: "(objectClass=msExchOrganizationContainer)",
    attributes: Attributes::Names,
    always: true,
};

/// A linked account, by its own name.
pub(super) const ACCOUNT: Search = Search {
    what: "the linked account",
    below: "",
    depth: Depth::Object,
    filter: "(objectClass=user)",
    attributes: Attributes::Used,
    always: true,
};

/// The groups of an account, those of groups included. The primary group is not
/// among them; nobody assigns roles to `Domain Users`.
pub(super) const GROUPS: Search = Search {
    what: "the groups of the linked account",
    below: "",
    depth: Depth::All,
    filter: "(&(objectClass=group)(member:1.2.840.113556.1.4.1941:={}))",
    attributes: Attributes::Names,
    always: true,
};

/// Whether a place is there.
pub(super) const PLACE: Search = Search {
    what: "a place in the configuration",
    below: "",
    depth: Depth::Object,
    filter: "(objectClass=*)",
    attributes: Attributes::Names,
    always: true,
};

/// In whose name the connection asks, groups of groups included.
pub(super) const TOKEN: Search = Search {
    what: "the groups of the account",
    below: "",
    depth: Depth::Object,
    filter: "(objectClass=*)",
    attributes: Attributes::Token,
    always: true,
};

/// What the connection could change of an object.
pub(super) const WRITABLE: Search = Search {
    what: "the rights of the account",
    below: "",
    depth: Depth::Object,
    filter: "(objectClass=*)",
    attributes: Attributes::Writable,
    always: true,
};

/// The groups that Exchange makes, below the first domain of the forest.
pub(super) const EXCHANGE_GROUPS: Search = Search {
    what: "the groups of Exchange",
    below: "OU=Microsoft Exchange Security Groups",
    depth: Depth::Children,
    filter: "(objectClass=group)",
    attributes: Attributes::Groups,
    always: false,
};

/// More values of one attribute, whose name a connection adds.
pub(super) const MORE_VALUES: Search = Search {
    what: "more values of an attribute",
    below: "",
    depth: Depth::Object,
    filter: "(objectClass=*)",
    attributes: Attributes::Used,
    always: true,
};

/// One kind of object in the organisation's configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    AuthConfig,
    AuthServers,
    PartnerApplications,
    RoleAssignments,
    Roles,
    SettingOverrides,
    Connectors,
    AcceptedDomains,
    Servers,
    VirtualDirectories,
}

impl Part {
    /// All of them; what others wait for comes first.
    pub(super) const ALL: [Self; 10] = [
        Self::PartnerApplications,
        Self::AuthConfig,
        Self::AuthServers,
        Self::RoleAssignments,
        Self::Roles,
        Self::VirtualDirectories,
        Self::Servers,
        Self::SettingOverrides,
        Self::Connectors,
        Self::AcceptedDomains,
    ];

    /// What an outcome lacks without it.
    pub(super) fn needs(self) -> Needs {
        match self {
            Self::AuthConfig => Needs::AuthConfig,
            Self::AuthServers => Needs::AuthServers,
            Self::PartnerApplications => Needs::PartnerApplications,
            Self::RoleAssignments => Needs::RoleAssignments,
            Self::Roles => Needs::ManagementRoles,
            Self::SettingOverrides => Needs::SettingOverrides,
            Self::Connectors => Needs::Connectors,
            Self::AcceptedDomains => Needs::AcceptedDomains,
            Self::Servers => Needs::Servers,
            Self::VirtualDirectories => Needs::VirtualDirectories,
        }
    }

    pub(super) fn search(self) -> &'static Search {
        match self {
            Self::AuthConfig => &AUTH_CONFIG,
            Self::AuthServers => &AUTH_SERVERS,
            Self::PartnerApplications => &PARTNER_APPLICATIONS,
            Self::RoleAssignments => &ROLE_ASSIGNMENTS,
            Self::Roles => &ROLES,
            Self::SettingOverrides => &SETTING_OVERRIDES,
            Self::Connectors => &CONNECTORS,
            Self::AcceptedDomains => &ACCEPTED_DOMAINS,
            Self::Servers => &SERVERS,
            Self::VirtualDirectories => &VIRTUAL_DIRECTORIES,
        }
    }
}

const AUTH_CONFIG: Search = Search {
    depth: Depth::Object,
    ..below("the AuthConfig", "CN=Auth Configuration", "(objectClass=msExchAuthAuthConfig)")
};

const AUTH_SERVERS: Search = below(
    "AuthServers",
    "CN=Auth Servers,CN=Auth Configuration",
    "(objectClass=msExchAuthAuthServer)",
);

const PARTNER_APPLICATIONS: Search = below(
    "partner applications",
    "CN=Partner Applications,CN=Auth Configuration",
    "(objectClass=msExchAuthPartnerApplication)",
);

const ROLE_ASSIGNMENTS: Search =
    below("role assignments", "CN=Role Assignments,CN=RBAC", "(objectClass=msExchRoleAssignment)");

/// Derived roles lie below their parents.
const ROLES: Search = Search {
    depth: Depth::All,
    ..below("management roles", "CN=Roles,CN=RBAC", "(objectClass=msExchRole)")
};

/// The first override may be what makes the place.
const SETTING_OVERRIDES: Search = Search {
    always: false,
    ..below(
        "setting overrides",
        "CN=Setting Overrides,CN=Global Settings",
        "(objectClass=msExchConfigSettings)",
    )
};

/// The same of the first connector.
const CONNECTORS: Search = Search {
    always: false,
    ..below(
        "intra-organisation connectors",
        "CN=Intra Organization Connectors",
        "(objectClass=msExchIntraOrganizationConnector)",
    )
};

const ACCEPTED_DOMAINS: Search = below(
    "accepted domains",
    "CN=Accepted Domains,CN=Transport Settings",
    "(objectClass=msExchAcceptedDomain)",
);

const SERVERS: Search = Search {
    depth: Depth::All,
    ..below("servers", "CN=Administrative Groups", "(objectClass=msExchExchangeServer)")
};

const VIRTUAL_DIRECTORIES: Search = Search {
    depth: Depth::All,
    ..below(
        "virtual directories",
        "CN=Administrative Groups",
        "(|(objectClass=msExchWebServicesVirtualDirectory)\
         (objectClass=msExchAutoDiscoverVirtualDirectory)\
         (objectClass=msExchMapiVirtualDirectory)\
         (objectClass=msExchOABVirtualDirectory))",
    )
};

/// A search for what is directly below a place that every organisation has.
const fn below(what: &'static str, below: &'static str, filter: &'static str) -> Search {
    Search {
        what,
        below,
        depth: Depth::Children,
        filter,
        attributes: Attributes::Used,
        always: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> impl Iterator<Item = &'static Search> {
        let parts = Part::ALL.into_iter().map(Part::search);
        let others = [
            &ROOT,
            &ORGANISATION,
            &ACCOUNT,
            &GROUPS,
            &PLACE,
            &TOKEN,
            &WRITABLE,
            &EXCHANGE_GROUPS,
            &MORE_VALUES,
        ];
        others.into_iter().chain(parts)
    }

    /// The connection takes only what stands in this file.
    #[test]
    fn no_search_can_ask_for_a_secret() {
        for search in all() {
            let names = search.attributes.names();
            assert!(!names.is_empty(), "no attribute at all means every attribute: {search:?}");
            for name in names {
                let plain = name.bytes().all(|octet| octet.is_ascii_alphanumeric());
                assert!(plain, "{name} of {search:?} is more than one attribute");
                assert!(!crate::decode::directory::Entry::is_secret(name), "{name} of {search:?}");
                assert!(!name.eq_ignore_ascii_case("msExchAuthAppSecret"));
            }
        }
    }

    #[test]
    fn every_filter_is_one() {
        for search in all() {
            let filter = search.filter.replace("{}", "CN=x");
            assert!(ldap3::parse_filter(&filter).is_ok(), "{filter}");
        }
    }

    #[test]
    fn every_part_is_asked_for_once() {
        let mut parts = Part::ALL.to_vec();
        parts.sort_unstable();
        parts.dedup();
        assert_eq!(parts.len(), Part::ALL.len());
    }
}
