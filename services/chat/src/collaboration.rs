//! Collaboration rooms (S0-03): what one participant sends reaches the others, in order, and who is
//! there is visible.
//!
//! Frames are the clients' own: any JSON object, passed on as it was written ([`frame`]). They are
//! events like any other, so that who was away for a moment gets what it missed.

mod announcement;
mod args;
mod frame;
mod relaying;

use carillon_contract::{Channel, messages::FrameReply};
use carillon_instruments::{IntCounter, Registry};
use carillon_presence::Transition;
use carillon_service::{Failure, Publisher};
use carillon_store::{Database, GroupCommit, Log, NewEvent};
use serde_json::{Value, json};

use crate::{
    reply::{refused, silence},
    session::Arrival,
    visitor::Visitor,
};

pub use args::CollaborationArgs;

use frame::Frame;
use relaying::Relaying;

/// The most participants that a newcomer is told of; those who came first. It is told how many there are.
const MAX_PARTICIPANTS: i64 = 200;

/// Every collaboration room.
pub(crate) struct Collaboration {
    relaying: GroupCommit<Relaying>,
    publisher: Publisher,
    frame_size: usize,
    relayed: IntCounter,
}

impl Collaboration {
    pub(crate) fn new(
        database: &Database,
        log: &Log,
        publisher: &Publisher,
        args: &CollaborationArgs,
        registry: &Registry,
    ) -> carillon_instruments::Result<Self> {
        let help = "Frames of collaboration rooms, stored and published.";
        let relayed = registry.counter("carillon_chat_collaboration_frames_total", help)?;
        Ok(Self {
            relaying: GroupCommit::new(database.clone(), Relaying { log: log.clone() }),
            publisher: publisher.clone(),
            frame_size: args.frame_size(),
            relayed,
        })
    }

    /// Who is there, the newcomer among them.
    pub(crate) async fn greet(&self, mut arrival: Arrival<'_>) -> Result<Vec<Value>, Failure> {
        let topic = arrival.channel.as_str();
        let members = carillon_presence::members(&mut arrival.snapshot, topic, MAX_PARTICIPANTS).await?;
        let count = carillon_presence::size(&mut arrival.snapshot, topic).await?;
        let participants: Vec<Value> =
            members.iter().map(|member| announcement::participant(&member.member, &member.detail)).collect();
        Ok(vec![json!({"type": "participants", "participants": participants, "count": count})])
    }

    /// Passes on what a participant says: it is stored and published when this returns, so the next
    /// one comes after it.
    pub(crate) async fn frame(
        &self,
        visitor: &Visitor,
        number: u64,
        payload: &[u8],
    ) -> Result<FrameReply, Failure> {
        let sender = visitor.person();
        let sender = sender.ok_or_else(|| Failure::Malformed("a participant is a user".to_owned()))?;
        let text = match Frame::read(payload, self.frame_size) {
            Ok(frame) => frame.relayed(&sender),
            Err((refusal, client_id)) => return Ok(refused(&refusal, client_id.as_ref())),
        };
        let event = relaying::event(visitor, number, text)?;
        self.relaying.submit(event).await?.publish(&self.publisher).await;
        self.relayed.inc();
        Ok(silence())
    }
}

/// How coming and going is announced.
pub(crate) fn announcement(channel: Channel, transition: &Transition) -> NewEvent {
    announcement::event(channel, transition)
}
