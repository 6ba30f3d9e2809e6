//! The benchmark works end to end: through the binaries that people run, against a real gateway
//! on a real NATS server. What it measures on a busy machine is of no interest here.

use std::{env, path::PathBuf, process::Command};

use serde_json::Value;

/// Built by `make build`, above this test's own directory.
fn program() -> PathBuf {
    let this = env::current_exe().expect("this program's place");
    let program = this.parent().and_then(|deps| deps.parent()).expect("a target directory").join("bench");
    assert!(program.is_file(), "there is no {}: run `make build` first", program.display());
    program
}

#[test]
fn a_gateway_delivers_the_very_bytes_of_the_floor_and_is_accounted_for() {
    let arguments = ["run", "--quick", "--connections", "50", "--idle", "200", "--unpinned", "--json"];
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("bench.json");
    let output = Command::new(program()).args(arguments).arg(&file).output().expect("to run the binary");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let table = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(table.contains("| gateway ÷ floor |") && table.contains("× ("), "{table}");

    let json = std::fs::read(&file).expect("the file");
    let report: Value = serde_json::from_slice(&json).expect("JSON");
    for depth in report["fan_out"].as_array().expect("depths") {
        for round in depth["gateway"].as_array().expect("rounds") {
            assert!(round["deliveries"].as_u64() > Some(0), "{round}");
            assert!(round["p50"].as_f64() > Some(0.0), "{round}");
        }
    }
    assert_eq!(report["idle"]["gateway"][0]["connections"], 200);
}
