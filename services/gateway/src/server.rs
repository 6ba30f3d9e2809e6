//! The listener: actix serves HTTP, and hands every upgrade request, with its stream, to the
//! worker's shard.

mod upgrade;
mod worker;

use std::{
    net::{SocketAddr, TcpListener},
    sync::{Arc, Mutex},
};

use actix_http::{HttpService, Protocol, error::DispatchError};
use actix_rt::net::TcpStream;
use actix_server::{Server, ServerBuilder};
use actix_service::{ServiceFactoryExt, fn_service, map_config};
use actix_web::dev::AppConfig;
use anyhow::Context;

use crate::{
    client::peer_of,
    edge::{self, Place},
    gateway::Gateway,
};
pub(crate) use worker::Seat;

/// Seconds that a stopping server waits for HTTP requests under way.
const STOP_SECONDS: u64 = 5;

/// A server with one worker for each seat. Nothing is served before it is polled.
///
/// # Errors
/// A listener that can't be used.
pub(crate) fn build(
    gateway: &Arc<Gateway>,
    listener: TcpListener,
    seats: Vec<Seat>,
    cors: &[String],
) -> anyhow::Result<Server> {
    let workers = seats.len();
    let seats = Arc::new(Mutex::new(seats));
    let (gateway, cors) = (gateway.clone(), cors.to_vec());
    let timeout = gateway.settings.request_timeout;
    let server = ServerBuilder::default()
        .workers(workers)
        .disable_signals()
        .shutdown_timeout(STOP_SECONDS)
        .listen("gateway", listener, move || {
            let place = Place::default();
            let application = edge::application(gateway.clone(), &cors, place.clone());
            let service = HttpService::build()
                .client_request_timeout(timeout)
                // A client that is gone has no more use for its events, or for any answer.
                .h1_allow_half_closed(false)
                .upgrade(upgrade::factory(gateway.clone(), seats.clone(), place))
                .finish(map_config(application, |()| AppConfig::default()));
            let gateway = gateway.clone();
            fn_service(move |stream| arrive(gateway.clone(), stream)).and_then(service)
        })
        .context("serving")?;
    Ok(server.run())
}

/// A connection as actix's dispatcher takes it, with the peer that its proxy names.
async fn arrive(
    gateway: Arc<Gateway>,
    mut stream: TcpStream,
) -> Result<(TcpStream, Protocol, Option<SocketAddr>), DispatchError> {
    let settings = &gateway.settings;
    let peer = peer_of(&mut stream, &settings.proxies, settings.request_timeout).await;
    let peer =
        peer.inspect_err(|error| tracing::info!(%error, "a connection can't be told from its proxy"))?;
    // Without this option answers are merely later.
    let _ = stream.set_nodelay(true);
    Ok((stream, Protocol::Http1, Some(peer)))
}
