//! Who may watch, and how they are greeted.

use carillon_contract::{
    Channel, endpoint,
    messages::{ChannelHead, FrameReply, FrameRequest, OpenReply, OpenRequest},
};
use carillon_service::{
    Failure,
    reply::{self, Refusal},
};

use super::{Cause, Health};

impl Health {
    /// Lets admins in, and tells them how everything is. It takes no database to do so: the channel has no log.
    pub(crate) async fn open(&self, epoch: &str, request: OpenRequest) -> Result<OpenReply, Failure> {
        let session = request.session.ok_or_else(|| Failure::Malformed("no session".to_owned()))?;
        let endpoint = endpoint(&session.endpoint)
            .ok_or_else(|| Failure::Malformed(format!("no endpoint is called {}", session.endpoint)))?;
        match &session.identity {
            None => return Ok(reply::reject(endpoint.close_codes.missing, "a token is needed")),
            Some(identity) if !identity.is_admin() => {
                return Ok(reply::reject(endpoint.close_codes.denied, "for admins only"));
            }
            Some(_) => {}
        }
        // The sender is this health's own.
        let _ = self.settled.subscribe().wait_for(|settled| *settled).await;
        let head = ChannelHead { channel: Channel::system_health().to_string(), offset: 0 };
        Ok(reply::accept(epoch, vec![head], &[self.frame(Cause::Snapshot)], ""))
    }

    /// There is nothing to say here.
    pub(crate) fn answer(&self, request: &FrameRequest) -> FrameReply {
        let is_json = serde_json::from_slice::<serde::de::IgnoredAny>(&request.payload).is_ok();
        let refusal = match is_json {
            true => Refusal::new("invalid", "Nothing is said here"),
            false => Refusal::new("invalid_json", "Invalid JSON format"),
        };
        reply::refused(&refusal, None)
    }
}
