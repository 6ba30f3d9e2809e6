//! `deploy/nats/permissions.conf` says what [`Permissions`] says. `make docs` writes it.

use std::{fmt::Write as _, fs, path::PathBuf};

use carillon_contract::{Permissions, Program};

const HEAD: &str = "\
# What each program of Carillon may do on the bus: what it needs, and nothing else.
# `make docs` writes this file out of crates/contract/src/permission.rs; accounts.conf uses it.
";

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../deploy/nats/permissions.conf")
}

fn written_out() -> String {
    let mut text = HEAD.to_owned();
    for program in Program::ALL {
        let Permissions { publish, subscribe } = Permissions::of(program);
        let name = program.as_str().replace('-', "_");
        let _ = write!(text, "\n{name}_permissions = {{\n");
        list(&mut text, "publish", &publish);
        list(&mut text, "subscribe", &subscribe);
        // One answer to each request that it was sent, as long as anybody waits for one.
        text.push_str("  allow_responses = { max: 1, expires: \"1m\" }\n}\n");
    }
    text
}

fn list(text: &mut String, what: &str, patterns: &[String]) {
    let _ = writeln!(text, "  {what} = {{ allow: [");
    for pattern in patterns {
        let _ = writeln!(text, "    \"{pattern}\"");
    }
    text.push_str("  ] }\n");
}

#[test]
fn the_servers_permissions_are_those_of_the_contract() {
    let expected = written_out();
    if std::env::var_os("CARILLON_WRITE_DOCS").is_some() {
        fs::write(file(), &expected).expect("deploy/nats can be written");
    }
    let found = fs::read_to_string(file()).expect("deploy/nats/permissions.conf");
    assert!(found == expected, "deploy/nats/permissions.conf is of another version: run `make docs`");
}
