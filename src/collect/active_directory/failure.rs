//! Why a controller did not give what it was asked for, in bounded words.

use std::io;

use checks::facts::Reason;
use ldap3::{LdapError, LdapResult};
use rustls::{CertificateError, Error as TlsError};

use crate::collect::retry;

/// Why something could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The bounded reason.
    pub reason: Reason,
    /// What was met, in one line. It holds no secret.
    pub detail: String,
    /// Whether the same controller may do better soon.
    pub(super) passes: bool,
}

/// Characters that are kept of what a controller says.
const SAID: usize = 200;

impl Failure {
    pub(super) fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into(), passes: false }
    }

    /// Of a cause that may be gone the next time.
    pub(super) fn passing(reason: Reason, detail: impl Into<String>) -> Self {
        Self { passes: true, ..Self::new(reason, detail) }
    }

    /// The same after so many tries.
    pub(super) fn after(mut self, tries: u32) -> Self {
        self.detail = retry::after(&self.detail, tries);
        self
    }

    /// What is said of it to whoever watches.
    pub(super) fn told(&self) -> (Reason, String) {
        (self.reason, self.detail.clone())
    }

    /// What stood in the way of TLS.
    pub(super) fn of_tls(error: &LdapError, host: &str) -> Self {
        let detail = match error {
            LdapError::Io { source } => match inner(source) {
                Some(error) => of_rustls(error, host),
                None => {
                    format!("the controller broke off while TLS was being established: {source}")
                }
            },
            LdapError::Rustls { source } => of_rustls(source, host),
            LdapError::DNSName { .. } => format!("{host} is no name that a certificate can hold"),
            _ => "the controller broke off before TLS was established".to_owned(),
        };
        Self::new(Reason::TlsFailed, detail)
    }

    /// What the controller said to a bind that it did not accept.
    pub(super) fn of_bind(result: &LdapResult, who: &str) -> Self {
        let reason = match result.rc {
            49 | 48 | 7 | 8 | 13 => Reason::Unauthenticated,
            51 | 52 => Reason::Unreachable,
            _ => Reason::Forbidden,
        };
        let why = match result.rc {
            49 => refusal(&result.text).to_owned(),
            _ => told(result),
        };
        let detail = format!("the controller does not accept {who}: {why}");
        Self { passes: is_busy(result), ..Self::new(reason, detail) }
    }

    /// Why there was no ticket to show.
    #[cfg(feature = "kerberos")]
    pub(super) fn of_kerberos(error: &LdapError) -> Self {
        let LdapError::GssapiOperationError(why) = error else { return Self::of_request(error) };
        let why: String = why.split_whitespace().collect::<Vec<_>>().join(" ");
        let why: String = why.chars().take(SAID).collect();
        Self::new(Reason::Unauthenticated, format!("no Kerberos ticket for the controller: {why}"))
    }

    /// What broke in the middle of a request.
    pub(super) fn of_request(error: &LdapError) -> Self {
        match error {
            LdapError::Timeout { .. } => {
                Self::new(Reason::TimedOut, "the controller did not answer in time")
            }
            LdapError::Io { source } if source.kind() == io::ErrorKind::InvalidData => {
                Self::new(Reason::TlsFailed, format!("TLS broke off: {source}"))
            }
            // Never the error's own text: a request stands in some of them.
            LdapError::FilterParsing => {
                Self::new(Reason::Malformed, "a name that no filter can hold")
            }
            _ => Self::passing(Reason::Unreachable, "the controller closed the connection"),
        }
    }

    /// What the controller said to a search that it ended.
    pub(super) fn of_search(result: &LdapResult, what: &str) -> Self {
        let reason = match result.rc {
            // "A successful bind must be completed".
            1 => Reason::Unauthenticated,
            3 => Reason::TimedOut,
            4 | 11 => Reason::Truncated,
            32 => Reason::Hidden,
            50 => Reason::Forbidden,
            51 | 52 => Reason::Unreachable,
            _ => Reason::Malformed,
        };
        let detail = format!("the search for {what} ended with {}", told(result));
        Self { passes: is_busy(result), ..Self::new(reason, detail) }
    }
}

