//! A client of server-sent events, which takes their lines apart by the book (HTML, section 9.2.6).

use reqwest::Response;
use serde_json::Value;

use crate::{bed::Bed, client::within};

/// A stream that was answered with 200.
pub(crate) struct EventSource {
    response: Response,
    received: Vec<u8>,
}

/// What stands between two empty lines.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Block {
    pub(crate) id: Option<String>,
    pub(crate) data: Option<Value>,
    pub(crate) retry: Option<u64>,
}

impl Bed {
    /// What a request for events is answered with, with these headers.
    pub(crate) async fn events(&self, path: &str, headers: &[(&str, &str)]) -> Response {
        let url = format!("http://{}/api/events/{path}", self.address);
        let mut request = reqwest::Client::new().get(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        within(request.send()).await.expect("an answer")
    }

    /// A stream that has begun.
    pub(crate) async fn event_source(&self, path: &str, headers: &[(&str, &str)]) -> EventSource {
        let response = self.events(path, headers).await;
        assert_eq!(response.status().as_u16(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-store");
        let mut source = EventSource { response, received: Vec::new() };
        let first = source.block().await.expect("a block");
        assert!((1_000..=4_000).contains(&first.retry.expect("a time")), "{first:?}");
        source
    }
}

impl EventSource {
    /// The next block, comments too. `None`: the stream has ended, properly.
    pub(crate) async fn block(&mut self) -> Option<Block> {
        loop {
            if let Some(end) = self.received.windows(2).position(|bytes| bytes == b"\n\n") {
                let block: Vec<u8> = self.received.drain(..end + 2).collect();
                return Some(parse(std::str::from_utf8(&block).expect("text")));
            }
            let chunk = within(self.response.chunk()).await.expect("no break");
            match chunk {
                Some(chunk) => self.received.extend_from_slice(&chunk),
                None => {
                    assert!(self.received.is_empty(), "cut off");
                    return None;
                }
            }
        }
    }

    /// The next message's id and data.
    pub(crate) async fn message(&mut self) -> (Option<String>, Value) {
        loop {
            let block = self.block().await.expect("a message");
            if let Some(data) = block.data {
                return (block.id, data);
            }
        }
    }

    /// The next one's data.
    pub(crate) async fn json(&mut self) -> Value {
        self.message().await.1
    }

    /// The ids of so many messages, which are events with the offsets that the ids say.
    pub(crate) async fn ids(&mut self, count: usize) -> Vec<String> {
        let mut ids = Vec::new();
        for _ in 0..count {
            let (id, data) = self.message().await;
            let id = id.unwrap_or_else(|| panic!("no place: {data}"));
            assert_eq!(id.rsplit_once('.').expect("a place").1, data["offset"].to_string());
            ids.push(id);
        }
        ids
    }

    /// The code of the last word, with which the stream ends.
    pub(crate) async fn closed(&mut self) -> u64 {
        loop {
            let (_, data) = self.message().await;
            if data["type"] == "closed" {
                assert_eq!(self.block().await, None);
                return data["code"].as_u64().expect("a code");
            }
        }
    }
}

fn parse(text: &str) -> Block {
    let mut block = Block::default();
    let mut data = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with(':')) {
        match line.split_once(": ").expect("a field") {
            ("id", id) => block.id = Some(id.to_owned()),
            ("retry", retry) => block.retry = Some(retry.parse().expect("a number")),
            ("data", line) => data.push(line),
            (field, _) => panic!("{field}"),
        }
    }
    if !data.is_empty() {
        block.data = Some(serde_json::from_str(&data.join("\n")).expect("JSON"));
    }
    block
}
