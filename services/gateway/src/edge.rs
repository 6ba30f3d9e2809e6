//! The HTTP edge: `/api/...` requests are checked and passed on to the service that owns the route.

mod access;
mod forward;

use std::sync::Arc;

use actix_cors::Cors;
use actix_web::{
    App, Error, HttpResponse,
    body::MessageBody,
    dev::{ServiceFactory, ServiceRequest, ServiceResponse},
    http::{StatusCode, header},
    web,
};
use carillon_contract::messages::HttpReply;

use crate::gateway::Gateway;

/// Seconds for which browsers may remember what a preflight said.
const PREFLIGHT_SECONDS: usize = 3_600;

/// The HTTP application of one worker.
pub(crate) fn application(
    gateway: Arc<Gateway>,
    cors: &[String],
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody + use<>>,
        Error = Error,
        InitError = (),
    > + use<>,
> {
    App::new()
        .app_data(web::Data::from(gateway))
        .wrap(cors_for(cors))
        .default_service(web::to(forward::forward))
}

/// What pages of other origins may do: nothing, but for those of the origins listed.
fn cors_for(origins: &[String]) -> Cors {
    let cors = Cors::default()
        .block_on_origin_mismatch(false)
        .allowed_methods(["GET", "POST", "PUT", "PATCH", "DELETE"])
        .allowed_headers([header::AUTHORIZATION, header::CONTENT_TYPE, header::ACCEPT])
        .allowed_headers(["idempotency-key", "x-request-id", "x-csrftoken"])
        .expose_headers(["x-request-id", "retry-after"])
        .max_age(PREFLIGHT_SECONDS);
    origins.iter().fold(cors, |cors, origin| match origin.as_str() {
        "*" => cors.allow_any_origin(),
        origin => cors.allowed_origin(origin),
    })
}

/// A service's reply as an HTTP response.
fn response(reply: HttpReply, request: &str) -> HttpResponse {
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
