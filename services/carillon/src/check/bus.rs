//! NATS, and whether every service answers on it.

use std::time::{Duration, Instant};

use carillon_bus::{Bus, Inspection, RequestError, Timing};
use carillon_contract::{Program, ServiceName, messages::HeadsRequest};
use futures_util::future::join_all;

use super::{Args, report::Row, skipped};

const GROUP: &str = "nats";
const SERVICES: &str = "services";

/// What a deployment configures, so that there is room for more than is needed.
const RECOMMENDED_PAYLOAD: usize = 8 * 1024 * 1024;

/// The oldest version that is tested with.
const OLDEST: (u32, u32) = (2, 9);

/// More than this is slow within one data centre.
const SLOW: Duration = Duration::from_millis(50);
const SLOW_SERVICE: Duration = Duration::from_millis(500);

/// NATS's rows, the services', and the bus, if there is one.
pub(super) async fn rows(args: &Args) -> (Vec<Row>, Vec<Row>, Option<Bus>) {
    let reason = "no NATS is named (--nats-url): `carillon up` has none";
    let Some(url) = &args.nats_url else {
        return (skipped(GROUP, "connection", reason), skipped(SERVICES, "on the bus", reason), None);
    };
    let connected = match args.nats_login.options(url, &args.nats_name) {
        Ok(options) => Inspection::of(&options, args.timeout).await.map(|found| (options, found)),
        Err(error) => Err(format!("{error:#}")),
    };
    let (options, found) = match connected {
        Ok(connected) => connected,
        Err(error) => {
            let nobody = skipped(SERVICES, "on the bus", "NATS can't be reached");
            return (vec![unreachable(&error)], nobody, None);
        }
    };
    let nats = vec![
        connection(&found),
        version(&found),
        payload(&found),
        round_trip(&found),
        permissions(&found, &args.nats_name),
        encryption(&found, url),
    ];
    if let Some(Program::Service(service)) = Program::named(&args.nats_name) {
        let reason = format!("{service} may not ask the others: --nats-name gateway may");
        return (nats, skipped(SERVICES, "on the bus", &reason), None);
    }
    match Bus::connect(options).await {
        Ok(bus) => {
            let services =
                join_all(ServiceName::ALL.map(|service| answers(&bus, service, args.timeout))).await;
            (nats, services, Some(bus))
        }
        Err(error) => (nats, skipped(SERVICES, "on the bus", &error.to_string()), None),
    }
}

fn unreachable(error: &str) -> Row {
    let words = error.to_ascii_lowercase();
    let mend = if words.contains("authorization") {
        "a user and password (--nats-user, --nats-password-file), or --nats-credentials"
    } else if words.contains("certificate") || words.contains("tls") {
        "the authority of its certificate (--nats-ca), a host in --nats-url that the certificate names, and \
         --nats-certificate if it asks for one"
    } else {
        "start a NATS server, or say where it is (--nats-url)"
    };
    Row::failed(GROUP, "connection", error, mend)
}

fn connection(found: &Inspection) -> Row {
    let cluster = found.cluster.as_ref().map_or_else(String::new, |name| format!(", cluster {name}"));
    let who = if found.asks_who { "with a login" } else { "anybody may connect" };
    Row::ok(GROUP, "connection", format!("in {:.1?}, {who}{cluster}", found.connected))
}

fn version(found: &Inspection) -> Row {
    let mut words = found.version.split('.').map_while(|word| word.parse::<u32>().ok());
    let version = (words.next().unwrap_or(0), words.next().unwrap_or(0));
    if version >= OLDEST {
        return Row::ok(GROUP, "version", found.version.as_str());
    }
    let mend = format!("nats-server {}.{} or later", OLDEST.0, OLDEST.1);
    Row::failed(GROUP, "version", found.version.as_str(), mend)
}

fn payload(found: &Inspection) -> Row {
    let (check, mend) = ("max_payload", "max_payload: 8MB in the server's configuration");
    let detail = format!("{} bytes", found.max_payload);
    if found.max_payload < found.needed_payload {
        let detail = format!("{detail}, of {} that messages may have", found.needed_payload);
        return Row::failed(GROUP, check, detail, mend);
    }
    if found.max_payload < RECOMMENDED_PAYLOAD {
        return Row::warning(GROUP, check, format!("{detail}, of {RECOMMENDED_PAYLOAD} recommended"), mend);
    }
    Row::ok(GROUP, check, detail)
}

fn round_trip(found: &Inspection) -> Row {
    let check = "round trip";
    match found.round_trip {
        Some(time) if time > SLOW => Row::warning(
            GROUP,
            check,
            format!("{time:.1?}"),
            "NATS near the services: every request goes there and back",
        ),
        Some(time) => Row::ok(GROUP, check, format!("{time:.1?}")),
        None => Row::failed(
            GROUP,
            check,
            "a message to its own inbox did not come back",
            "allow _INBOX_<name>.> to be published and subscribed",
        ),
    }
}

fn permissions(found: &Inspection, name: &str) -> Row {
    if found.refused.is_empty() {
        return Row::ok(GROUP, "permissions", format!("as {name} needs them"));
    }
    let mend = "what deploy/nats/permissions.conf allows (--nats-name says as whom to check)";
    Row::failed(GROUP, "permissions", found.refused.join("; "), mend)
}

fn encryption(found: &Inspection, url: &str) -> Row {
    let host = |server: &str| {
        let text = if server.contains("://") { server.to_owned() } else { format!("nats://{server}") };
        url::Url::parse(&text).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
    };
    if found.encrypted {
        return Row::ok(GROUP, "TLS", "yes");
    }
    if url.split(',').all(|server| super::is_loopback(&host(server.trim()))) {
        return Row::ok(GROUP, "TLS", "no, on this machine");
    }
    Row::warning(GROUP, "TLS", "no", "tls://… in --nats-url, unless the network is yours alone")
}

async fn answers(bus: &Bus, service: ServiceName, within: Duration) -> Row {
    let begun = Instant::now();
    let timing = Timing { attempt: within / 2 };
    let question = HeadsRequest::default();
    let outcome = bus.call_within(service, &question, timing).await;
    let took = begun.elapsed();
    let name = service.as_str();
    match outcome {
        Ok(_) if took > SLOW_SERVICE => Row::warning(
            SERVICES,
            name,
            format!("answered in {took:.1?}"),
            "more replicas, or a faster database",
        ),
        Ok(reply) => Row::ok(SERVICES, name, format!("answered in {took:.1?}, log {}", reply.epoch)),
        Err(RequestError::NoResponders) => Row::failed(
            SERVICES,
            name,
            "nobody answers",
            format!("start {name}; its log says what it waits for"),
        ),
        Err(error) => {
            let mend = format!("{name}'s log and /readyz; and NATS has to allow asking it");
            Row::failed(SERVICES, name, error.to_string(), mend)
        }
    }
}
