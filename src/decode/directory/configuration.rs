//! msExchConfigurationXML: what Exchange keeps in an attribute as XML.
//!
//! A pull parser with bounds, as that of CLIXML: no DOCTYPE, no entities but
//! XML's own. Who made an override stands there, too, and is not kept.

use checks::facts::Reason;
use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::super::clixml::attribute;

/// Octets of one configuration. Real ones take a few hundred.
const LENGTH: usize = 64 * 1024;
/// Levels of nesting.
const DEPTH: usize = 8;
/// Elements of one configuration.
const ELEMENTS: usize = 1000;

/// What is set aside by an override.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Setting {
    pub(super) component: String,
    pub(super) section: String,
    pub(super) parameters: Vec<String>,
    /// Names in it whose meaning is not known: they may limit the override to
    /// servers or versions.
    pub(super) strange: Vec<String>,
}

/// Why it cannot be read.
pub(super) type Unreadable = (Reason, String);

/// The IssuerIdentifier of a partner application; empty when there is none.
pub(super) fn issuer_identifier(xml: &str) -> Result<String, Unreadable> {
    let root = read(xml)?;
    let own = |it: &&Element| it.name == "IssuerIdentifier";
    let mut found = root.children.iter().filter(own).map(|it| it.text.trim());
    match (found.next(), found.next()) {
        (first, None) => Ok(first.unwrap_or_default().to_owned()),
        _ => Err((Reason::Malformed, "two IssuerIdentifiers in the configuration".into())),
    }
}

/// `<S CN="…" SN="…" MB="…" R="…"><Ps><P>Enabled=true</P></Ps></S>`
pub(super) fn setting(xml: &str) -> Result<Setting, Unreadable> {
    let root = read(xml)?;
    let mut setting = Setting::default();
    if root.name != "S" {
        return Err((Reason::Malformed, "the configuration is not that of an override".into()));
    }
    for (name, value) in root.attributes {
        match name.as_str() {
            "CN" => setting.component = value,
            "SN" => setting.section = value,
            // The person who made it, and the reason that this person gave.
            "MB" | "R" => {}
            name if name == "xmlns" || name.starts_with("xmlns:") => {}
            _ => setting.strange.push(name),
        }
    }
    for child in root.children {
        match child.name.as_str() {
            "Ps" => setting.parameters.extend(child.children.into_iter().map(|it| it.text)),
            _ => setting.strange.push(child.name),
        }
    }
    if setting.component.is_empty() || setting.section.is_empty() {
        return Err((Reason::Malformed, "the override names no component or section".into()));
    }
    Ok(setting)
}

#[derive(Debug, Default)]
struct Element {
    name: String,
    attributes: Vec<(String, String)>,
    text: String,
    children: Vec<Element>,
}

fn read(xml: &str) -> Result<Element, Unreadable> {
    let malformed = |why: &str| Err((Reason::Malformed, format!("the configuration {why}")));
    if xml.len() > LENGTH {
        return Err((Reason::TooLarge, "the configuration is longer than any real one".into()));
    }
    let mut reader = Reader::from_str(xml);
    reader.config_mut().expand_empty_elements = true;
    let mut open: Vec<Element> = Vec::new();
    let mut count = 0;
    loop {
        match reader.read_event() {
            Ok(Event::Start(start)) => {
                count += 1;
                if open.len() >= DEPTH || count > ELEMENTS {
                    return malformed("is nested deeper, or longer, than any real one");
                }
                let Some(element) = element(&start) else {
                    return malformed("has an attribute that is no XML");
                };
                open.push(element);
            }
            Ok(Event::Text(part)) => {
                if let Some(element) = open.last_mut() {
                    element.text.push_str(&part.xml10_content());
                }
            }
            Ok(Event::CData(part)) => {
                if let Some(element) = open.last_mut() {
                    element.text.push_str(&part.xml10_content());
                }
            }
            Ok(Event::GeneralRef(entity)) => match (open.last_mut(), resolved(&entity)) {
                (Some(element), Some(c)) => element.text.push(c),
                _ => return malformed("has an entity that XML does not define"),
            },
            Ok(Event::End(_)) => match (open.pop(), open.last_mut()) {
                (Some(done), Some(parent)) => parent.children.push(done),
                (Some(root), None) => return Ok(root),
                (None, _) => return malformed("ends an element that never began"),
            },
            Ok(Event::DocType(_)) => return malformed("has a DOCTYPE"),
            Ok(Event::Eof) => return Err((Reason::Truncated, "the configuration is cut".into())),
            Ok(_) => {}
            Err(_) => return malformed("is no XML"),
        }
    }
}