/// Whether a controller only has no time for now.
fn is_busy(result: &LdapResult) -> bool {
    matches!(result.rc, 51 | 52)
}

/// TLS's own error inside that of the socket.
fn inner(error: &io::Error) -> Option<&TlsError> {
    error.get_ref()?.downcast_ref()
}

fn of_rustls(error: &TlsError, host: &str) -> String {
    let TlsError::InvalidCertificate(why) = error else {
        return format!("TLS: {error}");
    };
    match why {
        CertificateError::UnknownIssuer => format!(
            "the certificate of {host} comes from an authority that is not trusted; \
             network.ca_file can name it"
        ),
        CertificateError::NotValidForName => {
            format!("the certificate is for another name than {host}")
        }
        CertificateError::NotValidForNameContext { presented, .. } => {
            let names: Vec<&str> = presented.iter().take(5).map(String::as_str).collect();
            format!("the certificate is not for {host} but for {}", names.join(", "))
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            format!("the certificate of {host} has expired")
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            format!("the certificate of {host} is not valid yet")
        }
        other => format!("the certificate of {host} is refused: {other}"),
    }
}

/// The code and what the controller adds to it, without its internal addresses.
fn told(result: &LdapResult) -> String {
    let said: String = result.text.split_whitespace().collect::<Vec<_>>().join(" ");
    let said: String = said.chars().take(SAID).collect();
    if said.is_empty() {
        format!("code {}", result.rc)
    } else {
        format!("code {}, {said}", result.rc)
    }
}

/// What Active Directory's code in the text of a refused bind means.
///
/// Source: Microsoft, "Common Active Directory Bind Errors".
fn refusal(text: &str) -> &'static str {
    const CODES: [(&str, &str); 9] = [
        ("525", "no such user"),
        ("52e", "wrong user or password"),
        ("530", "not allowed to log on at this time"),
        ("531", "not allowed to log on from this machine"),
        ("532", "the password has expired"),
        ("533", "the account is disabled"),
        ("701", "the account has expired"),
        ("773", "the password must be changed first"),
        ("775", "the account is locked"),
    ];
    let code = text.split("data ").nth(1).and_then(|rest| rest.split([',', ' ', '\0']).next());
    let known = CODES.iter().find(|(known, _)| Some(*known) == code);
    known.map_or("wrong user or password", |(_, meaning)| meaning)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(rc: u32, text: &str) -> LdapResult {
        LdapResult {
            rc,
            matched: String::new(),
            text: text.into(),
            refs: Vec::new(),
            ctrls: Vec::new(),
        }
    }

    #[test]
    fn a_refused_bind_says_what_the_directory_means() {
        let said = |data: &str| {
            let text = format!(
                "80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, \
                 data {data}, v2580\0"
            );
            Failure::of_bind(&result(49, &text), "svc@x")
        };
        assert_eq!(
            said("775").detail,
            "the controller does not accept svc@x: the account is locked"
        );
        assert_eq!(said("52e").reason, Reason::Unauthenticated);
        assert!(said("zz").detail.ends_with("wrong user or password"));
        assert_eq!(Failure::of_bind(&result(51, "busy"), "x").reason, Reason::Unreachable);
        let forbidden = Failure::of_bind(&result(53, "a\n b\0"), "x");
        assert_eq!(forbidden.reason, Reason::Forbidden);
        assert!(forbidden.detail.contains("code 53, a b"), "{}", forbidden.detail);
    }

    #[test]
    fn what_a_search_ends_with_is_told_apart() {
        let reason = |rc| Failure::of_search(&result(rc, ""), "servers").reason;
        assert_eq!(reason(50), Reason::Forbidden);
        assert_eq!(reason(4), Reason::Truncated);
        assert_eq!(reason(3), Reason::TimedOut);
        assert_eq!(reason(1), Reason::Unauthenticated);
        assert_eq!(reason(2), Reason::Malformed);
        let detail = Failure::of_search(&result(50, ""), "servers").detail;
        assert_eq!(detail, "the search for servers ended with code 50");
    }
}
