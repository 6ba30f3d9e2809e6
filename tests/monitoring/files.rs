//! What can be said of the files alone.

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, ensure};
use serde_json::Value;

use crate::{
    promql::{is_recorded, metric, selectors},
    rules::{alerting, dashboard, recording, text},
};

pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests are in the repository")
}

/// A program of Prometheus: on `PATH`, or where `scripts/setup-tests.sh` has unpacked it.
pub(crate) fn program(name: &str) -> anyhow::Result<PathBuf> {
    let on_path = env::var_os("PATH").unwrap_or_default();
    let unpacked = Path::new(env!("CARGO_MANIFEST_DIR")).join("monitoring/.debian/usr/bin");
    let found = env::split_paths(&on_path).chain([unpacked]).map(|directory| directory.join(name));
    found
        .into_iter()
        .find(|path| path.is_file())
        .with_context(|| format!("no {name}: run `make setup-tests`"))
}

/// The rules, the example of a configuration and the tests of the rules.
pub(crate) fn promtool() -> anyhow::Result<()> {
    for arguments in [
        &["check", "rules", "carillon.recording.yml", "carillon.alerts.yml"][..],
        &["check", "config", "prometheus.yml"],
        &["test", "rules", "carillon.tests.yml"],
    ] {
        run(Command::new(program("promtool")?)
            .args(arguments)
            .current_dir(repository().join("deploy/prometheus")))?;
    }
    Ok(())
}

/// The committed dashboard is what its tables make.
pub(crate) fn dashboard_is_current() -> anyhow::Result<()> {
    run(Command::new("python3").args(["deploy/grafana/carillon.py", "--check"]).current_dir(repository()))
}

/// Each alert says how bad it is, what is wrong, and where it is written what to do; each runbook is of an alert.
pub(crate) fn runbooks() -> anyhow::Result<()> {
    let page = fs::read_to_string(repository().join("docs/runbooks.md"))?;
    let anchors: BTreeSet<String> =
        page.lines().filter_map(|line| line.strip_prefix("## ")).map(anchor).collect();
    let mut linked = BTreeSet::new();
    for alert in alerting()? {
        let severity = text(&alert["labels"], "severity")?;
        ensure!(["critical", "warning"].contains(&severity), "{alert}: severity {severity}");
        for annotation in ["summary", "description"] {
            text(&alert["annotations"], annotation)?;
        }
        let link = text(&alert["annotations"], "runbook_url")?;
        let anchor =
            link.strip_prefix("docs/runbooks.md#").with_context(|| format!("{link} is no runbook"))?;
        ensure!(anchors.contains(anchor), "there is no section {link}");
        ensure!(page.contains(&format!("`{}`", text(&alert, "alert")?)), "no runbook names {alert}");
        linked.insert(anchor.to_owned());
    }
    ensure!(linked == anchors, "runbooks without an alert: {:?}", anchors.difference(&linked));
    Ok(())
}

/// A name that is misspelt makes an alert that never fires.
pub(crate) fn metrics_are_known() -> anyhow::Result<()> {
    let page = fs::read_to_string(repository().join("docs/metrics.md"))?;
    let (recording, alerting) = (recording()?, alerting()?);
    let recorded: BTreeSet<&str> = recording.iter().filter_map(|rule| rule["record"].as_str()).collect();
    let dashboard = dashboard()?;
    let rules = recording.iter().chain(&alerting).filter_map(|rule| rule["expr"].as_str());
    for query in rules.chain(dashboard.iter().map(|(_, query)| query.as_str())) {
        let asked = selectors(query);
        ensure!(!asked.is_empty(), "{query} asks for nothing of ours");
        for selector in asked {
            let name = metric(selector);
            let known = name == "up" || recorded.contains(name) || page.contains(&format!("| `{name}` |"));
            ensure!(known, "{query}: there is no {name}");
            ensure!(!is_recorded(name) || recorded.contains(name), "{query}: {name} is not recorded");
        }
    }
    jobs_are_services()
}

/// The example scrapes every service under the name by which the rules know it.
fn jobs_are_services() -> anyhow::Result<()> {
    let example = fs::read_to_string(repository().join("deploy/prometheus/prometheus.yml"))?;
    let example: Value = serde_saphyr::from_str(&example)?;
    let jobs: BTreeSet<&str> = example["scrape_configs"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|job| job["job_name"].as_str())
        .collect();
    let services = carillon_testkit::Processes::default().services.iter().chain(&["gateway"]);
    for service in services {
        ensure!(jobs.contains(format!("carillon-{service}").as_str()), "{service} is not scraped: {jobs:?}");
    }
    Ok(())
}

/// As Git forges make it of a heading.
fn anchor(heading: &str) -> String {
    heading.to_lowercase().replace(' ', "-")
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let output = command.output().with_context(|| format!("{command:?}"))?;
    let said =
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    ensure!(output.status.success(), "{command:?}:\n{said}");
    Ok(())
}
