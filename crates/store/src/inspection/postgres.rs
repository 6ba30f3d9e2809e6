//! What only Postgres has to tell.

use std::net::IpAddr;

use carillon_contract::ServiceName;
use sqlx::{AnyConnection, AssertSqlSafe};
use url::Url;

use super::{Inspection, Limits, number, text};
use crate::{StoreError, now};

pub(super) async fn look(
    connection: &mut AnyConnection,
    service: ServiceName,
    url: &Url,
    found: &mut Inspection,
) -> Result<(), StoreError> {
    found.version = text(connection, "SELECT CAST(current_setting('server_version') AS TEXT)").await?;
    let number_of_version =
        number(connection, "SELECT CAST(current_setting('server_version_num') AS BIGINT)").await?;
    found.major = u32::try_from(number_of_version / 10_000).unwrap_or(0);
    found.encoding = text(connection, "SELECT CAST(current_setting('server_encoding') AS TEXT)").await?;
    found.clock_ahead = Some(clock_ahead(connection).await?);
    found.limits = Some(limits(connection).await?);
    let encrypted = "SELECT CAST(COUNT(*) AS BIGINT) FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl";
    found.encrypted = Some(number(connection, encrypted).await? > 0);
    found.local = is_local(url);
    // A schema that isn't there is none of the path's, and so has no tables.
    let path = format!("SET search_path TO \"{service}\"");
    sqlx::raw_sql(AssertSqlSafe(path)).execute(connection).await?;
    Ok(())
}

async fn clock_ahead(connection: &mut AnyConnection) -> Result<i64, StoreError> {
    let before = now();
    let there =
        number(connection, "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)").await?;
    let after = now();
    // Within the round trip, nobody can tell.
    Ok(if there < before { there - before } else { (there - after).max(0) })
}

async fn limits(connection: &mut AnyConnection) -> Result<Limits, StoreError> {
    let allowed = "SELECT CAST(current_setting('max_connections') AS BIGINT) \
         - CAST(current_setting('superuser_reserved_connections') AS BIGINT)";
    let used = "SELECT CAST(COUNT(*) AS BIGINT) FROM pg_stat_activity WHERE backend_type = 'client backend'";
    Ok(Limits { allowed: number(connection, allowed).await?, used: number(connection, used).await? })
}

/// A socket, or an address of this machine.
fn is_local(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let is_loopback = host.parse().is_ok_and(|address: IpAddr| address.is_loopback());
    host.is_empty() || host == "localhost" || is_loopback
}
