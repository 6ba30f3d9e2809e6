//! From an event to the frame that a connection gets.

use carillon_contract::{
    Dialect,
    messages::{Event, Variant},
};

use crate::websocket::{self, Frame};

/// The event's frame in a dialect: the variant that names it, else the one that names none.
/// `None` if the event has nothing for that dialect.
pub(crate) fn render(event: &Event, dialect: Option<Dialect>) -> Option<Frame> {
    let name = dialect.map_or("", Dialect::as_str);
    let names = |variant: &&Variant| variant.dialects.iter().any(|dialect| dialect == name);
    let any = |variant: &&Variant| variant.dialects.is_empty();
    let variant = event.variants.iter().find(names).or_else(|| event.variants.iter().find(any))?;
    Some(websocket::event(&variant.json, &event.channel, event.offset))
}
