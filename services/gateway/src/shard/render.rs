//! From an event to the frame that a connection gets.

use carillon_contract::{
    Dialect,
    messages::{Event, Variant},
};

use crate::{
    server_sent,
    session::{Format, Framing},
    websocket::{self, Frame},
};

/// What an event says in a format: of the variants in that kind of frame, the one that names the
/// dialect, else the one that names none. `None` if it has nothing for that format.
pub(crate) fn variant(event: &Event, format: Format) -> Option<&Variant> {
    let is_binary = format.framing == Framing::Binary;
    let name = format.dialect.map_or("", Dialect::as_str);
    let names = |variant: &&Variant| variant.dialects.iter().any(|dialect| dialect == name);
    let any = |variant: &&Variant| variant.dialects.is_empty();
    let variants = event.variants.iter().filter(|variant| variant.binary == is_binary);
    variants.clone().find(names).or_else(|| variants.clone().find(any))
}

/// The event's frame in a format, if it has something for that.
pub(crate) fn render(event: &Event, format: Format) -> Option<Frame> {
    let variant = variant(event, format)?;
    Some(match format.framing {
        Framing::Text => websocket::event(&variant.json, &event.channel, event.offset),
        Framing::Binary => websocket::binary(&variant.json),
        Framing::Channels => websocket::enveloped(&variant.json, &event.channel, event.offset),
        Framing::Events => server_sent::event(&variant.json, &event.epoch, &event.channel, event.offset),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_endpoint_gets_its_own_kind_of_frame() {
        let json = |text: &'static str, dialects: &[&str]| Variant {
            dialects: dialects.iter().map(|&name| name.to_owned()).collect(),
            ..Variant::json(text)
        };
        let variants = vec![Variant::binary("{}"), json("{}", &[]), json("{\"a\":1}", &["rooms"])];
        let event = Event { channel: "document.x".into(), offset: 7, variants, ..Event::default() };
        let rendered = |framing, dialect| {
            render(&event, Format { dialect, framing, compression: None }).map(|frame| frame.to_vec())
        };
        assert_eq!(rendered(Framing::Binary, None).expect("a frame"), b"\x82\x02{}");
        let text = b"\x81\x23{\"channel\":\"document.x\",\"offset\":7}";
        assert_eq!(rendered(Framing::Text, None).expect("a frame"), text);
        assert!(
            rendered(Framing::Text, Some(Dialect::Rooms)).expect("a frame").starts_with(b"\x81\x29{\"a\":1,")
        );
        let enveloped = b"\x81\x2d{\"channel\":\"document.x\",\"offset\":7,\"data\":{}}";
        assert_eq!(rendered(Framing::Channels, None).expect("a frame"), enveloped);
        let binary_only = Event { variants: vec![Variant::binary("{}")], ..Event::default() };
        assert!(
            render(&binary_only, Format { dialect: None, framing: Framing::Text, compression: None })
                .is_none()
        );
    }
}
