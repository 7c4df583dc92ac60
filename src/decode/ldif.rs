//! LDIF (RFC 2849), as `ldifde` and `ldapsearch` write it.
//!
//! Records that add an entry are read; what changes, deletes or renames one
//! tells no state. A value that stands in another file is refused: nothing is
//! opened here.

use std::borrow::Cow;

use checks::facts::{Reason, SeenId};

use super::directory::{Entries, Entry};
use super::value::base64_octets;
use super::{Decoded, Form, Limits, Problem, Source, limits};

/// What an entry counts for, against the bound on values: it takes more than one.
const ENTRY: usize = 10;
/// Notes that are gathered; the rest of them is counted by nobody.
const NOTES: usize = 20 * limits::NOTES;
/// What ldapsearch writes in front, unless it is told not to.
const HEADER: &str = "# extended LDIF";
/// Lines that ldapsearch writes about the search, not about an entry.
const OF_THE_SEARCH: [&str; 8] =
    ["version", "search", "result", "ref", "control", "matcheddn", "text", "pagedresults"];

/// Whether the text is LDIF: after comments and a version, a record begins with
/// its DN; or ldapsearch says so.
pub(crate) fn recognise(text: &str) -> bool {
    if text.starts_with(HEADER) {
        return true;
    }
    let mut comment = false;
    for line in text.lines() {
        let folded = line.starts_with(' ') && comment;
        comment = folded || line.starts_with('#');
        match line.split_once(':') {
            _ if comment || line.trim().is_empty() => {}
            Some(("version", version)) if version.trim() == "1" => {}
            Some((name, _)) => return name.eq_ignore_ascii_case("dn"),
            None => return false,
        }
    }
    false
}

/// Decodes the entries of an LDIF file.
pub(crate) fn decode(text: &str, source: Source, seen: &SeenId) -> Decoded {
    let mut reader = Reader::new(source.limits);
    let ended = reader.read(text);
    let Reader { entries, notes, problem, .. } = reader;
    let mut decoded = entries.decode(ended.err().or(problem), source, seen);
    decoded.notes.splice(0..0, notes);
    let Form::Clixml(types) = std::mem::replace(&mut decoded.form, Form::Graph) else {
        return decoded;
    };
    if types.is_empty() {
        decoded.notes.push(
            "no entry that tells what it is: the search found none, or did not show their classes"
                .into(),
        );
    }
    decoded.form = Form::Ldif(types);
    decoded
}

/// A line with its continuations.
struct Line<'a> {
    number: usize,
    text: Cow<'a, str>,
    /// Whether the file ends in it, without a line break.
    cut: bool,
}

/// Lines of a text, with their continuations.
fn unfolded(text: &str) -> impl Iterator<Item = Line<'_>> {
    let mut lines = text.split_inclusive('\n').enumerate().peekable();
    std::iter::from_fn(move || {
        let (at, first) = lines.next()?;
        let mut cut = !first.ends_with('\n');
        let mut text = Cow::Borrowed(bare(first));
        while let Some((_, next)) = lines.next_if(|(_, next)| next.starts_with(' ')) {
            text.to_mut().push_str(bare(next).get(1..).unwrap_or_default());
            cut = !next.ends_with('\n');
        }
        Some(Line { number: at + 1, text, cut })
    })
}

fn bare(line: &str) -> &str {
    let line = line.strip_suffix('\n').unwrap_or(line);
    line.strip_suffix('\r').unwrap_or(line)
}

/// Where the reading is.
enum Place {
    /// Between records.
    Between,
    /// In a record that adds an entry.
    Entry(Entry),
    /// In a record that is not used.
    Skipped,
}

struct Reader {
    limits: Limits,
    values: usize,
    place: Place,
    entries: Entries,
    notes: Vec<String>,
    /// What ldapsearch said of the search.
    problem: Option<Problem>,
    /// Entries of the search so far, used or not.
    count: usize,
    /// Whether ldapsearch began to tell about a search, whether it came to its
    /// end, and whether it did so only to begin with another page.
    header: bool,
    ended: bool,
    page: bool,
}

impl Reader {
    fn new(limits: Limits) -> Self {
        Self {
            limits,
            values: 0,
            place: Place::Between,
            entries: Entries::default(),
            notes: Vec::new(),
            problem: None,
            count: 0,
            header: false,
            ended: false,
            page: false,
        }
    }

    fn note(&mut self, line: usize, text: &str) {
        if self.notes.len() < NOTES {
            self.notes.push(format!("line {line}: {text}"));
        }
    }

