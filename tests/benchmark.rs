//! The benchmark works end to end: through the binaries that people run, against a real gateway
//! on a real NATS server, and against all that a chat room needs. What it measures on a busy
//! machine is of no interest here.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

/// Built by `make build`, above this test's own directory.
fn program() -> PathBuf {
    let this = env::current_exe().expect("this program's place");
    let program = this.parent().and_then(|deps| deps.parent()).expect("a target directory").join("bench");
    assert!(program.is_file(), "there is no {}: run `make build` first", program.display());
    program
}

/// Runs the program, and gives its table and all of its measurements.
fn bench(arguments: &[&str]) -> (String, Value) {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("bench.json");
    let mut command = Command::new(program());
    let output = command.args(arguments).arg("--json").arg(&file).output().expect("to run the binary");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    (String::from_utf8_lossy(&output.stdout).into_owned(), read(&file))
}

fn read(file: &Path) -> Value {
    let json = std::fs::read(file).expect("the file");
    serde_json::from_slice(&json).expect("JSON")
}

#[test]
fn a_gateway_delivers_the_very_bytes_of_the_floor_and_is_accounted_for() {
    let arguments = ["run", "--quick", "--connections", "50", "--idle", "200", "--unpinned"];
    let (table, report) = bench(&arguments);
    assert!(table.contains("| gateway ÷ floor |") && table.contains("× ("), "{table}");
    for depth in report["fan_out"].as_array().expect("depths") {
        for round in depth["gateway"].as_array().expect("rounds") {
            assert!(round["deliveries"].as_u64() > Some(0), "{round}");
            assert!(round["p50"].as_f64() > Some(0.0), "{round}");
        }
    }
    assert_eq!(report["idle"]["gateway"][0]["connections"], 200);
}

/// On both engines: every message is stored, and heard once by each member of its room, in one order.
#[test]
fn rooms_hear_every_message_and_are_accounted_for() {
    let (table, report) = bench(&["rooms", "--quick", "--shapes", "1x20,5x4"]);
    assert!(table.contains("| figure | Postgres, 1x20 | Postgres, 5x4 | SQLite, 1x20 |"), "{table}");
    for engine in report["engines"].as_array().expect("engines") {
        for shape in engine["shapes"].as_array().expect("shapes") {
            let round = &shape["rounds"][0];
            assert!(round["plain"].as_f64() > Some(0.0) && round["grouped"].as_f64() > Some(0.0), "{round}");
            assert!(round["carillon"]["messages"].as_u64() > Some(0), "{round}");
            assert!(round["carillon"]["messages_per_transaction"].as_f64() >= Some(1.0), "{round}");
        }
    }
}
