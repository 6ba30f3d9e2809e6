//! `POST /api/monitoring/websocket/connections/{connection_id}/disconnect/`

use std::time::Duration;

use carillon_bus::{Bus, RequestError, Timing};
use carillon_contract::{
    GatewayId,
    messages::{DisconnectRequest, HttpReply, HttpRequest},
};
use carillon_service::http::{self, Problem};
use serde_json::json;

/// How long one attempt may take.
const ATTEMPT: Timing = Timing { attempt: Duration::from_secs(1) };

/// Has its gateway close a connection.
pub(crate) async fn disconnect(bus: &Bus, request: &HttpRequest) -> Result<HttpReply, Problem> {
    let unknown = || Problem::not_found("there is no such connection, or no longer");
    let connection = http::parameter(request, "connection_id");
    let (gateway, _) = GatewayId::of_connection(connection).ok_or_else(unknown)?;
    let order = DisconnectRequest { connection: connection.to_owned() };
    let reply = match bus.call_gateway(&gateway, &order, ATTEMPT).await {
        // A gateway that isn't there has no connections.
        Err(RequestError::NoResponders) => return Err(unknown()),
        Err(error) if error.is_unavailable() => {
            return Err(Problem::unavailable("the connection's gateway does not answer"));
        }
        answer => answer?,
    };
    if !reply.found {
        return Err(unknown());
    }
    let by = request.identity.as_ref().map_or("", |identity| identity.user.as_str());
    tracing::info!(connection, by, "a connection was ended");
    let body = json!({
        "status": "disconnected", "id": connection, "gateway": gateway.as_str(),
        "code": reply.code, "reason": reply.reason,
    });
    Ok(http::json(200, &body))
}
