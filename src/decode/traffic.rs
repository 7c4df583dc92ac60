//! Calls as a capture shows them, and what of them becomes facts.
//!
//! Whatever form a capture has, its calls come here one after the other. Kept is
//! what has to do with the trust: calls of Exchange's addresses, requests for
//! tokens, and refusals that say why. Everything else is counted and dropped, and
//! so are cookies, bodies, queries and passwords.

mod request;
#[cfg(test)]
mod tests;

use checks::facts::{
    Authorization, Call, Challenge, Fact, LooseToken, Needs, Reason, SeenId, Unknown, host_name,
};
use jiff::Timestamp;

use super::http::headers::{Told, without_secrets};
use super::token::{self, Signatures, Users};
use super::{Decoded, Form, Owner, limits, numbered};
use request::{Sent, authorization, token_request};

/// A header: its name and its value.
pub(crate) type Header<'t> = (&'t str, &'t str);

/// A call as its capture shows it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Shown<'t> {
    /// Which call of the capture it is.
    pub(crate) number: u32,
    pub(crate) at: Option<Timestamp>,
    pub(crate) method: &'t str,
    /// The whole address.
    pub(crate) url: &'t str,
    pub(crate) request: &'t [Header<'t>],
    pub(crate) request_body: &'t str,
    /// The status; `None` where no answer is shown.
    pub(crate) status: Option<u16>,
    pub(crate) answer: &'t [Header<'t>],
    pub(crate) answer_body: &'t str,
}

/// What a call becomes. Its source is not known before its capture was read.
pub(crate) struct Recorder {
    calls: Vec<Call>,
    challenges: Vec<Challenge>,
    signatures: Signatures,
    pub(crate) users: Users,
    /// Calls that have nothing to do with the trust, and those beyond the bound.
    others: usize,
    surplus: usize,
    /// Whether anything in the capture shows that it kept such headers.
    kept_secrets: bool,
    newest: Option<Timestamp>,
}

/// Stands for a source until it is known.
fn nowhere() -> SeenId {
    SeenId::new("")
}

impl Recorder {
    /// Nothing yet.
    pub(crate) fn new(user_names: bool) -> Self {
        Self {
            calls: Vec::new(),
            challenges: Vec::new(),
            signatures: Signatures::default(),
            users: Users::new(user_names),
            others: 0,
            surplus: 0,
            kept_secrets: false,
            newest: None,
        }
    }

    /// Takes a call in.
    pub(crate) fn add(&mut self, shown: &Shown) {
        let url = without_secrets(shown.url);
        let mut sent = authorization(shown.request, &mut self.users);
        // Whoever takes such headers out takes all of them.
        self.kept_secrets |= !matches!(sent, Sent::Absent | Sent::Removed);
        let mut told = Told { url: url.clone(), status: shown.status, ..Told::default() };
        for (name, value) in shown.answer {
            told.add(name, value);
        }
        let asked = token_request(shown, &mut self.users);
        let ours = is_exchange(&url) || sent.is_of_servers() || asked.is_some();
        let says = !told.diagnoses.is_empty() || shown.status == Some(407);
        if !ours && !says {
            self.others += 1;
            return;
        }
        if self.calls.len() == limits::CALLS {
            self.surplus += 1;
            return;
        }
        self.newest = self.newest.max(shown.at);
        let (token_request, signed) = asked.unzip();
        let own = sent.signed().into_iter();
        self.signatures.add(shown.number, own.chain(signed.into_iter().flatten()));
        let answer = answer(told);
        self.offer(&sent, &answer);
        self.calls.push(Call {
            number: shown.number,
            at: shown.at,
            method: shown.method.chars().filter(char::is_ascii_alphabetic).take(16).collect(),
            authorization: carried(sent, &url, shown.status),
            token_request,
            via: via(shown.answer),
            answer,
        });
    }

    /// Takes an answer in whose request was not recorded.
    pub(crate) fn answer(&mut self, shown: &Shown) {
        let mut told = Told { status: shown.status, ..Told::default() };
        for (name, value) in shown.answer {
            told.add(name, value);
        }
        let tells = told.bearer.is_some() || !told.diagnoses.is_empty();
        let answer = answer(told);
        if tells && self.challenges.len() < limits::CALLS && !self.challenges.contains(&answer) {
            self.challenges.push(answer);
        }
    }

    /// What a host offers to callers without a token is a fact about the host.
    /// Why it refused one belongs to the call.
    fn offer(&mut self, sent: &Sent, answer: &Challenge) {
        let asked = matches!(sent, Sent::EmptyBearer) && answer.status.value().is_some();
        if is_exchange(&answer.url) && (asked || answer.bearer.is_some()) {
            let offer = Challenge { diagnoses: Vec::new(), ..answer.clone() };
            if !self.challenges.contains(&offer) {
                self.challenges.push(offer);
            }
        }
    }

