//! One entry of a HAR, as far as it is looked at.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::decode::limits;
use crate::decode::traffic::{Header, Recorder, Shown};

/// The headers that are looked at.
const HEADERS: [&str; 6] =
    ["authorization", "www-authenticate", "x-ms-diagnostics", "server", "x-owa-version", "via"];

/// Headers of one call that are kept, and parameters of one body.
const MANY: usize = 50;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Entry {
    #[serde(rename = "startedDateTime")]
    started: Text,
    request: Request,
    response: Response,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Request {
    method: Text,
    url: Text,
    headers: Pairs,
    #[serde(rename = "postData")]
    body: Body,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Response {
    status: Status,
    headers: Pairs,
    content: Body,
}

#[derive(Default)]
struct Body {
    text: String,
    encoding: String,
    params: Pairs,
}

impl Entry {
    pub(super) fn record(self, number: u32, recorder: &mut Recorder) {
        let Self { started, request, response } = self;
        let sent = match request.body.text.as_str() {
            "" => request.body.form(),
            text => text.to_owned(),
        };
        let given = response.content.plain();
        recorder.add(&Shown {
            number,
            at: started.0.parse::<Timestamp>().ok(),
            method: &request.method.0,
            url: &request.url.0,
            request: &request.headers.borrowed(),
            request_body: &sent,
            status: response.status.0,
            answer: &response.headers.borrowed(),
            answer_body: &given,
        });
    }
}

impl Body {
    /// The text, whatever it was kept as.
    fn plain(self) -> String {
        if !self.encoding.eq_ignore_ascii_case("base64") {
            return self.text;
        }
        let octets = (self.text.len() <= 2 * limits::BODY).then(|| STANDARD.decode(&self.text));
        let octets = octets.and_then(Result::ok).unwrap_or_default();
        String::from_utf8(octets).unwrap_or_default()
    }

    /// A form whose fields are listed.
    fn form(&self) -> String {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(self.params.0.iter());
        form.finish()
    }
}

impl<'de> Deserialize<'de> for Body {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Object {
            text: Text,
            encoding: Text,
            params: Fields,
        }
        let object = Option::<Object>::deserialize(deserializer)?.unwrap_or_default();
        let Object { text, encoding, params } = object;
        Ok(Self { text: text.0, encoding: encoding.0, params: Pairs(params.0) })
    }
}

/// Names and values of the headers that are looked at.
#[derive(Default)]
struct Pairs(Vec<(String, String)>);

/// Names and values of a form.
#[derive(Default)]
struct Fields(Vec<(String, String)>);

impl Pairs {
    fn borrowed(&self) -> Vec<Header<'_>> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Pair {
    name: Text,
    value: Text,
}

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let known = |name: &str| HEADERS.iter().any(|it| it.eq_ignore_ascii_case(name));
        deserializer.deserialize_any(Kept(known)).map(Self)
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Kept(|_: &str| true)).map(Self)
    }
}

/// Those of a list that are wanted, and a few of them.
struct Kept<F>(F);

impl<'de, F: Fn(&str) -> bool> Visitor<'de> for Kept<F> {
    type Value = Vec<(String, String)>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a list of names and values")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<Self::Value, A::Error> {
        let mut kept = Vec::new();
        while let Some(Pair { name, value }) = all.next_element::<Pair>()? {
            if kept.len() < MANY && (self.0)(&name.0) {
                kept.push((name.0, value.0));
            }
        }
        Ok(kept)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut all: A) -> Result<Self::Value, A::Error> {
        let mut kept = Vec::new();
        while let Some((Text(name), Text(value))) = all.next_entry()? {
            if kept.len() < MANY && (self.0)(&name) {
                kept.push((name, value));
            }
        }
        Ok(kept)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }
}

/// A status; none where a tool writes 0 or nothing.
#[derive(Default)]
struct Status(Option<u16>);

impl<'de> Deserialize<'de> for Status {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Text(text) = Text::deserialize(deserializer)?;
        Ok(Self(text.parse().ok().filter(|it| (100..600).contains(it))))
    }
}

/// A text; a number as one, and everything else as an empty one.
#[derive(Default)]
struct Text(String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = String;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a text")
            }
            fn visit_str<E>(self, text: &str) -> Result<String, E> {
                Ok(text.to_owned())
            }
            fn visit_string<E>(self, text: String) -> Result<String, E> {
                Ok(text)
            }
            fn visit_u64<E>(self, number: u64) -> Result<String, E> {
                Ok(number.to_string())
            }
            fn visit_i64<E>(self, number: i64) -> Result<String, E> {
                Ok(number.to_string())
            }
            fn visit_f64<E>(self, _: f64) -> Result<String, E> {
                Ok(String::new())
            }
            fn visit_bool<E>(self, _: bool) -> Result<String, E> {
                Ok(String::new())
            }
            fn visit_unit<E>(self) -> Result<String, E> {
                Ok(String::new())
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<String, A::Error> {
                while all.next_element::<IgnoredAny>()?.is_some() {}
                Ok(String::new())
            }
            fn visit_map<A: MapAccess<'de>>(self, mut all: A) -> Result<String, A::Error> {
                while all.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(String::new())
            }
        }
        deserializer.deserialize_any(Any).map(Self)
    }
}
