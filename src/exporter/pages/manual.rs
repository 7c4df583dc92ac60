//! The manual page of a check, from its Markdown.

use askama::Template;
use checks::{Check, Checks};
use pulldown_cmark::{Alignment, CowStr, Event, Options, Parser, Tag, TagEnd, html};

use super::MANUALS;
use crate::output::escape;

#[derive(Template)]
#[template(path = "manual.html")]
struct Manual<'a> {
    check: &'a Check,
    manuals: &'static str,
    /// HTML, and safe: [`body`] makes it.
    body: &'a str,
}

/// The page of the check of this id; `None` where there is no such check.
pub fn check(checks: &Checks, id: &str) -> anyhow::Result<Option<String>> {
    let Some(check) = checks.named(id) else { return Ok(None) };
    let body = body(check.manual);
    Ok(Some(Manual { check, manuals: MANUALS, body: &body }.render()?))
}

/// Markdown as HTML, below its heading of the first rank, which the page has already.
///
/// Tags in it are text; a link leads to the web or is none; a picture is its words.
fn body(markdown: &str) -> String {
    let mut within_title = false;
    let mut open_links = Vec::new();
    let parser = Parser::new_ext(markdown, Options::ENABLE_TABLES);
    let events = parser.filter_map(|event| match event {
        Event::Start(Tag::Heading { level, .. }) if level as usize == 1 => {
            within_title = true;
            None
        }
        Event::End(TagEnd::Heading(level)) if level as usize == 1 => {
            within_title = false;
            None
        }
        _ if within_title => None,
        Event::Html(text) | Event::InlineHtml(text) | Event::Text(text) => {
            Some(Event::Text(visible(&text)))
        }
        Event::Code(text) => Some(Event::Code(visible(&text))),
        Event::Start(Tag::Link { ref dest_url, .. }) => {
            let kept = dest_url.starts_with("https://") || dest_url.starts_with("http://");
            open_links.push(kept);
            kept.then_some(event)
        }
        Event::End(TagEnd::Link) => open_links.pop().unwrap_or(false).then_some(event),
        Event::Start(Tag::Image { .. } | Tag::HtmlBlock)
        | Event::End(TagEnd::Image | TagEnd::HtmlBlock) => None,
        // An alignment would be a style of its own, which the policy refuses.
        Event::Start(Tag::Table(columns)) => {
            Some(Event::Start(Tag::Table(vec![Alignment::None; columns.len()])))
        }
        other => Some(other),
    });
    let mut text = String::with_capacity(markdown.len() * 2);
    html::push_html(&mut text, events);
    // Only the writer's own tags have angle brackets.
    text.replace("<table>", "<table class=\"rows\">").replace("<th>", "<th scope=\"col\">")
}

/// The text with what steers or hides made visible; its lines stay lines.
fn visible(text: &str) -> CowStr<'static> {
    text.split('\n').map(escape).collect::<Vec<_>>().join("\n").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_text_and_links_lead_to_the_web() {
        let hostile = "# title\n\n<script>alert(1)</script>\n\nA <b onclick=x>tag</b>, \
            [run](javascript:alert(1)), [data](data:text/html,x), ![picture](https://e.com/x.png), \
            [web](https://learn.microsoft.com/ \"a\"), `mail\u{202e}moc`\n\n- [x]: y\n\n\
            | a | b |\n|:--|--:|\n| <th> | 2 |\n";
        let html = body(hostile);
        assert!(!html.contains("title</h1>") && !html.contains("<script"), "{html}");
        for tag in ["<b", "<img", "javascript:", "data:", "\u{202e}"] {
            assert!(!html.contains(tag), "{tag}: {html}");
        }
        assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{html}");
        assert!(html.contains("run, data, picture, "), "{html}");
        assert!(html.contains("<th scope=\"col\">a</th>"), "{html}");
        assert!(html.contains("<td>&lt;th&gt;</td>") && !html.contains("style="), "{html}");
        assert!(html.contains("<a href=\"https://learn.microsoft.com/\""), "{html}");
        assert!(html.contains("<code>mail\\u{202e}moc</code>"), "{html}");
    }

    #[test]
    fn every_check_has_its_page() {
        for known in checks::all() {
            let page = check(&Checks::default(), known.id).unwrap().unwrap();
            for heading in ["What it checks", "Why it matters", "How to fix it", "Sources"] {
                assert!(page.contains(&format!("<h2>{heading}</h2>")), "{}: {heading}", known.id);
            }
            assert_eq!(page.matches("<h1").count(), 1, "{}", known.id);
        }
        assert_eq!(check(&Checks::default(), "no-such-check").unwrap(), None);
    }
}
