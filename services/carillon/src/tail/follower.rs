//! How far each channel has been followed, over all connections.

use carillon_contract::Channel;

use super::{
    frame::{Frame, Past},
    printer::{Event, Note, Printer},
    start::Start,
    start_of,
};
use crate::output::Usage;

/// Every channel that is followed.
#[derive(Debug)]
pub(super) struct Follower {
    pub(super) channels: Vec<Followed>,
    /// How many events are still wanted.
    wanted: Option<u64>,
    gap: bool,
}

/// One channel.
#[derive(Debug)]
pub(super) struct Followed {
    pub(super) channel: Channel,
    /// The epoch, and the last offset that was shown or passed over. `None` before the first subscription.
    place: Option<(String, u64)>,
    /// Whether it begins with what was said before.
    from_beginning: bool,
    /// Up to where what was said before is being read, while it is.
    reading: Option<u64>,
    /// What has happened meanwhile.
    held: Vec<Frame>,
    /// Nothing follows.
    pub(super) over: bool,
}

impl Follower {
    /// Channels, each from its place on.
    ///
    /// # Errors
    /// A place of which it isn't clear whose it is.
    pub(super) fn new(channels: &[Channel], starts: &[Start], wanted: Option<u64>) -> Result<Self, Usage> {
        let unknown =
            |start: &&Start| start.channel.as_ref().is_some_and(|channel| !channels.contains(channel));
        if let Some(Start { channel: Some(channel), .. }) = starts.iter().find(unknown) {
            return Err(Usage(format!("--since names {channel}, which is none of the channels")));
        }
        let mut all: Vec<Followed> = Vec::new();
        for channel in channels {
            if all.iter().any(|followed| followed.channel == *channel) {
                continue;
            }
            let start = start_of(channel, channels, starts)?;
            all.push(Followed {
                channel: channel.clone(),
                from_beginning: start.as_ref().is_some_and(Start::is_beginning),
                place: start.and_then(|start| start.place),
                reading: None,
                held: Vec::new(),
                over: false,
            });
        }
        Ok(Self { channels: all, wanted, gap: false })
    }

    /// Whether something was missed for good.
    pub(super) fn had_gap(&self) -> bool {
        self.gap
    }

    /// Whether there have been as many events as were wanted.
    pub(super) fn has_enough(&self) -> bool {
        self.wanted == Some(0)
    }

    /// The channel of that name, and its place in the list.
    pub(super) fn named(&self, name: Option<&str>) -> Option<usize> {
        self.channels.iter().position(|followed| Some(followed.channel.as_str()) == name)
    }

    /// A connection is gone: what it was about to read is read by the next.
    pub(super) fn disconnected(&mut self) {
        for followed in &mut self.channels {
            followed.reading = None;
            followed.held.clear();
        }
    }

    /// A subscription has begun. Returns after which offset to read what was said before, if that is wanted.
    pub(super) fn subscribed(&mut self, number: usize, frame: &Frame) -> Option<u64> {
        let followed = self.channels.get_mut(number)?;
        let (epoch, head) = (frame.epoch.clone().unwrap_or_default(), frame.offset.unwrap_or_default());
        if followed.from_beginning && followed.place.as_ref().is_none_or(|(known, _)| *known == epoch) {
            let after = followed.place.as_ref().map_or(0, |(_, offset)| *offset);
            followed.place = Some((epoch, after));
            followed.reading = Some(head);
            return Some(after);
        }
        if followed.place.is_none() {
            followed.place = Some((epoch, head));
        }
        None
    }