    /// Reads all of it; the problem that ends the reading, if one does.
    fn read(&mut self, text: &str) -> Result<(), Problem> {
        let mut last = 0;
        for line in unfolded(text) {
            last = line.number;
            if line.cut && !line.text.is_empty() && !line.text.starts_with('#') {
                let text = "the file ends within a line".to_owned();
                if let Place::Entry(entry) = &mut self.place {
                    entry.lose("", Reason::Truncated, "the file ends within");
                }
                self.finish()?;
                return Err(Problem { line: last, reason: Reason::Truncated, text });
            }
            self.line(&line)?;
        }
        self.finish()?;
        if self.header && (!self.ended || self.page) {
            let text = "ldapsearch did not come to its end: the file is cut".to_owned();
            return Err(Problem { line: last, reason: Reason::Truncated, text });
        }
        Ok(())
    }

    fn line(&mut self, line: &Line) -> Result<(), Problem> {
        let (number, text) = (line.number, line.text.as_ref());
        if text.is_empty() {
            return self.finish();
        }
        if let Some(comment) = text.strip_prefix('#') {
            self.comment(number, comment.trim());
            return Ok(());
        }
        let Some((name, value)) = text.split_once(':') else {
            self.unreadable(number);
            return Ok(());
        };
        self.count_values(number, 1)?;
        // Without a value it is only the name of an attribute.
        if Entry::is_secret(name) && !value.trim_matches([':', ' ']).is_empty() {
            let name: String = name.chars().take(40).collect();
            self.note(
                number,
                &format!(
                    "HOLDS A SECRET ({name}): it was not kept; delete it here and treat it as disclosed"
                ),
            );
        } else if name.eq_ignore_ascii_case("dn") {
            self.finish()?;
            self.begin(number, value)?;
        } else {
            self.attribute(number, name, value);
        }
        Ok(())
    }

    /// A line that is neither an attribute nor a comment: what it would have said
    /// of its entry is not known.
    fn unreadable(&mut self, number: usize) {
        match &mut self.place {
            Place::Skipped => return,
            Place::Entry(entry) => entry.lose("", Reason::Malformed, "a line cannot be read in"),
            Place::Between => self.place = Place::Skipped,
        }
        self.note(number, "no attribute and value, left out");
    }

    fn count_values(&mut self, line: usize, more: usize) -> Result<(), Problem> {
        self.values += more;
        if self.values > self.limits.values {
            let text = "more values than any real export has".to_owned();
            return Err(Problem { line, reason: Reason::TooLarge, text });
        }
        Ok(())
    }

    fn begin(&mut self, line: usize, value: &str) -> Result<(), Problem> {
        self.count_values(line, ENTRY)?;
        self.count += 1;
        let dn = match octets(value) {
            Some(Ok(octets)) => String::from_utf8(octets).ok(),
            _ => None,
        };
        let dn = dn.filter(|dn| !dn.trim().is_empty() && dn.len() <= limits::TEXT);
        if let Some(dn) = dn {
            self.place = Place::Entry(Entry::new(dn.trim(), line));
        } else {
            self.place = Place::Skipped;
            self.note(line, "a record whose DN cannot be read, left out");
        }
        Ok(())
    }

    fn attribute(&mut self, line: usize, name: &str, value: &str) {
        let lower = name.to_ascii_lowercase();
        let entry = match &mut self.place {
            Place::Entry(entry) => entry,
            Place::Skipped => return,
            Place::Between if OF_THE_SEARCH.contains(&lower.as_str()) => {
                match lower.as_str() {
                    "result" => self.result(line, value.trim()),
                    // There are more pages until the cookie is empty.
                    "pagedresults" => self.page = !value.trim_end().ends_with("cookie="),
                    _ => {}
                }
                return;
            }
            Place::Between => {
                self.note(line, "a record without a DN, left out");
                self.place = Place::Skipped;
                return;
            }
        };
        match lower.as_str() {
            "changetype" if value.trim().eq_ignore_ascii_case("add") => {}
            "changetype" => {
                let kind: String = value.trim().chars().take(20).collect();
                self.place = Place::Skipped;
                self.note(line, &format!("a record that tells a change ({kind:?}), left out"));
            }
            "ref" | "control" => {}
            _ => match octets(value) {
                Some(Ok(octets)) => entry.add(name, || octets),
                Some(Err(())) => {
                    entry.lose(name, Reason::Malformed, "a value that is no base64 in");
                    let name: String = name.chars().take(60).collect();
                    self.note(line, &format!("{name} is no base64, left out"));
                }
                None => {
                    entry.lose(name, Reason::NotCollected, "the file refers to another one for");
                    let name: String = name.chars().take(60).collect();
                    self.note(line, &format!("{name} stands in another file, which is not opened"));
                }
            },
        }
    }

