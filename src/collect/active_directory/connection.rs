//! One encrypted connection to a controller: bind, search and unbind.
//!
//! Nothing else of LDAP can be done from here, and nothing of it elsewhere:
//! `clippy.toml` forbids what would change a directory. There is no way to a
//! connection that is not encrypted, so that no password can cross one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use checks::facts::Reason;
use ldap3::asn1::{PL, StructureTag, parse_tag};
use ldap3::controls::{Control, ControlType, PagedResults, RawControl};
use ldap3::{Ldap, LdapError, LdapResult, SearchOptions, ldap_escape};
use rustls::ClientConfig;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::connect::connected;
use super::failure::Failure;
use super::searches::{Depth, MORE_VALUES, PLACE, ROOT, Search};
use super::{Credentials, NAME};
use crate::collect::dns::Names;
use crate::collect::watch::{Begun, Watch, counted};
use crate::decode::directory::{ATTRIBUTES, Entry};
use crate::decode::{Limits, limits};

/// Entries of one page. Active Directory gives no more than 1000 at once.
const PAGE: i32 = 500;
/// Octets that all searches of one run may bring.
const OCTETS: usize = 256 << 20;

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    /// One request.
    pub(super) timeout: Duration,
    /// Everything.
    pub(super) deadline: Instant,
}

impl Times {
    /// Until when a request that begins now may take.
    pub(super) fn until(&self) -> Instant {
        self.deadline.min(Instant::now() + self.timeout)
    }

    /// Why a request was not answered by then.
    pub(super) fn over(&self, detail: &str) -> Failure {
        if Instant::now() < self.deadline {
            Failure::new(Reason::TimedOut, detail)
        } else {
            Failure::new(Reason::Deadline, "the run ended before the directory was read")
        }
    }
}

/// Who watches what is asked of a controller, and how often it was tried before.
#[derive(Debug, Clone)]
pub(super) struct Watched {
    pub(super) watch: Watch,
    pub(super) attempt: u32,
}

impl Watched {
    fn begin(&self, place: &str, what: impl FnOnce() -> String) -> Begun {
        self.watch.begin(NAME, self.attempt, || format!("LDAP {place} {}", what()))
    }
}

/// How much all controllers together may still bring.
#[derive(Debug)]
pub(super) struct Budget {
    entries: AtomicUsize,
    values: AtomicUsize,
    octets: AtomicUsize,
}

impl Budget {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            entries: AtomicUsize::new(limits.objects),
            values: AtomicUsize::new(limits.values),
            octets: AtomicUsize::new(OCTETS),
        }
    }

    /// Takes an entry off, if there is enough left.
    fn take(&self, raw: &Raw) -> Result<(), Failure> {
        let values = raw.attributes.iter().map(|(_, values)| values.len()).sum();
        let octets = raw.attributes.iter().flat_map(|(_, it)| it).map(Vec::len).sum();
        let spent = |of: &AtomicUsize, what: usize| {
            let left = |left: usize| left.checked_sub(what);
            of.fetch_update(Ordering::Relaxed, Ordering::Relaxed, left).is_err()
        };
        if spent(&self.entries, 1) || spent(&self.values, values) || spent(&self.octets, octets) {
            let detail = "the directory gives more than any organisation has; --limit moves this";
            return Err(Failure::new(Reason::TooLarge, detail));
        }
        Ok(())
    }
}

/// What a search gave before it ended.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) entries: Vec<Entry>,
    pub(super) end: End,
}

/// How a search ended.
#[derive(Debug, Default, PartialEq)]
pub(super) enum End {
    /// All of it was read.
    #[default]
    Whole,
    /// The place where it should begin is not there, or is not shown.
    NoSuchPlace,
    /// Another controller holds it.
    Elsewhere,
    /// The controller answered, but not as one would wish.
    Refused(Failure),
    /// The controller is of no more use.
    Lost(Failure),
}

/// An encrypted connection.
#[derive(Debug)]
pub(super) struct Connection {
    ldap: Ldap,
    driver: JoinHandle<()>,
    times: Times,
    budget: Arc<Budget>,
    watched: Watched,
    /// Host and port.
    place: String,
    #[cfg(feature = "kerberos")]
    host: String,
}

