//! StartTLS: the only words that are spoken without encryption.
//!
//! They are spoken here and not by the LDAP library, since whoever is on the way
//! may answer them: what is read is bounded, and nothing of it is kept.

use std::io;

use checks::facts::Reason;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::failure::Failure;

/// Message 1: extendedRequest, requestName 1.3.6.1.4.1.1466.20037 (RFC 4511, 4.14).
const REQUEST: &[u8] = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037";
/// Octets of an answer. Real ones have fewer than a hundred.
const ANSWER: usize = 1024;

/// Asks for TLS, and returns when the controller is ready for it.
pub(super) async fn start(stream: &mut TcpStream) -> Result<(), Failure> {
    let broken = |error: io::Error| {
        let detail = format!("the controller broke off before TLS was established: {error}");
        Failure::new(Reason::TlsFailed, detail)
    };
    stream.write_all(REQUEST).await.map_err(broken)?;
    let mut header = [0; 2];
    stream.read_exact(&mut header).await.map_err(broken)?;
    let length = match header {
        [0x30, short @ 0..=0x7f] => usize::from(short),
        // Active Directory writes every length in four octets.
        [0x30, long @ 0x81..=0x84] => {
            let mut octets = [0; 4];
            let from = 4 - usize::from(long - 0x80);
            stream.read_exact(octets.get_mut(from..).unwrap_or_default()).await.map_err(broken)?;
            usize::try_from(u32::from_be_bytes(octets)).unwrap_or(usize::MAX)
        }
        _ => return Err(no_ldap()),
    };
    if length > ANSWER {
        return Err(no_ldap());
    }
    let mut answer = vec![0; length];
    stream.read_exact(&mut answer).await.map_err(broken)?;
    match code(&answer) {
        Some(0) => Ok(()),
        Some(code) => {
            let detail = format!("the controller refuses StartTLS with code {code}");
            Err(Failure::new(Reason::TlsFailed, detail))
        }
        None => Err(no_ldap()),
    }
}

fn no_ldap() -> Failure {
    Failure::new(Reason::TlsFailed, "the answer to StartTLS is no LDAP")
}

/// The result code of an extendedResponse to message 1.
fn code(answer: &[u8]) -> Option<u8> {
    let (tag, id, rest) = element(answer)?;
    let (response, content, _) = element(rest)?;
    let (enumerated, code, _) = element(content)?;
    let expected = (tag, id, response, enumerated) == (0x02, &[1], 0x78, 0x0a);
    match code {
        [code] if expected => Some(*code),
        _ => None,
    }
}

/// Tag and content of the first element, and what follows it.
fn element(octets: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = octets.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (length, rest) = rest.split_at_checked(usize::from(first - 0x80))?;
            (length.iter().fold(0, |sum, octet| sum << 8 | usize::from(*octet)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_is_one_element() {
        let (tag, content, rest) = element(REQUEST).unwrap();
        assert_eq!((tag, rest), (0x30, [].as_slice()));
        let (_, _, operation) = element(content).unwrap();
        let (tag, name, rest) = element(operation).unwrap();
        assert_eq!((tag, rest), (0x77, [].as_slice()));
        assert_eq!(element(name).unwrap(), (0x80, b"1.3.6.1.4.1.1466.20037".as_slice(), &[][..]));
    }

    #[test]
    fn only_an_extended_response_has_a_code() {
        let short = b"\x02\x01\x01\x78\x07\x0a\x01\x34\x04\x00\x04\x00";
        assert_eq!(code(short), Some(52));
        let long = b"\x02\x01\x01\x78\x84\x00\x00\x00\x07\x0a\x01\x00\x04\x00\x04\x00";
        assert_eq!(code(long), Some(0));
        for other in [
            b"".as_slice(),
            b"\x02\x01\x02\x78\x03\x0a\x01\x00",
            b"\x02\x01\x01\x61\x03\x0a\x01\x00",
            b"\x02\x01\x01\x78\x84\xff\xff\xff\xff\x0a\x01\x00",
            b"\x02\x01\x01\x78\x03\x0a\x02\x00\x00",
        ] {
            assert_eq!(code(other), None, "{other:?}");
        }
    }
}
