//! Every service's database.

use std::{os::unix::fs::PermissionsExt, path::Path, time::Duration};

use carillon_contract::ServiceName;
use carillon_store::{DatabaseOptions, Engine, Inspection, Limits, Step, StepState, StoreError};
use futures_util::future::join_all;
use tokio::time::timeout;

use super::{Args, report::Row};
use crate::migrations::migrations;

const GROUP: &str = "database";

/// The oldest Postgres that is tested with.
const OLDEST: u32 = 15;

/// More than this is slow within one data centre.
const SLOW: Duration = Duration::from_millis(50);

/// How far clocks may differ before times that are shown look wrong.
const CLOCKS: Duration = Duration::from_secs(1);

/// A service's rows, those that all services of one server have in common being the first one's.
pub(super) async fn rows(args: &Args) -> Vec<Row> {
    let mut rows = Vec::new();
    let looked = join_all(ServiceName::ALL.map(|service| look(args, service))).await;
    let mut servers: Vec<String> = Vec::new();
    for (service, url, found) in looked {
        let Some(url) = url else {
            let reason = "none is named (--database-url, --data-dir)";
            rows.push(Row::skipped(GROUP, service.as_str(), reason));
            continue;
        };
        match found {
            Err(error) => rows.push(unreachable(service, &error)),
            Ok(found) => {
                if found.engine == Engine::Postgres && !servers.contains(&url) {
                    rows.extend(server(args, &found));
                    servers.push(url);
                }
                rows.extend(of_service(service, &found));
            }
        }
    }
    rows
}

async fn look(
    args: &Args,
    service: ServiceName,
) -> (ServiceName, Option<String>, Result<Inspection, String>) {
    let Some(url) = args.databases.of(service) else { return (service, None, Err(String::new())) };
    let looking = Inspection::of(&url, service, migrations(service));
    let found = match timeout(args.timeout, looking).await {
        Ok(found) => found.map_err(|error| words(&error)),
        Err(_) => Err(format!("no answer within {:?}", args.timeout)),
    };
    (service, Some(url), found)
}

fn words(error: &StoreError) -> String {
    error.to_string()
}

fn unreachable(service: ServiceName, error: &str) -> Row {
    let mend = "start the database, or say where it is (--database-url, --data-dir); a SQLite file is made by the service";
    Row::failed(GROUP, service.as_str(), error, mend)
}

/// What a Postgres server is like.
fn server(args: &Args, found: &Inspection) -> Vec<Row> {
    let mut rows = vec![version(found), encoding(found), clock(found), round_trip(found), encryption(found)];
    rows.extend(found.limits.map(|limits| connections(args, limits)));
    rows
}

fn version(found: &Inspection) -> Row {
    if found.major >= OLDEST {
        return Row::ok(GROUP, "version", format!("PostgreSQL {}", found.version));
    }
    Row::failed(
        GROUP,
        "version",
        format!("PostgreSQL {}", found.version),
        format!("PostgreSQL {OLDEST} or later"),
    )
}

fn encoding(found: &Inspection) -> Row {
    if found.encoding == "UTF8" {
        return Row::ok(GROUP, "encoding", "UTF8");
    }
    let mend = "a database that was made with ENCODING 'UTF8': texts of other scripts are refused as it is";
    Row::failed(GROUP, "encoding", found.encoding.as_str(), mend)
}

fn clock(found: &Inspection) -> Row {
    let ahead = found.clock_ahead.unwrap_or(0);
    let apart = Duration::from_micros(ahead.unsigned_abs());
    let side = if ahead < 0 { "behind" } else { "ahead" };
    if apart > CLOCKS {
        let detail = format!("the server's is {apart:.1?} {side}");
        return Row::warning(GROUP, "clock", detail, "NTP on both machines");
    }
    Row::ok(GROUP, "clock", format!("{apart:.1?} apart"))
}

fn round_trip(found: &Inspection) -> Row {
    let detail = format!("{:.1?}, connected in {:.1?}", found.round_trip, found.connected);
    if found.round_trip > SLOW {
        return Row::warning(GROUP, "round trip", detail, "the database near the services");
    }
    Row::ok(GROUP, "round trip", detail)
}