impl Connection {
    /// Connects, and does not return before TLS stands: at once for `ldaps`,
    /// after StartTLS for `ldap`.
    pub(super) async fn open(
        url: &Url,
        tls: Arc<ClientConfig>,
        names: Option<Names>,
        times: Times,
        budget: Arc<Budget>,
        watched: Watched,
    ) -> Result<Self, Failure> {
        let host = url.host_str().unwrap_or_default();
        let port = url.port().unwrap_or(if url.scheme() == "ldaps" { 636 } else { 389 });
        let place = format!("{host}:{port}");
        let begun = watched.begin(&place, || "connect".to_owned());
        let connected = connected(url, port, tls, names, times).await;
        let told = connected.as_ref().map(|_| "TLS established".to_owned());
        begun.end(told.map_err(Failure::told));
        let (connection, ldap) = connected?;
        // What ends it is seen by whoever waits for an answer.
        let driver = tokio::spawn(async move { drop(connection.drive().await) });
        Ok(Self {
            ldap,
            driver,
            times,
            budget,
            watched,
            place,
            #[cfg(feature = "kerberos")]
            host: host.to_owned(),
        })
    }

    /// Says who asks.
    pub(super) async fn bind(&self, credentials: Credentials<'_>) -> Result<(), Failure> {
        let begun = self.watched.begin(&self.place, || "bind".to_owned());
        let bound = self.bind_as(credentials).await;
        begun.end(bound.as_ref().map(|()| "accepted".to_owned()).map_err(Failure::told));
        bound
    }

    async fn bind_as(&self, credentials: Credentials<'_>) -> Result<(), Failure> {
        let (user, password) = match credentials {
            Credentials::Simple { user, password } => (user, password),
            Credentials::Kerberos => return self.bind_by_kerberos().await,
        };
        // A name without a password is bound as nobody, and called a success.
        if user.trim().is_empty() || password.expose().is_empty() {
            let why = "neither the user nor the password may be empty";
            return Err(Failure::new(Reason::Unauthenticated, why));
        }
        let mut ldap = self.ldap.clone();
        let binding = ldap.simple_bind(user, password.expose());
        match timeout_at(self.times.until(), binding).await {
            Ok(Ok(result)) if result.rc == 0 => Ok(()),
            Ok(Ok(result)) => Err(Failure::of_bind(&result, user)),
            Ok(Err(error)) => Err(Failure::of_request(&error)),
            Err(_) => Err(self.times.over("the controller did not answer the bind in time")),
        }
    }

    /// By the ticket of the user's credential cache, or that of a client keytab.
    #[cfg(feature = "kerberos")]
    async fn bind_by_kerberos(&self) -> Result<(), Failure> {
        let (mut ldap, host) = (self.ldap.clone(), self.host.clone());
        // The library waits for the key distribution centre without letting others run.
        let runtime = tokio::runtime::Handle::current();
        let binding = tokio::task::spawn_blocking(move || {
            runtime.block_on(async move { ldap.sasl_gssapi_bind(&host).await })
        });
        match timeout_at(self.times.until(), binding).await {
            Ok(Ok(Ok(result))) if result.rc == 0 => Ok(()),
            Ok(Ok(Ok(result))) => Err(Failure::of_bind(&result, "the Kerberos ticket")),
            Ok(Ok(Err(error))) => Err(Failure::of_kerberos(&error)),
            Ok(Err(_)) => Err(Failure::new(Reason::Unauthenticated, "Kerberos broke off")),
            Err(_) => Err(self.times.over("Kerberos did not answer in time")),
        }
    }

    #[cfg(not(feature = "kerberos"))]
    #[expect(clippy::unused_async, reason = "with the feature it waits")]
    async fn bind_by_kerberos(&self) -> Result<(), Failure> {
        let why = "this trustprobe was built without Kerberos (cargo's feature `kerberos`)";
        Err(Failure::new(Reason::Unauthenticated, why))
    }

