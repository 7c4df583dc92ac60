//! What is public, and so may stay: Microsoft's ids and names, and our own words.

use std::collections::HashSet;
use std::sync::LazyLock;

use checks::procedure::{CLOUDS, PROCEDURES, Role};

/// Ends of names that are Microsoft's. What stands before one may be a tenant's.
const DOMAINS: [&str; 40] = [
    "apps.mil",
    "azurewebsites.net",
    "chinacloudapi.cn",
    "cloud.microsoft",
    "cloudapp.net",
    "exchangelabs.com",
    "hotmail.com",
    "live.com",
    "lync.com",
    "mail.onmicrosoft.com",
    "microsoft.com",
    "microsoft.us",
    "microsoftonline.cn",
    "microsoftonline.com",
    "microsoftonline.us",
    "msn.com",
    "office.com",
    "office.net",
    "office365.com",
    "office365.us",
    "onmicrosoft.com",
    "onmicrosoft.us",
    "onmschina.cn",
    "outlook.cn",
    "outlook.com",
    "partner.mail.onmschina.cn",
    "partner.onmschina.cn",
    "protection.outlook.com",
    "resource.mailboxmigration.his.msappproxy.net",
    "sharepoint.com",
    "skype.com",
    "skypeforbusiness.com",
    "sovcloud-identity.de",
    "sovcloud-identity.fr",
    "sovcloud.de",
    "sovcloud.fr",
    "svc.ms",
    "trafficmanager.net",
    "windows-ppe.net",
    "windows.net",
];

/// Parts of well-known paths.
const PATHS: [&str; 3] = ["exchange.asmx", "microsoft-server-activesync", "well-known"];

/// Labels that Microsoft uses below those, and nobody's name.
const LABELS: &str = "accesscontrol accounts dod graph login mail manage online outlook \
    partner portal prod protection s sipdir sipfed us webdir webconf www";

/// Words that say nothing about anybody wherever they stand, and those that a
/// check looks for.
const WORDS: &str = "
    cn ou dc o c l st e and as at for in of on the
    com net org local lan internal example invalid localhost test
    http https ldap ldaps ldapi smtp sip tcp tls udp dns x509 sts autodiscover lyncdiscover
    sipfederationtls version expected actual
    cer crt csv der evtx htm html json ldf ldif log pem ps1 saz svc asmx txt xml zip har gz
    metadata tokens oauth oauth2 delegation federationmetadata 2007 06 common authorize token
    v1 v2 openid ews mapi nspi oab owa ecp activesync httpapi iis microsoft
    acs evosts exchangeserverapp hybridioc delegating
    configuration services servers roles rbac protocols users computers builtin
    fydibohf23spdlt del lostandfound
    authconfig authservers partnerapplications linkedaccounts roleassignments exchangeservers
    oauthcert accepteddomains managementroles organizationconfig settingoverrides
    virtualdirectories";

/// Words that are values of a property, and are kept there alone.
const VALUES: &str = "
    microsoftacs azuread adfs facebook linkedin exchange unknown
    user mailuser linkeduser disableduser usermailbox linkedmailbox sharedmailbox roommailbox
    equipmentmailbox mailcontact mailforestcontact remoteusermailbox arbitrationmailbox
    discoverymailbox systemmailbox guestmailuser legacymailbox
    securitygroup rolegroup roleassignmentpolicy mailboxplan forestwide computer
    partnerlinkedrolegroup foreignsecurityprincipal regular delegatingorgwide
    asymmetricx509cert symmetric verify sign notdisabled
    disabledduetoviolationofservicesagreement none
    global exchangeonpremasthirdpartyappid enabled accepted invalidparameter true false
    enforceallowlist enforceblocklist
    bearer basic digest fba negotiate nego2 ntlm kerberos liveidbasic liveidfba adfs oauth
    wssecurity windowsintegrated certificate
    signing encryption issuance metadata delegationissuance1 0 protocol wsfederation wstrust
    invalid signature resource tenant client grant issuer token available not
    ecdsa ed25519 dsa rsa ec sha1withrsaencryption sha256withrsaencryption sha384withrsaencryption
    sha512withrsaencryption md5withrsaencryption rsassapss rsaencryption sha256 sha384 sha512 with
    getmailbox get mailbox applicationimpersonation
    get post put head options patch delete
    rs256 rs384 rs512 ps256 ps384 ps512 es256 es384 es512 hs256 none
    nameid iss appid azp smtp upn sip unique name preferred username email";

/// Names of several words that Exchange's setup or Microsoft gives.
const PHRASES: [&str; 40] = [
    "accepted domains",
    "administrative groups",
    "auth configuration",
    "auth servers",
    "default web site",
    "deleted objects",
    "exchange administrative group",
    "exchange back end",
    "exchange control panel",
    "exchange hybrid",
    "exchange online",
    "exchange servers",
    "exchange trusted subsystem",
    "exchange windows permissions",
    "federation settings",
    "first organization",
    "global settings",
    "intra organization connectors",
    "mail recipients",
    "mailbox search",
    "microsoft exchange",
    "microsoft exchange security groups",
    "microsoft exchange server auth certificate",
    "microsoft exchange system objects",
    "microsoft graph",
    "microsoft teams",
    "my organization",
    "office 365 exchange online",
    "of the tenant",
    "organization management",
    "partner applications",
    "recipient management",
    "role assignments",
    "role entries",
    "setting overrides",
    "skype for business online",
    "teams scheduler",
    "transport settings",
    "view only organization management",
    "windows azure active directory",
];

