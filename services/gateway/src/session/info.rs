//! What is fixed about a connection, but for a refreshed token.

use std::net::IpAddr;

use carillon_contract::{
    Channel, ChannelError, ChannelTemplate, Dialect, Endpoint, Parameters, Payload,
    messages::{Event, Session},
};

use super::{
    frames,
    kept::{KeptIdentity, KeptParameters},
};
use crate::{
    server_sent,
    websocket::{self, Cause, CloseReason, Frame, Window},
};

/// In which form a connection gets events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Format {
    pub(crate) dialect: Option<Dialect>,
    pub(crate) framing: Framing,
    /// Compressed where that is worth it, as was agreed on.
    pub(crate) compression: Option<Window>,
}

/// What an owner's JSON, or other payload, is put into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// A text frame: the JSON, with its place spliced in.
    Text,
    /// A binary frame: the payload as it is.
    Binary,
    /// A text frame of `carillon.v1`: the JSON beside its channel and its place.
    Channels,
    /// A server-sent event: the JSON with its place spliced in, and as its id.
    Events,
}

impl Framing {
    /// That of an endpoint.
    pub(crate) fn of(endpoint: &Endpoint) -> Self {
        match endpoint.payload {
            Payload::Json => Self::Text,
            Payload::Binary => Self::Binary,
            Payload::Channels => Self::Channels,
        }
    }
}

/// A connection as its owner and the fan-out see it.
#[derive(Debug, Clone)]
pub(crate) struct SessionInfo {
    /// Unique for ever.
    pub(crate) connection: Box<str>,
    /// Where its client is.
    pub(crate) address: IpAddr,
    pub(crate) endpoint: &'static Endpoint,
    pub(crate) parameters: KeptParameters,
    pub(crate) dialect: Option<Dialect>,
    pub(crate) framing: Framing,
    /// Whether messages may be compressed, and how.
    pub(crate) compression: Option<Window>,
    pub(crate) identity: Option<KeptIdentity>,
    /// The channels that it listens to, in the endpoint's order.
    pub(crate) channels: Box<[Channel]>,
    /// The memberships that it needs, each as the channel of that name: its endpoint's, and its owner's.
    pub(crate) requires: Box<[Box<str>]>,
}

impl SessionInfo {
    /// As the owner is told.
    pub(crate) fn session(&self) -> Session {
        Session {
            connection: self.connection.to_string(),
            endpoint: self.endpoint.name.to_owned(),
            parameters: self.parameters.unpack(),
            identity: self.identity.as_ref().map(KeptIdentity::unpack),
            dialect: self.dialect.map_or("", Dialect::as_str).to_owned(),
            gateway: self.gateway().to_owned(),
        }
    }

    /// The incarnation of the gateway, with which the ids of its connections begin.
    fn gateway(&self) -> &str {
        self.connection.rsplit_once('-').map_or("", |(gateway, _)| gateway)
    }

    pub(crate) fn format(&self) -> Format {
        Format { dialect: self.dialect, framing: self.framing, compression: self.compression }
    }

    /// Has it listen to its endpoint's channels, and need what that endpoint requires, with these parameters of
    /// its path and the user that it has.
    ///
    /// # Errors
    /// A part of the path that can't be a channel's name.
    pub(crate) fn resolve(&mut self, parameters: &Parameters) -> Result<(), ChannelError> {
        let resolve = |template: &ChannelTemplate| template.resolve(parameters, self.user()).transpose();
        let channels = self.endpoint.channels.iter().filter_map(resolve).collect::<Result<_, _>>()?;
        let requires = self.endpoint.requires.iter().filter_map(resolve);
        let requires = requires.map(|resource| Ok(resource?.as_str().into())).collect::<Result<_, _>>()?;
        (self.channels, self.requires) = (channels, requires);
        Ok(())
    }

