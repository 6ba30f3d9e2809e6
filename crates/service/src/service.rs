//! What a service is.

use std::future::{Future, ready};

use bytes::Bytes;
use carillon_contract::{
    Method, ServiceName,
    messages::{ClosedNotice, FrameReply, FrameRequest, HttpReply, HttpRequest, OpenReply, OpenRequest},
};
use carillon_store::Log;
use prost::Message;

use crate::{Failure, http::Problem};

/// A domain with its tables, its rules and its event log. Any replica answers any request.
pub trait Service: Send + Sync + 'static {
    /// Its name on the bus.
    const NAME: ServiceName;

    /// The log from which `history` and `heads` are answered.
    fn log(&self) -> &Log;

    /// Opens a session at one of its endpoints, or refuses it.
    fn open(&self, _request: OpenRequest) -> impl Future<Output = Result<OpenReply, Failure>> + Send {
        ready(Err(Failure::UnknownMethod))
    }

    /// Handles one frame of a session. A repeated frame has the same number.
    fn frame(&self, _request: FrameRequest) -> impl Future<Output = Result<FrameReply, Failure>> + Send {
        ready(Err(Failure::UnknownMethod))
    }

    /// Learns, if all goes well, that a session has ended.
    fn closed(&self, _notice: ClosedNotice) -> impl Future<Output = Result<(), Failure>> + Send {
        ready(Ok(()))
    }

    /// Answers one of its HTTP routes.
    fn http(&self, _request: HttpRequest) -> impl Future<Output = Result<HttpReply, Problem>> + Send {
        ready(Err(Problem::not_found("no such route")))
    }

    /// Answers a method of its own; see [`answer`].
    fn call(&self, _method: &str, _payload: Bytes) -> impl Future<Output = Result<Bytes, Failure>> + Send {
        ready(Err(Failure::UnknownMethod))
    }
}

/// Decodes a request, has it handled, and encodes its reply.
///
/// # Errors
/// [`Failure::Malformed`] if the request can't be decoded, and whatever `handle` fails with.
pub async fn answer<M, F, Fut>(payload: Bytes, handle: F) -> Result<Bytes, Failure>
where
    M: Method,
    F: FnOnce(M) -> Fut,
    Fut: Future<Output = Result<M::Reply, Failure>>,
{
    let request = M::decode(payload).map_err(|error| Failure::Malformed(error.to_string()))?;
    Ok(handle(request).await?.encode_to_vec().into())
}
