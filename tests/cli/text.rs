//! The same organisations, handed over as text that somebody copied from a window.

use quick_xml::Reader;
use quick_xml::events::Event;

use crate::organisation::{Organisation, faults};

/// An element of CLIXML.
#[derive(Default)]
struct Node {
    tag: String,
    name: String,
    text: String,
    children: Vec<Node>,
}

fn parsed(xml: &str) -> Node {
    let mut reader = Reader::from_str(xml);
    reader.config_mut().expand_empty_elements = true;
    let mut open = vec![Node::default()];
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => {
                let name = start.attributes().flatten().find(|it| it.key.as_ref() == "N");
                open.push(Node {
                    tag: start.local_name().as_ref().to_owned(),
                    name: name.map_or_else(String::new, |it| it.value.into_owned()),
                    ..Node::default()
                });
            }
            Event::Text(text) => open.last_mut().unwrap().text.push_str(&text.xml10_content()),
            Event::GeneralRef(entity) => {
                let letter = match entity.as_ref() {
                    "amp" => "&",
                    "lt" => "<",
                    "gt" => ">",
                    _ => "\"",
                };
                open.last_mut().unwrap().text.push_str(letter);
            }
            Event::End(_) => {
                let done = open.pop().unwrap();
                open.last_mut().unwrap().children.push(done);
            }
            Event::Eof => return open.pop().unwrap(),
            _ => {}
        }
    }
}

impl Node {
    fn child(&self, tag: &str) -> Option<&Node> {
        self.children.iter().find(|child| child.tag == tag)
    }

    /// What a window shows of the value.
    fn shown(&self) -> String {
        let list = |items: Vec<String>| {
            let more = if items.len() > 16 { "..." } else { "" };
            format!("{{{}{more}}}", items.into_iter().take(16).collect::<Vec<_>>().join(", "))
        };
        match self.tag.as_str() {
            "Nil" => String::new(),
            "B" => if self.text == "true" { "True" } else { "False" }.to_owned(),
            // In the order of whoever sits there.
            "DT" => {
                let part = |range| self.text.get(range).unwrap();
                format!("{}/{}/{} {}", part(5..7), part(8..10), part(0..4), part(11..19))
            }
            "BA" => "{48, 130, 3, 41...}".to_owned(),
            "Obj" => match (self.child("LST"), self.child("ToString")) {
                (Some(items), _) => list(items.children.iter().map(Node::shown).collect()),
                (None, Some(text)) => text.text.clone(),
                (None, None) => String::new(),
            },
            _ => self.text.clone(),
        }
    }
}

/// A window, and what becomes of a value that does not fit.
#[derive(Debug, Clone, Copy)]
struct Window {
    width: usize,
    /// It is wrapped at a blank, which is lost, and not cut at the last column.
    wraps: bool,
    /// Blanks at the end of a line are lost, as copying loses them.
    trims: bool,
}

const WINDOWS: [Window; 4] = [
    Window { width: 120, wraps: false, trims: false },
    Window { width: 80, wraps: false, trims: true },
    Window { width: 100, wraps: true, trims: true },
    Window { width: 10_000, wraps: false, trims: false },
];

impl Window {
    /// What `Format-List` shows of these objects.
    fn list(self, xml: &str) -> String {
        let root = parsed(xml);
        let mut text = String::new();
        for object in &root.child("Objs").unwrap().children {
            let parts = object.children.iter().filter(|it| it.tag == "Props" || it.tag == "MS");
            let members: Vec<&Node> = parts.flat_map(|part| &part.children).collect();
            let padding = members.iter().map(|it| it.name.len()).max().unwrap_or_default();
            text.push_str("\r\n\r\n");
            for member in members {
                let lines = self.lines(&member.shown(), self.width - padding - 3);
                for (at, line) in lines.iter().enumerate() {
                    let start = match at {
                        0 => format!("{:padding$} : ", member.name),
                        _ => " ".repeat(padding + 3),
                    };
                    let line = format!("{start}{line}");
                    text.push_str(if self.trims { line.trim_end() } else { &line });
                    text.push_str("\r\n");
                }
            }
        }
        text + "\r\n\r\n"
    }

    fn lines(self, value: &str, width: usize) -> Vec<String> {
        let mut lines = vec![String::new()];
        let mut words = value.split(' ');
        let first = words.next().unwrap_or_default().to_owned();
        for word in std::iter::once(first).chain(words.map(|word| format!(" {word}"))) {
            let used = lines.last().unwrap().chars().count();
            let fits = used + word.chars().count() <= width;
            let word = if self.wraps && !fits && 0 < used {
                lines.push(String::new());
                word.trim_start().to_owned()
            } else {
                word
            };
            for c in word.chars() {
                if lines.last().unwrap().chars().count() == width {
                    lines.push(String::new());
                }
                lines.last_mut().unwrap().push(c);
            }
        }
        lines
    }
}

/// Puts text in the place of every export of cmdlets.
fn show_in(window: Window, organisation: &Organisation) {
    for name in organisation.texts() {
        let text = organisation.text(&name);
        if text.contains("<Objs ") {
            organisation.write(&name, window.list(&text));
        }
    }
}

/// What text shows is what CLIXML says, or less: it never tells another story.
#[test]
fn text_never_contradicts_the_export() {
    let fixtures = faults();
    assert!(fixtures.len() > 30);
    let windows = WINDOWS.iter().cycle();
    for (fault, window) in fixtures.iter().zip(windows) {
        let organisation = Organisation::with(fault);
        let exported = organisation.judge().outcomes();
        show_in(*window, &organisation);
        let shown = organisation.judge();
        for outcome in shown.outcomes() {
            if ["unknown", "blocked", "not_applicable"].contains(&outcome.status.as_str()) {
                continue;
            }
            // Without the date of a change, what fails soon is not yet as bad.
            let milder = |status: &str| outcome.status == "warning" && status == "failed";
            let same = exported.iter().any(|it| {
                it.check == outcome.check
                    && (it.status == outcome.status || milder(&it.status))
                    && same_subject(&it.subject, &outcome.subject)
            });
            assert!(same, "{fault}, {window:?}: text says {outcome}");
        }
    }
}

/// Text often gives the short name only.
fn same_subject(exported: &str, shown: &str) -> bool {
    exported == shown || exported.starts_with(shown) || shown.starts_with(exported)
}

#[test]
fn text_alone_answers_most() {
    for window in WINDOWS {
        let organisation = Organisation::healthy();
        let exported = organisation.judge();
        show_in(window, &organisation);
        let shown = organisation.judge();
        assert_eq!(shown.with_status("failed"), [], "{window:?}");
        assert_eq!(shown.with_status("warning"), [], "{window:?}");
        let (all, less) = (exported.with_status("passed").len(), shown.with_status("passed").len());
        assert!(
            all - less < 3,
            "{less} of {all} in {window:?}: {:#?}",
            shown.with_status("unknown")
        );
    }
}
