//! `carillon migrate`: takes the migrations that databases lack, before anything of a new version starts.

use std::time::{Duration, Instant};

use carillon_contract::ServiceName;
use carillon_service::time::duration;
use carillon_store::{Database, Inspection, Step, StepState, StoreError};
use serde::Serialize;

use crate::{
    migrations::{migrations, service_named},
    output::{self, Colour, OutputArgs, Verdict},
};

/// The pause before a database that can't be reached is asked again.
const PAUSE: Duration = Duration::from_millis(500);

/// Options of `carillon migrate`.
#[derive(Debug, Clone, clap::Args)]
#[group(id = "migrate-command")]
pub(crate) struct Args {
    /// The database: `postgres://user:password@host/name`, where each service has a schema of its own name, or
    /// `sqlite:PATH` of one service.
    #[arg(long, env = "CARILLON_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    database_url: String,

    /// Only these services', separated by commas. Without this everyone's.
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_parser = service_named)]
    services: Vec<ServiceName>,

    /// How long to wait for a database that can't be reached yet.
    #[arg(long, value_name = "DURATION", default_value = "1m", value_parser = duration)]
    timeout: Duration,

    #[command(flatten)]
    output: OutputArgs,
}

/// What has become of one service's database.
#[derive(Debug, Serialize)]
struct Migrated {
    service: &'static str,
    /// The migrations that it lacked, and has now.
    taken: Vec<String>,
    error: Option<String>,
}

#[derive(Debug, Serialize)]
struct Report {
    ok: bool,
    services: Vec<Migrated>,
}

/// Brings each service's database to this version's, one after the other; those that are, are left as they are.
///
/// # Errors
/// A reader that has gone.
pub(crate) async fn run(args: Args) -> anyhow::Result<Verdict> {
    let chosen = if args.services.is_empty() { &ServiceName::ALL[..] } else { &args.services };
    let deadline = Instant::now() + args.timeout;
    let mut report = Report { ok: true, services: Vec::new() };
    for &service in chosen {
        let outcome = patiently(&args.database_url, service, deadline).await;
        let error = outcome.as_ref().err().map(ToString::to_string);
        report.ok &= error.is_none();
        let migrated = Migrated { service: service.as_str(), taken: outcome.unwrap_or_default(), error };
        if !args.output.json {
            tell(&migrated)?;
        }
        report.services.push(migrated);
    }
    if args.output.json {
        output::object(&report)?;
    }
    Ok(report.ok.into())
}

/// Tries again until the deadline, as long as the database can't be reached.
async fn patiently(url: &str, service: ServiceName, deadline: Instant) -> Result<Vec<String>, StoreError> {
    loop {
        match migrate(url, service).await {
            Err(error) if error.is_unavailable() && Instant::now() < deadline => {
                tokio::time::sleep(PAUSE).await;
            }
            outcome => return outcome,
        }
    }
}

/// Takes what is pending, and says what that was.
async fn migrate(url: &str, service: ServiceName) -> Result<Vec<String>, StoreError> {
    let before = Inspection::of(url, service, migrations(service)).await?;
    let shown = |step: &&Step| format!("{} {} ({})", step.of, step.version, step.name);
    let pending = before.steps_in(StepState::Pending).iter().map(shown).collect();
    let database = Database::open(url, service, migrations(service)).await?;
    database.close().await;
    Ok(pending)
}

fn tell(migrated: &Migrated) -> std::io::Result<()> {
    let Migrated { service, taken, error } = migrated;
    if let Some(error) = error {
        return output::line(&format!("{service}: {} {error}", Colour::Red.paint("failed:")));
    }
    if taken.is_empty() {
        return output::line(&format!("{service}: nothing to do"));
    }
    output::line(&format!("{service}: {} {}", Colour::Green.paint("taken:"), taken.join(", ")))
}
