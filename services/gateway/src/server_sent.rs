//! Server-sent events (HTML, section 9.2): what a WebSocket's text frames say, as a stream of lines. The id of an
//! event is its place, `<epoch>.<offset>`, which a client that comes back sends as `Last-Event-ID`.

use crate::websocket::{CloseReason, Frame, greeting_members, place_members, spliced};

/// The media type.
pub(crate) const CONTENT_TYPE: &str = "text/event-stream";

/// An event of a channel. An ephemeral one (offset 0) has no place.
pub(crate) fn event(json: &[u8], epoch: &str, channel: &str, offset: u64) -> Frame {
    let id = (offset != 0).then(|| place(epoch, offset));
    message(id, &spliced(json, &place_members(channel, offset)))
}

/// What an owner or the gateway says.
pub(crate) fn said(json: &[u8]) -> Frame {
    message(None, &[json])
}

/// The same with the place from which to resume by now.
pub(crate) fn said_at(json: &[u8], epoch: &str, offset: u64) -> Frame {
    message(Some(place(epoch, offset)), &[json])
}

/// A greeting: with its place for a client that comes for the first time. One that resumes gets its
/// place with what it missed: if it went before it had that, it would never get it.
pub(crate) fn greeting(json: &[u8], epoch: &str, heads: &[(&str, u64)], resumes: bool) -> Frame {
    let id = heads.first().filter(|_| !resumes).map(|(_, offset)| place(epoch, *offset));
    message(id, &spliced(json, &greeting_members(epoch, heads)))
}

/// Something that no client takes for an event.
pub(crate) fn heartbeat() -> Frame {
    b":\n\n".as_slice().into()
}

/// In how many milliseconds to come back, when the stream has ended.
pub(crate) fn retry(milliseconds: u64) -> Vec<u8> {
    format!("retry: {milliseconds}\n\n").into_bytes()
}

/// The same with a frame that says it, too.
pub(crate) fn come_back(milliseconds: u64, json: &[u8]) -> Frame {
    [&retry(milliseconds), &*said(json)].concat().into()
}

/// Why the stream ends, where a WebSocket has a close frame.
pub(crate) fn closed(reason: &CloseReason) -> Frame {
    let CloseReason { code, reason, .. } = reason;
    let reason = serde_json::Value::from(&**reason);
    said(format!("{{\"type\":\"closed\",\"code\":{code},\"reason\":{reason}}}").as_bytes())
}

fn place(epoch: &str, offset: u64) -> String {
    format!("id: {epoch}.{offset}\n")
}

/// A message whose data are these parts. Owners may have JSON with line breaks between its tokens, each of
/// which needs a line of its own.
fn message(id: Option<String>, parts: &[&[u8]]) -> Frame {
    let mut message = id.unwrap_or_default().into_bytes();
    let data = parts.concat();
    for line in data.split(|byte| matches!(byte, b'\n' | b'\r')) {
        message.extend_from_slice(b"data: ");
        message.extend_from_slice(line);
        message.push(b'\n');
    }
    message.push(b'\n');
    message.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::websocket::Cause;

    fn text(frame: &Frame) -> &str {
        std::str::from_utf8(frame).expect("text")
    }

    #[test]
    fn a_durable_event_has_its_place_and_an_ephemeral_one_has_none() {
        let durable = event(b"{\"a\":1}", "e1", "room.x", 7);
        assert_eq!(text(&durable), "id: e1.7\ndata: {\"a\":1,\"channel\":\"room.x\",\"offset\":7}\n\n");
        assert_eq!(text(&event(b"{}", "", "room.x", 0)), "data: {\"channel\":\"room.x\"}\n\n");
    }

    #[test]
    fn line_breaks_of_an_owner_break_no_stream() {
        let broken = event(b"{\r\n\"a\":\n1}\n", "e1", "room.x", 7);
        let (head, rest) = text(&broken).split_once('\n').expect("lines");
        assert_eq!(head, "id: e1.7");
        let lines: Vec<&str> = rest.trim_end().lines().collect();
        let data: Vec<&str> = lines.iter().map(|line| line.strip_prefix("data: ").expect("data")).collect();
        let json: serde_json::Value = serde_json::from_str(&data.join("\n")).expect("JSON");
        assert_eq!(json, serde_json::json!({"a": 1, "channel": "room.x", "offset": 7}));
    }

    #[test]
    fn only_a_newcomers_greeting_is_a_place_to_come_back_to() {
        let place = ",\"epoch\":\"e1\",\"channels\":[{\"name\":\"room.x\",\"offset\":7}]}\n\n";
        let greeting = |resumes| greeting(b"{\"a\":1}", "e1", &[("room.x", 7)], resumes);
        assert_eq!(text(&greeting(false)), format!("id: e1.7\ndata: {{\"a\":1{place}"));
        assert_eq!(text(&greeting(true)), format!("data: {{\"a\":1{place}"));
    }

    #[test]
    fn the_end_is_told_whatever_the_reason_says() {
        let frame = closed(&CloseReason::new(Cause::Owner, 4003, "a \"reason\"\n"));
        assert_eq!(
            text(&frame),
            "data: {\"type\":\"closed\",\"code\":4003,\"reason\":\"a \\\"reason\\\"\\n\"}\n\n"
        );
        assert_eq!(text(&come_back(5, b"{}")), "retry: 5\n\ndata: {}\n\n");
    }
}
