//! The identity that a platform gives to its machines.
//!
//! It is asked without TLS, at an address of the machine or of its link: the one
//! place where that is right. So it goes a way of its own, which leads nowhere
//! else: no other address, no redirect, no proxy, no name but `localhost`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use checks::facts::Reason;
use jiff::Timestamp;
use reqwest::header::{HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use tokio::time::{Instant, timeout_at};
use url::{Host, Url};

use super::super::retry::again;
use super::super::watch::Watch;
use super::super::{Failure, dns, entra, failure, tls};
use super::{Answer, Asking, SMALL, body, kept, of_error, wait};
use crate::config::Secret;

/// Where Azure answers its virtual machines.
/// Source: Microsoft, "How to use managed identities … to acquire an access token".
const METADATA: &str = "http://169.254.169.254/metadata/identity/oauth2/token";
/// How long it may take to be connected. What answers is on this machine or its link.
const CONNECT: Duration = Duration::from_secs(2);

/// Who gives the machine its identity.
#[derive(Debug, Clone)]
pub(crate) enum Platform {
    /// The metadata service of a virtual machine.
    Machine,
    /// App Service, Functions or Container Apps: IDENTITY_ENDPOINT and IDENTITY_HEADER.
    Service { endpoint: Url, header: Secret },
}

/// Asks for a token of the machine's identity, for this resource.
pub(crate) async fn identity(
    platform: &Platform,
    resource: &str,
    client_id: Option<&str>,
    until: Instant,
    watch: &Watch,
) -> Result<Answer, Failure> {
    let request = request(platform, resource, client_id)?;
    let asking = Asking {
        source: entra::NAME,
        verb: "GET",
        url: &request.0,
        unsaid: None,
        identified: true,
        careless: false,
    };
    let client = client()?;
    let mut tries = 1;
    loop {
        let begun = asking.begin(watch, tries);
        let result = once(&client, &request, until).await;
        begun.end(asking.outcome(&result));
        if !again(tries, wait(&result, tries), until).await {
            return result.map(|answer| Answer { tries, ..answer }).map_err(|it| it.after(tries));
        }
        tries += 1;
    }
}

async fn once(
    client: &reqwest::Client,
    (url, header, value): &(Url, HeaderName, HeaderValue),
    until: Instant,
) -> Result<Answer, Failure> {
    let (asked, started, url) = (Timestamp::now(), Instant::now(), url.clone());
    let sent = async {
        let response = client.get(url.clone()).header(header, value).send().await;
        let response = response.map_err(|error| unanswered(&of_error(&error)))?;
        let (status, headers) = (response.status().as_u16(), kept(response.headers()));
        let body = body(response, SMALL).await?;
        Ok(Answer { url, status, headers, body, asked, took: started.elapsed(), tries: 1 })
    };
    let late = |_| failure(Reason::TimedOut, "the machine's identity did not answer".to_owned());
    timeout_at(until, sent).await.map_err(late)?
}

/// What is said where this machine has no such platform, most likely: so it is
/// not tried again.
fn unanswered(failed: &Failure) -> Failure {
    let text = format!("the service that gives this machine its identity: {}", failed.text());
    failure(failed.reason, text)
}

/// Address and header, if the address is one that may be asked.
fn request(
    platform: &Platform,
    resource: &str,
    client_id: Option<&str>,
) -> Result<(Url, HeaderName, HeaderValue), Failure> {
    let wrong = || {
        let text = "IDENTITY_ENDPOINT is no http address of this machine or its link";
        failure(Reason::NotCollected, text.to_owned())
    };
    let (mut url, version, header, value) = match platform {
        Platform::Machine => {
            let url = Url::parse(METADATA).map_err(|_| wrong())?;
            (url, "2018-02-01", "metadata", HeaderValue::from_static("true"))
        }
        Platform::Service { endpoint, header } => {
            let mut value = HeaderValue::from_str(header.expose())
                .map_err(|_| failure(Reason::Malformed, "IDENTITY_HEADER".to_owned()))?;
            value.set_sensitive(true);
            (endpoint.clone(), "2019-08-01", "x-identity-header", value)
        }
    };
    if !is_own(&url) {
        return Err(wrong());
    }
    url.query_pairs_mut()
        .clear()
        .append_pair("api-version", version)
        .append_pair("resource", resource)
        .extend_pairs(client_id.map(|id| ("client_id", id)));
    Ok((url, HeaderName::from_static(header), value))
}

/// Whether it is an address of this machine or of its link, and no other.
fn is_own(url: &Url) -> bool {
    let own = match url.host() {
        Some(Host::Ipv4(it)) => dns::is_local(IpAddr::V4(it)),
        Some(Host::Ipv6(it)) => dns::is_local(IpAddr::V6(it)),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    own && url.scheme() == "http" && url.username().is_empty() && url.password().is_none()
}

fn client() -> Result<reqwest::Client, Failure> {
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls::nobody())
        .resolve("localhost", SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
        .redirect(Policy::none())
        .referer(false)
        .no_proxy()
        .http1_only()
        .connect_timeout(CONNECT)
        .build()
        .map_err(|error| of_error(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(endpoint: &str) -> Platform {
        let endpoint = Url::parse(endpoint).unwrap();
        Platform::Service { endpoint, header: Secret::new("the-header".into()) }
    }

    #[test]
    fn a_virtual_machine_asks_the_one_documented_address() {
        let (url, header, value) =
            request(&Platform::Machine, "https://graph.microsoft.com", Some("x")).unwrap();
        assert_eq!(
            url.as_str(),
            "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01\
             &resource=https%3A%2F%2Fgraph.microsoft.com&client_id=x"
        );
        assert_eq!((header.as_str(), value.to_str().unwrap()), ("metadata", "true"));
    }

    #[test]
    fn nothing_but_this_machine_and_its_link_is_asked() {
        for (endpoint, own) in [
            ("http://127.0.0.1:41741/msi/token/", true),
            ("http://localhost:42356/msi/token", true),
            ("http://169.254.130.2:8081/msi/token", true),
            ("http://[::1]:8081/msi/token", true),
            ("http://10.0.0.1/msi/token", false),
            ("http://identity.contoso.com/msi/token", false),
            ("http://localhost.contoso.com/msi/token", false),
            ("https://127.0.0.1/msi/token", false),
            ("http://a@127.0.0.1/msi/token", false),
        ] {
            assert_eq!(request(&service(endpoint), "r", None).is_ok(), own, "{endpoint}");
        }
    }

    #[test]
    fn the_header_is_not_shown() {
        let (_, header, value) = request(&service("http://localhost:1/"), "r", None).unwrap();
        assert_eq!(header.as_str(), "x-identity-header");
        assert!(!format!("{value:?}").contains("the-header"));
    }
}
