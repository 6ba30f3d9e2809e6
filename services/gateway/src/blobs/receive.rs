//! `PUT`: a file from a client into the store.

use std::time::Duration;

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{self, HeaderName},
    web,
};
use carillon_blob::{Grant, Operation, Upload};
use carillon_service::http::Problem;
use futures_util::StreamExt;

use super::{Door, metrics::Transfer, now, place, problem};

/// Takes in the file that the address is for: of that type, of that size, once.
pub(super) async fn receive(
    door: &Door,
    request: &HttpRequest,
    payload: web::Payload,
    transfer: &Transfer,
) -> Result<HttpResponse, Problem> {
    let (blobs, grant) = door.grant(Operation::Upload, request)?;
    check_type(request, &grant)?;
    check_length(request, &grant)?;
    let _place = place(&door.uploads)?;
    if blobs.store.size(&grant.key).await.map_err(problem)?.is_some() {
        return Err(problem(carillon_blob::BlobError::Exists));
    }
    let mut upload = blobs.store.upload(&grant.key, grant.size);
    // However slowly it comes, it doesn't hold its place for longer than it was given.
    let left = Duration::from_secs(u64::try_from(grant.expires_at - now()).unwrap_or_default());
    let copied = tokio::time::timeout(left, copy(door.upload_patience, payload, &mut upload, transfer));
    copied.await.map_err(|_| too_slow())??;
    upload.finish().await.map_err(problem)?;
    transfer.ended(201);
    Ok(HttpResponse::Created().insert_header((header::CACHE_CONTROL, "no-store")).finish())
}

/// One piece after the other: the client is read no faster than the store takes it.
async fn copy(
    patience: Duration,
    mut payload: web::Payload,
    upload: &mut Upload,
    transfer: &Transfer,
) -> Result<(), Problem> {
    loop {
        let piece = tokio::time::timeout(patience, payload.next()).await.map_err(|_| too_slow())?;
        let Some(piece) = piece else { return Ok(()) };
        let piece = piece.map_err(|_| Problem::bad_request("the file can't be read to its end"))?;
        transfer.moved(piece.len());
        upload.write(piece).await.map_err(problem)?;
    }
}

/// The type is what was granted; its parameters, such as a charset, are the client's own business.
fn check_type(request: &HttpRequest, grant: &Grant) -> Result<(), Problem> {
    let found = essence(text(request, header::CONTENT_TYPE));
    if found.eq_ignore_ascii_case(essence(&grant.content_type)) {
        return Ok(());
    }
    Err(Problem::unsupported_media_type(&format!("this address takes {}", grant.content_type)))
}

fn essence(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}

/// A length that is announced is judged at once; one that isn't, while the file comes.
fn check_length(request: &HttpRequest, grant: &Grant) -> Result<(), Problem> {
    let announced: Option<u64> = text(request, header::CONTENT_LENGTH).parse().ok();
    let expected = format!("this address takes {} bytes", grant.size);
    match announced {
        Some(length) if length > grant.size => Err(Problem::too_large(&expected)),
        Some(length) if length < grant.size => Err(Problem::bad_request(&expected)),
        _ => Ok(()),
    }
}

fn text(request: &HttpRequest, name: HeaderName) -> &str {
    request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn too_slow() -> Problem {
    Problem::request_timeout("the file took too long to arrive")
}
