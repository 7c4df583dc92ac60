//! What the account could do beside reading: its groups, and what it could change.
//!
//! Nothing is tried. A directory works out for whoever asks which attributes of
//! an object he may write, and in whose name a connection asks.

use std::collections::BTreeSet;
use std::sync::Arc;

use checks::facts::Reason;
use url::Url;

use super::Directory;
use super::connection::{Budget, Raw, Watched};
use super::failure::Failure;
use super::searches::{EXCHANGE_GROUPS, Part, TOKEN, WRITABLE};
use super::session::{Session, Turn, survived};
use crate::decode::limits;

/// Objects of one kind that are looked at.
const OBJECTS: usize = 20;

/// Objects that are named; whoever may change more may change them all.
const SHOWN: usize = 4;

/// What an account holds beside the right to read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Held {
    /// The controller that told.
    pub controller: String,
    /// Each right that reading does not take, as it reads after "the account".
    pub excess: Vec<String>,
    /// What could not be found out, and why.
    pub untold: Vec<String>,
}

/// Groups of a domain that change the directory, by the end of their SID.
/// Source: Microsoft, "Active Directory security groups", "Well-known SIDs".
const OF_DOMAIN: [(u32, &str); 8] = [
    (512, "Domain Admins"),
    (516, "Domain Controllers"),
    (517, "Cert Publishers"),
    (518, "Schema Admins"),
    (519, "Enterprise Admins"),
    (520, "Group Policy Creator Owners"),
    (526, "Key Admins"),
    (527, "Enterprise Key Admins"),
];

/// Groups that every controller has, by the end of `S-1-5-32-…`.
const BUILT_IN: [(u32, &str); 6] = [
    (544, "Administrators"),
    (548, "Account Operators"),
    (549, "Server Operators"),
    (550, "Print Operators"),
    (551, "Backup Operators"),
    (552, "Replicator"),
];

/// Groups of Exchange that change it, or read what is in mailboxes.
/// Source: Microsoft, "Permissions in Exchange Server", "Active Directory in Exchange Server".
const OF_EXCHANGE: [&str; 12] = [
    "Compliance Management",
    "Delegated Setup",
    "Discovery Management",
    "Exchange Servers",
    "Exchange Trusted Subsystem",
    "Exchange Windows Permissions",
    "Help Desk",
    "Hygiene Management",
    "Organization Management",
    "Public Folder Management",
    "Recipient Management",
    "Server Management",
];

/// Asks the first controller that answers; why none did, where none did.
pub async fn held(directory: &Directory<'_>) -> Result<Held, Failure> {
    let mut why = Failure::new(Reason::NotCollected, "no controller was asked");
    for address in directory.urls {
        match of(directory, address).await {
            Ok(held) => return Ok(held),
            Err(failure) => why = failure,
        }
        // Each refusal counts towards the lock of the account.
        if super::ends(why.reason) {
            break;
        }
    }
    Err(why)
}

async fn of(directory: &Directory<'_>, address: &str) -> Result<Held, Failure> {
    let malformed = || Failure::new(Reason::Malformed, format!("{address:?} is no address"));
    let url = Url::parse(address).map_err(|_| malformed())?;
    let budget = Arc::new(Budget::new(&directory.limits));
    let watched = Watched { watch: directory.watch.clone(), attempt: 1 };
    let session = Session::open(directory, &url, &Turn { budget, watched, by: 0 }).await?;
    let mut held = Held { controller: session.name.clone(), ..Held::default() };
    let asked = async {
        match session.groups().await {
            Ok(groups) => held.excess.extend(groups),
            Err(failure) => held.untold.push(format!("its groups: {}", failure.detail)),
        }
        match session.writable().await {
            Ok(rights) => held.excess.extend(rights),
            Err(failure) => held.untold.push(format!("what it may change: {}", failure.detail)),
        }
    };
    let asked = survived(asked).await;
    session.connection.unbind().await;
    asked.map(|()| held)
}

impl Session {
    /// The groups in whose name the connection asks that do more than read.
    async fn groups(&self) -> Result<Vec<String>, Failure> {
        let root = self.connection.values(&TOKEN, "").await?;
        let token = root.first().map(|it| it.values("tokenGroups")).unwrap_or_default();
        if token.is_empty() {
            let why = "the controller does not tell in whose name it was asked";
            return Err(Failure::new(Reason::SourceAbsent, why));
        }
        let known = token.iter().filter_map(|sid| Sid::of(sid)?.privileged());
        let mut groups: BTreeSet<String> = known.collect();
        let base = format!("{},{}", EXCHANGE_GROUPS.below, self.root.forest);
        for group in self.connection.values(&EXCHANGE_GROUPS, &base).await? {
            let name = group.values("cn").first().map(|it| String::from_utf8_lossy(it));
            let name = OF_EXCHANGE.into_iter().find(|it| name.as_deref() == Some(*it));
            let sid = group.values("objectSid").first();
            if let (Some(name), true) = (name, sid.is_some_and(|sid| token.contains(sid))) {
                groups.insert(format!("is in {name} of Exchange"));
            }
        }
        Ok(groups.into_iter().collect())
    }

