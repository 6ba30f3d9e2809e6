//! The rules and the dashboard of the repository, as data.

use std::fs;

use anyhow::{Context, ensure};
use serde_json::Value;

use crate::files::repository;

/// Every rule of a file.
pub(crate) fn rules(file: &str) -> anyhow::Result<Vec<Value>> {
    let text = fs::read_to_string(repository().join("deploy/prometheus").join(file))?;
    let document: Value = serde_saphyr::from_str(&text).with_context(|| file.to_owned())?;
    let groups = document["groups"].as_array().context("no groups")?;
    let rules: Vec<Value> =
        groups.iter().flat_map(|group| group["rules"].as_array()).flatten().cloned().collect();
    ensure!(!rules.is_empty(), "{file} has no rules");
    Ok(rules)
}

pub(crate) fn recording() -> anyhow::Result<Vec<Value>> {
    rules("carillon.recording.yml")
}

pub(crate) fn alerting() -> anyhow::Result<Vec<Value>> {
    rules("carillon.alerts.yml")
}

/// Every query of the dashboard, with the title of its panel.
pub(crate) fn dashboard() -> anyhow::Result<Vec<(String, String)>> {
    let text = fs::read_to_string(repository().join("deploy/grafana/carillon.json"))?;
    let document: Value = serde_json::from_str(&text)?;
    let mut queries = Vec::new();
    let rows = document["panels"].as_array().context("no panels")?;
    let inside = rows.iter().flat_map(|row| row["panels"].as_array()).flatten();
    for panel in rows.iter().chain(inside) {
        let title = panel["title"].as_str().context("a panel without a title")?;
        for target in panel["targets"].as_array().into_iter().flatten() {
            let query = target["expr"].as_str().with_context(|| format!("{title}: no query"))?;
            queries.push((title.to_owned(), query.to_owned()));
        }
    }
    ensure!(queries.len() > 50, "only {} queries", queries.len());
    Ok(queries)
}

/// A field of a rule.
pub(crate) fn text<'a>(rule: &'a Value, field: &str) -> anyhow::Result<&'a str> {
    rule[field].as_str().filter(|text| !text.is_empty()).with_context(|| format!("no {field}: {rule}"))
}