    /// Searches from this place; the filter is filled with a name.
    pub(super) async fn search(&self, search: &'static Search, base: &str, name: &str) -> Found {
        let mut found = Found::default();
        let filter = search.filter.replace("{}", &ldap_escape(name));
        let mut cookie = Vec::new();
        loop {
            let page = self.page(search, base, &filter, cookie, &mut found).await;
            cookie = match page {
                Ok(next) if next.is_empty() => return found,
                Ok(next) => next,
                Err(end) => {
                    found.end = end;
                    return found;
                }
            };
        }
    }

    /// Whether a place is shown: a search below one that is hidden finds nothing,
    /// and calls that a success.
    pub(super) async fn shows(&self, place: &str) -> Result<bool, End> {
        let found = self.search(&PLACE, place, "").await;
        match found.end {
            // Of a place that is hidden, its name may be shown and nothing else.
            End::Whole => {
                Ok(found.entries.iter().any(|it| it.attributes.contains_key("objectclass")))
            }
            End::NoSuchPlace => Ok(false),
            end => Err(end),
        }
    }

    /// Where the parts of the directory are.
    pub(super) async fn root(&self) -> Result<Root, Failure> {
        let mut page = Vec::new();
        let names = ROOT.attributes.names();
        let result = match self.request(&ROOT, "", ROOT.filter, names, None, &mut page).await {
            Ok(result) if result.rc == 0 => page.into_iter().next(),
            Ok(result) => return Err(Failure::of_search(&result, ROOT.what)),
            Err(End::Lost(failure) | End::Refused(failure)) => return Err(failure),
            Err(_) => None,
        };
        result.as_ref().and_then(Root::of).ok_or_else(|| {
            let detail = "the root names no configuration: it is no directory of Windows";
            Failure::new(Reason::Malformed, detail)
        })
    }

    /// What a search gives, as it came: for answers that are no objects of Exchange.
    /// Nothing where the place is not there.
    pub(super) async fn values(
        &self,
        search: &'static Search,
        base: &str,
    ) -> Result<Vec<Raw>, Failure> {
        let mut page = Vec::new();
        let names = search.attributes.names();
        match self.request(search, base, search.filter, names, None, &mut page).await {
            Ok(result) if result.rc == 0 => Ok(page),
            Ok(result) if result.rc == 32 => Ok(Vec::new()),
            Ok(result) => Err(Failure::of_search(&result, search.what)),
            Err(End::Lost(failure) | End::Refused(failure)) => Err(failure),
            Err(_) => Ok(Vec::new()),
        }
    }

    /// One page; where the next one begins, or empty where there is none.
    async fn page(
        &self,
        search: &'static Search,
        base: &str,
        filter: &str,
        cookie: Vec<u8>,
        found: &mut Found,
    ) -> Result<Vec<u8>, End> {
        let mut page = Vec::new();
        let names = search.attributes.names();
        let paged = search.depth != Depth::Object;
        let asked = paged.then_some(cookie);
        let result = self.request(search, base, filter, names, asked, &mut page).await;
        // What came before the end of it stays.
        for raw in page {
            let entry = self.entry(raw).await?;
            found.entries.push(entry);
        }
        let result = result?;
        match result.rc {
            0 => Ok(next_page(&result.ctrls)),
            32 => Err(End::NoSuchPlace),
            10 => Err(End::Elsewhere),
            // Another controller may have the time that this one has not.
            1 | 51 | 52 => Err(End::Lost(Failure::of_search(&result, search.what))),
            _ => Err(End::Refused(Failure::of_search(&result, search.what))),
        }
    }

