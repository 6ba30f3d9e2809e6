//! `GET /api/events/{channel}/`: a channel's events for clients that can't keep a WebSocket, as server-sent events.

use std::{
    cell::OnceCell,
    convert::Infallible,
    ops::RangeInclusive,
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};

use actix_web::{
    HttpRequest, HttpResponse, Resource,
    body::{BodySize, MessageBody},
    http::header,
    web,
};
use bytes::Bytes;
use carillon_contract::{CloseCodes, Endpoint};
use carillon_service::http::Problem;
use rand::RngExt;

use super::{check_address, check_host, response};
use crate::{
    gateway::Gateway,
    handshake::{Streaming, admit_stream, overloaded},
    server_sent, session,
    shard::{Reader, Shard},
    websocket::{Cause, CloseReason},
};

/// Its name in metrics.
const ROUTE: &str = "events.stream";

/// In how many milliseconds a client comes back whose stream has ended without a word: spread, so that those
/// of a gateway that died don't come all at once.
const RETRY: RangeInclusive<u64> = 1_000..=4_000;

/// The worker's shard, which is there before the first request is.
pub(crate) type Place = Rc<OnceCell<Rc<Shard>>>;

/// Where it is.
pub(super) fn resource() -> Resource {
    let paths = ["/api/events/{channel}/", "/api/events/{channel}"];
    let other = || async { response(Problem::method_not_allowed(&["GET"]).into_reply(), "") };
    web::resource(paths).route(web::get().to(serve)).default_service(web::to(other))
}

/// Answers with the events, or why there are none.
async fn serve(
    gateway: web::Data<Gateway>,
    place: web::ThinData<Place>,
    request: HttpRequest,
) -> HttpResponse {
    let started = Instant::now();
    let id = format!("{:032x}", rand::random::<u128>());
    let gateway = gateway.into_inner();
    let opened = match place.get() {
        Some(shard) => open(&gateway, shard, &request).await,
        None => Err(Problem::internal()),
    };
    let (status, response) = match opened {
        Ok(stream) => (200, streamed(stream, &id)),
        Err(problem) => (problem.status(), response(problem.into_reply(), &id)),
    };
    gateway.metrics.http_requests.with_label_values(&[ROUTE, &status.to_string()]).inc();
    gateway.metrics.http_duration.with_label_values(&[ROUTE]).observe(started.elapsed().as_secs_f64());
    response
}

/// A session that has been opened: its owner has let the client in.
async fn open(gateway: &Arc<Gateway>, shard: &Rc<Shard>, request: &HttpRequest) -> Result<Stream, Problem> {
    check_host(gateway, request)?;
    check_address(gateway, request)?;
    let permit = gateway.limits.admit().map_err(|overload| overloaded(gateway, request.head(), overload))?;
    let channel = request.match_info().get("channel").unwrap_or_default();
    let admission = Box::pin(admit_stream(gateway, request.head(), channel, permit));
    let Streaming { info, permit, query } = shard.in_turn(admission).await?;
    let endpoint = info.endpoint;
    let reader = session::stream(gateway, shard, info, permit, query);
    reader.started().await.map_err(|reason| refused(&reason, endpoint))?;
    let retry = rand::rng().random_range(RETRY);
    Ok(Stream { first: Some(server_sent::retry(retry).into()), reader })
}

/// What a WebSocket's close code would say: nothing has been streamed yet.
fn refused(reason: &CloseReason, endpoint: &Endpoint) -> Problem {
    let CloseCodes { missing, invalid, expired, denied, mismatch } = endpoint.close_codes;
    let detail = &*reason.reason;
    match reason.code {
        _ if reason.cause == Cause::Unavailable => Problem::unavailable(detail),
        1012 | 1013 => Problem::unavailable(detail),
        1011 => Problem::internal(),
        // Document 4 has the same code for what there isn't.
        code if code == denied || code == mismatch => Problem::forbidden(detail),
        code if code == invalid || code == expired || code == missing => Problem::unauthorized(detail),
        4004 => Problem::not_found(detail),
        _ => Problem::forbidden(detail),
    }
}

fn streamed(stream: Stream, request: &str) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(("x-request-id", request))
        .insert_header((header::CONTENT_TYPE, server_sent::CONTENT_TYPE))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        // nginx would keep events until it has enough of them.
        .insert_header(("x-accel-buffering", "no"))
        .force_close()
        .body(stream)
}

/// The body of the response.
struct Stream {
    /// What goes before everything.
    first: Option<Bytes>,
    reader: Reader,
}

impl MessageBody for Stream {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        match self.first.take() {
            Some(first) => Poll::Ready(Some(Ok(first))),
            None => self.reader.poll_next(context).map(|next| next.map(Ok)),
        }
    }
}
