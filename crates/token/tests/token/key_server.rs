//! An HTTP server that serves a key set, or misbehaves.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use carillon_token::Url;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    time::timeout,
};

/// What the server does with a request.
#[derive(Clone)]
pub(crate) enum Answer {
    /// 200 with this body.
    Body(String),
    /// 200 with this body, in chunks, so that no header tells its length.
    Chunked(String),
    /// This status, with an empty body.
    Status(u16),
    /// 302 to this address.
    Redirect(Url),
    /// Nothing, ever.
    Silence,
    /// 200 with this body, once the gate is open.
    Gated(String, watch::Receiver<bool>),
}

pub(crate) struct KeyServer {
    pub(crate) url: Url,
    answer: Arc<Mutex<Answer>>,
    requests: Arc<watch::Sender<usize>>,
}

impl KeyServer {
    pub(crate) async fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let answer = Arc::new(Mutex::new(answer));
        let requests = Arc::new(watch::Sender::new(0));
        let server = Self {
            url: format!("http://{address}/certs").parse().expect("a URL"),
            answer: Arc::clone(&answer),
            requests: Arc::clone(&requests),
        };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&answer), Arc::clone(&requests)));
            }
        });
        server
    }

    pub(crate) fn answer(&self, answer: Answer) {
        *self.answer.lock().expect("a lock") = answer;
    }

    pub(crate) fn requests(&self) -> usize {
        *self.requests.borrow()
    }

    /// Waits until someone asks for keys.
    pub(crate) async fn asked(&self) {
        let mut requests = self.requests.subscribe();
        let first = requests.wait_for(|count| *count > 0);
        timeout(Duration::from_secs(60), first).await.expect("a request in time").expect("a server");
    }
}

async fn serve(mut stream: TcpStream, answer: Arc<Mutex<Answer>>, requests: Arc<watch::Sender<usize>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else { return };
        head.push(byte);
    }
    requests.send_modify(|count| *count += 1);
    let answer = answer.lock().expect("a lock").clone();
    let text = match answer {
        Answer::Body(body) => plain(&body),
        Answer::Chunked(body) => chunked(&body),
        Answer::Status(status) => {
            format!("HTTP/1.1 {status} No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        }
        Answer::Redirect(to) => {
            format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        }
        Answer::Silence => std::future::pending().await,
        Answer::Gated(body, mut gate) => {
            gate.wait_for(|open| *open).await.expect("an open gate");
            plain(&body)
        }
    };
    // The other side may have gone, having read enough.
    let _ = stream.write_all(text.as_bytes()).await;
}

fn plain(body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
}

fn chunked(body: &str) -> String {
    let chunks: String = body
        .as_bytes()
        .chunks(8_192)
        .map(|chunk| format!("{:x}\r\n{}\r\n", chunk.len(), String::from_utf8_lossy(chunk)))
        .collect();
    format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n{chunks}0\r\n\r\n")
}
