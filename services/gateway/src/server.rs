//! The listeners: actix serves HTTP, over TLS or not, and hands every upgrade request, with its stream, to the
//! worker's shard.

mod listeners;
mod transport;
mod upgrade;
mod worker;

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use actix_http::{HttpService, Protocol, error::DispatchError};
use actix_rt::net::TcpStream;
use actix_server::{Server, ServerBuilder};
use actix_service::{ServiceFactory, ServiceFactoryExt, fn_service, map_config};
use actix_web::dev::AppConfig;
use anyhow::Context;

use crate::{
    client::peer_of,
    edge::{self, Place},
    gateway::Gateway,
    tls,
};
pub(crate) use listeners::Listeners;
pub use listeners::listen;
use transport::Transport;
pub(crate) use worker::Seat;

/// Seconds that a stopping server waits for HTTP requests under way.
const STOP_SECONDS: u64 = 5;

/// A connection as actix's dispatcher takes it.
type Arrived<T> = (T, Protocol, Option<SocketAddr>);

/// A server with one worker for each seat. Nothing is served before it is polled.
///
/// # Errors
/// A listener that can't be used.
pub(crate) fn build(
    gateway: &Arc<Gateway>,
    listeners: Listeners,
    seats: Vec<Seat>,
    cors: &[String],
) -> anyhow::Result<Server> {
    let mut builder =
        ServerBuilder::default().workers(seats.len()).disable_signals().shutdown_timeout(STOP_SECONDS);
    let services =
        Services { gateway: gateway.clone(), cors: cors.to_vec(), seats: Arc::new(Mutex::new(seats)) };
    if let Some(listener) = listeners.plain {
        let services = services.clone();
        let factory = move || {
            let (gateway, place) = (services.gateway.clone(), Place::default());
            fn_service(move |stream| arrive(gateway.clone(), stream)).and_then(services.http(place))
        };
        builder = builder.listen("gateway", listener, factory).context("serving")?;
    }
    if let Some((listener, tls)) = listeners.tls {
        let factory = move || {
            let (gateway, tls, place) = (services.gateway.clone(), tls.clone(), Place::default());
            let http = services.http(place.clone());
            fn_service(move |stream| arrive_over_tls(gateway.clone(), tls.clone(), place.clone(), stream))
                .and_then(http)
        };
        builder = builder.listen("gateway over TLS", listener, factory).context("serving over TLS")?;
    }
    Ok(builder.run())
}

/// What each worker has its services built of.
#[derive(Clone)]
struct Services {
    gateway: Arc<Gateway>,
    cors: Vec<String>,
    seats: Arc<Mutex<Vec<Seat>>>,
}

impl Services {
    /// HTTP, and the way out of it, for a listener of this thread.
    fn http<T: Transport>(
        &self,
        place: Place,
    ) -> impl ServiceFactory<Arrived<T>, Config = (), Response = (), Error = DispatchError, InitError = ()> + use<T>
    {
        let application = edge::application(self.gateway.clone(), &self.cors, place.clone());
        HttpService::build()
            .client_request_timeout(self.gateway.settings.request_timeout)
            // A client that is gone has no more use for its events, or for any answer.
            .h1_allow_half_closed(false)
            .upgrade(upgrade::factory(self.gateway.clone(), self.seats.clone(), place))
            .finish(map_config(application, |()| AppConfig::default()))
    }
}

/// A connection, with the peer that its proxy names.
async fn arrive(gateway: Arc<Gateway>, mut stream: TcpStream) -> Result<Arrived<TcpStream>, DispatchError> {
    let settings = &gateway.settings;
    let peer = peer_of(&mut stream, &settings.proxies, settings.request_timeout).await;
    let peer =
        peer.inspect_err(|error| tracing::info!(%error, "a connection can't be told from its proxy"))?;
    // Without this option answers and frames are merely later.
    let _ = stream.set_nodelay(true);
    Ok((stream, Protocol::Http1, Some(peer)))
}

/// The same once it speaks TLS.
async fn arrive_over_tls(
    gateway: Arc<Gateway>,
    tls: Arc<tls::Server>,
    place: Place,
    stream: TcpStream,
) -> Result<Arrived<tls::Stream>, DispatchError> {
    let patience = gateway.settings.request_timeout;
    let (stream, protocol, peer) = arrive(gateway, stream).await?;
    let shard = place.get().ok_or_else(|| std::io::Error::other("the worker has not started"))?;
    Ok((tls.accept(stream, shard, patience).await?, protocol, peer))
}