    /// The capture shows what was sent as it was sent.
    pub(crate) fn keeps_secrets(&mut self) {
        self.kept_secrets = true;
    }

    /// The facts, once their source is known.
    pub(crate) fn finish(mut self, form: Form, seen: &SeenId) -> Decoded {
        let mut decoded = Decoded::new(form);
        for call in &mut self.calls {
            if !self.kept_secrets && call.authorization.is(|it| *it == Authorization::Absent) {
                let why = "no request in the capture carries one, as where it was taken out";
                call.authorization = removed(why);
            }
        }
        if self.surplus > 0 {
            let more = numbered(self.surplus, "more call");
            decoded.notes.push(format!("{more} than the {} that are used", limits::CALLS));
        }
        if self.calls.is_empty() && self.challenges.is_empty() {
            let calls = numbered(self.others, "call");
            decoded.notes.push(format!("{calls}, none of which has to do with the trust"));
            return decoded;
        }
        if self.others > 0 {
            let calls = numbered(self.others, "call");
            decoded.notes.push(format!("{calls} that have nothing to do with the trust, left out"));
        }
        decoded.origin.at = self.newest;
        for url in self.calls.iter().map(Call::url) {
            decoded.origin.from(&host_name(url));
        }
        let facts = decoded.of(Owner::Anyone);
        facts.calls = self.calls;
        facts.challenges = self.challenges;
        for call in &mut facts.calls {
            source(&mut call.authorization, seen);
            found_in(&mut call.answer, seen);
        }
        facts.challenges.iter_mut().for_each(|it| found_in(it, seen));
        decoded.signatures = self.signatures;
        decoded
    }
}

fn found_in(answer: &mut Challenge, seen: &SeenId) {
    answer.seen = seen.clone();
    source(&mut answer.status, seen);
}

fn source<T>(fact: &mut Fact<T>, seen: &SeenId) {
    match fact {
        Fact::Known(known) => known.seen = seen.clone(),
        Fact::Unknown(why) => why.tried = vec![seen.clone()],
    }
}

/// The answer as a fact, whole as it is: a capture shows all headers.
fn answer(told: Told) -> Challenge {
    let silent = told.status.is_none();
    let mut answer = told.challenge(None, &nowhere());
    if silent {
        let why = Unknown::new(Reason::NotCollected, Needs::Capture);
        answer.status = why.detail("the capture shows no answer").into();
    }
    answer
}

fn removed(why: &str) -> Fact<Authorization> {
    Unknown::new(Reason::Redacted, Needs::Capture).detail(format!("not observable: {why}")).into()
}

fn carried(sent: Sent, url: &str, status: Option<u16>) -> Fact<Authorization> {
    let known = |it| Fact::known(it, &nowhere());
    match sent {
        Sent::Removed => removed("somebody took the Authorization header out"),
        // Nobody is let in without one; but a connection may be logged in.
        Sent::Absent if is_exchange(url) && matches!(status, Some(200..=299)) => {
            removed("the call was let in, and shows no Authorization header")
        }
        Sent::Absent => known(Authorization::Absent),
        Sent::EmptyBearer => known(Authorization::EmptyBearer),
        Sent::Token(token, _) => known(Authorization::Token(token)),
        Sent::OtherBearer => known(Authorization::OtherBearer),
        Sent::Password(scheme) => known(Authorization::Password(scheme)),
        Sent::Other(scheme) => known(Authorization::Other(scheme)),
    }
}

/// The proxies that say that they handed the answer on.
fn via(headers: &[Header]) -> String {
    let named = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("via"));
    let all: Vec<&str> = named.map(|(_, value)| value.trim()).take(5).collect();
    all.join(", ").chars().filter(|c| !c.is_control()).take(200).collect()
}

/// Whether servers call an address by this protocol. Autodiscover v2 and the
/// metadata document are for anybody.
pub(crate) fn is_exchange(url: &str) -> bool {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let path = rest.find('/').and_then(|at| rest.get(at..)).unwrap_or_default();
    let path = path.to_ascii_lowercase();
    let begins = |front: &str| {
        path.strip_prefix(front).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let open = path.contains("autodiscover.json") || path.contains("/metadata/");
    !open && ["/ews", "/autodiscover", "/api", "/mapi"].iter().any(|it| begins(it))
}

/// A file that is a token and nothing else.
pub(crate) fn token(text: &str, user_names: bool, seen: &SeenId) -> Option<Decoded> {
    if text.len() > 2 * limits::TOKEN || !token::recognise(text) {
        return None;
    }
    let (token, signed) = token::read(text, &mut Users::new(user_names))?;
    let mut decoded = Decoded::new(Form::Token);
    if token.damaged {
        decoded.notes.push("not all of the token could be read".to_owned());
    }
    decoded.signatures.add(0, [signed]);
    decoded.of(Owner::Anyone).tokens.push(LooseToken { token, seen: seen.clone() });
    Some(decoded)
}
