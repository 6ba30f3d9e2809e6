//! A real Prometheus, with the repository's own rules.

use std::{
    collections::BTreeMap,
    fs,
    net::TcpListener,
    path::PathBuf,
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::files::{program, repository};

/// How often it scrapes and evaluates: a test has no time for more. The rules are those that are shipped.
const INTERVAL: &str = "1s";

/// How long it may take to become ready, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(60);

const LOOK: Duration = Duration::from_millis(200);

/// A process that is scraped.
pub(crate) struct Target {
    job: String,
    address: String,
}

impl Target {
    /// `chat-1` is of the job `carillon-chat`.
    pub(crate) fn new(process: &str, operations: &str) -> Self {
        let service = process.rsplit_once('-').map_or(process, |(service, _)| service);
        let address = operations.trim_start_matches("http://").to_owned();
        Self { job: format!("carillon-{service}"), address }
    }
}

/// It ends with this value, and with this program.
pub(crate) struct Prometheus {
    http: reqwest::Client,
    base: String,
    _process: Child,
    _directory: TempDir,
}

/// One of the series that a query returns.
#[derive(Debug)]
pub(crate) struct Sample {
    pub(crate) labels: Value,
    pub(crate) value: f64,
}

impl Prometheus {
    pub(crate) async fn start(targets: &[Target]) -> anyhow::Result<Self> {
        let directory = tempfile::Builder::new().prefix("carillon-prometheus-").tempdir()?;
        let configuration = directory.path().join("prometheus.yml");
        fs::write(&configuration, configured(targets))?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(program("prometheus")?);
        command.arg(format!("--config.file={}", configuration.display()));
        command.arg(format!("--storage.tsdb.path={}", directory.path().join("data").display()));
        command.arg(format!("--web.listen-address=127.0.0.1:{port}")).arg("--log.level=warn");
        let log = fs::File::create(directory.path().join("log"))?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).kill_on_drop(true);
        let process = command.spawn().context("starting prometheus")?;
        let started = Self {
            http: reqwest::Client::builder().no_proxy().build()?,
            base: format!("http://127.0.0.1:{port}"),
            _process: process,
            _directory: directory,
        };
        started.ready().await?;
        Ok(started)
    }

    /// What a query returns now.
    pub(crate) async fn query(&self, query: &str) -> anyhow::Result<Vec<Sample>> {
        let url =
            reqwest::Url::parse_with_params(&format!("{}/api/v1/query", self.base), [("query", query)])?;
        let answer: Value = self.http.get(url).send().await?.json().await?;
        ensure!(answer["status"] == "success", "{query}: {answer}");
        let Value::Array(results) = &answer["data"]["result"] else { bail!("{query}: {answer}") };
        let samples = results.iter().map(|result| {
            let value = result["value"][1].as_str().and_then(|value| value.parse().ok());
            Ok(Sample { labels: result["metric"].clone(), value: value.context("no value")? })
        });
        samples.collect()
    }

    /// Whether an alert with these labels fires, and all of its labels.
    pub(crate) async fn fires(&self, alert: &str) -> anyhow::Result<Option<Value>> {
        let fires = self.query(&format!("ALERTS{{{alert}, alertstate=\"firing\"}}")).await?;
        Ok(fires.into_iter().next().map(|sample| sample.labels))
    }

    /// Waits until an alert fires, or does so no more, and says for how long.
    pub(crate) async fn until(
        &self,
        alert: &str,
        fires: bool,
        patience: Duration,
    ) -> anyhow::Result<Duration> {
        let since = Instant::now();
        while self.fires(alert).await?.is_some() != fires {
            let pending = self.query(&format!("ALERTS{{{alert}}}")).await?;
            ensure!(
                since.elapsed() < patience,
                "{alert} is to fire: {fires}; after {patience:?}: {pending:?}"
            );
            tokio::time::sleep(LOOK).await;
        }
        Ok(since.elapsed())
    }

    async fn ready(&self) -> anyhow::Result<()> {
        let since = Instant::now();
        let url = format!("{}/-/ready", self.base);
        while !self.http.get(&url).send().await.is_ok_and(|answer| answer.status() == 200) {
            let said = || fs::read_to_string(self._directory.path().join("log")).unwrap_or_default();
            ensure!(since.elapsed() < PATIENCE, "prometheus does not become ready: {}", said());
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }
}

fn configured(targets: &[Target]) -> String {
    let mut jobs: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for target in targets {
        jobs.entry(&target.job).or_default().push(format!("\"{}\"", target.address));
    }
    let jobs = jobs.iter().map(|(job, addresses)| {
        format!("  - job_name: {job}\n    static_configs: [{{targets: [{}]}}]\n", addresses.join(", "))
    });
    let rules = ["carillon.recording.yml", "carillon.alerts.yml"].map(|file| {
        let path: PathBuf = repository().join("deploy/prometheus").join(file);
        format!("  - {}\n", path.display())
    });
    format!(
        "global: {{scrape_interval: {INTERVAL}, scrape_timeout: {INTERVAL}, evaluation_interval: {INTERVAL}}}\n\
         rule_files:\n{}scrape_configs:\n{}",
        rules.concat(),
        jobs.collect::<String>()
    )
}
