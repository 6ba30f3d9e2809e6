//! The load client and the floor against each other, through the binary that people run.

use std::process::{Command, Output};

use serde_json::Value;

fn bench(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bench")).args(arguments).output().expect("to run the binary")
}

/// Runs a part, and gives its table and all of its measurements.
fn report(part: &str, arguments: &[&str]) -> (String, Value) {
    let directory = tempfile::tempdir().expect("a directory");
    let output =
        bench(&[&[part, "--output", directory.path().to_str().expect("a name")], arguments].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let read =
        |ending: &str| std::fs::read(directory.path().join(format!("{part}.{ending}"))).expect("a file");
    let table = String::from_utf8(read("md")).expect("text");
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim_end(), table.trim_end());
    (table, serde_json::from_slice(&read("json")).expect("JSON"))
}

#[test]
fn the_floor_delivers_every_message_and_is_accounted_for() {
    let arguments = ["--floor-only", "--quick", "--connections", "50", "--unpinned"];
    let (table, report) = report("fan-out", &arguments);
    assert!(table.contains("| 50 connections | 16 | "), "{table}");
    let depths = report["sizes"][0]["depths"].as_array().expect("depths");
    assert_eq!(depths.len(), 3);
    for depth in depths {
        let rounds = depth["rounds"]["floor"].as_array().expect("rounds");
        assert_eq!(rounds.len(), 2);
        for round in rounds {
            assert!(round["deliveries"].as_u64() > Some(0), "{round}");
            assert!(round["p50"].as_f64() > Some(0.0), "{round}");
            assert!(round["p50"].as_f64() <= round["p99"].as_f64(), "{round}");
            assert!(round["others"].as_f64() >= Some(0.0), "{round}");
        }
    }
}

#[test]
fn idle_connections_of_the_floor_cost_it_little() {
    let (table, report) = report("idle", &["--floor-only", "--quick", "--unpinned"]);
    assert!(table.contains("| 200 a channel of its own each |"), "{table}");
    let idle = &report["seats"][0]["measurements"]["floor"][0];
    assert!(idle["handshakes_per_cpu_second"].as_f64() > Some(100.0), "{idle}");
    assert!(idle["resident"].as_f64() < Some(10.0), "{idle}");
}

#[test]
fn more_connections_than_descriptors_are_cut_with_a_word_about_it() {
    let output = Command::new("sh")
        .args(["-c", "ulimit -n 200 && exec \"$0\" fan-out --floor-only --quick --unpinned --in-flight 1"])
        .arg(env!("CARGO_BIN_EXE_bench"))
        .args(["--connections", "150"])
        .output()
        .expect("to run the binary");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let table = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(table.contains("| 100 connections | 1 |"), "{table}");
}

#[test]
fn what_hangs_is_given_up() {
    let output = bench(&["floor", "--patience", "0"]);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(3) && error.contains("--patience"), "{error}");
}
