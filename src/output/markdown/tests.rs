//! What is written is read back by two parsers, with every extension that they have.

mod hostile;

use comrak::nodes::{AstNode, NodeValue};
use comrak::{Arena, parse_document};
use proptest::prelude::*;

use super::*;
use hostile::HOSTILE;

const OURS: &str = "https://learn.microsoft.com/exchange";

/// Every block, with the same text in every place that takes one.
fn document(text: &str) -> String {
    let mut document = Document::default();
    let linked = || Line::from(text).link("Sources", OURS).strong(text).text(text).code(text);
    document.paragraph(text);
    document.heading(2, text);
    document.heading(3, linked());
    document.paragraph(linked());
    document.list([Line::from(text), Line::default().strong(text), linked()]);
    document.list([text]);
    document.numbered([text, text]);
    document.numbered([Line::default().code(text)]);
    document.paragraph(text);
    document.table(
        &[text, "own"],
        [
            vec![text.into(), linked()],
            vec![Line::default().code(text)],
            vec![linked(), text.into()],
        ],
    );
    document.paragraph(Line::default().link("Sources", OURS));
    document.code("powershell", [text, "Get-AuthServer", text]);
    document.rule();
    document.paragraph(Line::default().strong(text).text(text));
    document.finish()
}

fn everything() -> comrak::Options<'static> {
    let mut options = comrak::Options::default();
    let on = &mut options.extension;
    for extension in [
        &mut on.strikethrough,
        &mut on.table,
        &mut on.autolink,
        &mut on.tasklist,
        &mut on.superscript,
        &mut on.footnotes,
        &mut on.inline_footnotes,
        &mut on.description_lists,
        &mut on.multiline_block_quotes,
        &mut on.alerts,
        &mut on.math_dollars,
        &mut on.math_latex,
        &mut on.math_code,
        &mut on.wikilinks_title_after_pipe,
        &mut on.underline,
        &mut on.subscript,
        &mut on.spoiler,
        &mut on.greentext,
        &mut on.cjk_friendly_emphasis,
        &mut on.subtext,
        &mut on.highlight,
        &mut on.insert,
        &mut on.block_directive,
    ] {
        *extension = true;
    }
    options.extension.front_matter_delimiter = Some("---".to_owned());
    options.parse.relaxed_tasklist_matching = true;
    options.parse.tasklist_in_table = true;
    options.parse.relaxed_autolinks = true;
    options
}

fn github() -> comrak::Options<'static> {
    let mut options = comrak::Options::default();
    let on = &mut options.extension;
    for extension in [
        &mut on.strikethrough,
        &mut on.table,
        &mut on.autolink,
        &mut on.tasklist,
        &mut on.footnotes,
    ] {
        *extension = true;
    }
    options
}

/// What stands in each block or link, and between which nodes; code and text apart
/// from the rest, since only what is no code is looked at again.
#[derive(Debug, Default, PartialEq, Eq)]
struct Parsed {
    shape: String,
    texts: Vec<String>,
    /// What is looked at again.
    loose: Vec<String>,
}

fn comrak(markdown: &str, options: &comrak::Options) -> Parsed {
    let arena = Arena::new();
    let mut parsed = Parsed::default();
    walk(parse_document(&arena, markdown, options), &mut parsed);
    parsed
}

fn walk<'a>(node: &'a AstNode<'a>, into: &mut Parsed) {
    let value = &node.data.borrow().value;
    match value {
        NodeValue::Text(text) => {
            into.loose.push(text.to_string());
            text_of(into, text);
        }
        NodeValue::Code(code) => {
            into.loose.push("\u{0}".to_owned());
            text_of(into, &code.literal);
        }
        value => {
            let name = match value {
                NodeValue::Link(link) => format!("link {}", link.url),
                NodeValue::CodeBlock(block) => format!("block {:?}", block.info),
                NodeValue::Heading(heading) => format!("heading {}", heading.level),
                NodeValue::List(list) => format!("list {:?} {:?}", list.list_type, list.tight),
                value => format!("{value:?}").chars().take_while(|c| c.is_alphanumeric()).collect(),
            };
            into.loose.push("\u{0}".to_owned());
            let _ = writeln!(into.shape, "({name}");
            into.texts.push(String::new());
            if let NodeValue::CodeBlock(block) = value {
                text_of(into, &block.literal);
            }
            node.children().for_each(|child| walk(child, into));
            into.shape.push_str(")\n");
            into.texts.push(String::new());
        }
    }
}

fn text_of(into: &mut Parsed, text: &str) {
    match into.texts.last_mut() {
        Some(last) => last.push_str(text),
        None => into.texts.push(text.to_owned()),
    }
}

