//! Every query returns data.

use std::time::{Duration, Instant};

use anyhow::ensure;

use crate::{
    prometheus::Prometheus,
    promql::selectors,
    rules::{alerting, dashboard, recording, text},
    watched::Watched,
};

/// By then every service has had something to do, and it was scraped twice.
const PATIENCE: Duration = Duration::from_secs(60);

const LOOK: Duration = Duration::from_millis(500);

/// As Grafana asks, if nothing is chosen.
const CHOSEN: [(&str, &str); 4] =
    [("$namespace", ".*"), ("$job", ".*"), ("$instance", ".*"), ("$__rate_interval", "15s")];

/// The dashboard's and the recording rules' do. What an alert asks for is mostly not so, which is its point: each
/// selector in it finds something, so that the alert can fire.
pub(crate) async fn every_query_returns_data(watched: &Watched) -> anyhow::Result<()> {
    let mut queries = Vec::new();
    for (title, query) in dashboard()? {
        let query = CHOSEN.iter().fold(query, |query, (name, value)| query.replace(name, value));
        ensure!(!query.contains('$'), "{title}: a variable that isn't there: {query}");
        queries.push(query);
    }
    for rule in recording()? {
        queries.push(text(&rule, "record")?.to_owned());
    }
    for rule in alerting()? {
        queries
            .extend(selectors(text(&rule, "expr")?).into_iter().map(|selector| format!("count({selector})")));
    }
    let since = Instant::now();
    while !queries.is_empty() {
        let mut empty = Vec::new();
        for query in queries {
            if !has_data(&watched.prometheus, &query).await? {
                empty.push(query);
            }
        }
        ensure!(since.elapsed() < PATIENCE, "no data for {empty:#?}; {}", watched.traffic.said());
        queries = empty;
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}

/// What is divided by nothing is no data.
async fn has_data(prometheus: &Prometheus, query: &str) -> anyhow::Result<bool> {
    Ok(prometheus.query(query).await?.iter().any(|sample| !sample.value.is_nan()))
}
