//! Delivers what auth owes other services.

use std::sync::Arc;

use carillon_bus::{Bus, RefusalKind, RequestError};
use carillon_contract::{Method, messages::PublishEventRequest};
use carillon_store::Debt;
use prost::Message;
use tokio_util::sync::CancellationToken;

use crate::auth::Auth;

/// Delivers until shutdown.
pub(crate) async fn run(auth: Arc<Auth>, bus: Bus, shutdown: CancellationToken) {
    auth.outbox.run(shutdown, move |debt| deliver(bus.clone(), debt)).await;
}

/// Delivers one debt, or says why it has to be tried again.
async fn deliver(bus: Bus, debt: Debt) -> Result<(), String> {
    if debt.method != PublishEventRequest::NAME {
        tracing::error!(method = debt.method, "auth owes a request that it doesn't know");
        return Ok(());
    }
    let request = match PublishEventRequest::decode(debt.payload) {
        Ok(request) => request,
        Err(error) => {
            tracing::error!(%error, "what is owed can't be read");
            return Ok(());
        }
    };
    match bus.call(debt.to, &request).await {
        Ok(_) => Ok(()),
        // It will never be accepted, and would keep back all that comes after it.
        Err(RequestError::Refused(refusal)) if refusal.kind == RefusalKind::Malformed => {
            tracing::error!(to = %debt.to, reason = refusal.message, "what is owed was refused");
            Ok(())
        }
        Err(error) => Err(error.to_string()),
    }
}
