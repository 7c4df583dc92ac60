//! What a token was signed with, kept until it is known whose keys there are.
//!
//! It makes a token usable, so that it is wiped when it is dropped, nothing
//! prints it, and no fact holds it: the verdict alone stays.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use checks::facts::{Certificate, Fact, Facts, SeenId, Thumbprint, Token};
use ring::signature::{RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, RsaPublicKeyComponents};
use secrecy::{ExposeSecret as _, SecretSlice};

use super::super::limits;

/// A signature by RS256, and what it is of.
pub(crate) struct Signed {
    message: SecretSlice<u8>,
    signature: SecretSlice<u8>,
    key: Thumbprint,
}

/// The number of a call, or 0 for a token that stands alone, and which of its tokens.
type Place = (u32, usize);

/// The signatures of the outermost tokens of one file.
#[derive(Clone, Default)]
pub(crate) struct Signatures {
    all: BTreeMap<Place, Arc<Signed>>,
    octets: usize,
}

impl fmt::Debug for Signatures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} signatures", self.all.len())
    }
}

impl Signed {
    /// A signature that the certificate of this thumbprint is said to have made.
    pub(super) fn new(message: &str, signature: Vec<u8>, key: Thumbprint) -> Self {
        let message = SecretSlice::from(message.as_bytes().to_vec());
        Self { message, signature: SecretSlice::from(signature), key }
    }

    fn octets(&self) -> usize {
        self.message.expose_secret().len() + self.signature.expose_secret().len()
    }

    /// Whether this certificate made it; `None` where its key was not kept.
    fn verify(&self, certificate: &Certificate) -> Option<bool> {
        let octets = |text: &str| -> Option<Vec<u8>> {
            let digit = |at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
            (0..text.len()).step_by(2).map(digit).collect()
        };
        let key = &certificate.key;
        let n = octets(&key.modulus).filter(|n| !n.is_empty())?;
        let exponent = key.exponent.to_be_bytes();
        let zeros = exponent.iter().take_while(|octet| **octet == 0).count();
        let e = exponent.get(zeros..).filter(|e| !e.is_empty())?;
        let components = RsaPublicKeyComponents { n: n.as_slice(), e };
        // How long a key should be is the question of another check.
        let algorithm = &RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY;
        let (message, signature) = (self.message.expose_secret(), self.signature.expose_secret());
        Some(components.verify(algorithm, message, signature).is_ok())
    }
}

impl Signatures {
    /// Those of the tokens of a call, or of the actor tokens inside them, as far as
    /// there is room.
    pub(crate) fn add(&mut self, call: u32, signed: impl IntoIterator<Item = Option<Signed>>) {
        for (at, signed) in signed.into_iter().enumerate() {
            let Some(signed) = signed else { continue };
            let octets = signed.octets();
            if self.octets + octets <= limits::SIGNED {
                self.octets += octets;
                self.all.insert((call, at), Arc::new(signed));
            }
        }
    }

    /// Those of another part of the same file.
    pub(crate) fn join(&mut self, other: Self) {
        self.all.extend(other.all);
        self.octets += other.octets;
    }

    /// How much is kept.
    pub(crate) fn octets(&self) -> usize {
        self.octets
    }

    /// Writes down which of the signatures are good, as far as a certificate tells.
    pub(crate) fn verify<'c>(
        &self,
        facts: &mut Facts,
        certificate: impl Fn(&Thumbprint) -> Option<&'c Certificate>,
    ) {
        if self.all.is_empty() {
            return;
        }
        for (place, token, seen) in tokens(facts) {
            let Some(signed) = self.all.get(&place) else { continue };
            if let Some(good) = certificate(&signed.key).and_then(|it| signed.verify(it)) {
                let signed = match &mut token.actor {
                    Some(actor) => &mut **actor,
                    None => token,
                };
                signed.verified = Fact::known(good, &seen);
            }
        }
    }
}

/// Every outermost token among the facts of one file.
fn tokens(facts: &mut Facts) -> Vec<(Place, &mut Token, SeenId)> {
    let mut all = Vec::new();
    for call in &mut facts.calls {
        let (number, seen) = (call.number, call.seen().clone());
        let tokens = call.tokens_mut().into_iter().enumerate();
        all.extend(tokens.map(|(at, token)| ((number, at), token, seen.clone())));
    }
    let loose = facts.tokens.iter_mut().enumerate();
    all.extend(loose.map(|(at, it)| ((0, at), &mut it.token, it.seen.clone())));
    all
}
