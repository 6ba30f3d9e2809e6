//! The methods of services: a request type carries its own name and the type of its reply.

use prost::Message;

use crate::messages::{
    AccessReply, AccessRequest, ClosedNotice, ConnectionsReply, ConnectionsRequest, DisconnectReply,
    DisconnectRequest, EnterRequest, FrameReply, FrameRequest, HeadsReply, HeadsRequest, HistoryReply,
    HistoryRequest, HttpReply, HttpRequest, JwksReply, JwksRequest, MembersReply, MembersRequest,
    MembershipReply, MembershipRequest, NotifyReply, NotifyRequest, OpenReply, OpenRequest, PresenceReply,
    PresenceRequest, ProjectReply, ProjectRequest, ProjectsReply, ProjectsRequest, PublishEventReply,
    PublishEventRequest, RenewReply, RenewRequest,
};

/// A request that some service answers at `rpc.<service>.<NAME>`, or one gateway at `gateway.<id>.<NAME>`.
pub trait Method: Message + Default + 'static {
    /// The method's name: the last word of its subject, and its label in metrics.
    const NAME: &'static str;
    /// What answers it.
    type Reply: Message + Default + 'static;
}

macro_rules! methods {
    ($($name:literal: $request:ty => $reply:ty,)*) => {
        $(impl Method for $request {
            const NAME: &'static str = $name;
            type Reply = $reply;
        })*

        /// Every method's name.
        #[cfg(test)]
        pub(crate) const NAMES: &[&str] = &[$($name),*];
    };
}

methods! {
    // Every service that owns an endpoint, a channel or a route.
    "open": OpenRequest => OpenReply,
    "frame": FrameRequest => FrameReply,
    "closed": ClosedNotice => (),
    "history": HistoryRequest => HistoryReply,
    "heads": HeadsRequest => HeadsReply,
    "http": HttpRequest => HttpReply,
    // Every service that owns an endpoint with presence.
    "renew": RenewRequest => RenewReply,
    "enter": EnterRequest => (),
    "presence": PresenceRequest => PresenceReply,
    // Auth.
    "access": AccessRequest => AccessReply,
    "jwks": JwksRequest => JwksReply,
    "membership": MembershipRequest => MembershipReply,
    "members": MembersRequest => MembersReply,
    "projects": ProjectsRequest => ProjectsReply,
    "project": ProjectRequest => ProjectReply,
    // Notification.
    "publish_event": PublishEventRequest => PublishEventReply,
    "notify": NotifyRequest => NotifyReply,
    // Each gateway.
    "connections": ConnectionsRequest => ConnectionsReply,
    "disconnect": DisconnectRequest => DisconnectReply,
}
