//! Values that go on in the next line.
//!
//! A value is wrapped at a blank, which is lost, or cut inside a word, where
//! nothing is lost. Which of the two it was follows from what the value is, from
//! the width of the window, or from names that are known; else it is unclear.

use std::collections::BTreeMap;

use checks::facts::{Thumbprint, is_guid};

use super::super::value::Value;
use super::{list, plain, unclear, value};

/// One line of a value.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    text: String,
    /// Blanks in front of it that are its own.
    extra: usize,
    /// The width of its line.
    width: usize,
    /// Whether indentation was lost, so that it may not even belong here.
    pub(super) stray: bool,
}

impl Piece {
    pub(super) fn new(text: &str, extra: usize, width: usize) -> Self {
        Self { text: text.to_owned(), extra, width, stray: false }
    }
}

/// How a text is laid out.
#[derive(Debug, Default)]
pub(super) struct Layout {
    /// The width of the window: that of the widest line that goes on in the next.
    width: usize,
    /// How many lines end just there.
    full: usize,
    /// Whether every other line is blank.
    spaced: bool,
}

/// What never holds a blank, or is a list of such.
const SOLID: &[&str] = &[
    "ActAsPermissions",
    "AppId",
    "ApplicationIdentifier",
    "AppPrincipalId",
    "AuthMetadataUrl",
    "AuthorizationEndpoint",
    "CertificateStrings",
    "CurrentCertificateThumbprint",
    "CustomKeyIdentifier",
    "DiscoveryEndpoint",
    "DomainName",
    "EwsAllowList",
    "ExchangeObjectId",
    "ExternalAuthenticationMethods",
    "ExternalEmailAddress",
    "ExternalUrl",
    "Fqdn",
    "Guid",
    "Id",
    "InternalAuthenticationMethods",
    "InternalUrl",
    "IssuerIdentifier",
    "KeyId",
    "NextCertificateThumbprint",
    "ObjectGuid",
    "ObjectId",
    "PreviousCertificateThumbprint",
    "Realm",
    "RunspaceId",
    "ServiceName",
    "ServicePrincipalNames",
    "TargetAddressDomains",
    "Thumbprint",
    "TokenIssuingEndpoint",
    "Value",
];

/// Names in the directory that Exchange gave: some hold blanks, some never do.
const KNOWN: &[&str] = &[
    "cn=accepted domains",
    "cn=administrative groups",
    "cn=auth configuration",
    "cn=auth servers",
    "cn=configuration",
    "cn=configurationunits",
    "cn=exchange administrative group (fydibohf23spdlt)",
    "cn=global settings",
    "cn=intra organization connectors",
    "cn=microsoft exchange",
    "cn=partner applications",
    "cn=protocols",
    "cn=role assignments",
    "cn=servers",
    "cn=services",
    "cn=setting overrides",
    "cn=transport settings",
];

impl Layout {
    pub(super) fn of(text: &str) -> Self {
        let mut widths: BTreeMap<usize, usize> = BTreeMap::new();
        let (mut lines, mut parted, mut last, mut blank) = (0, 0, 0, true);
        for line in text.lines() {
            let line = plain(line);
            let width = line.trim_end().chars().count();
            if width == 0 {
                parted += usize::from(!blank);
                blank = true;
                continue;
            }
            lines += 1;
            let continued = !blank && line.starts_with("      ") && list::property(&line).is_none();
            // Wider than any window is no wrapped line.
            if continued && last < 1000 {
                *widths.entry(last).or_default() += 1;
            }
            (last, blank) = (width, false);
        }
        let (width, full) = widths.pop_last().unwrap_or_default();
        Self { width, full, spaced: 4 <= lines && lines * 4 / 5 <= parted }
    }

    /// The blank lines that part nothing.
    pub(super) fn spacing(&self) -> usize {
        usize::from(self.spaced)
    }

    /// The value that these lines show.
    pub(super) fn value(&self, name: &str, pieces: &[Piece]) -> Value {
        let sentence = name.eq_ignore_ascii_case("Detail");
        let solid = SOLID.iter().any(|known| known.eq_ignore_ascii_case(name));
        let ragged = pieces.iter().rev().skip(1).any(|piece| piece.width + 1 < self.width);
        let mut text = String::new();
        let mut last: Option<&Piece> = None;
        for piece in pieces {
            if let Some(last) = last {
                let part = if text.ends_with(' ') {
                    Some("")
                } else if 0 < piece.extra || (solid && text.ends_with(',')) {
                    Some(" ")
                } else if solid {
                    Some("")
                } else if piece.stray {
                    sentence.then_some(" ")
                } else {
                    known_name(&text, &piece.text)
                        .or_else(|| torn_word(&text, &piece.text))
                        .or_else(|| self.part(last, ragged))
                        .or_else(|| sentence.then_some(" "))
                };
                let Some(part) = part else {
                    return unclear("it is wrapped so that it can be read in two ways");
                };
                text.push_str(part);
            }
            text.push_str(&piece.text);
            last = Some(piece);
        }
        if sentence {
            return Value::Text(text);
        }
        let value = value(&text);
        let stored = name.to_ascii_lowercase().ends_with("certificatethumbprint");
        if stored && value.as_text().is_some_and(|it| !it.is_empty() && no_thumbprint(it)) {
            return unclear("it is no thumbprint; Export-Clixml shows what is stored");
        }
        let torn = |value: &Value| value.as_text().is_some_and(|text| text.contains(' '));
        if solid && 1 < pieces.len() && value.elements().iter().any(torn) {
            return unclear("it is wrapped so that it makes no sense");
        }
        value
    }

    /// Whether a blank was lost at the end of this line, as far as widths tell.
    fn part(&self, last: &Piece, ragged: bool) -> Option<&'static str> {
        if last.width < self.width {
            // Filled up to the window but for the blank that was lost, or wrapped
            // because the next word did not fit.
            Some(" ")
        } else if ragged {
            // Only a word that is longer than the line is cut.
            Some(if last.text.trim().contains(' ') { " " } else { "" })
        } else if 1 < self.full {
            Some("")
        } else {
            None
        }
    }
}

fn no_thumbprint(text: &str) -> bool {
    Thumbprint::cleaned(text).is_none()
}

/// The way to put two pieces together that gives a name which is known.
fn known_name(before: &str, after: &str) -> Option<&'static str> {
    let start = before.rsplit(',').next().unwrap_or_default();
    let end = after.split(',').next().unwrap_or_default();
    if start.get(..3).is_some_and(|it| it.eq_ignore_ascii_case("DC=")) {
        return Some("");
    }
    ["", " "].into_iter().find(|part| {
        let name = format!("{start}{part}{end}").to_ascii_lowercase();
        name.len() < 64 && KNOWN.contains(&name.as_str())
    })
}

/// Puts two pieces together where they are one id, or one address in quotation
/// marks: neither holds a blank.
fn torn_word(before: &str, after: &str) -> Option<&'static str> {
    let digit = |c: char| c.is_ascii_hexdigit() || c == '-';
    let start = before.rsplit(|c| !digit(c)).next().unwrap_or_default();
    let end = after.split(|c| !digit(c)).next().unwrap_or_default();
    if !start.is_empty() && !end.is_empty() && is_guid(&format!("{start}{end}")) {
        return Some("");
    }
    let word = before.rsplit(' ').next().unwrap_or_default();
    let next = after.split(' ').next().unwrap_or_default();
    let address = word.rsplit(['\'', '"']).next().is_some_and(|it| it.starts_with("http"));
    (address && next.contains(['\'', '"'])).then_some("")
}
