//! The benchmark works end to end: through the binaries that people run, against a real gateway
//! on a real NATS server, and against all that a chat room needs. What it measures on a busy
//! machine is of no interest here.

use std::{env, fs, path::PathBuf, process::Command};

use serde_json::Value;

/// Built by `make build`, above this test's own directory.
fn program() -> PathBuf {
    let this = env::current_exe().expect("this program's place");
    let program = this.parent().and_then(|deps| deps.parent()).expect("a target directory").join("bench");
    assert!(program.is_file(), "there is no {}: run `make build` first", program.display());
    program
}

/// Runs a part, quickly, and gives its table and all of its measurements.
fn bench(part: &str, arguments: &[&str]) -> (String, Value) {
    let directory = tempfile::tempdir().expect("a directory");
    let mut command = Command::new(program());
    command.args([part, "--quick", "--patience", "5", "--output"]).arg(directory.path()).args(arguments);
    let output = command.output().expect("to run the binary");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let json = fs::read(directory.path().join(format!("{part}.json"))).expect("the file");
    let report = serde_json::from_slice(&json).expect("JSON");
    (String::from_utf8_lossy(&output.stdout).into_owned(), report)
}

fn positive(value: &Value) -> bool {
    value.as_f64() > Some(0.0)
}

#[test]
fn a_gateway_delivers_the_very_bytes_of_the_floor_and_is_accounted_for() {
    let (table, report) = bench("fan-out", &["--connections", "50", "--unpinned"]);
    assert!(table.contains("| gateway ÷ floor |") && table.contains("× ("), "{table}");
    for depth in report["sizes"][0]["depths"].as_array().expect("depths") {
        for round in depth["rounds"]["gateway"].as_array().expect("rounds") {
            assert!(positive(&round["deliveries"]) && positive(&round["p50"]), "{round}");
        }
    }
}

#[test]
fn what_instrumentation_costs_is_measured_in_turns() {
    let (table, report) = bench("instrumentation", &["--connections", "20", "--unpinned"]);
    assert!(table.contains("| 20 | 64 |"), "{table}");
    for depth in report["sizes"][0]["depths"].as_array().expect("depths") {
        for kind in ["uninstrumented", "gateway"] {
            assert!(positive(&depth["rounds"][kind][0]["deliveries"]), "{kind}: {depth}");
        }
    }
}

/// All that is installed: peers are for those who measure, not for those who test.
#[test]
fn peers_that_are_installed_deliver_every_message_too() {
    let (table, report) = bench("peers", &["--connections", "20", "--unpinned"]);
    let left_out = report["left_out"].as_array().expect("peers").len();
    for depth in report["size"]["depths"].as_array().expect("depths") {
        let measured = depth["rounds"].as_object().expect("servers");
        assert_eq!(measured.len() + left_out, 5, "{table}");
        for rounds in measured.values() {
            assert!(positive(&rounds[0]["deliveries"]), "{rounds}");
        }
    }
}

#[test]
fn idle_connections_with_tokens_are_accounted_for() {
    let (_, report) = bench("idle", &["--unpinned"]);
    let seats = report["seats"].as_array().expect("seats");
    assert_eq!(seats.len(), 2);
    for seat in seats {
        let idle = &seat["measurements"]["gateway"][0];
        assert!(positive(&idle["resident"]) && positive(&idle["handshakes_per_cpu_second"]), "{idle}");
    }
}

/// The program ends with an error if a client lacks an event, or gets one twice or out of order.
#[test]
fn everybody_recovers_from_a_storm_and_an_undisturbed_channel_is_measured() {
    let (_, report) = bench("storm", &["--unpinned"]);
    let cases = report["cases"].as_array().expect("cases");
    assert_eq!(cases.len(), 2);
    for storm in cases.iter().flat_map(|case| case["storms"].as_array().expect("storms")) {
        assert_eq!(storm["events_recovered"], 100 * 50, "{storm}");
        assert!(positive(&storm["calm"]["p99"]) && positive(&storm["stormy"]["p99"]), "{storm}");
    }
    assert!(
        positive(&cases[1]["storms"][0]["asked"]),
        "the log was asked for what nobody has heard: {cases:?}"
    );
}

#[test]
fn a_slow_client_is_closed_and_a_large_channel_delays_another_measurably() {
    let (table, report) = bench("slow", &["--unpinned"]);
    assert!(positive(&report["among"][0]["closed_after"]), "{table}");
    for kind in ["floor", "gateway"] {
        let large = &report["large"]["measurements"][kind][0];
        assert!(positive(&large["messages"]) && positive(&large["disturbed"]["p99"]), "{large}");
    }
}

#[test]
fn a_notification_passes_every_hop() {
    let (table, report) = bench("hops", &[]);
    assert!(table.contains("| through every hop |"), "{table}");
    assert!(
        positive(&report["journeys"][0]["messages"]) && positive(&report["journeys"][0]["p99"]),
        "{table}"
    );
}

/// On both engines: every message is stored, and heard once by each member of its room, in one order.
#[test]
fn rooms_hear_every_message_and_are_accounted_for() {
    let (table, report) = bench("rooms", &["--shapes", "1x20,5x4"]);
    assert!(table.contains("| figure | Postgres, 1x20 | Postgres, 5x4 | SQLite, 1x20 |"), "{table}");
    for engine in report["engines"].as_array().expect("engines") {
        for shape in engine["shapes"].as_array().expect("shapes") {
            let round = &shape["rounds"][0];
            assert!(positive(&round["plain"]) && positive(&round["grouped"]), "{round}");
            assert!(positive(&round["carillon"]["messages"]), "{round}");
            assert!(round["carillon"]["messages_per_transaction"].as_f64() >= Some(1.0), "{round}");
        }
    }
}