    /// Asks once, and puts what comes into `page`.
    async fn request(
        &self,
        search: &'static Search,
        base: &str,
        filter: &str,
        names: Vec<&str>,
        cookie: Option<Vec<u8>>,
        page: &mut Vec<Raw>,
    ) -> Result<LdapResult, End> {
        let begun = self.watched.begin(&self.place, || format!("search for {}", search.what));
        let result = self.asked(search, base, filter, names, cookie, page).await;
        begun.end(match &result {
            Ok(result) if result.rc == 0 => Ok(counted(page.len(), "entry", "entries")),
            Ok(result) if result.rc == 32 => Ok("no such place".to_owned()),
            Ok(result) if result.rc == 10 => Ok("another controller holds it".to_owned()),
            Ok(result) => Err(Failure::of_search(result, search.what).told()),
            Err(End::Lost(failure) | End::Refused(failure)) => Err(failure.told()),
            Err(_) => Ok(String::new()),
        });
        result
    }

    async fn asked(
        &self,
        search: &'static Search,
        base: &str,
        filter: &str,
        names: Vec<&str>,
        cookie: Option<Vec<u8>>,
        page: &mut Vec<Raw>,
    ) -> Result<LdapResult, End> {
        let lost = |error: LdapError| End::Lost(Failure::of_request(&error));
        let late = || End::Lost(self.times.over("the controller did not answer in time"));
        let mut ldap = self.ldap.clone();
        let seconds = self.times.timeout.as_secs().clamp(1, 3600);
        let options = SearchOptions::new().timelimit(i32::try_from(seconds).unwrap_or(i32::MAX));
        ldap.with_search_options(options);
        if let Some(cookie) = cookie {
            ldap.with_controls(RawControl::from(PagedResults { size: PAGE, cookie }));
        }
        let scope = search.depth.scope();
        let asking = ldap.streaming_search(base, scope, filter, names);
        let asked = timeout_at(self.times.until(), asking).await.map_err(|_| late())?;
        let mut stream = asked.map_err(lost)?;
        loop {
            let next = timeout_at(self.times.until(), stream.next()).await.map_err(|_| late())?;
            match next.map_err(lost)? {
                None => return Ok(stream.finish().await),
                // Continuation references, and what is neither entry nor end.
                Some(item) if item.is_ref() || item.is_intermediate() => {}
                Some(item) => {
                    let raw = Raw::of(item.0).ok_or_else(|| {
                        let detail = "an entry that cannot be read";
                        End::Lost(Failure::new(Reason::Malformed, detail))
                    })?;
                    self.budget.take(&raw).map_err(End::Refused)?;
                    page.push(raw);
                }
            }
        }
    }

    /// The entry, with the values that a controller gives only when it is asked again.
    async fn entry(&self, raw: Raw) -> Result<Entry, End> {
        let mut entry = Entry::new(&raw.dn, 0);
        for (description, values) in raw.attributes {
            let Some((name, first)) = ranged(&description) else {
                for value in values {
                    entry.add(&description, || value);
                }
                continue;
            };
            let mut next = first.map(|last| last + 1);
            for value in values {
                entry.add(name, || value);
            }
            while let Some(from) = next {
                match self.more(&raw.dn, name, from).await {
                    Ok((values, last)) => {
                        for value in values {
                            entry.add(name, || value);
                        }
                        // A range that does not go on would be asked for without end.
                        next = last.map(|last| last.max(from) + 1);
                    }
                    Err(End::Lost(failure)) => return Err(End::Lost(failure)),
                    Err(_) => {
                        entry.lose(name, Reason::Truncated, "the directory gave only a part of");
                        next = None;
                    }
                }
            }
        }
        Ok(entry)
    }

    /// The values from this one on; and the last of them, if there are still more.
    async fn more(
        &self,
        dn: &str,
        name: &str,
        from: usize,
    ) -> Result<(Vec<Vec<u8>>, Option<usize>), End> {
        // A controller chooses the name; what is asked for, it does not.
        let known = ATTRIBUTES.iter().find(|known| known.eq_ignore_ascii_case(name));
        let part = || End::Refused(Failure::new(Reason::Truncated, "only a part of the values"));
        let asked = format!("{};range={from}-*", known.ok_or_else(part)?);
        let mut page = Vec::new();
        let filter = MORE_VALUES.filter;
        let result = self.request(&MORE_VALUES, dn, filter, vec![&asked], None, &mut page).await?;
        if result.rc != 0 {
            return Err(part());
        }
        let attributes = page.into_iter().flat_map(|raw| raw.attributes);
        let found = attributes.filter_map(|(description, values)| {
            let (other, last) = ranged(&description)?;
            other.eq_ignore_ascii_case(name).then_some((values, last))
        });
        found.into_iter().next().filter(|(values, _)| !values.is_empty()).ok_or_else(part)
    }

