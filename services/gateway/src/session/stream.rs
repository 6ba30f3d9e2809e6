//! A session whose events leave as the body of an HTTP response (server-sent events): nothing is heard from
//! its client.

use std::{panic::AssertUnwindSafe, rc::Rc, sync::Arc};

use futures_util::FutureExt;

use super::{
    SessionInfo,
    open::Query,
    run::{LAST_WORDS, begin, depart, written},
};
use crate::{
    gateway::Gateway,
    limits::Permit,
    shard::{Key, Reader, Shard},
    websocket::{Cause, CloseReason},
};

/// Takes a session in, and serves it to its end in a task of its own. What it has to say is to be read.
pub(crate) fn stream(
    gateway: &Arc<Gateway>,
    shard: &Rc<Shard>,
    info: SessionInfo,
    permit: Permit,
    query: Query,
) -> Reader {
    let info = Rc::new(info);
    let (key, reader) = shard.insert_stream(info.clone(), permit);
    gateway.leases.came(info.endpoint);
    tokio::task::spawn_local(run(gateway.clone(), shard.clone(), key, info, query));
    reader
}

async fn run(gateway: Arc<Gateway>, shard: Rc<Shard>, key: Key, info: Rc<SessionInfo>, query: Query) {
    // Whatever happens, nothing of the connection may stay behind.
    let lived = AssertUnwindSafe(live(&gateway, &shard, key, &info, query));
    if lived.catch_unwind().await.is_err() {
        tracing::error!(connection = %info.connection, "a connection's task panicked");
        shard.close(key, CloseReason::fixed(Cause::Internal, 1011, "internal error"));
    }
    let _ = tokio::time::timeout(LAST_WORDS, written(&shard, key)).await;
    depart(&gateway, &shard, key, &info).await;
}

async fn live(gateway: &Gateway, shard: &Rc<Shard>, key: Key, info: &SessionInfo, query: Query) {
    if let Err(reason) = Box::pin(begin(gateway, shard, key, info, query)).await {
        return shard.close(key, reason);
    }
    while shard.state(key).is_some_and(|state| !state.is_closing && !state.is_broken) {
        shard.changed(key).await;
    }
}
