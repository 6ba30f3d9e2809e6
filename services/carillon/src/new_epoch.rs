//! `carillon new-epoch`: a new identity for event logs that were brought back from a backup.

use anyhow::Context;
use carillon_contract::ServiceName;
use carillon_store::{Database, Log, StoreError};
use serde::Serialize;

use crate::{
    data::{self, DatabasesArgs},
    migrations::service_named,
    output::{self, OutputArgs, Table, Usage, Verdict},
};

/// Options of `carillon new-epoch`.
#[derive(Debug, Clone, clap::Args)]
#[group(id = "new-epoch-command")]
pub(crate) struct Args {
    /// The services whose logs were restored, separated by commas. Without this all of them: auth, notification,
    /// chat, ticket-presence, metrics.
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_parser = service_named)]
    services: Vec<ServiceName>,

    #[command(flatten)]
    output: OutputArgs,

    #[command(flatten)]
    databases: DatabasesArgs,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Answer {
    logs: Vec<Renewed>,
}

/// A log, and its epoch before and after.
#[derive(Serialize)]
struct Renewed {
    service: &'static str,
    before: String,
    after: String,
}

/// Gives each log a new epoch, or none of them if one can't be reached.
///
/// # Errors
/// Options that name no database, or two; a data directory in use; a database without a log.
pub(crate) async fn run(args: Args) -> anyhow::Result<Verdict> {
    if args.databases.data_dir.is_some() && args.databases.database_url.is_some() {
        return Err(Usage("say --data-dir or --database-url, not both".to_owned()).into());
    }
    // A carillon that runs would go on under the old epoch.
    let _lock = args.databases.data_dir.as_deref().map(data::lock).transpose()?;
    let services = if args.services.is_empty() { ServiceName::ALL.to_vec() } else { args.services.clone() };
    let mut logs = Vec::new();
    for service in services {
        logs.push(open(&args.databases, service).await?);
    }
    let mut renewed = Vec::new();
    for (database, before) in logs {
        let service = database.service();
        let after = Log::renew_epoch(&database).await.map_err(|error| failed(service, &error))?;
        database.close().await;
        renewed.push(Renewed { service: service.as_str(), before, after });
    }
    print(args.output, renewed)?;
    Ok(Verdict::Good)
}

/// The database of a service, and the epoch that its log has.
async fn open(databases: &DatabasesArgs, service: ServiceName) -> anyhow::Result<(Database, String)> {
    let Some(url) = databases.of(service) else {
        let wanted = format!("where the database of {service} is: --database-url, --database or --data-dir");
        return Err(Usage(wanted).into());
    };
    let database = Database::open_existing(&url, service).map_err(|error| failed(service, &error))?;
    let epoch = Log::epoch_in(&database).await.map_err(|error| failed(service, &error));
    let epoch = epoch.context("nothing was changed. --services names the services that have a log")?;
    Ok((database, epoch))
}

fn failed(service: ServiceName, error: &StoreError) -> anyhow::Error {
    anyhow::anyhow!("the log of {service}: {error}")
}

fn print(output: OutputArgs, logs: Vec<Renewed>) -> anyhow::Result<()> {
    if output.json {
        return Ok(output::object(&Answer { logs })?);
    }
    let mut table = Table::new(["LOG", "BEFORE", "NOW"]);
    for Renewed { service, before, after } in &logs {
        table.row([((*service).to_owned(), None), (before.clone(), None), (after.clone(), None)]);
    }
    for line in table.lines() {
        output::line(&line)?;
    }
    eprintln!(
        "Start the services now; one that still runs goes on under the old epoch until it is restarted."
    );
    Ok(())
}
