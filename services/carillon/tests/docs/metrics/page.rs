//! The page, out of what the processes measure.

use std::fmt::Write as _;

use carillon_instruments::Instrument;

use super::processes::Process;

const HEAD: &str = "# Metrics

<!-- Written by `make docs` out of what the processes register; a test fails if it isn't current. -->

Every process serves Prometheus's text format at `/metrics` of its operator's port (`--ops-listen`, by default
`127.0.0.1:9000`); `carillon up` has the metrics of all services in one place, and so the label `service` wherever a metric
belongs to more than one of them. `deploy/prometheus` has a configuration that scrapes them, recording and alerting
rules; `deploy/grafana` a dashboard; [runbooks.md](runbooks.md) says what an alert means and how to mend it.

Labels have few values each: endpoints, routes, methods, outcomes, close codes. None is a user, a room, a channel or an
address. Times are in seconds, sizes in bytes, and what ends in `_total` only grows. A histogram has `_bucket`, `_sum`
and `_count`.

Figures of one worker's deliveries are added to the process's once in each of its turns, queues are looked at every
few seconds, outboxes every five, and a database is asked every two whether it answers. What Postgres holds (an outbox, who is
present) every replica tells of, so that `max by (service)`, not `sum`, is the cluster's figure.
";

/// The page.
pub(crate) fn page(processes: &[Process]) -> String {
    let mut page = HEAD.to_owned();
    let every = processes.iter().find(|process| process.name.is_none()).expect("every process");
    section(&mut page, "Every process", every.instruments.iter().map(|instrument| (instrument, None)));
    let services: Vec<&Process> = processes.iter().filter(|process| process.name.is_some()).collect();
    let several = several(&services);
    let rows = several.iter().map(|(instrument, names)| (*instrument, Some(names.join(", "))));
    section(&mut page, "More than one service", rows);
    for process in services {
        let own =
            process.instruments.iter().filter(|own| !several.iter().any(|(known, _)| known.name == own.name));
        section(&mut page, process.name.unwrap_or_default(), own.map(|instrument| (instrument, None)));
    }
    page
}

/// What more than one service measures, and which do.
fn several<'a>(services: &[&'a Process]) -> Vec<(&'a Instrument, Vec<&'static str>)> {
    let mut found: Vec<(&Instrument, Vec<&str>)> = Vec::new();
    for (process, instrument) in services
        .iter()
        .flat_map(|process| process.instruments.iter().map(move |instrument| (process, instrument)))
    {
        let name = process.name.unwrap_or_default();
        match found.iter_mut().find(|(known, _)| known.name == instrument.name) {
            Some((_, names)) => names.push(name),
            None => found.push((instrument, vec![name])),
        }
    }
    found.retain(|(_, names)| names.len() > 1);
    found.sort_by_key(|(instrument, _)| &instrument.name);
    found
}

fn section<'a>(page: &mut String, title: &str, rows: impl Iterator<Item = (&'a Instrument, Option<String>)>) {
    let mut rows = rows.peekable();
    let has_services = rows.peek().is_some_and(|(_, services)| services.is_some());
    let (head, rule) = if has_services { (" of |", " --- |") } else { ("", "") };
    // Writing to a string cannot fail.
    let _ = write!(
        page,
        "\n## {title}\n\n| metric | type | labels | what it tells |{head}\n| --- | --- | --- | --- |{rule}\n"
    );
    for (Instrument { name, kind, labels, help }, services) in rows {
        let labels: Vec<String> = labels.iter().map(|label| format!("`{label}`")).collect();
        let _ = write!(page, "| `{name}` | {kind} | {} | {help} |", labels.join(" "));
        let _ = writeln!(page, "{}", services.map(|services| format!(" {services} |")).unwrap_or_default());
    }
}