fn element(start: &BytesStart) -> Option<Element> {
    let mut attributes = Vec::new();
    for found in start.attributes() {
        let name = found.ok()?.key.as_ref().to_owned();
        let value = attribute(start, &name)?;
        attributes.push((name, value));
    }
    let name = start.local_name().as_ref().to_owned();
    Some(Element { name, attributes, ..Element::default() })
}

fn resolved(entity: &BytesRef) -> Option<char> {
    if let Ok(Some(c)) = entity.resolve_char_ref() {
        return Some(c);
    }
    match &*entity.xml10_content() {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_override_is_read_without_the_person_who_made_it() {
        let read = setting(
            "<?xml version=\"1.0\"?><S CN=\"Global\" SN=\"ExchangeOnpremAsThirdPartyAppId\" \
             MB=\"corp.contoso.com/Users/Ann Lee\" R=\"Enable &amp; test\">\
             <Ps><P>Enabled=true</P><P>A=&lt;b&gt;</P></Ps></S>",
        );
        let expected = Setting {
            component: "Global".into(),
            section: "ExchangeOnpremAsThirdPartyAppId".into(),
            parameters: vec!["Enabled=true".into(), "A=<b>".into()],
            strange: Vec::new(),
        };
        assert_eq!(read, Ok(expected));
    }

    #[test]
    fn what_may_limit_an_override_is_told() {
        let read =
            setting("<S CN=\"a\" SN=\"b\" MiV=\"15.2\"><Ps /><Ss><S>ex1</S></Ss></S>").unwrap();
        assert_eq!(read.strange, ["MiV", "Ss"]);
        assert!(read.parameters.is_empty());
    }

    #[test]
    fn the_issuer_of_an_application_is_found_among_its_permissions() {
        let xml =
            |inner: &str| format!("<PartnerApplicationConfig>{inner}</PartnerApplicationConfig>");
        let issuer = "<IssuerIdentifier> x@y </IssuerIdentifier>";
        let permission = "<ActAsPermissions>Mail.Read</ActAsPermissions>".repeat(2);
        let read = |inner: &str| issuer_identifier(&xml(inner));
        assert_eq!(read(&format!("{permission}{issuer}")), Ok("x@y".into()));
        assert_eq!(read(&permission), Ok(String::new()));
        assert_eq!(read(&issuer.repeat(2)).unwrap_err().0, Reason::Malformed);
    }

    #[test]
    fn what_is_no_configuration_says_why() {
        let deep = "<a>".repeat(DEPTH + 1);
        let wide = format!("<a>{}</a>", "<b/>".repeat(ELEMENTS));
        for (xml, reason) in [
            ("<!DOCTYPE x [<!ENTITY a \"b\">]><S/>", Reason::Malformed),
            ("<S CN=\"a\" SN=\"b\"><Ps><P>&a;</P></Ps></S>", Reason::Malformed),
            ("<S CN=\"a\" SN=\"b\"><Ps><P>Enabled=tr", Reason::Truncated),
            ("<S CN=\"a\" CN=\"c\" SN=\"b\"/>", Reason::Malformed),
            ("<S CN=\"a\"/>", Reason::Malformed),
            ("<T CN=\"a\" SN=\"b\"/>", Reason::Malformed),
            ("", Reason::Truncated),
            ("plain", Reason::Truncated),
            (&deep, Reason::Malformed),
            (&wide, Reason::Malformed),
            (&" ".repeat(LENGTH + 1), Reason::TooLarge),
        ] {
            assert_eq!(setting(xml).unwrap_err().0, reason, "{}", xml.get(..40).unwrap_or(xml));
        }
    }
}
