//! One HTTP request: from the client to the owner of its route and back.

use std::{collections::BTreeMap, time::Instant};

use actix_web::{HttpRequest as ActixRequest, HttpResponse, http::header, web};
use carillon_contract::{
    Parameters, Route, RouteMatch,
    messages::{HttpReply, HttpRequest},
    route_at,
};
use carillon_service::http::Problem;
use carillon_token::redact;
use url::form_urlencoded;

use super::{access, address, check_address, check_host, response};
use crate::{gateway::Gateway, spans};

/// The longest request id or idempotency key that is taken from a client.
const MAX_KEY: usize = 200;

/// Handles whatever isn't an upgrade.
pub(super) async fn forward(
    gateway: web::Data<Gateway>,
    request: ActixRequest,
    payload: web::Payload,
) -> HttpResponse {
    let started = Instant::now();
    let id = format!("{:032x}", rand::random::<u128>());
    let (name, outcome) = match find(&gateway, &request) {
        Ok((route, parameters)) => {
            let mut span = spans::request(route, spans::caller(&gateway, request.head()));
            let answered = answer(&gateway, route, parameters, &request, payload, &id);
            let logged = async {
                let refused = |problem: &Problem| log(&gateway, &request, route.name, problem, &id);
                answered.await.inspect_err(refused)
            };
            let outcome = span.scope(logged).await;
            spans::answered(&mut span, &outcome);
            (route.name, outcome)
        }
        Err(problem) => {
            log(&gateway, &request, "none", &problem, &id);
            ("none", Err(problem))
        }
    };
    let reply = outcome.unwrap_or_else(Problem::into_reply);
    let metrics = &gateway.metrics;
    metrics.http_requests.with_label_values(&[name, &reply.status.to_string()]).inc();
    metrics.http_duration.with_label_values(&[name]).observe(started.elapsed().as_secs_f64());
    // The client's own id, if it gave one, says more to it than ours; but only ours is unique.
    response(reply, &key(&request, "x-request-id").unwrap_or(id))
}

/// One line for each refusal by the gateway, without the token. What a service refuses it counts itself.
fn log(gateway: &Gateway, request: &ActixRequest, route: &str, problem: &Problem, id: &str) {
    let path = request.uri().path_and_query().map_or("", |path| path.as_str());
    tracing::info!(
        route, method = %request.method(), path = %redact(path), address = address(gateway, request), request = id,
        status = problem.status(), reason = problem.detail(), "a request was refused"
    );
}

fn find(gateway: &Gateway, request: &ActixRequest) -> Result<(&'static Route, Parameters), Problem> {
    check_host(gateway, request)?;
    check_address(gateway, request)?;
    match route_at(request.method().as_str(), request.path()) {
        RouteMatch::Found(route, parameters) => Ok((route, parameters)),
        RouteMatch::MethodNotAllowed(methods) => Err(Problem::method_not_allowed(&methods)),
        RouteMatch::NotFound => Err(Problem::not_found("there is no such path")),
    }
}

async fn answer(
    gateway: &Gateway,
    route: &Route,
    parameters: Parameters,
    request: &ActixRequest,
    payload: web::Payload,
    id: &str,
) -> Result<HttpReply, Problem> {
    let identity = access::caller(gateway, route, request.head()).await?;
    let body = body(gateway, request, payload).await?;
    let forwarded = HttpRequest {
        request: id.to_owned(),
        route: route.name.to_owned(),
        parameters,
        query: query(request),
        body,
        identity,
        address: address(gateway, request),
        idempotency_key: key(request, "idempotency-key").unwrap_or_default(),
    };
    Ok(gateway.bus.call(route.owner, &forwarded).await?)
}

async fn body(
    gateway: &Gateway,
    request: &ActixRequest,
    payload: web::Payload,
) -> Result<bytes::Bytes, Problem> {
    let limit = gateway.settings.body_bytes;
    let too_large = || Problem::too_large(&format!("a body has at most {limit} bytes"));
    let announced = request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    if announced.and_then(|length| length.parse::<usize>().ok()).is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    let whole = payload.to_bytes_limited(limit);
    match tokio::time::timeout(gateway.settings.request_timeout, whole).await {
        Err(_) => Err(Problem::request_timeout("the body took too long to arrive")),
        Ok(Err(_)) => Err(too_large()),
        Ok(Ok(Err(_))) => Err(Problem::bad_request("the body can't be read")),
        Ok(Ok(Ok(body))) => Ok(body),
    }
}

fn query(request: &ActixRequest) -> BTreeMap<String, String> {
    let query = form_urlencoded::parse(request.query_string().as_bytes()).into_owned();
    // No route takes a token there, but a client may think so: it is nobody else's business.
    query.filter(|(name, _)| name != "token").collect()
}

/// A header with which a client marks its request.
fn key(request: &ActixRequest, name: &str) -> Option<String> {
    let value = request.headers().get(name)?.to_str().ok()?.trim();
    (!value.is_empty() && value.len() <= MAX_KEY).then(|| value.to_owned())
}
