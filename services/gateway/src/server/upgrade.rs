//! The upgrade hook: it answers the handshake itself, and takes the stream out of actix's
//! dispatcher, whose buffers are freed with it.

use std::{
    convert::Infallible,
    rc::Rc,
    sync::{Arc, Mutex},
};

use actix_codec::Framed;
use actix_http::{
    Request, Response, ResponseBuilder, StatusCode, body::BodySize, h1, ws::handshake_response,
};
use actix_service::{ServiceFactory, fn_factory, fn_service};
use actix_web::http::header;
use bytes::Bytes;
use carillon_service::http::Problem;
use futures_util::SinkExt;

use super::{
    transport::Transport,
    worker::{self, Seat},
};
use crate::{
    edge::Place,
    gateway::Gateway,
    handshake::{Decision, decide, overloaded},
    session::{self, Arrival},
    shard::Shard,
};

type Upgrade<T> = (Request, Framed<T, h1::Codec>);

/// One hook for each worker, with its shard.
pub(super) fn factory<T: Transport>(
    gateway: Arc<Gateway>,
    seats: Arc<Mutex<Vec<Seat>>>,
    place: Place,
) -> impl ServiceFactory<Upgrade<T>, Config = (), Response = (), Error = Infallible, InitError = ()> {
    fn_factory(move || {
        let gateway = gateway.clone();
        let shard = worker::take(&seats, gateway.metrics.clone());
        // Requests that aren't upgrades need it too.
        let _ = place.set(shard.clone());
        async move {
            Ok::<_, ()>(fn_service(move |upgrade: Upgrade<T>| serve(gateway.clone(), shard.clone(), upgrade)))
        }
    })
}

async fn serve<T: Transport>(
    gateway: Arc<Gateway>,
    shard: Rc<Shard>,
    (request, mut framed): Upgrade<T>,
) -> Result<(), Infallible> {
    // Before anything else is done for it.
    let permit = match gateway.limits.admit() {
        Ok(permit) => permit,
        Err(overload) => {
            refuse(&mut framed, overloaded(&gateway, request.head(), overload)).await;
            return Ok(());
        }
    };
    let decision = shard.in_turn(Box::pin(decide(&gateway, request.head(), permit))).await;
    let (admission, outcome) = match decision {
        Decision::Http(problem) => {
            refuse(&mut framed, problem).await;
            return Ok(());
        }
        Decision::Admit(admission, query) => (admission, Ok(query)),
        Decision::Close(admission, farewell) => (admission, Err(farewell)),
    };
    let mut response = handshake_response(request.head());
    if let Some(protocol) = &admission.protocol {
        response.insert_header((header::SEC_WEBSOCKET_PROTOCOL, protocol.as_str()));
    }
    if let Some(window) = admission.info.compression {
        response.insert_header((header::SEC_WEBSOCKET_EXTENSIONS, window.header()));
    }
    if accept(&mut framed, response).await.is_err() {
        return Ok(());
    }
    let parts = framed.into_parts();
    let mut early = parts.read_buf;
    let socket = parts.io.into_socket(&mut early);
    // A task of its own lets the dispatcher, and its buffers, go.
    match outcome {
        Ok(query) => {
            let (info, permit, early) = (admission.info, admission.permit, early.freeze());
            let query = Box::new(query);
            let arrival = Arrival { info, permit, query, socket, early };
            tokio::task::spawn_local(session::run(gateway, shard, Box::new(arrival)))
        }
        Err(farewell) => {
            let (info, permit) = (admission.info, admission.permit);
            tokio::task::spawn_local(session::refuse(shard, info, permit, socket, farewell))
        }
    };
    Ok(())
}

async fn accept<T: Transport>(
    framed: &mut Framed<T, h1::Codec>,
    mut response: ResponseBuilder,
) -> std::io::Result<()> {
    let response: Response<()> = response.finish().drop_body();
    framed.send(h1::Message::Item((response, BodySize::None))).await
}

/// A proper HTTP response in place of an upgrade. A client that is gone doesn't get it.
async fn refuse<T: Transport>(framed: &mut Framed<T, h1::Codec>, problem: Problem) {
    let reply = problem.into_reply();
    let status = u16::try_from(reply.status).ok().and_then(|status| StatusCode::from_u16(status).ok());
    let mut response = Response::build(status.unwrap_or(StatusCode::BAD_REQUEST));
    response.insert_header((header::CONTENT_TYPE, reply.content_type)).force_close();
    for (name, value) in reply.headers {
        response.insert_header((name, value));
    }
    let size = BodySize::Sized(reply.body.len() as u64);
    let head = h1::Message::Item((response.finish().drop_body(), size));
    for message in [head, h1::Message::Chunk(Some(reply.body)), h1::Message::Chunk(None::<Bytes>)] {
        if framed.send(message).await.is_err() {
            return;
        }
    }
}