/// Pulldown's view, without the text.
fn pulldown(markdown: &str) -> Vec<String> {
    use pulldown_cmark::{Event, Options, Parser};
    let options = Options::all() - Options::ENABLE_SMART_PUNCTUATION;
    Parser::new_ext(markdown, options)
        .filter(|event| !matches!(event, Event::Text(_) | Event::Code(_)))
        .map(|event| format!("{event:?}"))
        .collect()
}

/// What sites look for in text when Markdown is done with it.
fn looks_alive(loose: &str) -> bool {
    let words = loose.split(|c: char| c.is_whitespace() || "().,;!?\"'".contains(c));
    words.into_iter().any(|word| {
        let hex = word.len() >= 7 && word.bytes().all(|it| it.is_ascii_hexdigit());
        let digits = word.bytes().any(|it| it.is_ascii_digit());
        let letters = word.chars().any(char::is_alphabetic);
        hex || (digits && letters) || (digits && word.contains('-'))
    }) || loose.contains(['@', '#', '$', '~', '<', '[', '/', '_', '*', '=', '^', '{', '\\'])
        || loose.contains("www")
}

fn assert_only_text(text: &str) {
    let (markdown, harmless) = (document(text), document("x"));
    for options in [everything(), github()] {
        let (seen, wanted) = (comrak(&markdown, &options), comrak(&harmless, &options));
        assert_eq!(seen.shape, wanted.shape, "{text:?}\n{markdown}");
        let own = |wanted: &String| wanted.replace('x', &escape(text));
        let wanted: Vec<String> = wanted.texts.iter().map(own).collect();
        assert_eq!(seen.texts, wanted, "{text:?}\n{markdown}");
        let loose = seen.loose.concat();
        let own_words = loose.split('\u{0}').filter(|it| !it.is_empty());
        for part in own_words {
            assert!(!looks_alive(part), "{part:?} of {text:?}\n{markdown}");
        }
    }
    assert_eq!(pulldown(&markdown), pulldown(&harmless), "{text:?}\n{markdown}");
    assert!(markdown.lines().all(|line| escape(line) == line), "{markdown:?}");
}

#[test]
fn foreign_text_is_text_and_nothing_else() {
    for text in HOSTILE {
        assert_only_text(text);
    }
}

#[test]
fn no_fence_is_closed_from_within() {
    let lines = ["```", "````", "~~~", "`````x", "  ``````  "];
    let mut document = Document::default();
    document.code("powershell", lines);
    document.paragraph("after");
    let parsed = comrak(&document.finish(), &everything());
    assert_eq!(parsed.texts.concat(), format!("{}\nafter", lines.join("\n")));
}

#[test]
fn what_is_empty_is_left_out() {
    let mut document = Document::default();
    document.heading(1, "");
    document.paragraph("");
    document.list(["", ""]);
    document.table(&["a"], []);
    document.paragraph(Line::default().strong("").code("").text(""));
    assert_eq!(document.finish(), "");
}

#[test]
fn people_can_read_it_as_it_is() {
    for (text, written) in [
        ("the key ended on 2027-01-01.", "the key ended on `2027-01-01`."),
        (
            "realm of \"SfBOnline\" (enabled) is contoso.com, not fabrikam.com",
            "realm of \"SfBOnline\" (enabled) is `contoso.com`, not `fabrikam.com`",
        ),
        ("3 servers, auth-certificate-present", "3 servers, auth-certificate-present"),
        ("1. CN=Contoso R&D (O=x)", "1\\. `CN=Contoso R&D (O=x`)"),
        ("either `a|b`", "either &#96;`a`&#124;`b`&#96;"),
    ] {
        assert_eq!(Line::from(text).0, written);
    }
}

/// Words that mean something to Markdown, in any order.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(
        [
            "a",
            "x",
            "1",
            " ",
            "  ",
            "`",
            "``",
            "|",
            "\\",
            "*",
            "**",
            "_",
            "~",
            "~~",
            "#",
            "@",
            ":",
            ".",
            "-",
            "+",
            "=",
            "!",
            "[",
            "]",
            "(",
            ")",
            "<",
            ">",
            "&",
            ";",
            "$",
            "{",
            "}",
            "^",
            "/",
            "\"",
            "'",
            "\n",
            "\t",
            "www.",
            "https://",
            "a.example",
            "m@a.example",
            "<!--",
            "-->",
            "&#",
            "[^1]",
            "1.",
            "’",
            "é",
            "…",
            "\u{202e}",
            "\u{a0}",
            "\u{3000}",
        ]
        .to_vec(),
    );
    prop::collection::vec(piece, 1..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn whatever_the_text_it_is_text(text in prop_oneof![pieces(), "\\PC{1,40}", ".{1,40}"]) {
        assert_only_text(&text);
    }
}
