//! What clients ask for in `carillon.v1`: text frames with one request, or a batch of them.

use std::{borrow::Cow, collections::BTreeMap};

use bytes::Bytes;
use carillon_contract::{Channel, Since};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use super::reply::Problem;

/// Requests in one batch.
const MAX_BATCH: usize = 100;

/// The longest id of a request, in bytes of JSON.
const MAX_ID: usize = 64;

/// What comes without a limit of its own in `history` and `presence`, and the most that can be asked for.
const DEFAULT_LIMIT: u32 = 50;
const MAX_LIMIT: u32 = 200;

/// By which a client knows the reply to a request: a number or a text of its own, as it wrote it.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(Box<RawValue>);

impl RequestId {
    pub(super) fn raw(&self) -> &RawValue {
        &self.0
    }

    fn new(raw: &RawValue) -> Option<Self> {
        let text = raw.get();
        let is_one = text.starts_with(|first: char| first == '"' || first == '-' || first.is_ascii_digit());
        (is_one && text.len() <= MAX_ID).then(|| Self(raw.to_owned()))
    }
}

/// A request.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) id: RequestId,
    pub(super) what: What,
}

/// What is asked for.
#[derive(Debug)]
pub(super) enum What {
    /// The connection is to live on with a new token.
    Refresh { token: String },
    /// Something about a channel.
    About(Channel, Wish),
}

/// What is asked for about a channel.
#[derive(Debug)]
pub(super) enum Wish {
    /// Its events, since a place in its log perhaps; the rest is for the channel's owner.
    Subscribe { since: Option<Since>, query: BTreeMap<String, String> },
    /// No more of them.
    Unsubscribe,
    /// A frame for its owner.
    Publish { frame: Bytes },
    /// A page of its events after an offset.
    History { after: u64, limit: u32 },
    /// A page of those who are there.
    Presence { after: String, limit: u32 },
}

impl What {
    /// The channel that it is about.
    pub(super) fn channel(&self) -> Option<&Channel> {
        match self {
            Self::About(channel, _) => Some(channel),
            Self::Refresh { .. } => None,
        }
    }
}

/// What one of the requests in a frame turned out to be.
#[derive(Debug)]
pub(super) enum Heard {
    /// A ping, with its id and its timestamp, to be answered at once.
    Ping(Option<Box<RawValue>>, Option<Box<RawValue>>),
    Request(Request),
    /// Not one that can be carried out.
    Invalid(Option<RequestId>, Problem),
}

impl Heard {
    /// Its id, and the channel that it is about, if it has them.
    pub(super) fn about(&self) -> (Option<&RequestId>, Option<&Channel>) {
        match self {
            Self::Ping(..) => (None, None),
            Self::Request(request) => (Some(&request.id), request.what.channel()),
            Self::Invalid(id, _) => (id.as_ref(), None),
        }
    }
}

#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    channel: Option<Cow<'a, str>>,
    #[serde(borrow)]
    since: Option<Cow<'a, str>>,
    query: Option<BTreeMap<String, Value>>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(borrow)]
    token: Option<Cow<'a, str>>,
    after: Option<Value>,
    limit: Option<u32>,
    #[serde(borrow)]
    timestamp: Option<&'a RawValue>,
}

/// The requests in a text frame: one, or several in an array.
pub(super) fn read(text: &Bytes) -> Vec<Heard> {
    if !text.trim_ascii_start().starts_with(b"[") {
        return match serde_json::from_slice::<&RawValue>(text) {
            Ok(raw) => vec![one(text, raw)],
            Err(_) => vec![Heard::Invalid(None, Problem::INVALID_JSON)],
        };
    }
    match serde_json::from_slice::<Vec<&RawValue>>(text) {
        Err(_) => vec![Heard::Invalid(None, Problem::INVALID_JSON)],
        Ok(requests) if requests.is_empty() || requests.len() > MAX_BATCH => {
            vec![Heard::Invalid(None, Problem::invalid("A batch has 1 to 100 requests"))]
        }
        Ok(requests) => requests.into_iter().map(|raw| one(text, raw)).collect(),
    }
}

fn one(text: &Bytes, raw: &RawValue) -> Heard {
    let wire: Wire<'_> = match serde_json::from_str(raw.get()) {
        Ok(wire) => wire,
        Err(error) => return Heard::Invalid(id_of(raw), Problem::invalid(format!("Not a request: {error}"))),
    };
    if wire.kind == "ping" {
        return Heard::Ping(wire.id.map(ToOwned::to_owned), wire.timestamp.map(ToOwned::to_owned));
    }
    let Some(id) = wire.id.and_then(RequestId::new) else {
        return Heard::Invalid(
            None,
            Problem::invalid("A request needs an id: a number, or a text of up to 62 bytes"),
        );
    };
    match what(text, wire) {
        Ok(what) => Heard::Request(Request { id, what }),
        Err(problem) => Heard::Invalid(Some(id), problem),
    }
}

/// The id of what is otherwise no request.
fn id_of(raw: &RawValue) -> Option<RequestId> {
    #[derive(Deserialize)]
    struct Identified<'a> {
        #[serde(borrow)]
        id: &'a RawValue,
    }
    serde_json::from_str::<Identified<'_>>(raw.get())
        .ok()
        .and_then(|identified| RequestId::new(identified.id))
}

