//! Answers questions about this gateway's connections (`gateway.<id>.<method>`).

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use carillon_bus::{Handler, Refusal, RefusalKind, Server};
use carillon_contract::{
    Method,
    messages::{ConnectionsReply, ConnectionsRequest, DisconnectReply, DisconnectRequest},
};
use prost::Message;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::ask_all;
use crate::{
    gateway::Gateway,
    shard::{Control, Wanted},
    websocket::CloseReason,
};

/// Questions that are answered at a time.
const CONCURRENCY: usize = 8;

/// How long to wait before trying again what the bus refused.
const PAUSE: Duration = Duration::from_secs(1);

/// Answers until `left`.
pub(crate) fn answer(gateway: &Arc<Gateway>, workers: &[mpsc::Sender<Control>], left: &CancellationToken) {
    let (gateway, workers, left) = (gateway.clone(), workers.to_vec(), left.clone());
    tokio::spawn(async move {
        if let Some(server) = left.run_until_cancelled(serve(&gateway, workers)).await {
            left.cancelled().await;
            server.stop().await;
        }
    });
}

async fn serve(gateway: &Gateway, workers: Vec<mpsc::Sender<Control>>) -> Server {
    let reception = Arc::new(Reception { workers });
    loop {
        match gateway.bus.serve_gateway(&gateway.incarnation, CONCURRENCY, reception.clone()).await {
            Ok(server) => return server,
            Err(error) => tracing::warn!(%error, "this gateway can't be asked yet"),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

struct Reception {
    workers: Vec<mpsc::Sender<Control>>,
}

impl Handler for Reception {
    async fn handle(&self, method: &str, payload: Bytes) -> Result<Bytes, Refusal> {
        match method {
            ConnectionsRequest::NAME => {
                let reply = self.connections(read(payload)?).await?;
                Ok(reply.encode_to_vec().into())
            }
            DisconnectRequest::NAME => {
                let reply = self.disconnect(read(payload)?).await?;
                Ok(reply.encode_to_vec().into())
            }
            _ => Err(Refusal::new(RefusalKind::UnknownMethod, "")),
        }
    }
}

fn read<M: Method>(payload: Bytes) -> Result<M, Refusal> {
    M::decode(payload).map_err(|error| Refusal::new(RefusalKind::Malformed, error.to_string()))
}

impl Reception {
    async fn connections(&self, request: ConnectionsRequest) -> Result<ConnectionsReply, Refusal> {
        let limit = request.limit as usize;
        let wanted = Wanted::new(request).map_err(|why| Refusal::new(RefusalKind::Malformed, why))?;
        let wanted = Arc::new(wanted);
        let listings = ask_all(&self.workers, |reply| Control::List { wanted: wanted.clone(), reply }).await;
        let (mut count, mut found) = (0, Vec::new());
        for listing in listings {
            let listing = listing.ok_or_else(busy)?;
            count += listing.count;
            found.extend(listing.connections);
        }
        found.sort_unstable_by_key(|(number, _)| *number);
        found.truncate(limit);
        Ok(ConnectionsReply { count, connections: found.into_iter().map(|(_, state)| state).collect() })
    }

    async fn disconnect(&self, request: DisconnectRequest) -> Result<DisconnectReply, Refusal> {
        let connection: Arc<str> = request.connection.into();
        let ask = |reply| Control::Disconnect { connection: connection.clone(), reply };
        let answers = ask_all(&self.workers, ask).await;
        let found = answers.contains(&Some(true));
        if !found && answers.contains(&None) {
            return Err(busy());
        }
        let CloseReason { code, reason, .. } = CloseReason::DISCONNECTED;
        Ok(DisconnectReply { found, code: code.into(), reason: reason.into_owned() })
    }
}

/// An answer without what one worker has would not be true.
fn busy() -> Refusal {
    Refusal::new(RefusalKind::Unavailable, "the gateway is too busy to answer")
}