    /// `0 Success`, or the number and name of an error of LDAP.
    fn result(&mut self, line: usize, value: &str) {
        self.ended = true;
        let code = value.split_whitespace().next().unwrap_or_default();
        if code != "0" {
            let value: String = value.chars().take(60).collect();
            let text = format!("the search ended with {value:?}");
            self.problem = Some(Problem { line, reason: Reason::Truncated, text });
        }
    }

    fn comment(&mut self, line: usize, comment: &str) {
        let cut = |text: String| Some(Problem { line, reason: Reason::Truncated, text });
        if comment == HEADER.trim_start_matches("# ") {
            if self.header && !self.ended {
                self.problem = cut("another search begins before the last one ended".to_owned());
            }
            (self.header, self.ended, self.page) = (true, false, false);
        }
        let stated: Option<usize> =
            comment.strip_prefix("numEntries:").and_then(|it| it.trim().parse().ok());
        if let Some(stated) = stated.filter(|_| self.header) {
            let count = std::mem::take(&mut self.count);
            if count != stated {
                let text =
                    format!("the file holds {count} of the {stated} entries that were found");
                self.problem = cut(text);
            }
        }
    }

    /// The record is over.
    fn finish(&mut self) -> Result<(), Problem> {
        let Place::Entry(entry) = std::mem::replace(&mut self.place, Place::Between) else {
            return Ok(());
        };
        let line = entry.line;
        if self.entries.add(&entry) > self.limits.objects {
            let text = "more objects than any organisation has".to_owned();
            return Err(Problem { line, reason: Reason::TooLarge, text });
        }
        Ok(())
    }
}

/// The octets of a value: as text, or as base64 after a second colon. `None`
/// where they stand elsewhere.
fn octets(value: &str) -> Option<Result<Vec<u8>, ()>> {
    match value.split_at_checked(1) {
        Some((":", encoded)) if encoded.trim().is_empty() => Some(Ok(Vec::new())),
        Some((":", encoded)) => Some(base64_octets(encoded).ok_or(())),
        Some(("<", _)) => None,
        _ => Some(Ok(value.trim_start_matches(' ').as_bytes().to_vec())),
    }
}

#[cfg(test)]
mod tests {
    use checks::facts::{AuthConfig, Complete, Fact, Facts};

    use super::super::{decode, limits};
    use super::*;

    const DN: &str = "CN=Auth Configuration,CN=Contoso Org,CN=Microsoft Exchange,CN=Services,DC=x";

    fn decoded(text: &str) -> Decoded {
        decode(text.as_bytes(), Source::named("a.ldif"))
    }

    fn facts(decoded: &Decoded) -> Facts {
        Facts::join(decoded.facts.values().cloned())
    }

    fn config(decoded: &Decoded) -> AuthConfig {
        facts(decoded).auth_config.value().unwrap().clone()
    }

    /// A record of one AuthConfig with these lines.
    fn record(lines: &str) -> String {
        format!("dn: {DN}\nobjectClass: msExchAuthAuthConfig\nmsExchVersion: 1\n{lines}\n")
    }

    fn realm(lines: &str) -> String {
        match config(&decoded(&record(lines))).realm {
            Fact::Known(known) => known.value,
            Fact::Unknown(why) => why.reason.as_str().to_owned(),
        }
    }

    #[test]
    fn values_are_plain_folded_or_encoded() {
        for lines in [
            "msExchAuthRealm: contoso.com",
            "msExchAuthRealm:contoso.com",
            "MSEXCHAUTHREALM:    contoso.com",
            "msExchAuthRealm: conto\n so.com",
            "msExchAuthRealm: conto\r\n so.com\r",
            "msExchAuthRealm: contoso\n \n .com",
            "msExchAuth\n Realm: contoso.com",
            "msExchAuthRealm:: Y29udG9zby5jb20=",
            "msExchAuthRealm:: Y29udG9z\n by5jb20=",
            "# msExchAuthRealm: a\n b\nmsExchAuthRealm: contoso.com\n# c\n d",
            "msExchAuthRealm;lang-de: x\nmsExchAuthRealm: contoso.com",
            "msExchAuthRealm;binary:: Y29udG9zby5jb20=",
        ] {
            assert_eq!(realm(lines), "contoso.com", "{lines}");
        }
        assert_eq!(realm("msExchAuthRealm:: Y29udG9z!"), "malformed");
        assert_eq!(realm("msExchAuthRealm:"), "");
    }