    /// Has it listen to that one of its channels alone. False if it is none of them: a user's own is that
    /// user's only.
    pub(crate) fn keep_only(&mut self, channel: &Channel) -> bool {
        let is_one = self.channels.contains(channel);
        self.channels = Box::new([channel.clone()]);
        is_one
    }

    /// The channel that it is a subscription to, if it is one.
    pub(crate) fn subscribed(&self) -> Option<&str> {
        let is_one = self.framing == Framing::Channels;
        self.channels.first().filter(|_| is_one).map(Channel::as_str)
    }

    /// Whether its frames are binary, so that its client would not understand a word of ours.
    pub(crate) fn is_binary(&self) -> bool {
        self.framing == Framing::Binary
    }

    /// What its owner says, as it goes out.
    pub(crate) fn frame(&self, payload: &[u8]) -> Frame {
        match self.framing {
            Framing::Text => websocket::text(payload),
            Framing::Binary => websocket::binary(payload),
            Framing::Channels => websocket::enveloped(payload, self.subscribed().unwrap_or_default(), 0),
            Framing::Events => server_sent::said(payload),
        }
    }

    /// What the gateway says to a client of text, as it goes out.
    pub(crate) fn word(&self, json: &[u8]) -> Frame {
        match self.framing {
            Framing::Events => server_sent::said(json),
            Framing::Text | Framing::Binary | Framing::Channels => websocket::text(json),
        }
    }

    /// What shows whether the client is there.
    pub(crate) fn heartbeat(&self) -> Frame {
        match self.framing {
            Framing::Events => server_sent::heartbeat(),
            Framing::Text | Framing::Binary | Framing::Channels => websocket::ping(),
        }
    }

    /// What says that the gateway goes, and in how many milliseconds to come back.
    pub(crate) fn come_back(&self, milliseconds: u64) -> Frame {
        let json = frames::reconnect(milliseconds);
        match self.framing {
            Framing::Events => server_sent::come_back(milliseconds, &json),
            Framing::Text | Framing::Binary | Framing::Channels => websocket::text(&json),
        }
    }

    /// The last frame.
    pub(crate) fn close(&self, reason: &CloseReason) -> Frame {
        match self.framing {
            Framing::Events => server_sent::closed(reason),
            Framing::Text | Framing::Binary | Framing::Channels => websocket::close(reason),
        }
    }

    /// Whether it needs this membership.
    pub(crate) fn needs(&self, resource: &str) -> bool {
        self.requires.iter().any(|required| **required == *resource)
    }

    /// The same connection, which needs one membership more.
    pub(crate) fn requiring(&self, resource: &str) -> Self {
        let requires = self.requires.iter().cloned().chain([resource.into()]).collect();
        Self { requires, ..self.clone() }
    }

    /// Why it is closed when a membership that it needs has ended.
    pub(crate) fn no_longer_a_member(&self) -> CloseReason {
        CloseReason::fixed(Cause::Access, self.endpoint.close_codes.denied, "no longer a member")
    }

    /// Why it is closed when its user or its address is blocked.
    pub(crate) fn blocked(&self) -> CloseReason {
        CloseReason::fixed(Cause::Blocked, self.endpoint.close_codes.denied, "blocked")
    }

    /// Why it is to be closed, if an event of one of its channels dismisses it.
    pub(crate) fn dismissed_by(&self, event: &Event) -> Option<CloseReason> {
        let dismissal = event.dismissal.as_ref()?;
        let is_meant = dismissal.user.is_empty() || self.user() == Some(&*dismissal.user);
        is_meant.then(|| CloseReason::of_owner(dismissal.code, dismissal.reason.clone()))
    }

    /// Its user, if it has a token of one.
    pub(crate) fn user(&self) -> Option<&str> {
        self.identity.as_ref().map(KeptIdentity::user).filter(|user| !user.is_empty())
    }

    /// Whether its token is a back end's, which is no user's.
    pub(crate) fn is_back_end(&self) -> bool {
        self.identity.is_some() && self.user().is_none()
    }
}
