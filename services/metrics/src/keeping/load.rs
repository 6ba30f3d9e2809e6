//! Reading what is kept.

use std::{collections::BTreeSet, sync::Arc};

use carillon_contract::GatewayId;
use carillon_store::{Database, Snapshot, StoreError, values};
use sqlx::{AssertSqlSafe, Row, any::AnyRow};

use super::columns::{COUNTS, counts, entrance, number};
use crate::cluster::{Kept, Pasts, Report};

/// All that is kept, with the days from this one on, and which of the gateways that were heard are part of the
/// totals: as of one moment, so nothing is in it twice.
pub(super) async fn load(
    database: &Database,
    heard: &[Arc<Report>],
    since_day: i64,
) -> Result<Kept, StoreError> {
    let mut snapshot = database.snapshot().await?;
    let mut kept = Kept { folded: folded(&mut snapshot, heard).await?, ..Kept::default() };
    let gateways = sqlx::query("SELECT id, number FROM gateway WHERE is_folded = 0");
    for row in gateways.fetch_all(&mut *snapshot).await? {
        if let Some(id) = id(&row, "id")? {
            kept.gateways.entry(id).or_default().number = number(&row, "number")?;
        }
    }
    let columns = COUNTS.join(", ");
    let statement = format!("SELECT gateway, endpoint, transport, {columns} FROM traffic");
    for row in sqlx::query(AssertSqlSafe(statement)).fetch_all(&mut *snapshot).await? {
        if let Some(pasts) = pasts(&mut kept, &row)? {
            pasts.entry(entrance(&row)?).or_default().counts = counts(&row)?;
        }
    }
    let days =
        sqlx::query("SELECT gateway, endpoint, transport, day, opened FROM traffic_day WHERE day >= $1");
    for row in days.bind(since_day).fetch_all(&mut *snapshot).await? {
        if let Some(pasts) = pasts(&mut kept, &row)? {
            add_day(pasts, &row)?;
        }
    }
    let statement = format!("SELECT endpoint, transport, {columns} FROM total");
    for row in sqlx::query(AssertSqlSafe(statement)).fetch_all(&mut *snapshot).await? {
        kept.totals.entry(entrance(&row)?).or_default().counts = counts(&row)?;
    }
    let days = sqlx::query("SELECT endpoint, transport, day, opened FROM total_day WHERE day >= $1");
    for row in days.bind(since_day).fetch_all(&mut *snapshot).await? {
        add_day(&mut kept.totals, &row)?;
    }
    Ok(kept)
}

async fn folded(snapshot: &mut Snapshot, heard: &[Arc<Report>]) -> Result<BTreeSet<GatewayId>, StoreError> {
    let mut folded = BTreeSet::new();
    for heard in heard.chunks(values::MAX_ROWS) {
        let statement = format!(
            "SELECT id FROM gateway WHERE is_folded = 1 AND id IN ({})",
            values::list(heard.len(), 1)
        );
        let query = sqlx::query(AssertSqlSafe(statement)).persistent(values::is_kept(heard.len()));
        let query = heard.iter().fold(query, |query, report| query.bind(report.gateway.as_str().to_owned()));
        for row in query.fetch_all(&mut **snapshot).await? {
            folded.extend(id(&row, "id")?);
        }
    }
    Ok(folded)
}

/// Where what a row has of a gateway goes.
fn pasts<'a>(kept: &'a mut Kept, row: &AnyRow) -> Result<Option<&'a mut Pasts>, StoreError> {
    let gateway = id(row, "gateway")?;
    Ok(gateway.and_then(|gateway| kept.gateways.get_mut(&gateway)).map(|gateway| &mut gateway.pasts))
}

fn add_day(pasts: &mut Pasts, row: &AnyRow) -> Result<(), StoreError> {
    let past = pasts.entry(entrance(row)?).or_default();
    past.days.insert(row.try_get("day")?, number(row, "opened")?);
    Ok(())
}

/// Only what is an id was ever written.
fn id(row: &AnyRow, column: &str) -> Result<Option<GatewayId>, StoreError> {
    Ok(row.try_get::<String, _>(column)?.parse().ok())
}
