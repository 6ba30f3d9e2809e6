//! The HTTP edge: `/api/...` requests are checked and passed on to the service that owns the route.

mod access;
mod events;
mod forward;

use std::sync::Arc;

use actix_cors::Cors;
use actix_web::{
    App, Error, HttpRequest, HttpResponse,
    body::MessageBody,
    dev::{Service, ServiceFactory, ServiceRequest, ServiceResponse},
    http::{ConnectionType, StatusCode, header},
    web,
};
use carillon_contract::messages::HttpReply;
use carillon_service::http::Problem;

use crate::{blobs, console, gateway::Gateway};
pub(crate) use events::Place;

/// Seconds for which browsers may remember what a preflight said.
const PREFLIGHT_SECONDS: usize = 3_600;

/// The HTTP application of one worker.
pub(crate) fn application(
    gateway: Arc<Gateway>,
    cors: &[String],
    place: Place,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody + use<>>,
        Error = Error,
        InitError = (),
    > + use<>,
> {
    let drained = gateway.clone();
    App::new()
        .app_data(web::Data::from(gateway))
        .app_data(web::ThinData(place))
        .wrap(cors_for(cors))
        .wrap_fn(move |request, service| {
            let (gateway, answered) = (drained.clone(), service.call(request));
            async move { answered.await.map(|response| last_if_draining(&gateway, response)) }
        })
        .route("/blobs/{key:.*}", web::to(blobs::serve))
        .service(events::resource())
        .service(console::services())
        .default_service(web::to(forward::forward))
}

/// Ends a connection with its next response when the gateway is going: otherwise a client that always has a
/// request under way would have one of them cut off in the end.
fn last_if_draining<B>(gateway: &Gateway, mut response: ServiceResponse<B>) -> ServiceResponse<B> {
    if gateway.is_draining() {
        response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    response
}

/// What pages of other origins may do: nothing, but for those of the origins listed.
fn cors_for(origins: &[String]) -> Cors {
    let cors = Cors::default()
        .block_on_origin_mismatch(false)
        .allowed_methods(["GET", "POST", "PUT", "PATCH", "DELETE"])
        .allowed_headers([header::AUTHORIZATION, header::CONTENT_TYPE, header::ACCEPT, header::RANGE])
        .allowed_headers(["traceparent", "tracestate"])
        .allowed_headers(["idempotency-key", "x-request-id", "x-csrftoken", "last-event-id", "cache-control"])
        .expose_headers(["x-request-id", "retry-after", "content-disposition", "content-range"])
        .max_age(PREFLIGHT_SECONDS);
    origins.iter().fold(cors, |cors, origin| match origin.as_str() {
        "*" => cors.allow_any_origin(),
        origin => cors.allowed_origin(origin),
    })
}

/// Refuses requests to hosts that this gateway isn't known by.
pub(crate) fn check_host(gateway: &Gateway, request: &HttpRequest) -> Result<(), Problem> {
    // Not actix's `connection_info`, which believes any client's X-Forwarded-Host.
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let allowed = gateway.settings.allowed_hosts.allows_host(host.unwrap_or_default());
    if allowed { Ok(()) } else { Err(Problem::bad_request("host not allowed")) }
}

/// Refuses requests from addresses that are blocked.
pub(crate) fn check_address(gateway: &Gateway, request: &HttpRequest) -> Result<(), Problem> {
    let is_blocked = gateway.authenticator.is_blocked_at(gateway.client(request.head()));
    if is_blocked { Err(Problem::forbidden("blocked")) } else { Ok(()) }
}

/// Where a request comes from.
pub(crate) fn address(gateway: &Gateway, request: &HttpRequest) -> String {
    gateway.client(request.head()).to_string()
}

/// A service's reply as an HTTP response.
pub(crate) fn response(reply: HttpReply, request: &str) -> HttpResponse {
    let status = u16::try_from(reply.status).ok().and_then(|status| StatusCode::from_u16(status).ok());
    let mut response = HttpResponse::build(status.unwrap_or(StatusCode::BAD_GATEWAY));
    response
        .insert_header(("x-request-id", request))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"));
    for (name, value) in reply.headers {
        response.insert_header((name, value));
    }
    if reply.content_type.is_empty() {
        return response.finish();
    }
    response.content_type(reply.content_type).body(reply.body)
}