    #[test]
    fn a_file_is_recognised_by_how_its_first_record_begins() {
        for text in [
            "dn: CN=x\n",
            "DN:: Q049eA==\n",
            "\u{feff}version: 1\r\n\r\ndn: CN=x\r\n",
            "# a\n  comment\n#\n\nversion: 1\ndn: CN=x\n",
            "# extended LDIF\n#\n\nsearch: 2\nresult: 0 Success\n",
        ] {
            assert!(decoded(text).form.to_string().starts_with("LDIF: "), "{text}");
        }
        for text in [
            "dn : CN=x\n",
            "Name : x\nDistinguishedName : CN=x\n",
            "From: a@b\ndn: CN=x\n",
            "version: 2\ndn: CN=x\n",
            "# a comment alone\n",
            "the dn: is CN=x\n",
            "dn CN=x\n",
        ] {
            assert!(!recognise(text), "{text}");
        }
        let utf16: Vec<u8> = record("").encode_utf16().flat_map(u16::to_le_bytes).collect();
        let decoded = decode(&[b"\xff\xfe", utf16.as_slice()].concat(), Source::named("a"));
        assert_eq!(decoded.form.to_string(), "LDIF: 1 AuthConfig");
    }

    #[test]
    fn records_that_add_no_entry_are_left_out_with_a_note() {
        let text = format!(
            "version: 1\n\n{}\ndn: CN=a,{DN}\nchangetype: modify\nreplace: msExchAuthRealm\n\
             msExchAuthRealm: x\n-\n\ndn:: !!\nobjectClass: msExchAuthAuthServer\n\n\
             objectClass: msExchAuthAuthServer\ncn: x\n\n# refldap://corp/CN=Schema\n\nref: ldap://x\n",
            record("changetype: add\nref: ldap://x\nmsExchAuthRealm: a"),
        );
        let decoded = decoded(&text);
        assert_eq!(decoded.form.to_string(), "LDIF: 1 AuthConfig");
        assert_eq!(config(&decoded).realm.value().unwrap(), "a");
        assert_eq!(facts(&decoded).auth_servers.items.len(), 0);
        assert_eq!(
            decoded.notes,
            [
                "line 11: a record that tells a change (\"modify\"), left out",
                "line 16: a record whose DN cannot be read, left out",
                "line 19: a record without a DN, left out",
            ]
        );
    }

    #[test]
    fn records_may_follow_one_another_without_an_empty_line() {
        let partner = |name: &str| {
            format!(
                "dn: CN={name},CN=Partner Applications\nobjectClass: msExchAuthPartnerApplication\n"
            )
        };
        let decoded = decoded(&[partner("a"), partner("b")].concat());
        let partners = facts(&decoded).partner_applications;
        assert_eq!(partners.items.len(), 2);
        assert_eq!(partners.complete.value(), Some(&Complete::Presumed));
    }

    #[test]
    fn what_stands_in_another_file_is_not_opened() {
        let decoded = decoded(&record("msExchAuthRealm:< file:///etc/passwd"));
        assert_eq!(
            decoded.notes,
            ["line 4: msExchAuthRealm stands in another file, which is not opened"]
        );
        assert_eq!(config(&decoded).realm.read().unwrap_err().reason, Reason::NotCollected);
    }

    #[test]
    fn a_secret_is_not_kept_and_is_told_loudly() {
        for line in [
            "msExchAuthAppSecret: 0:the-secret",
            "MSEXCHAUTHAPPSECRET;binary:: dGhlLXNlY3JldA==",
            "msExchAuthAppSecret: 0:the\n -secret",
            "changetype: modify\nmsExchAuthAppSecret: 0:the-secret",
            "\nmsExchAuthAppSecret: 0:the-secret",
        ] {
            let decoded = decoded(&record(line));
            let shown = format!("{decoded:?}");
            assert!(!shown.contains("the-secret") && !shown.contains("dGhl"), "{shown}");
            let told =
                |note: &&String| note.contains("HOLDS A SECRET") && note.contains("disclosed");
            assert_eq!(decoded.notes.iter().filter(told).count(), 1, "{:?}", decoded.notes);
        }
    }

    /// Why the list of partner applications is not whole, if it is not.
    fn cut(text: &str) -> Option<(Reason, String)> {
        let decoded = decoded(text);
        let why = facts(&decoded).partner_applications.complete.read().err()?;
        Some((why.reason, decoded.notes.first().cloned().unwrap_or_default()))
    }

