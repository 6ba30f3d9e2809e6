//! `GET` and `HEAD`: a file from the store to a client.

use std::{ops::Range, rc::Rc, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    body::SizedStream,
    http::{Method, header},
};
use bytes::Bytes;
use carillon_blob::{BlobError, Grant, Operation, Reading};
use carillon_service::http::Problem;
use futures_util::{Stream, StreamExt, stream};
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use super::{Door, disposition::attachment, metrics::Transfer, now, place, problem, range};

/// Pieces that wait for a client that reads slowly.
const PIECES: usize = 4;

/// Whatever the file is, a browser neither guesses its type nor runs anything in it.
const POLICY: &str = "sandbox; default-src 'none'";

/// Sends the file that the address is for, or a part of it.
pub(super) async fn send(
    door: &Door,
    request: &HttpRequest,
    transfer: &Rc<Transfer>,
) -> Result<HttpResponse, Problem> {
    let (blobs, grant) = door.grant(Operation::Download, request)?;
    let missing = || Problem::not_found("this file is not there, or not any more");
    if request.method() == Method::HEAD {
        let size = blobs.store.size(&grant.key).await.map_err(problem)?.ok_or_else(missing)?;
        transfer.ended(200);
        return Ok(described(HttpResponse::Ok(), &grant)
            .body(SizedStream::new(size, stream::empty::<Result<Bytes, BlobError>>())));
    }
    let place = place(&door.downloads)?;
    let wanted = range::wanted(request.headers(), &grant);
    let range = wanted.map_err(|_| Problem::range_not_satisfiable(grant.size))?;
    let partial = range.is_some();
    let reading = blobs.store.read(&grant.key, range).await.map_err(problem)?.ok_or_else(missing)?;
    let Range { start, end } = reading.range;
    let mut response = if partial { HttpResponse::PartialContent() } else { HttpResponse::Ok() };
    if partial {
        let span = format!("bytes {start}-{}/{}", end.saturating_sub(1), grant.size);
        response.insert_header((header::CONTENT_RANGE, span));
    }
    let (sender, receiver) = mpsc::channel(PIECES);
    let pump = Pump { sender, patience: door.download_patience, transfer: transfer.clone(), _place: place };
    actix_web::rt::spawn(pump.run(reading));
    Ok(described(response, &grant).body(SizedStream::new(end - start, received(receiver))))
}

/// What every answer says about the file.
fn described(mut response: HttpResponseBuilder, grant: &Grant) -> HttpResponseBuilder {
    let left = (grant.expires_at - now()).max(0);
    response
        .insert_header((header::CONTENT_TYPE, grant.content_type.as_str()))
        .insert_header((header::CONTENT_DISPOSITION, attachment(&grant.name)))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::CACHE_CONTROL, format!("private, max-age={left}")))
        .insert_header((header::ACCEPT_RANGES, "bytes"))
        // A file never changes, so that its key says which it is.
        .insert_header((header::ETAG, format!("\"{}\"", grant.key)));
    response
}

/// Moves a file from the store towards a client. It is a task of its own: a client that reads nothing keeps its
/// socket, which asks for nothing, but neither the file nor its place.
struct Pump {
    sender: mpsc::Sender<Result<Bytes, BlobError>>,
    patience: Duration,
    transfer: Rc<Transfer>,
    _place: OwnedSemaphorePermit,
}

impl Pump {
    async fn run(self, mut reading: Reading) {
        while let Some(piece) = reading.bytes.next().await {
            let (moved, failed) = (piece.as_ref().map_or(0, Bytes::len), piece.is_err());
            if let Err(error) = &piece {
                tracing::error!(%error, "a transfer failed");
                self.transfer.ended(500);
            }
            let sent = tokio::time::timeout(self.patience, self.sender.send(piece)).await;
            if failed || !matches!(sent, Ok(Ok(()))) {
                return;
            }
            self.transfer.moved(moved);
        }
        self.transfer.ended(200);
    }
}

fn received(
    mut receiver: mpsc::Receiver<Result<Bytes, BlobError>>,
) -> impl Stream<Item = Result<Bytes, BlobError>> {
    stream::poll_fn(move |context| receiver.poll_recv(context))
}