fn what(text: &Bytes, wire: Wire<'_>) -> Result<What, Problem> {
    if wire.kind == "refresh" {
        let token = wire.token.ok_or_else(|| Problem::invalid("`token` is missing"))?;
        return Ok(What::Refresh { token: token.into_owned() });
    }
    let limit = wire.limit.unwrap_or(DEFAULT_LIMIT);
    let is_known = ["subscribe", "unsubscribe", "publish", "history", "presence"].contains(&&*wire.kind);
    if !is_known {
        return Err(Problem::UNKNOWN_TYPE);
    }
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(Problem::invalid("`limit` is from 1 to 200"));
    }
    let channel = wire.channel.ok_or_else(|| Problem::invalid("`channel` is missing"))?;
    let channel: Channel = channel.parse().map_err(Problem::unknown_channel)?;
    let wish = match &*wire.kind {
        "subscribe" => {
            // One that can't be read is one that can't be recovered.
            let since = wire.since.map(|since| since.parse().unwrap_or_else(|_| Since::nowhere()));
            Wish::Subscribe { since, query: query(wire.query.unwrap_or_default())? }
        }
        "unsubscribe" => Wish::Unsubscribe,
        "publish" => {
            let data = wire.data.ok_or_else(|| Problem::invalid("`data` is missing"))?;
            Wish::Publish { frame: text.slice_ref(data.get().as_bytes()) }
        }
        "history" => Wish::History { after: offset(wire.after)?, limit },
        _ => Wish::Presence { after: cursor(wire.after)?, limit },
    };
    Ok(What::About(channel, wish))
}

/// What the owner is told in place of a URL's query.
fn query(members: BTreeMap<String, Value>) -> Result<BTreeMap<String, String>, Problem> {
    let text = |(name, value)| match value {
        Value::String(text) => Ok((name, text)),
        Value::Number(number) => Ok((name, number.to_string())),
        Value::Bool(flag) => Ok((name, flag.to_string())),
        _ => Err(Problem::invalid("`query` has texts, numbers and truth values")),
    };
    members.into_iter().map(text).collect()
}

fn offset(after: Option<Value>) -> Result<u64, Problem> {
    let Some(after) = after else { return Ok(0) };
    // A database's BIGINT holds no more.
    let offset = after.as_i64().and_then(|after| u64::try_from(after).ok());
    offset.ok_or_else(|| Problem::invalid("`after` is an offset"))
}

fn cursor(after: Option<Value>) -> Result<String, Problem> {
    match after {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(cursor)) => Ok(cursor),
        Some(_) => Err(Problem::invalid("`after` is what `next` was")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read_one(text: &str) -> String {
        let heard = read(&Bytes::copy_from_slice(text.as_bytes()));
        assert_eq!(heard.len(), 1, "{text}");
        match heard.into_iter().next().expect("one") {
            Heard::Request(request) => format!("{} {:?}", request.id.raw(), request.what),
            Heard::Invalid(id, problem) => {
                format!("{} {}", id.map_or("-".to_owned(), |id| id.raw().to_string()), problem.code)
            }
            Heard::Ping(..) => "ping".to_owned(),
        }
    }

    #[test]
    fn a_request_is_told_from_what_is_none() {
        let publish = read_one(r#"{"id":"a","type":"publish","channel":"room.x","data":{"b": 1} }"#);
        assert!(publish.starts_with("\"a\" About") && publish.contains(r#"{\"b\": 1}"#), "{publish}");
        for (text, expected) in [
            (r#"{"id":7,"type":"nothing"}"#, "7 unknown_type"),
            (r#"{"id":7,"type":"publish","channel":"room.x"}"#, "7 invalid"),
            (r#"{"id":7,"type":"subscribe","channel":"room.*"}"#, "7 unknown_channel"),
            (r#"{"id":7,"type":"subscribe"}"#, "7 invalid"),
            (r#"{"id":7,"type":5}"#, "7 invalid"),
            (r#"{"id":[1],"type":"subscribe","channel":"room.x"}"#, "- invalid"),
            (r#"{"type":"subscribe","channel":"room.x"}"#, "- invalid"),
            (r#"{"id":7,"type":"history","channel":"room.x","after":-1}"#, "7 invalid"),
            (r#"{"id":7,"type":"history","channel":"room.x","limit":201}"#, "7 invalid"),
            (r#"{"id":7,"type":"presence","channel":"room.x","after":3}"#, "7 invalid"),
            (r#"{"id":7,"type":"subscribe","channel":"room.x","query":{"a":[]}}"#, "7 invalid"),
            ("5", "- invalid"),
            ("nonsense", "- invalid_json"),
            ("[]", "- invalid"),
            (r#"{"type":"ping"}"#, "ping"),
        ] {
            assert_eq!(read_one(text), expected, "{text}");
        }
    }

    #[test]
    fn a_batch_is_many_requests() {
        let batch =
            format!("[{}]", vec![r#"{"id":1,"type":"unsubscribe","channel":"room.x"}"#; 100].join(","));
        let heard = read(&Bytes::from(batch.clone()));
        assert_eq!(heard.iter().filter(|heard| matches!(heard, Heard::Request(_))).count(), 100);
        let heard = read(&Bytes::from(batch.replacen('[', "[{},", 1)));
        assert!(matches!(&heard[..], [Heard::Invalid(None, _)]), "one too many");
    }

    proptest! {
        #[test]
        fn any_bytes_mean_something(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(!read(&Bytes::from(bytes)).is_empty());
        }
    }
}