/// The words of what we say about sources and about what could not be read.
const WORDING: &str = include_str!("wording.txt");

/// The callers of Teams by user agent, patterns of which are compared letter by letter.
pub(super) const AGENTS: [&str; 8] = [
    "schedulingservice",
    "microsoftninja",
    "skypespaces",
    "presence",
    "microsoft",
    "skype",
    "teams",
    "app",
];

static PUBLIC: LazyLock<HashSet<String>> = LazyLock::new(|| {
    WORDS
        .split_whitespace()
        .map(str::to_owned)
        .chain(roles().filter(|it| !it.contains(' ')))
        .collect()
});

static NAMES: LazyLock<HashSet<String>> = LazyLock::new(|| {
    PHRASES.into_iter().map(str::to_owned).chain(roles().filter(|it| it.contains(' '))).collect()
});

static OF_PROPERTIES: LazyLock<HashSet<&str>> =
    LazyLock::new(|| VALUES.split_whitespace().collect());

/// The roles that a procedure asks for, and the entries of roles.
fn roles() -> impl Iterator<Item = String> {
    let accounts = PROCEDURES.iter().flat_map(|it| it.linked_accounts());
    let names = accounts.flat_map(|(_, account)| {
        let entries = account.roles.iter().filter_map(|role| match role {
            Role::Entry { entry, .. } => Some(*entry),
            Role::Whole(_) | Role::Newer(_) => None,
        });
        let roles = account.roles.iter().map(Role::name);
        roles.chain(account.most.iter().copied()).chain(entries)
    });
    names.map(str::to_lowercase)
}

static OURS: LazyLock<HashSet<&str>> = LazyLock::new(|| WORDING.split_whitespace().collect());
static MICROSOFTS: LazyLock<HashSet<&str>> = LazyLock::new(|| LABELS.split_whitespace().collect());
static HOSTS: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    let all = CLOUDS.iter().flat_map(|cloud| {
        let named = [cloud.graph, cloud.autodiscover].into_iter();
        let named = named.chain(cloud.acs.map(|acs| acs.host));
        cloud.login.iter().chain(cloud.exchange_online).copied().chain(named)
    });
    all.chain(DOMAINS).chain(PATHS).collect()
});

/// Whether the word may stand in any name.
pub(super) fn is_public(word: &str) -> bool {
    PUBLIC.contains(&word.to_lowercase())
}

/// Whether the word is a value that a property may have.
pub(super) fn is_value(word: &str) -> bool {
    OF_PROPERTIES.contains(word.to_lowercase().as_str())
}

/// Whether the words are together a name that Exchange or Microsoft gives.
pub(super) fn is_name(phrase: &str) -> bool {
    NAMES.contains(phrase.to_lowercase().as_str())
}

/// Whether we use the word ourselves, or Entra its codes.
pub(super) fn is_ours(word: &str) -> bool {
    let folded = word.to_lowercase();
    let code = folded.strip_prefix("aadsts");
    OURS.contains(folded.as_str())
        || code.is_some_and(|it| !it.is_empty() && it.bytes().all(|b| b.is_ascii_digit()))
}

/// Whether Microsoft has such a label below its own domains.
pub(super) fn is_label(word: &str) -> bool {
    MICROSOFTS.contains(word.to_lowercase().as_str())
}

/// The longest end of a host that is Microsoft's, as the number of its octets.
pub(super) fn microsofts(host: &str) -> Option<usize> {
    // Nothing is known to be longer, and a host may be as long as the text.
    let from = host.len().saturating_sub(80);
    let host = host.get(from..).filter(|it| it.is_ascii())?.to_ascii_lowercase();
    let dots = host.match_indices('.').map(|(at, _)| at + 1);
    let mut ends = std::iter::once(0).filter(|_| from == 0).chain(dots);
    ends.find_map(|at| host.get(at..).filter(|end| HOSTS.contains(end))).map(str::len)
}

/// Whether an id is one of Microsoft's applications, in every tenant the same.
pub(super) fn is_well_known(guid: &str) -> bool {
    const OTHERS: [&str; 4] = [
        "00000000-0000-0000-0000-000000000000",
        // full_access_as_app of Exchange Online.
        "dc890d15-9560-4a4c-9b7f-a736ec74ec40",
        "7557eb47-c689-4224-abcf-aef9bd7573df",
        "db7de2b5-2149-435e-8043-e080dd50afae",
    ];
    let guid = guid.to_ascii_lowercase();
    let family = ["-0000-0ff1-ce00-000000000000", "-0000-c000-000000000000"];
    OTHERS.contains(&guid.as_str())
        || (guid.starts_with("000000") && family.iter().any(|end| guid.ends_with(end)))
}
