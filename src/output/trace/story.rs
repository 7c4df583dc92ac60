//! The calls in the order in which they were made, and the tokens in them, each
//! once.

use std::path::Path;

use checks::facts::{
    ApplicationId, Authorization, BearerChallenge, Call, Challenge, Diagnosis, SeenId,
    SignatureShape, Token, TokenKind, principal,
};
use checks::procedure::{ACS_ISSUERS, application_name};
use checks::traffic::{Belongs, belongs};
use jiff::Timestamp;

use crate::output::Report;

/// A token of the story.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Met<'a> {
    /// Its number, from 1.
    pub(crate) number: usize,
    pub(crate) token: &'a Token,
    pub(crate) belongs: Belongs<'a>,
    /// The file, where it stands alone.
    pub(crate) file: Option<&'a str>,
}

/// One call: what went there and what came back, in words.
#[derive(Debug, Clone)]
pub(crate) struct Row<'a> {
    pub(crate) file: &'a str,
    /// The place in its capture; 0 where the request was not recorded.
    pub(crate) number: u32,
    pub(crate) at: Option<Timestamp>,
    /// The address; empty where it is not told.
    pub(crate) url: &'a str,
    /// What was sent, in the order in which it matters.
    pub(crate) sent: Vec<String>,
    /// What was said.
    pub(crate) said: Vec<String>,
}

/// The traffic of one report.
#[derive(Debug)]
pub(crate) struct Story<'a> {
    pub(crate) calls: Vec<&'a Call>,
    /// Answers whose request was not recorded.
    pub(crate) answers: Vec<&'a Challenge>,
    pub(crate) tokens: Vec<Met<'a>>,
}

impl<'a> Story<'a> {
    /// The traffic of a report, without that in these files or folders.
    pub(crate) fn of(report: &Report<'a>, hidden: &[String]) -> Self {
        let facts = report.facts;
        let shown = |seen: &SeenId| {
            let source = facts.source(seen);
            !hidden.iter().any(|path| Path::new(source).starts_with(path))
        };
        let mut calls: Vec<&Call> = facts.calls.iter().filter(|it| shown(it.seen())).collect();
        calls.sort_by_key(|it| (it.at, it.seen(), it.number));
        let recorded = |it: &&Challenge| {
            !calls.iter().any(|call| call.seen() == &it.seen && call.url() == it.url)
        };
        let answers = facts.challenges.iter();
        let answers =
            answers.filter(|it| !it.is_silent() && shown(&it.seen) && recorded(it)).collect();
        let case = report.case();
        let mut tokens: Vec<Met> = Vec::new();
        let alone = facts.tokens.iter().filter(|it| shown(&it.seen));
        let alone = alone.map(|it| (&it.token, Some(facts.source(&it.seen))));
        let in_calls = calls.iter().flat_map(|call| call.tokens()).map(|token| (token, None));
        for (token, file) in in_calls.chain(alone) {
            if !tokens.iter().any(|met| met.token == token) {
                let number = tokens.len() + 1;
                tokens.push(Met { number, token, belongs: belongs(&case, token), file });
            }
        }
        Self { calls, answers, tokens }
    }

