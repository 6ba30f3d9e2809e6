//! Cases: what is sent, what has to be heard, and how the connection has to end.

use std::time::Duration;

use anyhow::{bail, ensure};

use crate::{
    peer::{Heard, Peer},
    stage::{Stage, TEXTS},
    wire,
};

/// How long a gateway may take over a refusal that needs nothing more, before it counts as late.
const AT_ONCE: Duration = Duration::from_secs(3);

/// What a case comes to, in Autobahn's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    Ok,
    NonStrict,
    Informational,
    /// It can't be as Autobahn has it; what is held instead, the case's text says.
    NotApplicable,
}

impl Verdict {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::NonStrict => "NON-STRICT",
            Self::Informational => "INFORMATIONAL",
            Self::NotApplicable => "N/A",
        }
    }
}

pub(crate) struct Group {
    /// With its number.
    pub(crate) name: &'static str,
    pub(crate) cases: Vec<Case>,
}

pub(crate) struct Case {
    /// As Autobahn numbers it, or a letter and a number if it has no such case.
    pub(crate) number: String,
    pub(crate) text: String,
    /// What it comes to with this gateway.
    pub(crate) verdict: Verdict,
    pub(crate) run: Run,
}

type Run = Box<dyn FnOnce(&Stage) -> anyhow::Result<Verdict> + Send>;

impl Case {
    /// One that is a script.
    pub(crate) fn new(
        number: impl Into<String>,
        text: impl Into<String>,
        script: impl FnOnce() -> Script + Send + 'static,
    ) -> Self {
        Self::of(number, text, |stage| script().play(stage))
    }

    /// One that is more than a script.
    pub(crate) fn of(
        number: impl Into<String>,
        text: impl Into<String>,
        run: impl FnOnce(&Stage) -> anyhow::Result<Verdict> + Send + 'static,
    ) -> Self {
        Self { number: number.into(), text: text.into(), verdict: Verdict::Ok, run: Box::new(run) }
    }

    /// Any outcome is right, as long as it breaks no rule: its script still says what ours is.
    pub(crate) fn informational(self) -> Self {
        self.that_counts_as(Verdict::Informational)
    }

    /// Its script says what is held in its place.
    pub(crate) fn not_applicable(self) -> Self {
        self.that_counts_as(Verdict::NotApplicable)
    }

    fn that_counts_as(self, verdict: Verdict) -> Self {
        let run = move |stage: &Stage| {
            let outcome = (self.run)(stage)?;
            ensure!(outcome == Verdict::Ok, "it is {}", outcome.as_str());
            Ok(verdict)
        };
        Self { verdict, run: Box::new(run), ..self }
    }
}

enum Step {
    Send(Vec<u8>),
    Chop(Vec<u8>, usize),
    /// Waits until so many messages have been heard.
    Hear(usize),
    /// The gateway has to close now; what follows shows a late one that it should have.
    Refused,
}

pub(crate) struct Script {
    path: &'static str,
    /// What is offered to the gateway that compresses, and accepted; `None`: the other one is spoken to.
    offer: Option<&'static str>,
    steps: Vec<Step>,
    expected: Vec<Heard>,
    /// What counts as not strict.
    tolerated: Option<Vec<Heard>>,
    /// What the gateway closes with; `None`: this side closes, once it has heard everything.
    code: Option<u16>,
}

/// Begins a script at an endpoint of texts.
pub(crate) fn texts() -> Script {
    at(TEXTS)
}

pub(crate) fn at(path: &'static str) -> Script {
    Script { path, offer: None, steps: Vec::new(), expected: Vec::new(), tolerated: None, code: None }
}

impl Script {
    /// Has the gateway agree to this offer of compression.
    pub(crate) fn offering(self, offer: &'static str) -> Self {
        Self { offer: Some(offer), ..self }
    }

    pub(crate) fn send(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.steps.push(Step::Send(bytes.into()));
        self
    }

    pub(crate) fn chop(mut self, bytes: impl Into<Vec<u8>>, size: usize) -> Self {
        self.steps.push(Step::Chop(bytes.into(), size));
        self
    }

    /// Sends frames one by one, in chops of so many bytes, or all in one; as Autobahn has it, in turn.
    pub(crate) fn frames(self, frames: &[Vec<u8>], way: Way) -> Self {
        match way {
            Way::OneChop => self.send(frames.concat()),
            Way::FrameByFrame => frames.iter().fold(self, |script, frame| script.send(frame.clone())),
            Way::OctetByOctet => self.chop(frames.concat(), 1),
        }
    }

