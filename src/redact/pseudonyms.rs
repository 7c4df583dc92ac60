//! Other names, each of the same kind, the same throughout one file.
//!
//! They come from a keyed hash whose key is made for the file and forgotten, so
//! that nobody can try whether a name that he guesses stands behind one.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ring::hmac;
use ring::rand::SystemRandom;

/// No word, no number in hexadecimal, and nothing that a check looks for.
const LETTERS: &[u8; 20] = b"bcdfghjklmnpqrstvwxz";
const LENGTH: usize = 8;

pub(super) struct Pseudonyms {
    key: hmac::Key,
    /// By the folded name.
    words: HashMap<String, String>,
    used: HashSet<String>,
}

impl Pseudonyms {
    pub(super) fn new() -> anyhow::Result<Self> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new())
            .map_err(|_| anyhow::anyhow!("the system gives no random key"))?;
        Ok(Self { key, words: HashMap::new(), used: HashSet::new() })
    }

    /// What tells these names from those of another file, and nothing about either.
    pub(super) fn label(&self) -> String {
        let digits = checks::facts::hexadecimal(&self.octets("label", "")).to_lowercase();
        digits.get(..16).unwrap_or_default().to_owned()
    }

    /// Whether something else stands for this word already.
    pub(super) fn knows(&self, word: &str) -> bool {
        self.words.contains_key(&word.to_lowercase())
    }

    /// The word that stands for this one, in its letter case.
    ///
    /// Names compare without case, and some of them only as far as ASCII goes:
    /// so a word with other letters ends in one that is not ASCII, either.
    pub(super) fn word(&mut self, word: &str) -> String {
        let folded = word.to_lowercase();
        let plain = match self.words.get(&folded) {
            Some(known) => known.clone(),
            None => self.unused(folded),
        };
        let mut upper = word.chars().filter(|c| c.is_alphabetic()).map(char::is_uppercase);
        let mut last = false;
        let mut result: String = plain
            .chars()
            .map(|c| {
                last = upper.next().unwrap_or(last);
                if last { c.to_ascii_uppercase() } else { c }
            })
            .collect();
        if let Some(other) = word.chars().find(|c| !c.is_ascii()) {
            result.push(if other.is_uppercase() { 'Ø' } else { 'ø' });
        }
        result
    }

    fn unused(&mut self, folded: String) -> String {
        let hexadecimal = |text: &str| text.bytes().all(|b| b.is_ascii_hexdigit());
        let mut attempt = 0;
        let plain = loop {
            let octets = self.octets(&format!("word {attempt}"), &folded);
            let letters = octets.iter().take(LENGTH).map(|octet| {
                let at = usize::from(*octet) % LETTERS.len();
                char::from(LETTERS.get(at).copied().unwrap_or(b'x'))
            });
            let plain: String = letters.collect();
            // Two names that became one would be a verdict about neither.
            if !hexadecimal(&plain) && self.used.insert(plain.clone()) {
                break plain;
            }
            attempt += 1;
        };
        self.words.insert(folded, plain.clone());
        plain
    }

    /// As many hexadecimal digits, in the same case.
    pub(super) fn hexadecimal(&self, digits: &str) -> String {
        let folded = digits.to_ascii_uppercase();
        let mut result = String::with_capacity(digits.len());
        let mut part = 0;
        while result.len() < digits.len() {
            let octets = self.octets(&format!("digits {part}"), &folded);
            result.push_str(&checks::facts::hexadecimal(&octets));
            part += 1;
        }
        result.truncate(digits.len());
        if digits.bytes().any(|b| b.is_ascii_lowercase()) {
            result.to_ascii_lowercase()
        } else {
            result
        }
    }

    pub(super) fn guid(&self, guid: &str) -> String {
        let octets = self.octets("guid", &guid.to_ascii_lowercase());
        let digits = checks::facts::hexadecimal(&octets).to_ascii_lowercase();
        let part = |from: usize, octets| digits.get(from..from + octets).unwrap_or_default();
        // Version and variant of a random one.
        let (third, fourth) = (part(12, 3), part(15, 3));
        let other = format!("{}-{}-4{third}-a{fourth}-{}", part(0, 8), part(8, 4), part(18, 12));
        if guid.bytes().any(|b| b.is_ascii_uppercase()) {
            other.to_ascii_uppercase()
        } else {
            other
        }
    }

    /// An address of the same reach: checks tell those that nobody outside can
    /// reach. Public ones become addresses that are kept for benchmarks and examples.
    pub(super) fn address(&self, address: IpAddr) -> IpAddr {
        let octets = self.octets("address", &address.to_string());
        let mut random = [0; 16];
        random.iter_mut().zip(octets).for_each(|(own, octet)| *own = octet);
        match address {
            IpAddr::V4(it) => other_v4(it, random).into(),
            IpAddr::V6(it) => match it.to_ipv4_mapped() {
                Some(mapped) => other_v4(mapped, random).to_ipv6_mapped().into(),
                None => other_v6(it, random).into(),
            },
        }
    }

    fn octets(&self, kind: &str, text: &str) -> Vec<u8> {
        hmac::sign(&self.key, format!("{kind}\n{text}").as_bytes()).as_ref().to_vec()
    }
}

fn other_v4(address: Ipv4Addr, random: [u8; 16]) -> Ipv4Addr {
    let [x, y, z, ..] = random;
    match address.octets() {
        _ if address.is_loopback() || address.is_unspecified() || address.is_broadcast() => address,
        [10, ..] => Ipv4Addr::new(10, x, y, z),
        [172, second, ..] if second & 0xf0 == 16 => Ipv4Addr::new(172, 16 | (x & 15), y, z),
        [192, 168, ..] => Ipv4Addr::new(192, 168, y, z),
        [100, second, ..] if second & 0xc0 == 64 => Ipv4Addr::new(100, 64 | (x & 63), y, z),
        [169, 254, ..] => Ipv4Addr::new(169, 254, y, z),
        _ => Ipv4Addr::new(198, 18 + x % 2, y, z),
    }
}

fn other_v6(address: Ipv6Addr, random: [u8; 16]) -> Ipv6Addr {
    if address.is_loopback() || address.is_unspecified() {
        return address;
    }
    let mut octets = random;
    let kept: &[u8] = if address.is_unicast_link_local() {
        &[0xfe, 0x80, 0, 0, 0, 0, 0, 0]
    } else if address.is_unique_local() {
        &[0xfd]
    } else {
        &[0x20, 0x01, 0x0d, 0xb8]
    };
    octets.iter_mut().zip(kept).for_each(|(octet, kept)| *octet = *kept);
    octets.into()
}