    /// Each call and each answer, for a person.
    pub(crate) fn rows(&self, report: &Report<'a>) -> Vec<Row<'a>> {
        let facts = report.facts;
        let calls = self.calls.iter().map(|call| Row {
            file: facts.source(call.seen()),
            number: call.number,
            at: call.at,
            url: call.url(),
            sent: self.sent(call),
            said: self.said(call),
        });
        let answers = self.answers.iter().map(|answer| Row {
            file: facts.source(&answer.seen),
            number: 0,
            at: None,
            url: &answer.url,
            sent: vec!["a request that was not recorded".to_owned()],
            said: answered(answer),
        });
        calls.chain(answers).collect()
    }

    fn number(&self, token: &Token) -> usize {
        self.tokens.iter().find(|met| met.token == token).map_or(0, |met| met.number)
    }

    fn sent(&self, call: &Call) -> Vec<String> {
        let mut sent = Vec::new();
        let method = if call.method.is_empty() { "a request" } else { &call.method };
        let with = match &call.authorization {
            checks::facts::Fact::Unknown(why) => match why.detail.as_str() {
                "" => "Authorization: not observable".to_owned(),
                detail => format!("Authorization {detail}"),
            },
            checks::facts::Fact::Known(known) => match &known.value {
                Authorization::Absent => "without Authorization".to_owned(),
                Authorization::EmptyBearer => "with Bearer and no token".to_owned(),
                Authorization::Token(token) => {
                    format!("with token {}: {}", self.number(token), gist(token))
                }
                Authorization::OtherBearer => {
                    "with a bearer token that is none of these".to_owned()
                }
                Authorization::Password(scheme) => {
                    format!("with {scheme}: a user's name and password")
                }
                Authorization::Other(scheme) => format!("with {scheme}"),
            },
        };
        match &call.token_request {
            Some(request) => {
                let target = match request.resource.as_str() {
                    "" => String::new(),
                    resource => format!(" for {}", resource.replace('@', " at ")),
                };
                sent.push(format!("{method} asks for a token{target}"));
                if let Some(assertion) = &request.assertion {
                    let number = self.number(assertion);
                    sent.push(format!("with token {number}: {}", gist(assertion)));
                }
            }
            None => sent.push(format!("{method} {with}")),
        }
        sent
    }

    fn said(&self, call: &Call) -> Vec<String> {
        let mut said = answered(&call.answer);
        if let Some(request) = &call.token_request {
            if let Some(issued) = &request.issued {
                said.push(format!("token {}: {}", self.number(issued), gist(issued)));
            }
            let code = request.aadsts.map(|code| format!("AADSTS{code}"));
            let parts = [Some(request.error.clone()).filter(|it| !it.is_empty()), code];
            let refused: Vec<String> = parts.into_iter().flatten().collect();
            if !refused.is_empty() {
                said.push(format!("no token: {}", refused.join(", ")));
            }
        }
        if !call.via.is_empty() {
            said.push(format!("through {}", call.via));
        }
        said
    }
}

/// Kind and caller of a token, in short.
fn gist(token: &Token) -> String {
    let caller = token.caller().map(|it| format!(" of {}", application(&it.application)));
    let user = token.users.first().map(|it| format!(", for {}", it.user));
    let (caller, user) = (caller.unwrap_or_default(), user.unwrap_or_default());
    format!("{}{caller}{user}", token.kind.name())
}

/// An application by the name that people know, or else by its id.
pub(super) fn application(id: &ApplicationId) -> String {
    application_name(id).map_or_else(|| id.to_string(), str::to_owned)
}

/// An application by its id, with the name that people know.
pub(super) fn identified(id: &ApplicationId) -> String {
    match application_name(id) {
        Some(name) => format!("{id} ({name})"),
        None if ACS_ISSUERS.contains(id) => format!("{id} (ACS)"),
        None => id.to_string(),
    }
}

fn answered(answer: &Challenge) -> Vec<String> {
    let status = answer.status.value().map(u16::to_string);
    let mut said = vec![match (&answer.bearer, answer.schemes.as_slice()) {
        (Some(_), _) => "challenge".to_owned(),
        (None, []) => String::new(),
        (None, schemes) => format!("offers {}, no bearer challenge", schemes.join(", ")),
    }];
    let known = status.unwrap_or_else(|| "status not told".to_owned());
    if let Some(first) = said.first_mut() {
        *first = if first.is_empty() { known } else { format!("{known} {first}") };
    }
    said.extend(answer.bearer.iter().flat_map(offered));
    said.extend(answer.diagnoses.iter().map(diagnosis));
    said
}

fn offered(bearer: &BearerChallenge) -> Vec<String> {
    let mut said = Vec::new();
    if !bearer.client_id.is_empty() {
        let id = ApplicationId::new(&bearer.client_id);
        said.push(format!("client_id {id} ({})", application(&id)));
    }
    match &bearer.trusted_issuers {
        None => said.push("names no trusted issuers".to_owned()),
        Some(issuers) if issuers.is_empty() => said.push("trusts no issuer".to_owned()),
        Some(issuers) => {
            said.extend(issuers.iter().take(10).map(|issuer| trusts(issuer)));
        }
    }
    if !bearer.error.is_empty() {
        said.push(format!("error {}", bearer.error));
    }
    said
}

/// An issuer, with its realm apart: together they are longer than a line.
fn trusts(issuer: &str) -> String {
    match principal(issuer) {
        Some((id, realm)) if ACS_ISSUERS.contains(&id) => format!("trusts {id} (ACS) at {realm}"),
        Some((id, realm)) => format!("trusts {id} at {realm}"),
        None => format!("trusts {issuer}"),
    }
}

fn diagnosis(said: &Diagnosis) -> String {
    let number = if said.number > 0 { format!(" ({})", said.number) } else { String::new() };
    let category = if said.category.is_empty() { "diagnosis" } else { &said.category };
    let reason = if said.reason.is_empty() { String::new() } else { format!(": {}", said.reason) };
    format!("{category}{number}{reason}")
}

/// How a token is signed, in words.
pub(super) fn signature(token: &Token) -> String {
    if token.kind == TokenKind::S2sUser && token.signature == SignatureShape::Absent {
        return "not, as this part of such a token is; what is inside is".to_owned();
    }
    let alg = if token.alg.is_empty() { "no algorithm" } else { &token.alg };
    let key = match (&token.thumbprint, token.kid.as_str()) {
        (Some(thumbprint), _) => format!(" with {thumbprint}"),
        (None, "") => String::new(),
        (None, kid) => format!(" with key {kid}"),
    };
    let shape = match token.signature {
        SignatureShape::Absent => "not signed",
        SignatureShape::Removed => "signature taken out",
        SignatureShape::Short => "signature too short",
        SignatureShape::Present => match token.verified.value() {
            Some(true) => "signature verified",
            Some(false) => "signature wrong",
            None => "signature not verified: its certificate is not among the evidence",
        },
    };
    format!("{alg}{key}, {shape}")
}