    const PARTNER: &str =
        "dn: CN=a,CN=Partner Applications\nobjectClass: msExchAuthPartnerApplication\ncn: a\n";

    #[test]
    fn a_search_that_did_not_give_all_makes_no_whole_list() {
        let truncated = |note: &str| {
            Some((Reason::Truncated, format!("{note}; what stands before it is used")))
        };
        assert_eq!(cut(PARTNER), None, "the last record needs no empty line");
        let search = |result: &str| format!("# extended LDIF\n#\n\n{PARTNER}\n{result}");
        assert_eq!(cut(&search("search: 2\nresult: 0 Success\n\n# numEntries: 1\n")), None);
        assert_eq!(
            cut(&search("search: 2\nresult: 4 Size limit exceeded\n")),
            truncated("line 9: the search ended with \"4 Size limit exceeded\"")
        );
        assert_eq!(
            cut(&search("search: 2\nresult: 0 Success\n\n# numEntries: 3\n")),
            truncated("line 11: the file holds 1 of the 3 entries that were found")
        );
        let no_end = truncated("line 7: ldapsearch did not come to its end: the file is cut");
        assert_eq!(cut(&search("")), no_end);
        let twice = [search(""), search("search: 2\nresult: 0 Success\n")].concat();
        let another = truncated("line 8: another search begins before the last one ended");
        assert_eq!(cut(&twice), another);
        let both = search("search: 2\nresult: 0 Success\n\n# numEntries: 1\n\n").repeat(2);
        assert_eq!(cut(&both), None);
    }

    #[test]
    fn a_search_by_pages_ends_with_the_last_one() {
        let page = |cookie: &str| {
            format!(
                "# extended LDIF\n#\n# with pagedResults control: size=1\n\n{PARTNER}\n\
                 # search result\nsearch: 2\nresult: 0 Success\n\
                 control: 1.2.840.113556.1.4.319 false MAUCAQAEAA==\n{cookie}\n\n"
            )
        };
        let (more, last) =
            (page("pagedresults: estimate=2 cookie=MQA="), page("pagedresults: cookie="));
        let found = |number: usize| format!("# numResponses: 9\n# numEntries: {number}\n");
        assert_eq!(cut(&[more.as_str(), &last, &found(2)].concat()), None);
        assert_eq!(cut(&[last.as_str(), &found(1)].concat()), None);
        let (reason, note) = cut(&more).unwrap();
        assert_eq!(reason, Reason::Truncated);
        assert!(note.contains("did not come to its end"), "{note}");
        let (_, note) = cut(&[more.as_str(), &last, &found(3)].concat()).unwrap();
        assert!(note.contains("holds 2 of the 3"), "{note}");
    }

    #[test]
    fn names_without_values_are_no_secret() {
        assert_eq!(decoded(&record("msExchAuthAppSecret:")).notes, [""; 0]);
    }

    #[test]
    fn a_file_that_ends_within_a_line_is_cut() {
        let text = PARTNER.trim_end();
        let note = "line 3: the file ends within a line; what stands before it is used".to_owned();
        assert_eq!(cut(text), Some((Reason::Truncated, note.clone())));
        let encoded = format!("{PARTNER}msExchAuthRealm:: Y29udG9z\n by5j");
        let decoded = decoded(&encoded);
        let partner = &facts(&decoded).partner_applications.items[0];
        assert_eq!(partner.realm.read().unwrap_err().reason, Reason::Truncated);
        assert!(decoded.notes[0].starts_with("line 4: the file ends"), "{:?}", decoded.notes);
    }

    #[test]
    fn what_is_too_much_is_left_out_and_told() {
        let many = |limits: Limits, text: &str| {
            let source = Source { limits, ..Source::named("a.ldif") };
            let decoded = decode(text.as_bytes(), source);
            let complete = facts(&decoded).partner_applications.complete;
            (complete.read().unwrap_err().reason, decoded.notes[0].clone())
        };
        let text = format!("{PARTNER}\n").repeat(20);
        let (reason, note) = many(Limits { values: 100, ..Limits::USUAL }, &text);
        assert_eq!(reason, Reason::TooLarge);
        assert!(note.contains("more values than any"), "{note}");
        let (reason, note) = many(Limits { objects: 10, ..Limits::USUAL }, &text);
        assert_eq!(reason, Reason::TooLarge);
        assert!(note.contains("more objects than any"), "{note}");
        let noisy = decoded(&format!("{PARTNER}{}", "no colon\n".repeat(5000)));
        assert_eq!(noisy.notes.len(), limits::NOTES + 1);
    }
}
