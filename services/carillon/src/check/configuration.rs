//! What the options say, and whether it makes sense.

use carillon_gateway::Mode;

use super::{
    Args,
    certificate::{DAYS, days_until},
    report::Row,
};

const GROUP: &str = "configuration";

/// Variables that can't be read.
pub(super) fn unreadable(variables: Vec<(String, String)>) -> Vec<Row> {
    let row = |(name, why): (String, String)| {
        Row::failed(
            GROUP,
            &name,
            why,
            "correct or unset it: a service would not start (--help tells what it may be)",
        )
    };
    variables.into_iter().map(row).collect()
}

/// What clients meet.
pub(super) fn rows(args: &Args) -> Vec<Row> {
    vec![
        options(args),
        mode(args),
        limits(args),
        hosts(args),
        origins(args),
        anonymous(args),
        proxies(args),
        tls(args),
    ]
}

fn options(args: &Args) -> Row {
    match args.gateway.validate() {
        Ok(()) => Row::ok(GROUP, "options", "a gateway could start with them"),
        Err(error) => {
            Row::failed(GROUP, "options", format!("{error:#}"), "a gateway would not start with these")
        }
    }
}

/// Whether other machines can reach a gateway with these options.
fn is_public(args: &Args) -> bool {
    !args.gateway.is_loopback()
}

fn mode(args: &Args) -> Row {
    let mode = args.gateway.limits.mode_or(args.usual_mode());
    match mode {
        Mode::Development if is_public(args) => Row::warning(
            GROUP,
            "mode",
            format!("development, though other machines can reach {}", args.gateway.listen),
            "--mode production (CARILLON_MODE): its limits are those for the internet",
        ),
        mode => Row::ok(GROUP, "mode", mode.to_string()),
    }
}

fn limits(args: &Args) -> Row {
    let mode = args.usual_mode();
    let figures = args.gateway.limits.figures(mode);
    let shown: Vec<String> = figures.iter().map(|(name, count)| format!("{name} {count}")).collect();
    let unlimited: Vec<&str> =
        figures.iter().filter(|(_, count)| *count == 0).map(|(name, _)| *name).collect();
    if unlimited.is_empty() || args.gateway.limits.mode_or(mode) == Mode::Development {
        return Row::ok(GROUP, "limits", shown.join(", "));
    }
    let detail = format!("no limit of {}", unlimited.join(", "));
    Row::warning(GROUP, "limits", detail, format!("--{} with a number", unlimited[0]))
}

fn hosts(args: &Args) -> Row {
    let hosts = &args.gateway.allowed_hosts;
    let names: Vec<&str> = hosts.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    let is_local = |name: &&str| super::is_loopback(name) || *name == ".localhost";
    if names.is_empty() {
        return Row::failed(
            GROUP,
            "hosts",
            "none is allowed",
            "ALLOWED_HOSTS with the names that clients use",
        );
    }
    if names.contains(&"*") && is_public(args) {
        let mend = "ALLOWED_HOSTS with the names that clients use: any page on the web may connect as it is";
        return Row::warning(GROUP, "hosts", "any", mend);
    }
    if is_public(args) && names.iter().all(is_local) {
        let mend = "ALLOWED_HOSTS with the names that clients use: others are refused as it is";
        return Row::warning(GROUP, "hosts", format!("this machine's alone: {hosts}"), mend);
    }
    Row::ok(GROUP, "hosts", hosts.as_str())
}

fn origins(args: &Args) -> Row {
    let origins = &args.gateway.cors_origins;
    if origins.iter().any(|origin| origin == "*") {
        let mend = "--cors-origins with the pages that use the HTTP API";
        return Row::warning(GROUP, "origins", "pages of any origin may use the HTTP API", mend);
    }
    let shown = if origins.is_empty() { "those of allowed hosts".to_owned() } else { origins.join(", ") };
    Row::ok(GROUP, "origins", shown)
}

fn anonymous(args: &Args) -> Row {
    let usual = if args.is_one_process() && !is_public(args) { vec!["all".to_owned()] } else { Vec::new() };
    let allowed = args.gateway.allow_anonymous.clone().unwrap_or(usual);
    if allowed.is_empty() {
        return Row::ok(GROUP, "anonymous", "nobody without a token");
    }
    let shown = allowed.join(", ");
    if is_public(args) {
        let detail = format!("anyone who reaches {} may use {shown}", args.gateway.listen);
        return Row::warning(GROUP, "anonymous", detail, "--allow-anonymous with less, if that isn't wanted");
    }
    Row::ok(GROUP, "anonymous", format!("{shown}, on this machine"))
}

/// The certificate with which a gateway speaks TLS itself.
fn tls(args: &Args) -> Row {
    let certificate = match args.gateway.tls.certificate() {
        Ok(Some(certificate)) => certificate,
        Ok(None) => return Row::ok(GROUP, "TLS", "not spoken by the gateway itself (--tls-certificate)"),
        Err(error) => {
            let mend = "a certificate and its key in PEM: a gateway would not start with these";
            return Row::failed(GROUP, "TLS", format!("{error:#}"), mend);
        }
    };
    match days_until(certificate.valid_until()) {
        days if days < 0 => Row::failed(GROUP, "TLS", "the certificate has ended", "renew it"),
        days if days < DAYS => {
            Row::warning(GROUP, "TLS", format!("the certificate ends in {days} days"), "renew it")
        }
        days => Row::ok(GROUP, "TLS", format!("a certificate, for {days} days more")),
    }
}

fn proxies(args: &Args) -> Row {
    let trusted: Vec<String> = args.gateway.trusted_proxies.iter().map(ToString::to_string).collect();
    if trusted.is_empty() {
        return Row::ok(
            GROUP,
            "proxies",
            "none: behind one, all clients would have its address (--trusted-proxies)",
        );
    }
    let everywhere = args.gateway.trusted_proxies.iter().any(|network| network.prefix_len() == 0);
    if everywhere {
        let mend = "--trusted-proxies with the networks of your proxies";
        return Row::failed(GROUP, "proxies", "everyone is trusted to say where they are", mend);
    }
    Row::ok(GROUP, "proxies", trusted.join(", "))
}
