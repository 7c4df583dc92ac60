//! What of an address and of an answer may be shown.

use reqwest::header::LOCATION;
use url::Url;

use super::Answer;

/// An address without what may be a secret in it.
pub(crate) fn shown(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
    format!("{}://{host}{port}{}", url.scheme(), url.path())
}

/// The address to which an answer leads, where it leads elsewhere.
pub(crate) fn location(answer: &Answer) -> Option<String> {
    let next = answer.url.join(answer.header(LOCATION.as_str())?).ok()?;
    Some(shown(&next))
}

/// A text in which the mailbox is not named, however it is written.
pub(crate) fn without(text: &str, mailbox: &str) -> String {
    let encoded: String = url::form_urlencoded::byte_serialize(mailbox.as_bytes()).collect();
    let mut text = text.to_owned();
    for form in [mailbox, &encoded, &mailbox.replace('@', "%40")] {
        let (folded, form) = (text.to_ascii_lowercase(), form.to_ascii_lowercase());
        if form.is_empty() || !folded.contains(&form) {
            continue;
        }
        let mut kept = String::new();
        let mut from = 0;
        for (at, found) in folded.match_indices(&form) {
            kept.push_str(text.get(from..at).unwrap_or_default());
            kept.push_str("<mailbox>");
            from = at + found.len();
        }
        kept.push_str(text.get(from..).unwrap_or_default());
        text = kept;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mailbox_is_named_nowhere() {
        let mailbox = "Calendar-Probe@contoso.com";
        for text in [
            "https://a/autodiscover.json/v1.0/calendar-probe@contoso.com",
            "https://a/autodiscover.json/v1.0/Calendar-Probe%40contoso.com/x",
            "no calendar-probe@contoso.com, CALENDAR-PROBE@CONTOSO.COM",
        ] {
            let told = without(text, mailbox).to_ascii_lowercase();
            assert!(told.contains("<mailbox>") && !told.contains("calendar-probe"), "{told}");
        }
        assert_eq!(without("nothing", mailbox), "nothing");
        assert_eq!(without("nothing", ""), "nothing");
    }
}
