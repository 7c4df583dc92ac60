//! What the fields of recorded facts mean, as far as it decides what may stay.

use checks::facts::Thumbprint;

use super::pseudonyms::Pseudonyms;

/// How a text is treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A time, or a word of our own that the type allows for.
    Kept,
    /// A name of the owner's choice, which may be any word.
    Chosen,
    /// A version or an algorithm, which stays if it looks like one.
    Version,
    /// A built-in cloud, or the name that its owner gives another.
    Cloud,
    /// The id of a procedure.
    Procedure,
    /// A value that Exchange or Entra choose, such as a type.
    Value,
    /// Anything that may be somebody's: a name, a host, an id, an address.
    Name,
    /// What people wrote or read.
    Wording,
    /// A pattern of user agents.
    Agent,
    /// A distinguished name, whose escapes are undone.
    Distinguished,
    /// Hexadecimal digits, perhaps with what came along when they were pasted.
    Digits,
    /// A file or a host.
    Source,
}

/// Where a text stands.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place<'a> {
    /// The member of the facts, or of the file.
    collection: &'a str,
    /// The field, whether its value is known or one of several.
    field: &'a str,
    /// The name that leads to the text itself.
    key: &'a str,
    above: &'a str,
    depth: usize,
}

impl<'a> Place<'a> {
    pub(super) fn below<'b>(self, key: &'b str) -> Place<'b>
    where
        'a: 'b,
    {
        let structure = ["known", "unknown", "value", "items", "rivals", "also"].contains(&key);
        let in_facts = self.depth == 1 && self.collection == "facts";
        Place {
            collection: if self.depth == 0 || in_facts { key } else { self.collection },
            field: if structure { self.field } else { key },
            key,
            above: self.key,
            depth: self.depth + 1,
        }
    }

    /// Whether the members here are named by sources.
    pub(super) fn is_table(self) -> bool {
        self.depth == 2 && self.collection == "seen"
    }

    pub(super) fn kind(self) -> Kind {
        match (self.collection, self.field) {
            // The types of the latter allow for words of ours alone.
            ("format" | "version", _) | ("calls" | "tokens", "authorization" | "signature") => {
                Kind::Kept
            }
            ("trust", "procedure") => Kind::Procedure,
            ("trust", "name") if self.depth == 2 => Kind::Chosen,
            ("trust", "id") => Kind::Cloud,
            (_, "reason") if self.above == "diagnoses" => Kind::Wording,
            ("metadata_documents", "location") => Kind::Name,
            ("challenges" | "calls", "server")
            | ("calls", "via")
            | ("resolutions", "resolver")
            | (
                _,
                "detail" | "form" | "other" | "roots" | "error" | "error_code" | "published_value",
            ) => Kind::Wording,
            (
                _,
                "reason"
                | "needs"
                | "grade"
                | "kind"
                | "side"
                | "record"
                | "location"
                | "complete"
                | "trust"
                | "answer"
                | "as_of"
                | "at"
                | "not_before"
                | "not_after"
                | "start"
                | "end"
                | "next_effective_date",
            ) => Kind::Kept,
            (_, "sha1" | "sha256" | "serial" | "thumbprint" | "x5t" | "stored" | "modulus") => {
                Kind::Digits
            }
            (_, "dn" | "subject" | "issuer") => Kind::Distinguished,
            (
                _,
                "build" | "min_version" | "max_version" | "version" | "signature" | "algorithm",
            ) => Kind::Version,
            (
                _,
                "type"
                | "usage"
                | "protocol"
                | "recipient_type_details"
                | "assignee_type"
                | "delegation"
                | "component"
                | "section"
                | "parameters"
                | "status"
                | "internal_methods"
                | "external_methods"
                | "schemes"
                | "category"
                | "entries"
                | "disabled_by_microsoft"
                | "ews_application_access_policy"
                | "alg"
                | "claim"
                | "grant"
                | "method"
                | "password",
            ) => Kind::Value,
            (_, "ews_allow_list" | "ews_block_list") => Kind::Agent,
            (_, "source") => Kind::Source,
            _ => Kind::Name,
        }
    }
}

/// `15.2.1748.24`, `TLS 1.2`, `1.2.840.113549.1.1.5`.
pub(super) fn is_version(text: &str) -> bool {
    /// Arcs of the algorithms that everybody uses.
    const ALGORITHMS: [&str; 4] = ["1.2.840.", "1.3.101.", "1.3.132.", "2.16.840.1.101."];
    let text = text.trim();
    let number = text.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let name = text.strip_suffix(number).unwrap_or_default().to_ascii_lowercase();
    let parts: Vec<&str> = number.trim_start().split(['.', '_']).take(20).collect();
    let digits = |most: usize| {
        let short = |part: &&str| part.len() <= most && part.bytes().all(|b| b.is_ascii_digit());
        parts.iter().all(short)
    };
    match (name.as_str(), parts.as_slice()) {
        ("tls" | "tlsv" | "ssl" | "sslv", [_] | [_, _]) => digits(1),
        // No build of Exchange begins like a private address.
        ("", [major, _, _, _]) => {
            digits(5) && major.parse::<u8>().is_ok_and(|major| major <= 20 && major != 10)
        }
        ("", parts) => {
            parts.len() < 20 && digits(6) && ALGORITHMS.iter().any(|arc| number.starts_with(arc))
        }
        _ => false,
    }
}

/// A distinguished name without escapes of octets, and none of letters: two
/// spellings of one name become one.
pub(super) fn unescaped(dn: &str) -> String {
    if !dn.contains('\\') || !dn.contains('=') {
        return dn.to_owned();
    }
    let octets = dn.as_bytes();
    let mut result = Vec::with_capacity(octets.len());
    let mut at = 0;
    while let Some(&octet) = octets.get(at) {
        at += 1;
        if octet != b'\\' {
            result.push(octet);
            continue;
        }
        let pair = octets.get(at..at + 2).and_then(|pair| std::str::from_utf8(pair).ok());
        let pair = pair.filter(|it| it.bytes().all(|b| b.is_ascii_hexdigit()));
        let coded = pair.and_then(|pair| u8::from_str_radix(pair, 16).ok());
        let next = coded.or_else(|| octets.get(at).copied());
        at += if coded.is_some() { 2 } else { usize::from(next.is_some()) };
        match next {
            Some(b) if b.is_ascii_punctuation() => result.extend([b'\\', b]),
            Some(b) => result.push(b),
            None => result.push(b'\\'),
        }
    }
    String::from_utf8_lossy(&result).into_owned()
}

/// Other digits in the same places. What came along stays if it is nobody's letter.
pub(super) fn digits(text: &str, names: &mut Pseudonyms) -> String {
    if text.chars().any(|c| c.is_ascii_alphanumeric() && !c.is_ascii_hexdigit()) {
        return super::tokens::redacted(text, super::tokens::Mode::Names, names);
    }
    let own: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    let other = names.hexadecimal(&own);
    let whole = Thumbprint::exact(text).is_some();
    let mut digits = other.chars();
    let shown = |c: char| if c.is_alphabetic() && !whole { '?' } else { c };
    text.chars()
        .map(|c| if c.is_ascii_hexdigit() { digits.next().unwrap_or(c) } else { shown(c) })
        .collect()
}

/// A path without its folders, which are somebody's.
pub(super) fn file_of(source: &str) -> &str {
    if source.contains("://") || source.contains(" as ") {
        return source;
    }
    source.rsplit(['/', '\\']).next().unwrap_or_default()
}
