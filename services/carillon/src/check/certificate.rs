//! How long a certificate is valid. Whether it is, TLS itself has judged.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;
use carillon_gateway::valid_until;
use tokio::net::TcpStream;

use crate::client::{Address, tls};

/// A certificate that ends sooner should have been renewed.
pub(super) const DAYS: i64 = 14;

/// Seconds of a day.
const DAY: i64 = 86_400;

/// How many days a server's certificate has left.
///
/// # Errors
/// No TLS, or a certificate that isn't trusted.
pub(super) async fn days_left(address: &Address) -> anyhow::Result<i64> {
    let tcp = TcpStream::connect((address.host(), address.port())).await.context("connecting")?;
    let stream = tls(address.host(), tcp).await?;
    let certificates = stream.get_ref().1.peer_certificates().unwrap_or_default();
    let certificate = certificates.first().context("the server has shown no certificate")?;
    let until = valid_until(certificate).context("the certificate's validity can't be read")?;
    Ok(days_until(until))
}

/// Whole days from now until then, in seconds since 1970.
pub(super) fn days_until(until: i64) -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    until.saturating_sub(i64::try_from(now).unwrap_or(i64::MAX)).div_euclid(DAY)
}