    /// What the connection could change of what is read.
    async fn writable(&self) -> Result<Vec<String>, Failure> {
        let organisation = self.organisation().await?;
        let auth = Part::AuthConfig.search().below;
        let mut places = vec![organisation.clone(), format!("{auth},{organisation}")];
        for part in Part::ALL {
            let search = part.search();
            let place = format!("{},{organisation}", search.below);
            if matches!(part, Part::PartnerApplications | Part::AuthServers) {
                let found = self.connection.search(search, &place, "").await;
                places.extend(found.entries.into_iter().take(OBJECTS).map(|it| it.dn));
            }
            if !places.contains(&place) {
                places.push(place);
            }
        }
        let mut rights = Vec::new();
        for place in places {
            let found = self.connection.values(&WRITABLE, &place).await?;
            rights.extend(found.iter().filter_map(|raw| may(raw, &organisation)));
        }
        if let Some(more) = rights.len().checked_sub(SHOWN).filter(|more| 0 < *more) {
            rights.truncate(SHOWN);
            rights.push(format!("may change {more} more objects of Exchange"));
        }
        Ok(rights)
    }
}

/// What may be done with an object; nothing where it may only be read.
fn may(raw: &Raw, organisation: &str) -> Option<String> {
    let count = |name: &str| raw.values(name).len();
    let descriptor = raw.values("sDRightsEffective").first();
    // Owner, group, access and audit; `0` where none of them may be changed.
    let descriptor = descriptor.is_some_and(|it| it.as_slice() != b"0");
    let several = |number: usize, what: &str| {
        let plural = if number == 1 { "" } else { "s" };
        (0 < number).then(|| format!("{number} {what}{plural}"))
    };
    let attributes = several(count("allowedAttributesEffective"), "attribute");
    let classes = several(count("allowedChildClassesEffective"), "kind");
    let all = [
        attributes.map(|it| format!("change {it}")),
        classes.map(|it| format!("create objects of {it}")),
        descriptor.then(|| "change the permissions".to_owned()),
    ];
    let all: Vec<String> = all.into_iter().flatten().collect();
    let dn = raw.dn.get(..raw.dn.len().saturating_sub(organisation.len() + 1));
    let named = dn.filter(|it| !it.is_empty()).unwrap_or(&raw.dn);
    let named: String = named.chars().take(limits::TEXT).collect();
    (!all.is_empty()).then(|| format!("may {} of {named}", all.join(", ")))
}

/// A security identifier: its authority, and what stands below it.
struct Sid {
    authority: u64,
    below: Vec<u32>,
}

impl Sid {
    /// From its octets; `None` where they are none.
    fn of(octets: &[u8]) -> Option<Self> {
        let (head, rest) = octets.split_at_checked(8)?;
        let (&[1, count, ..], parts) = (head, rest.chunks_exact(4)) else { return None };
        let authority = head.iter().skip(2).fold(0, |sum, octet| sum << 8 | u64::from(*octet));
        let below: Vec<u32> =
            parts.filter_map(|it| it.try_into().ok().map(u32::from_le_bytes)).collect();
        (below.len() == usize::from(count) && rest.len() % 4 == 0)
            .then_some(Self { authority, below })
    }

    /// The group, where it may do more than read.
    fn privileged(&self) -> Option<String> {
        let among = |table: &[(u32, &'static str)], end: u32| {
            table.iter().find(|(number, _)| *number == end).map(|(_, name)| *name)
        };
        let name = match (self.authority, self.below.as_slice()) {
            (5, [21, _, _, _, end]) => among(&OF_DOMAIN, *end),
            (5, [32, end]) => among(&BUILT_IN, *end),
            _ => None,
        }?;
        let below = self.below.iter().map(|it| format!("-{it}"));
        Some(format!("is in {name} (S-1-{}{})", self.authority, below.collect::<String>()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sid(below: &[u32]) -> Vec<u8> {
        let count = u8::try_from(below.len()).unwrap();
        let head = [1, count, 0, 0, 0, 0, 0, 5];
        head.into_iter().chain(below.iter().flat_map(|it| it.to_le_bytes())).collect()
    }

    fn said(below: &[u32]) -> Option<String> {
        Sid::of(&sid(below)).unwrap().privileged()
    }

    #[test]
    fn groups_that_change_a_directory_are_known_by_their_sid() {
        assert_eq!(
            said(&[21, 1, 4_294_967_295, 3, 512]).unwrap(),
            "is in Domain Admins (S-1-5-21-1-4294967295-3-512)"
        );
        assert_eq!(said(&[32, 544]).unwrap(), "is in Administrators (S-1-5-32-544)");
        // Everybody is in these.
        for below in [&[21, 1, 2, 3, 513][..], &[21, 1, 2, 3, 1106], &[32, 545], &[11], &[512]] {
            assert_eq!(said(below), None, "{below:?}");
        }
    }

    #[test]
    fn what_is_no_sid_is_none() {
        let whole = sid(&[32, 544]);
        for cut in 0..whole.len() {
            assert!(Sid::of(&whole[..cut]).is_none(), "{cut}");
        }
        assert!(Sid::of(&[whole.as_slice(), &[0]].concat()).is_none());
        assert!(Sid::of(&[2, 0, 0, 0, 0, 0, 0, 5]).is_none());
        assert!(Sid::of(&[255; 2000]).is_none());
    }
}
