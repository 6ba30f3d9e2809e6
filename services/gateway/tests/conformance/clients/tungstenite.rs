//! Rust's own.

use anyhow::{Context, bail, ensure};
use futures_util::{SinkExt, StreamExt};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{
        Bytes, Message,
        protocol::{
            CloseFrame,
            frame::{
                Frame,
                coding::{Data, OpCode},
            },
        },
    },
};

use super::{PATIENCE, addresses};
use crate::stage::Stage;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

const LENGTHS: [usize; 7] = [2, 125, 126, 127, 65_535, 65_536, 1_048_576];

pub(super) async fn talk(stage: &Stage) -> anyhow::Result<()> {
    let [texts, binaries, compressed_texts, compressed_binaries] = addresses(stage);
    // It knows no compression, wherever it is.
    talk_at(&texts, &binaries).await?;
    talk_at(&compressed_texts, &compressed_binaries).await
}

async fn talk_at(texts: &str, binaries: &str) -> anyhow::Result<()> {
    let (mut text, response) = connect_async(texts).await?;
    ensure!(response.headers().get("sec-websocket-extensions").is_none(), "an extension");
    for length in LENGTHS {
        echoed(&mut text, Message::text(format!("\"{}\"", "x".repeat(length - 2)))).await?;
    }
    for (opcode, part, is_last) in
        [(Data::Text, "\"κό", false), (Data::Continue, "", false), (Data::Continue, "σμε\"", true)]
    {
        text.send(Message::Frame(Frame::message(part, OpCode::Data(opcode), is_last))).await?;
    }
    ensure!(next(&mut text).await? == Message::text("\"κόσμε\""), "fragments are one message");
    text.send(Message::Ping(Bytes::from_static(b"payload"))).await?;
    ensure!(next(&mut text).await? == Message::Pong(Bytes::from_static(b"payload")), "a ping is answered");
    closes(&mut text, 4321).await?;

    let (mut binary, _) = connect_async(binaries).await?;
    for length in LENGTHS.into_iter().chain([0]) {
        echoed(&mut binary, Message::binary(vec![0xFE; length])).await?;
    }
    closes(&mut binary, 1000).await?;

    let (mut refused, _) = connect_async(format!("{texts}?token=nonsense")).await?;
    let Message::Close(Some(CloseFrame { code, .. })) = next(&mut refused).await? else {
        bail!("it was let in")
    };
    ensure!(u16::from(code) == 4001, "refused with {code}");
    Ok(())
}

async fn echoed(socket: &mut Socket, message: Message) -> anyhow::Result<()> {
    socket.send(message.clone()).await?;
    ensure!(next(socket).await? == message, "a message of {} bytes", message.len());
    Ok(())
}

async fn closes(socket: &mut Socket, code: u16) -> anyhow::Result<()> {
    socket.close(Some(CloseFrame { code: code.into(), reason: "être".into() })).await?;
    let Message::Close(Some(answer)) = next(socket).await? else { bail!("no answer") };
    ensure!(u16::from(answer.code) == code, "closed with {}", answer.code);
    Ok(())
}

async fn next(socket: &mut Socket) -> anyhow::Result<Message> {
    timeout(PATIENCE, socket.next())
        .await
        .context("nothing in time")?
        .context("the end")?
        .context("a message")
}
