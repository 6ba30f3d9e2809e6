//! The load client and the floor against each other, through the binary that people run.

use std::process::{Command, Output};

use serde_json::Value;

fn bench(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bench")).args(arguments).output().expect("to run the binary")
}

#[test]
fn the_floor_delivers_every_message_and_is_accounted_for() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("bench.json");
    let name = file.to_str().expect("a name");
    let output = bench(&[
        "run",
        "--floor-only",
        "--quick",
        "--connections",
        "50",
        "--idle",
        "200",
        "--unpinned",
        "--json",
        name,
    ]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let table = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(table.contains("| server, CPU seconds per million deliveries | 16 | "), "{table}");
    assert!(table.contains("| resident memory per idle connection, KiB | "), "{table}");

    let json = std::fs::read(&file).expect("the file");
    let report: Value = serde_json::from_slice(&json).expect("JSON");
    for depth in report["fan_out"].as_array().expect("depths") {
        let rounds = depth["floor"].as_array().expect("rounds");
        assert_eq!(rounds.len(), 2);
        for round in rounds {
            assert!(round["deliveries"].as_u64() > Some(0), "{round}");
            assert!(round["p50"].as_f64() > Some(0.0), "{round}");
            assert!(round["p50"].as_f64() <= round["p99"].as_f64(), "{round}");
        }
    }
    assert_eq!(report["idle"]["floor"][0]["connections"], 200);
}

#[test]
fn more_connections_than_descriptors_are_refused_at_once() {
    let output = bench(&["run", "--floor-only", "--quick", "--connections", "1000000000000000000"]);
    assert!(!output.status.success());
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(error.contains("descriptors"), "{error}");
}