    /// A page of what was said before. Returns after which offset the next one begins, if there is one.
    pub(super) fn page(
        &mut self,
        number: usize,
        frame: Frame,
        printer: &Printer,
    ) -> std::io::Result<Option<u64>> {
        let Some(up_to) = self.channels.get(number).and_then(|followed| followed.reading) else {
            return Ok(None);
        };
        self.lost_before(number, frame.first.unwrap_or(1), printer)?;
        let mut last = None;
        for Past { offset, data } in frame.events.iter().filter(|event| event.offset <= up_to) {
            last = Some(*offset);
            self.show(number, Some(*offset), data, printer)?;
        }
        match last {
            Some(last) if last < up_to && !self.has_enough() => return Ok(Some(last)),
            _ => {}
        }
        let Some(followed) = self.channels.get_mut(number) else { return Ok(None) };
        (followed.reading, followed.from_beginning) = (None, false);
        if let Some((_, offset)) = &mut followed.place {
            *offset = up_to.max(*offset);
        }
        for held in std::mem::take(&mut followed.held) {
            self.event(number, held, printer)?;
        }
        Ok(None)
    }

    /// An event has happened.
    pub(super) fn event(&mut self, number: usize, frame: Frame, printer: &Printer) -> std::io::Result<()> {
        let Some(followed) = self.channels.get_mut(number) else { return Ok(()) };
        if followed.reading.is_some() {
            followed.held.push(frame);
            return Ok(());
        }
        match &frame.data {
            Some(data) => self.show(number, frame.offset, data, printer),
            None => Ok(()),
        }
    }

    /// Whether what was missed follows; if not, the channel goes on where it is now.
    pub(super) fn recovery(
        &mut self,
        number: usize,
        frame: &Frame,
        head: Option<(String, u64)>,
        printer: &Printer,
    ) -> std::io::Result<()> {
        let Some(followed) = self.channels.get_mut(number) else { return Ok(()) };
        let channel = followed.channel.clone();
        if frame.recovered == Some(true) {
            return printer
                .note(&Note::Recovered { channel: channel.as_str(), missed: frame.missed.unwrap_or(0) });
        }
        let after = followed.place.as_ref().map_or(0, |(_, offset)| *offset);
        let before = head.as_ref().map_or(after, |(_, offset)| *offset) + 1;
        followed.place = head.or(followed.place.take());
        self.gap = true;
        let reason = "the log holds no more of it, or is another one";
        printer.note(&Note::Gap { channel: channel.as_str(), after, before, reason })
    }

    /// Nothing of a channel follows.
    pub(super) fn ended(&mut self, number: usize, reason: &str, printer: &Printer) -> std::io::Result<()> {
        let Some(followed) = self.channels.get_mut(number) else { return Ok(()) };
        followed.over = true;
        printer.note(&Note::Ended { channel: followed.channel.as_str(), reason })
    }

    fn lost_before(&mut self, number: usize, first: u64, printer: &Printer) -> std::io::Result<()> {
        let Some(Followed { channel, place: Some((_, after)), .. }) = self.channels.get_mut(number) else {
            return Ok(());
        };
        if first <= *after + 1 {
            return Ok(());
        }
        let lost = Note::Gap {
            channel: channel.as_str(),
            after: *after,
            before: first,
            reason: "the log holds no more of it",
        };
        *after = first - 1;
        // The beginning is what there is.
        printer.note(&lost)
    }

    /// Shows an event, if it was not shown before.
    fn show(
        &mut self,
        number: usize,
        offset: Option<u64>,
        data: &serde_json::value::RawValue,
        printer: &Printer,
    ) -> std::io::Result<()> {
        let Some(Followed { channel, place: Some((epoch, last)), .. }) = self.channels.get_mut(number) else {
            return Ok(());
        };
        if self.wanted == Some(0) || offset.is_some_and(|offset| offset <= *last) {
            return Ok(());
        }
        *last = offset.unwrap_or(*last);
        if offset.is_some() {
            self.wanted = self.wanted.map(|wanted| wanted.saturating_sub(1));
        }
        printer.event(&Event { kind: "event", channel: channel.as_str(), epoch, offset, data })
    }
}

impl Followed {
    /// The value of `since` with which to subscribe. What was said before is read in another way.
    pub(super) fn since(&self) -> Option<String> {
        let (epoch, offset) = self.place.as_ref().filter(|_| !self.from_beginning)?;
        Some(format!("{epoch}.{offset}"))
    }
}
