//! OTLP over HTTP, as far as exporters need it.

use std::{
    io::{self, BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;
use tokio::sync::watch;

use super::CollectedSpan;

/// Takes connections until `ended`, and what is sent on them: or only the former, if it does not answer.
pub(super) fn serve(
    listener: &TcpListener,
    answers: bool,
    ended: &Arc<AtomicBool>,
    spans: &watch::Sender<Vec<CollectedSpan>>,
) {
    let mut unanswered = Vec::new();
    for stream in listener.incoming().map_while(Result::ok) {
        if ended.load(Ordering::Relaxed) {
            return;
        }
        if answers {
            let spans = spans.clone();
            // An exporter that goes away has its reason.
            std::thread::spawn(move || take(&stream, &spans));
        } else {
            unanswered.push(stream);
        }
    }
}

/// Takes the requests of a connection.
fn take(stream: &TcpStream, spans: &watch::Sender<Vec<CollectedSpan>>) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    while let Some((path, body)) = request(&mut reader)? {
        let decoded = ExportTraceServiceRequest::decode(&*body).ok().filter(|_| path == "/v1/traces");
        let status = if decoded.is_some() { "200 OK" } else { "400 Bad Request" };
        if let Some(request) = decoded {
            spans.send_modify(|spans| spans.extend(CollectedSpan::all_of(request)));
        }
        let head =
            format!("HTTP/1.1 {status}\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n");
        (&mut &*stream).write_all(head.as_bytes())?;
    }
    Ok(())
}

/// The path and body of the next request.
fn request(reader: &mut impl BufRead) -> io::Result<Option<(String, Vec<u8>)>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut length = 0;
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        match line.trim().split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.trim().parse().unwrap_or(0);
            }
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Some((path, body)))
}
