//! Sessions: opened, fed with frames, and gone.

use std::collections::VecDeque;

use bytes::Bytes;
use carillon_contract::{
    Channel, endpoint,
    messages::{
        Accept, Close, ClosedNotice, FrameReply, FrameRequest, Identity, OpenReply, OpenRequest,
        open_reply::Outcome,
    },
};

use super::{
    StandIn,
    hold::{Held, Hold, hold, wait},
};

/// What has become of sessions, and how the next are to be met.
#[derive(Default)]
pub(super) struct Sessions {
    opens: VecDeque<Hold>,
    frame_holds: VecDeque<Hold>,
    closed_holds: VecDeque<Hold>,
    /// Sessions that were to be opened, in order.
    opened: Vec<OpenRequest>,
    /// Connections that are gone, and whether their clients may return.
    farewells: Vec<(String, bool)>,
    /// Sessions that are to be rejected with this code.
    reject: Option<u32>,
    /// Who sent the last frame.
    last_sender: Option<Identity>,
    /// What sessions are greeted with; `None`: one JSON object.
    greeting: Option<Vec<Bytes>>,
    /// The membership that they need.
    requires: String,
    /// Each attempt at a frame, as it arrived.
    frames: Vec<(u64, String)>,
    /// Attempts whose answer is still being worked on, and how many of those there were at most.
    busy: (usize, usize),
}

impl StandIn {
    /// Greets sessions with these frames from now on.
    pub(crate) fn greet_with(&self, frames: &[&'static [u8]]) {
        let greeting = frames.iter().copied().map(Bytes::from_static).collect();
        self.state().sessions.greeting = Some(greeting);
    }

    /// Requires this membership of sessions that are opened from now on.
    pub(crate) fn require(&self, resource: &str) {
        self.state().sessions.requires = resource.to_owned();
    }

    /// Rejects sessions with this code from now on.
    pub(crate) fn reject(&self, code: u32) {
        self.state().sessions.reject = Some(code);
    }

    /// Lets sessions in again from now on.
    pub(crate) fn accept(&self) {
        self.state().sessions.reject = None;
    }

    /// Who sent the last frame.
    pub(crate) fn last_sender(&self) -> Option<Identity> {
        self.state().sessions.last_sender.clone()
    }

    /// Holds the answer to the next session that is opened. The greeting is of when it was asked for.
    pub(crate) fn hold_open(&self) -> Held {
        let (hold, held) = hold();
        self.state().sessions.opens.push_back(hold);
        held
    }

    /// Holds the answer to the next frame.
    pub(crate) fn hold_frame(&self) -> Held {
        let (hold, held) = hold();
        self.state().sessions.frame_holds.push_back(hold);
        held
    }

    /// Holds the answer to the next word that a session has ended.
    pub(crate) fn hold_closed(&self) -> Held {
        let (hold, held) = hold();
        self.state().sessions.closed_holds.push_back(hold);
        held
    }

    /// The connections whose sessions were to be opened, in order.
    pub(crate) fn connections(&self) -> Vec<String> {
        let state = self.state();
        let sessions = state.sessions.opened.iter().filter_map(|request| request.session.as_ref());
        sessions.map(|session| session.connection.clone()).collect()
    }

    /// The connections that are gone, in order, and whether their clients may return.
    pub(crate) fn farewells(&self) -> Vec<(String, bool)> {
        self.state().sessions.farewells.clone()
    }

    /// The number and text of each frame that arrived, repetitions included.
    pub(crate) fn frames(&self) -> Vec<(u64, String)> {
        self.state().sessions.frames.clone()
    }

    /// How many frames were being answered at the same time, at most.
    pub(crate) fn most_at_once(&self) -> usize {
        self.state().sessions.busy.1
    }

    pub(super) async fn open(&self, request: OpenRequest) -> OpenReply {
        self.state().sessions.opened.push(request.clone());
        let session = request.session.expect("a session");
        let user = session.identity.map(|identity| identity.user);
        let endpoint = endpoint(&session.endpoint).expect("an endpoint");
        let templates = endpoint.channels.iter();
        let channels: Vec<Channel> = templates
            .filter_map(|template| template.resolve(&session.parameters, user.as_deref()).expect("a channel"))
            .collect();
        let (accept, hold) = {
            let state = &mut *self.state();
            let channels = channels.iter().map(|channel| state.logs.head(channel.as_str())).collect();
            let usual = || vec![Bytes::from_static(b"{\"type\":\"greeting\"}")];
            let sessions = &mut state.sessions;
            let greeting = sessions.greeting.clone().unwrap_or_else(usual);
            let (epoch, requires) = (state.logs.epoch(), sessions.requires.clone());
            (Accept { greeting, epoch, channels, requires }, sessions.opens.pop_front())
        };
        wait(hold).await;
        let reject = self.state().sessions.reject.map(|code| Close { code, reason: "rejected".to_owned() });
        OpenReply { outcome: Some(reject.map_or(Outcome::Accept(accept), Outcome::Reject)) }
    }

    pub(super) async fn closed(&self, notice: ClosedNotice) -> Bytes {
        let connection = notice.session.expect("a session").connection;
        let hold = {
            let sessions = &mut self.state().sessions;
            sessions.farewells.push((connection, notice.returning));
            sessions.closed_holds.pop_front()
        };
        wait(hold).await;
        Bytes::new()
    }

    pub(super) async fn frame(&self, request: FrameRequest) -> FrameReply {
        let text = String::from_utf8_lossy(&request.payload).into_owned();
        let hold = {
            let sessions = &mut self.state().sessions;
            sessions.frames.push((request.number, text));
            sessions.last_sender = request.session.as_ref().and_then(|session| session.identity.clone());
            sessions.busy.0 += 1;
            sessions.busy.1 = sessions.busy.1.max(sessions.busy.0);
            sessions.frame_holds.pop_front()
        };
        wait(hold).await;
        self.state().sessions.busy.0 -= 1;
        if request.binary && request.payload.starts_with(b"parts") {
            return part(&request);
        }
        let answer = if request.binary {
            [b"\xffyou said: ", &*request.payload].concat()
        } else {
            format!("{{\"answer\":{}}}", request.number).into_bytes()
        };
        FrameReply { frames: vec![answer.into()], ..FrameReply::default() }
    }
}

/// The bytes of each part of an answer to what begins with `parts`.
pub(crate) const PART: usize = 2_000_000;

/// One of three parts of a long answer.
fn part(request: &FrameRequest) -> FrameReply {
    let number = request.after.first().copied().unwrap_or_default();
    let more = if number < 2 { vec![number + 1] } else { Vec::new() };
    FrameReply { frames: vec![vec![number; PART].into()], more: more.into(), ..FrameReply::default() }
}
