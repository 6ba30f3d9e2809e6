//! The door to files, `/blobs/`: they stream to and from the store without touching the bus.
//!
//! A signed address is the permission, whoever brings it; a token is neither needed nor looked at.

mod disposition;
mod metrics;
mod range;
mod receive;
mod send;

use std::{
    rc::Rc,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use actix_web::{HttpRequest, HttpResponse, http::Method, web};
use carillon_blob::{BlobError, Blobs, Grant, Operation, PATH};
use carillon_service::http::Problem;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{args::seconds, edge, gateway::Gateway};
use metrics::Metrics;

/// Uploads that one gateway takes in at a time. Each holds up to two parts in memory, of 5 MiB for a bucket.
const UPLOADS: usize = 64;

/// Downloads that one gateway sends out at a time.
const DOWNLOADS: usize = 256;

/// The door of one gateway.
pub(crate) struct Door {
    /// `None`: there are no files in this deployment.
    blobs: Option<Blobs>,
    metrics: Metrics,
    uploads: Arc<Semaphore>,
    downloads: Arc<Semaphore>,
    /// How long an upload may bring nothing.
    upload_patience: Duration,
    /// How long a download may take nothing.
    download_patience: Duration,
}

impl Door {
    /// The door that these options ask for.
    ///
    /// # Errors
    /// A store that can't be opened, a secret that is missing or too short, or collectors that the registry has
    /// already.
    pub(crate) fn new(args: &crate::Args, registry: &carillon_instruments::Registry) -> anyhow::Result<Self> {
        Ok(Self {
            blobs: args.blobs.open()?,
            metrics: Metrics::new(registry)?,
            uploads: Arc::new(Semaphore::new(UPLOADS)),
            downloads: Arc::new(Semaphore::new(DOWNLOADS)),
            upload_patience: seconds(args.request_timeout_seconds),
            download_patience: seconds(args.write_timeout_seconds),
        })
    }

    /// What an address permits, if it permits this operation now.
    fn grant(&self, operation: Operation, request: &HttpRequest) -> Result<(&Blobs, Grant), Problem> {
        let Some(blobs) = &self.blobs else {
            return Err(Problem::not_found("there are no files here: no store is configured (--blob-store)"));
        };
        let key = request.path().strip_prefix(PATH).unwrap_or_default();
        let grant = blobs.signer.verify(key, request.query_string(), now());
        let grant = grant.map_err(|denied| Problem::forbidden(&denied.to_string()))?;
        if grant.operation != operation {
            return Err(Problem::forbidden(&format!("this address is for {}s only", grant.operation)));
        }
        Ok((blobs, grant))
    }
}

/// Handles whatever comes to [`PATH`].
pub(crate) async fn serve(
    gateway: web::Data<Gateway>,
    request: HttpRequest,
    payload: web::Payload,
) -> HttpResponse {
    let id = format!("{:032x}", rand::random::<u128>());
    match answer(&gateway, &request, payload).await {
        Ok(response) => response,
        Err(problem) => {
            // Not the query, which is the permission.
            tracing::info!(
                method = %request.method(), path = request.path(), address = edge::address(&gateway, &request), request = id,
                status = problem.status(), reason = problem.detail(), "a transfer was refused"
            );
            edge::response(problem.into_reply(), &id)
        }
    }
}

async fn answer(
    gateway: &Gateway,
    request: &HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    edge::check_host(gateway, request)?;
    edge::check_address(gateway, request)?;
    let operation = match *request.method() {
        Method::PUT => Operation::Upload,
        Method::GET | Method::HEAD => Operation::Download,
        _ => return Err(Problem::method_not_allowed(&["GET", "HEAD", "PUT"])),
    };
    let door = &gateway.door;
    let transfer = Rc::new(door.metrics.transfer(operation));
    let answered = match operation {
        Operation::Upload => receive::receive(door, request, payload, &transfer).await,
        Operation::Download => send::send(door, request, &transfer).await,
    };
    answered.inspect_err(|problem| transfer.ended(problem.status()))
}

/// A place among the transfers under way.
fn place(places: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Problem> {
    let place = places.clone().try_acquire_owned();
    place.map_err(|_| Problem::unavailable("too many files are on their way: try again in a moment"))
}

fn problem(error: BlobError) -> Problem {
    match error {
        BlobError::Exists => Problem::conflict("this file was uploaded before"),
        BlobError::TooLarge { .. } => Problem::too_large(&error.to_string()),
        BlobError::TooShort { .. } => Problem::bad_request(&error.to_string()),
        BlobError::Store(_) => {
            tracing::error!(%error, "a transfer failed");
            Problem::unavailable("the store of files can't be reached")
        }
    }
}

/// Seconds since 1970.
fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_secs()).unwrap_or(i64::MAX)
}