fn encryption(found: &Inspection) -> Row {
    match (found.encrypted, found.local) {
        (Some(true), _) => Row::ok(GROUP, "TLS", "yes"),
        (_, true) => Row::ok(GROUP, "TLS", "no, on this machine"),
        _ => Row::warning(
            GROUP,
            "TLS",
            "no",
            "?sslmode=verify-full in the URL, unless the network is yours alone",
        ),
    }
}

/// Each replica of each service holds up to so many.
fn connections(args: &Args, limits: Limits) -> Row {
    let each = i64::from(DatabaseOptions::default().connections);
    let replicas = i64::from(args.replicas);
    let services = i64::try_from(ServiceName::ALL.len()).unwrap_or(i64::MAX);
    let wanted = each * replicas * services;
    let Limits { allowed, used } = limits;
    let detail =
        format!("{used} of {allowed} are used; {services} services of {replicas} replicas may want {wanted}");
    if wanted > allowed {
        return Row::warning(
            GROUP,
            "connections",
            detail,
            format!("max_connections of {} or more", wanted + 10),
        );
    }
    Row::ok(GROUP, "connections", detail)
}

fn of_service(service: ServiceName, found: &Inspection) -> Vec<Row> {
    let mut rows = vec![steps(service, found)];
    if let Some(error) = &found.read_only {
        let name = format!("{service}, writing");
        rows.push(Row::failed(
            GROUP,
            &name,
            error.as_str(),
            "the primary's address, and rights on the service's tables (or the disk has room again)",
        ));
    }
    if let Some(file) = &found.file {
        rows.push(rights(service, file, found.journal.as_deref().unwrap_or_default()));
    }
    rows
}

fn steps(service: ServiceName, found: &Inspection) -> Row {
    let name = service.as_str();
    let of = |state: StepState| {
        let shown = |step: &&Step| format!("{} {} ({})", step.of, step.version, step.name);
        found.steps_in(state).iter().map(shown).collect::<Vec<_>>().join(", ")
    };
    let (failed, changed, pending) = (of(StepState::Failed), of(StepState::Changed), of(StepState::Pending));
    if !failed.is_empty() {
        let detail = format!("began and did not end: {failed}");
        return Row::failed(
            GROUP,
            name,
            detail,
            "a backup, or whoever made the change: the service will not start",
        );
    }
    if !changed.is_empty() {
        let detail = format!("migrations were others than this version's: {changed}");
        return Row::failed(GROUP, name, detail, "the version of Carillon that made this database");
    }
    if !pending.is_empty() {
        let detail = format!("migrations that were not taken yet: {pending}");
        return Row::warning(GROUP, name, detail, format!("start {name} of this version: it takes them"));
    }
    if !found.unknown_steps.is_empty() {
        let detail =
            format!("a newer version has taken {:?}, which this one does not know", found.unknown_steps);
        return Row::warning(GROUP, name, detail, "the newer version everywhere, after a rolling update");
    }
    Row::ok(GROUP, name, format!("{} migrations, all taken", found.steps.len()))
}

/// Passwords' hashes and signing keys are in there.
fn rights(service: ServiceName, file: &Path, journal: &str) -> Row {
    let name = format!("{service}, file");
    let mode = |path: &Path| std::fs::metadata(path).map(|found| found.permissions().mode() & 0o777);
    let directory = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match (mode(file), mode(directory)) {
        (Ok(of_file), Ok(of_directory))
            if of_file & of_directory & 0o077 != 0 && of_directory & 0o011 != 0 =>
        {
            let detail = format!("{} can be read by others", file.display());
            Row::warning(GROUP, &name, detail, format!("chmod 700 {}", directory.display()))
        }
        (Ok(_), Ok(_)) if journal != "wal" => Row::warning(
            GROUP,
            &name,
            format!("journal {journal}"),
            "its service makes it wal when it starts",
        ),
        (Ok(_), Ok(of_directory)) => {
            Row::ok(GROUP, &name, format!("journal {journal}, directory {of_directory:o}"))
        }
        (Err(error), _) | (_, Err(error)) => {
            Row::failed(GROUP, &name, format!("{}: {error}", file.display()), "--data-dir")
        }
    }
}