    pub(crate) fn hear(mut self, count: usize) -> Self {
        self.steps.push(Step::Hear(count));
        self
    }

    pub(crate) fn refused(mut self) -> Self {
        self.steps.push(Step::Refused);
        self
    }

    pub(crate) fn expect(mut self, heard: Heard) -> Self {
        self.expected.push(heard);
        self
    }

    pub(crate) fn tolerate(mut self, heard: Vec<Heard>) -> Self {
        self.tolerated = Some(heard);
        self
    }

    /// The gateway closes with this code.
    pub(crate) fn closed(self, code: u16) -> Self {
        Self { code: Some(code), ..self }
    }

    /// Plays it, and judges what was heard.
    pub(crate) fn play(self, stage: &Stage) -> anyhow::Result<Verdict> {
        let mut peer = match self.offer {
            None => Peer::connect(stage.address, self.path, "")?,
            Some(offer) => Peer::agreeing(stage, self.path, offer)?,
        };
        let (mut heard, mut is_late) = (Vec::new(), false);
        for step in &self.steps {
            match step {
                Step::Send(bytes) => peer.send(bytes),
                Step::Chop(bytes, size) => peer.chop(bytes, *size),
                Step::Hear(count) => hear(&mut peer, *count, &mut heard)?,
                Step::Refused => match peer.next_within(AT_ONCE)? {
                    Some(next) => {
                        heard.push(next);
                        break;
                    }
                    None => is_late = true,
                },
            }
        }
        if self.code.is_none() {
            hear(&mut peer, self.expected.len(), &mut heard)?;
            peer.send(&wire::close(1000, b""));
        }
        end(&mut peer, &mut heard, self.code.unwrap_or(1000))?;
        if heard == self.expected && !is_late {
            return Ok(Verdict::Ok);
        }
        if is_late && heard == self.expected || self.tolerated.as_ref() == Some(&heard) {
            return Ok(Verdict::NonStrict);
        }
        bail!("heard {}, expected {}", shown(&heard), shown(&self.expected))
    }
}

/// How the bytes of several frames are sent.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Way {
    OneChop,
    FrameByFrame,
    OctetByOctet,
}

impl Way {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::OneChop => "in one chop",
            Self::FrameByFrame => "in frame-wise chops",
            Self::OctetByOctet => "in octet-wise chops",
        }
    }
}

fn hear(peer: &mut Peer, count: usize, heard: &mut Vec<Heard>) -> anyhow::Result<()> {
    while heard.len() < count {
        match peer.next()? {
            message @ (Heard::Text(_) | Heard::Binary(_) | Heard::Pong(_)) => heard.push(message),
            other => bail!("{} after {}", shown(&[other]), shown(heard)),
        }
    }
    Ok(())
}

/// Hears a close frame with this code, and then the end: a server closes its TCP connection first
/// (section 7.1.1). The close frame does not count among what was heard.
fn end(peer: &mut Peer, heard: &mut Vec<Heard>, code: u16) -> anyhow::Result<()> {
    let closed = loop {
        let next = match heard.pop_if(|last| matches!(last, Heard::Close(_) | Heard::End)) {
            Some(last) => last,
            None => peer.next()?,
        };
        match next {
            Heard::Close(closed) => break closed,
            Heard::End => bail!("the connection ends without a close frame, after {}", shown(heard)),
            message => heard.push(message),
        }
    };
    ensure!(closed == code, "closed with {closed} in place of {code}, after {}", shown(heard));
    let after = peer.next()?;
    ensure!(after == Heard::End, "{} after the close frame", shown(&[after]));
    Ok(())
}

/// As a person reads it. Messages can be long.
pub(crate) fn shown(heard: &[Heard]) -> String {
    let one = |heard: &Heard| match heard {
        Heard::Text(payload) => excerpt("a text", payload),
        Heard::Binary(payload) => excerpt("a binary message", payload),
        Heard::Pong(payload) => excerpt("a pong", payload),
        Heard::Close(code) => format!("a close frame with {code}"),
        Heard::End => "the end".to_owned(),
    };
    let mut all: Vec<String> = heard.iter().take(10).map(one).collect();
    if heard.len() > all.len() {
        all.push(format!("{} more", heard.len() - all.len()));
    }
    if all.is_empty() { "nothing".to_owned() } else { all.join(", ") }
}

fn excerpt(kind: &str, payload: &[u8]) -> String {
    let start: String = String::from_utf8_lossy(payload).chars().take(60).collect();
    format!("{kind} of {} bytes ({start:?})", payload.len())
}