    /// Says goodbye, without waiting for long.
    pub(super) async fn unbind(&self) {
        let mut ldap = self.ldap.clone();
        let until = self.times.deadline.min(Instant::now() + Duration::from_millis(200));
        drop(timeout_at(until, ldap.unbind()).await);
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// Where the parts of the directory are, as its root tells.
#[derive(Debug)]
pub(super) struct Root {
    /// The controller's own name.
    pub(super) host: Option<String>,
    pub(super) configuration: String,
    /// The domain of the controller, and the first one of the forest.
    pub(super) domain: String,
    pub(super) forest: String,
    /// Whether it is a global catalogue.
    pub(super) catalogue: bool,
}

impl Root {
    fn of(raw: &Raw) -> Option<Self> {
        let text = |name: &str| {
            let attribute = raw.attributes.iter().find(|(it, _)| it.eq_ignore_ascii_case(name))?;
            let text = String::from_utf8(attribute.1.first()?.clone()).ok()?;
            (!text.is_empty() && text.len() <= limits::TEXT).then_some(text)
        };
        let domain = text("defaultNamingContext").unwrap_or_default();
        Some(Self {
            host: text("dnsHostName").filter(|it| it.len() <= 255),
            configuration: text("configurationNamingContext")?,
            forest: text("rootDomainNamingContext").unwrap_or_else(|| domain.clone()),
            domain,
            catalogue: text("isGlobalCatalogReady").is_some_and(|it| it == "TRUE"),
        })
    }
}

/// An entry as it came.
pub(super) struct Raw {
    pub(super) dn: String,
    attributes: Vec<(String, Vec<Vec<u8>>)>,
}

impl Raw {
    /// The values of an attribute.
    pub(super) fn values(&self, name: &str) -> &[Vec<u8>] {
        let found = self.attributes.iter().find(|(it, _)| it.eq_ignore_ascii_case(name));
        found.map_or(&[], |(_, values)| values)
    }

    /// The crate's own reading of it panics where something is not as it should be.
    fn of(tag: StructureTag) -> Option<Self> {
        let mut parts = tag.expect_constructed()?.into_iter();
        let text = |tag: StructureTag| String::from_utf8(tag.expect_primitive()?).ok();
        let dn = text(parts.next()?)?;
        let mut attributes = Vec::new();
        for attribute in parts.next()?.expect_constructed()? {
            let mut parts = attribute.expect_constructed()?.into_iter();
            let name = text(parts.next()?)?;
            let values = parts.next()?.expect_constructed()?;
            let values: Option<Vec<_>> =
                values.into_iter().map(StructureTag::expect_primitive).collect();
            attributes.push((name, values?));
        }
        Some(Self { dn, attributes })
    }
}

/// `name;range=0-1499` as the name and the last of its values, if there are more.
fn ranged(description: &str) -> Option<(&str, Option<usize>)> {
    let (name, range) = description.split_once(';')?;
    let range =
        range.get(..6).filter(|it| it.eq_ignore_ascii_case("range=")).and(range.get(6..))?;
    let (_, last) = range.split_once('-')?;
    if last == "*" { Some((name, None)) } else { Some((name, Some(last.parse().ok()?))) }
}

/// Where the next page begins, as the controller says: `{ size, cookie }`.
fn next_page(controls: &[Control]) -> Vec<u8> {
    let paged = controls.iter().find(|it| matches!(it.0, Some(ControlType::PagedResults)));
    let cookie = paged.and_then(|control| {
        let (_, tag) = parse_tag(control.1.val.as_deref()?).ok()?;
        match tag.expect_constructed()?.pop()?.payload {
            PL::P(cookie) => Some(cookie),
            PL::C(_) => None,
        }
    });
    cookie.unwrap_or_default()
}
