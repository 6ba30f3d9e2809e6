//! The task of one connection: it opens the session, reads frames, has them answered one at a
//! time, and sees to the end.

use std::{future::poll_fn, io, panic::AssertUnwindSafe, rc::Rc, sync::Arc, time::Duration};

use bytes::Bytes;
use carillon_contract::Payload;
use futures_util::FutureExt;
use tokio::net::TcpStream;

use super::{
    SessionInfo,
    channels::{self, Channels},
    conversation::Conversation,
    farewell, frames,
    open::{Query, open},
    talk::{End, Talk},
};
use crate::{
    authenticator::Denied,
    gateway::Gateway,
    limits::Permit,
    shard::{Key, Shard, State},
    socket::{Brought, Socket},
    telemetry::Entrance,
    websocket::{Cause, CloseReason, Decoder},
};

/// How long a client may take to read what is left for it, close frame included.
pub(super) const LAST_WORDS: Duration = Duration::from_secs(5);

/// How long a client that closes is kept waiting for the answers to what it said before.
const ANSWERS: Duration = Duration::from_secs(1);

/// How long to wait for the client's own close frame.
const FAREWELL: Duration = Duration::from_secs(1);

/// So many bytes, so often, are read off a socket before it is closed.
const LAST_READ: usize = 8 * 1024;
const LAST_READS: usize = 64;

/// A connection whose handshake is done.
pub(crate) struct Arrival {
    pub(crate) info: SessionInfo,
    pub(crate) permit: Permit,
    /// Apart, because nobody needs it for long.
    pub(crate) query: Box<Query>,
    pub(crate) socket: Socket,
    /// What the client sent on the heels of its handshake.
    pub(crate) early: Bytes,
}

/// Serves a connection to its end. As long as it is idle it holds no more than the conversation:
/// what comes before and after that has a box of its own.
pub(crate) async fn run(gateway: Arc<Gateway>, shard: Rc<Shard>, arrival: Box<Arrival>) {
    let Arrival { info, permit, query, socket, early } = *arrival;
    let (mut info, socket) = (Rc::new(info), Rc::new(socket));
    // A copy lets go of the buffer that the handshake was read into.
    let inflater = info.compression.map(|_| shard.inflater());
    let mut decoder = Decoder::new(gateway.settings.frame_bytes_of(info.endpoint), inflater);
    decoder.feed(&early);
    let early_bytes = early.len();
    drop(early);
    let key = shard.insert(info.clone(), socket.clone(), permit);
    shard.heard(key, early_bytes);
    gateway.leases.came(info.endpoint);
    // Whatever happens, nothing of the connection may stay behind.
    let lived = AssertUnwindSafe(live(&gateway, &shard, key, &mut info, &socket, query, &mut decoder));
    let end = lived.catch_unwind().await.unwrap_or_else(|_| {
        tracing::error!(connection = %info.connection, "a connection's task panicked");
        shard.close(key, CloseReason::fixed(Cause::Internal, 1011, "internal error"));
        End::Ours
    });
    Box::pin(leave(&gateway, &shard, key, &info, &socket, end)).await;
}

async fn live(
    gateway: &Arc<Gateway>,
    shard: &Rc<Shard>,
    key: Key,
    info: &mut Rc<SessionInfo>,
    socket: &Socket,
    query: Box<Query>,
    decoder: &mut Decoder,
) -> End {
    match Box::pin(begin(gateway, shard, key, info, *query)).await {
        Ok(()) => {
            // Its owner may have required something of it.
            if let Some(opened) = shard.info(key) {
                *info = opened;
            }
            converse(gateway, shard, key, info, socket, decoder).await
        }
        Err(reason) => {
            shard.close(key, reason);
            End::Ours
        }
    }
}

pub(super) async fn begin(
    gateway: &Gateway,
    shard: &Rc<Shard>,
    key: Key,
    info: &SessionInfo,
    query: Query,
) -> Result<(), CloseReason> {
    // A revocation or block between the handshake's check and here found no connection to close.
    let begun = match ended(gateway, info) {
        Some(reason) => Err(reason),
        None if info.endpoint.payload == Payload::Channels => {
            channels::welcome(shard, key, info);
            Ok(())
        }
        None => open(gateway, shard, key, info, query).await,
    };
    begun.inspect_err(|reason| {
        gateway.refusals.count(Entrance::of(info));
        tracing::info!(
            connection = %info.connection, endpoint = info.endpoint.name,
            code = reason.code, reason = %reason.reason, "a session was refused"
        );
    })
}

async fn leave(
    gateway: &Gateway,
    shard: &Rc<Shard>,
    key: Key,
    info: &SessionInfo,
    socket: &Socket,
    end: End,
) {
    finish(shard, key, socket, end).await;
    depart(gateway, shard, key, info).await;
}

/// Lets a connection go, and tells everyone who has to know.
pub(super) async fn depart(gateway: &Gateway, shard: &Rc<Shard>, key: Key, info: &SessionInfo) {
    let _farewell = shard.farewell();
    let departure = shard.in_turn(async { shard.remove(key) }).await;
    farewell::say(gateway, shard, info, departure).await;
}

