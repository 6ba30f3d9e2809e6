//! Writing what gateways tell.

use std::{collections::BTreeSet, sync::Arc};

use carillon_store::{Database, StoreError, Transaction, values};
use sqlx::{AssertSqlSafe, Row};

use super::columns::{COUNTS, bind, signed};
use crate::cluster::{Entrance, Past, Report};

/// Writes these reports, which are in the order of their gateways, in one transaction. Of one that is not later
/// than what is there nothing is written, and nothing of a gateway that is part of the totals: so it doesn't
/// matter how often, by how many, and in which order they are written.
pub(super) async fn save(
    database: &Database,
    reports: &[Arc<Report>],
    heard_at: i64,
) -> Result<(), StoreError> {
    if reports.is_empty() {
        return Ok(());
    }
    let mut tx = database.begin().await?;
    let mut later = BTreeSet::new();
    for reports in reports.chunks(values::MAX_ROWS) {
        later.extend(gateways(&mut tx, reports, heard_at).await?);
    }
    let later = reports.iter().filter(|report| later.contains(report.gateway.as_str()));
    let pasts = later.flat_map(|report| report.pasts.iter().map(|(at, past)| (&**report, at, past)));
    let pasts: Vec<_> = pasts.collect();
    for pasts in pasts.chunks(values::MAX_ROWS) {
        traffic(&mut tx, pasts).await?;
    }
    let days = pasts.iter().flat_map(|(report, at, past)| {
        past.days.iter().map(move |(day, opened)| (*report, *at, *day, *opened))
    });
    let days: Vec<_> = days.collect();
    for days in days.chunks(values::MAX_ROWS) {
        traffic_days(&mut tx, days).await?;
    }
    tx.commit().await
}

/// Notes that they were heard, which locks them. Returns those of which there was nothing later.
async fn gateways(
    tx: &mut Transaction,
    reports: &[Arc<Report>],
    heard_at: i64,
) -> Result<Vec<String>, StoreError> {
    let statement = format!(
        "INSERT INTO gateway (id, number, host, started_at, heard_at, is_over, is_folded) VALUES {} \
         ON CONFLICT (id) DO UPDATE SET number = excluded.number, heard_at = excluded.heard_at, \
             is_over = excluded.is_over \
         WHERE gateway.number < excluded.number AND gateway.is_folded = 0 RETURNING id",
        values::rows(reports.len(), 7)
    );
    let query = sqlx::query(AssertSqlSafe(statement)).persistent(values::is_kept(reports.len()));
    let query = reports.iter().fold(query, |query, report| {
        let query = query.bind(report.gateway.as_str().to_owned()).bind(signed(report.number));
        let query = query.bind(report.host.clone()).bind(report.started_at).bind(heard_at);
        query.bind(i64::from(report.is_last)).bind(0_i64)
    });
    query.fetch_all(&mut **tx).await?.iter().map(|row| Ok(row.try_get("id")?)).collect()
}

async fn traffic(tx: &mut Transaction, pasts: &[(&Report, &Entrance, &Past)]) -> Result<(), StoreError> {
    let statement = format!(
        "INSERT INTO traffic (gateway, endpoint, transport, {}) VALUES {} \
         ON CONFLICT (gateway, endpoint, transport) DO UPDATE SET {}",
        COUNTS.join(", "),
        values::rows(pasts.len(), 3 + COUNTS.len()),
        COUNTS.map(|count| format!("{count} = excluded.{count}")).join(", ")
    );
    let query = sqlx::query(AssertSqlSafe(statement)).persistent(values::is_kept(pasts.len()));
    let query = pasts.iter().fold(query, |query, (report, at, past)| {
        let query = query.bind(report.gateway.as_str().to_owned());
        bind(query.bind(at.endpoint.clone()).bind(at.transport.clone()), &past.counts)
    });
    query.execute(&mut **tx).await?;
    Ok(())
}

async fn traffic_days(
    tx: &mut Transaction,
    days: &[(&Report, &Entrance, i64, u64)],
) -> Result<(), StoreError> {
    let statement = format!(
        "INSERT INTO traffic_day (gateway, endpoint, transport, day, opened) VALUES {} \
         ON CONFLICT (gateway, endpoint, transport, day) DO UPDATE SET opened = excluded.opened",
        values::rows(days.len(), 5)
    );
    let query = sqlx::query(AssertSqlSafe(statement)).persistent(values::is_kept(days.len()));
    let query = days.iter().fold(query, |query, (report, at, day, opened)| {
        let query = query.bind(report.gateway.as_str().to_owned());
        query.bind(at.endpoint.clone()).bind(at.transport.clone()).bind(*day).bind(signed(*opened))
    });
    query.execute(&mut **tx).await?;
    Ok(())
}
