//! `trustprobe permissions`: the rights that each source and each check needs, and
//! no more; and whether the identities of a trust hold just these.

mod verify;

use std::fmt::Write as _;

use serde::Serialize;
use textwrap::{Options, wrap};

use crate::cli::{ListFormat, Permissions};
use crate::collect::LEAST;
use crate::exit::Code;
use crate::stdout;

/// Where facts come from, and what that takes.
struct Source {
    /// As the configuration and the state of a run name it; empty where nothing asks it.
    name: &'static str,
    title: &'static str,
    right: &'static str,
    about: &'static str,
    /// The parts of the facts that it brings, as recorded facts name them.
    brings: &'static [&'static str],
}

const SOURCES: [Source; 6] = [
    Source {
        name: "active_directory",
        title: "Active Directory (active_directory)",
        right: "An ordinary domain user",
        about: "What authenticated users may read of the Configuration partition is enough, and \
                of the linked accounts the attributes of Exchange. Over LDAPS or StartTLS, or by \
                Kerberos; never in clear.",
        brings: &[
            "accepted_domains",
            "accounts",
            "auth_config",
            "auth_servers",
            "connectors",
            "management_roles",
            "partner_applications",
            "role_assignments",
            "servers",
            "setting_overrides",
            "virtual_directories",
        ],
    },
    Source {
        name: "entra",
        title: "Microsoft Entra (entra)",
        right: LEAST,
        about: "As an application permission with admin consent, or delegated to whoever logged \
                in with `az` or a device code.",
        brings: &["app_role_assignments", "applications", "consents", "service_principals"],
    },
    Source {
        name: "",
        title: "Endpoints, DNS, TLS (metadata, challenge, autodiscover, dns, tls)",
        right: "None",
        about: "Every request is one that anybody may make. A probe mailbox is only named in an \
                Autodiscover question.",
        brings: &[
            "autodiscover",
            "challenges",
            "clocks",
            "fetches",
            "metadata_documents",
            "resolutions",
            "tls_servers",
        ],
    },
    Source {
        name: "",
        title: "Exports alone (Exchange Management Shell)",
        right: "View-Only Organization Management",
        about: "What no directory holds. With the same right the cmdlets export all of the above \
                but Microsoft Entra.",
        brings: &["exported_certificates", "organization_config", "server_certificates"],
    },
    Source {
        name: "",
        title: "Test-OAuthConnectivity (Exchange Management Shell)",
        right: "Organization Management",
        about: "Its results are worth having, and hardly any check needs them.",
        brings: &["connectivity"],
    },
    Source {
        name: "",
        title: "Captured traffic (a browser, Fiddler, curl)",
        right: "None, but whoever records sees what is sent",
        about: "Tokens in a capture let anybody in for as long as they live: keep it where they \
                may be kept. trustprobe keeps no part of one that could be used.",
        brings: &["calls", "tokens"],
    },
];

/// What is shown of a source.
#[derive(Serialize)]
struct Need {
    source: &'static str,
    right: &'static str,
    checks: Vec<&'static str>,
}

impl Source {
    /// The checks that need anything of it.
    fn checks(&self) -> Vec<&'static str> {
        let needs = |check: &&checks::Check| check.reads.iter().any(|it| self.brings.contains(it));
        checks::all().filter(needs).map(|check| check.id).collect()
    }
}

pub(crate) fn run(arguments: &Permissions) -> anyhow::Result<Code> {
    if arguments.verify {
        return verify::run(arguments);
    }
    let text = match arguments.format {
        ListFormat::Table => table()?,
        ListFormat::Json => {
            let needs = SOURCES.iter().map(|it| Need {
                source: it.title,
                right: it.right,
                checks: it.checks(),
            });
            serde_json::to_string_pretty(&needs.collect::<Vec<_>>())? + "\n"
        }
    };
    stdout::print(&text)?;
    Ok(Code::Passed)
}

fn table() -> anyhow::Result<String> {
    let mut text = String::from(
        "trustprobe reads and never writes. Each source needs no more than this for\n\
         its checks; give none of these accounts any other right. A check that stands\n\
         below several sources says what it lacks where one of them is missing.\n\
         `trustprobe permissions --verify` asks what they hold.\n",
    );
    for source in &SOURCES {
        writeln!(text, "\n{}\n  {}", source.title, source.right)?;
        paragraph(&mut text, "  ", source.about);
        paragraph(&mut text, "    ", &source.checks().join(", "));
    }
    Ok(text)
}

/// A paragraph below this mark, on as many lines as it takes.
fn paragraph(text: &mut String, mark: &str, words: &str) {
    let below = " ".repeat(mark.len());
    let options = Options::new(80).initial_indent(mark).subsequent_indent(&below);
    let options = options.word_splitter(textwrap::WordSplitter::NoHyphenation);
    let options = options.word_separator(textwrap::WordSeparator::AsciiSpace);
    for line in wrap(words, options) {
        text.push_str(&line);
        text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use checks::facts::Facts;

    use super::*;

    #[test]
    fn every_part_of_the_facts_comes_from_somewhere() {
        let brought = |part: &str| SOURCES.iter().any(|it| it.brings.contains(&part));
        for check in checks::all() {
            for part in check.reads {
                assert!(brought(part), "{part} of {}", check.id);
            }
        }
        let schema = schemars::schema_for!(Facts).to_value();
        let parts = schema["properties"].as_object().unwrap().keys();
        let parts: Vec<&String> =
            parts.filter(|it| !["seen", "organisation"].contains(&it.as_str())).collect();
        assert!(20 < parts.len());
        for part in parts {
            assert!(brought(part), "{part}");
        }
    }
}