fn ended(gateway: &Gateway, info: &SessionInfo) -> Option<CloseReason> {
    if gateway.authenticator.is_blocked_at(info.address) {
        return Some(info.blocked());
    }
    let identity = info.identity.as_ref()?.unpack();
    match gateway.authenticator.check(&identity).err()? {
        Denied::Unavailable => Some(CloseReason::UNAVAILABLE),
        Denied::Blocked => Some(info.blocked()),
        denied => {
            Some(CloseReason::new(denied.cause(), info.endpoint.close_codes.invalid, denied.to_string()))
        }
    }
}

/// Closes a connection whose handshake was accepted only so that the client can see why not.
pub(crate) async fn refuse(
    shard: Rc<Shard>,
    info: SessionInfo,
    permit: Permit,
    socket: Socket,
    (reason, after): (CloseReason, Option<u64>),
) {
    let socket = Rc::new(socket);
    let key = shard.insert(Rc::new(info), socket.clone(), permit);
    if let Some(milliseconds) = after {
        shard.tell(key, &frames::reconnect(milliseconds));
    }
    shard.close(key, reason);
    finish(&shard, key, &socket, End::Ours).await;
    shard.remove(key);
}

async fn converse(
    gateway: &Arc<Gateway>,
    shard: &Rc<Shard>,
    key: Key,
    info: &Rc<SessionInfo>,
    socket: &Socket,
    decoder: &mut Decoder,
) -> End {
    if info.endpoint.payload == Payload::Channels {
        let mut channels = Box::new(Channels::new(gateway.clone(), shard.clone(), key, info.clone()));
        return Box::pin(hold(&mut *channels, shard, key, socket, decoder)).await;
    }
    let mut conversation = Conversation::new(gateway.clone(), shard.clone(), key, info.clone());
    hold(&mut conversation, shard, key, socket, decoder).await
}

/// Holds a conversation, to its last answer.
async fn hold(
    conversation: &mut impl Talk,
    shard: &Rc<Shard>,
    key: Key,
    socket: &Socket,
    decoder: &mut Decoder,
) -> End {
    let end = talk(conversation, shard, key, socket, decoder).await;
    if let End::Theirs(code) = end {
        let _ = tokio::time::timeout(ANSWERS, Box::pin(conversation.finish())).await;
        shard.answer_close(key, code);
    }
    if end != End::Ours {
        // Who sends and leaves at once has sent all the same.
        let _ = tokio::time::timeout(LAST_WORDS, Box::pin(conversation.finish())).await;
    }
    end
}

async fn talk(
    conversation: &mut impl Talk,
    shard: &Rc<Shard>,
    key: Key,
    socket: &Socket,
    decoder: &mut Decoder,
) -> End {
    loop {
        if let Some(end) = conversation.take_in(decoder) {
            return end;
        }
        let Some(state) = shard.state(key) else { return End::Gone };
        if state.is_broken {
            return End::Gone;
        }
        if state.is_closing {
            return End::Ours;
        }
        tokio::select! {
            () = shard.changed(key) => {}
            // Polled, because that takes less room than the futures of `readable()` and `writable()`,
            // and replaces the waker that the HTTP dispatcher left behind, which keeps its task's memory.
            _ = poll_fn(|context| socket.tcp().poll_write_ready(context)), if state.is_blocked => shard.writable(key),
            () = conversation.answered() => {}
            _ = poll_fn(|context| socket.tcp().poll_read_ready(context)), if conversation.has_room() => {
                match socket.read(|bytes| decoder.feed(bytes)) {
                    Ok(Brought::End) => return End::Gone,
                    Ok(Brought::Bytes(count)) => shard.heard(key, count),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(_) => return End::Gone,
                }
            }
        }
    }
}

/// Writes what is left, and lets the client close its side.
async fn finish(shard: &Shard, key: Key, socket: &Socket, end: End) {
    if end == End::Gone {
        return;
    }
    let _ = tokio::time::timeout(LAST_WORDS, written(shard, key)).await;
    socket.shut_down();
    if end == End::Ours {
        let _ = tokio::time::timeout(FAREWELL, heard_out(socket.tcp())).await;
    } else {
        read_off(socket.tcp());
    }
}

/// Reads what has come after the client's close frame. A socket that is closed over unread bytes resets
/// the connection, and that can take our own close frame from the client.
fn read_off(socket: &TcpStream) {
    let mut buffer = [0; LAST_READ];
    let read = |_: &usize| socket.try_read(&mut buffer).is_ok_and(|count| count > 0);
    (0..LAST_READS).take_while(read).count();
}

/// Waits until everything is written, or nobody is there any more.
pub(super) async fn written(shard: &Shard, key: Key) {
    while let Some(state) = shard.state(key).filter(|state| !state.is_written && !state.is_broken) {
        written_or_changed(shard, key, state).await;
    }
}

/// Waits until a connection's queue may have moved.
pub(super) async fn written_or_changed(shard: &Shard, key: Key, state: State) {
    // What has no socket is read by somebody else.
    let Some(socket) = shard.socket(key) else { return shard.changed(key).await };
    tokio::select! {
        () = shard.changed(key) => {}
        _ = socket.tcp().writable(), if state.is_blocked => shard.writable(key),
    }
}

/// Reads what the client still says, until it has closed too.
async fn heard_out(socket: &TcpStream) {
    let mut buffer = [0; 512];
    while socket.readable().await.is_ok() {
        match socket.try_read(&mut buffer) {
            Ok(0) => return,
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => return,
            _ => {}
        }
    }
}
