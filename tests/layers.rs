//! The rules of the house that a compiler doesn't keep (ARCHITECTURE.md, "Layers" and "Invariants").

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

/// The layers, lowest first. A crate depends on crates of lower layers only, so no service on another.
/// Dev-dependencies are free: a test may use whatever it likes.
const LAYERS: [&[&str]; 8] = [
    &["carillon-contract", "carillon-instruments"],
    &["carillon-token", "carillon-trace"],
    &["carillon-blob", "carillon-bus", "carillon-store"],
    &["carillon-service"],
    &["carillon-presence"],
    &[
        "carillon-gateway",
        "carillon-auth",
        "carillon-notification",
        "carillon-chat",
        "carillon-ticket-presence",
        "carillon-metrics",
    ],
    &["carillon", "carillon-testkit"],
    &["carillon-tests", "carillon-bench"],
];

/// Third-party crates that only one of ours may name, whatever for.
const CONFINED: [(&str, &str); 7] = [
    ("async-nats", "carillon-bus"),
    ("jsonwebtoken", "carillon-token"),
    ("object_store", "carillon-blob"),
    ("opentelemetry", "carillon-trace"),
    ("opentelemetry_sdk", "carillon-trace"),
    ("opentelemetry-otlp", "carillon-trace"),
    ("prometheus", "carillon-instruments"),
];

/// How the text of a subject begins in source code.
const SUBJECTS: [&str; 6] =
    ["\"rpc.", "\"live.", "\"replicas.", "\"gateway.{", "\"gateway.all", "\"telemetry."];

/// What the gateway does without: it has no database.
const NOT_IN_THE_GATEWAY: [&str; 2] = ["carillon-store", "sqlx"];

/// Names of crates and modules that become a dumping ground.
const DUMPING_GROUNDS: [&str; 7] = ["common", "core", "helpers", "manager", "shared", "util", "utils"];

struct Dependency {
    of: String,
    on: String,
    dev: bool,
}

#[test]
fn a_crate_depends_on_lower_layers_only() {
    for Dependency { of, on, .. } in dependencies().iter().filter(|dependency| !dependency.dev) {
        if let Some(lower) = layer(on) {
            let higher = layer(of).unwrap_or_else(|| panic!("{of} is in no layer: add it to LAYERS"));
            assert!(lower < higher, "{of} must not depend on {on}");
        }
    }
}

#[test]
fn a_library_behind_a_wall_has_one_user() {
    for Dependency { of, on, .. } in dependencies() {
        for (library, user) in CONFINED {
            assert!(on != library || of == user, "{of} must not depend on {library}: only {user} may");
        }
    }
}

#[test]
fn the_gateway_has_no_database() {
    for Dependency { of, on, dev } in dependencies() {
        let forbidden = of == "carillon-gateway" && !dev && NOT_IN_THE_GATEWAY.contains(&on.as_str());
        assert!(!forbidden, "{of} must not depend on {on}");
    }
}

#[test]
fn no_subject_is_formatted_outside_the_contract() {
    for (path, text) in sources().into_iter().filter(|(path, _)| is_product_outside_the_contract(path)) {
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            for subject in SUBJECTS {
                assert!(!code.contains(subject), "{}:{}: a subject", path.display(), number + 1);
            }
        }
    }
}

#[test]
fn nothing_is_called_utils() {
    for (path, _) in sources() {
        let names = path.components().map(|part| part.as_os_str().to_string_lossy().into_owned());
        for name in names {
            let stem = name.trim_end_matches(".rs").trim_start_matches("carillon-");
            assert!(!DUMPING_GROUNDS.contains(&stem), "{} says nothing about what it holds", path.display());
        }
    }
}

fn layer(package: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&package))
}

fn is_product_outside_the_contract(path: &Path) -> bool {
    let inside = path.strip_prefix(root()).expect("below the workspace");
    inside.components().any(|part| part.as_os_str() == "src")
        && !inside.starts_with("crates/contract")
        && !inside.starts_with("tests")
}

/// Every dependency that a manifest of the workspace names.
fn dependencies() -> Vec<Dependency> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo metadata");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    packages.iter().flat_map(dependencies_of).collect()
}

fn dependencies_of(package: &Value) -> Vec<Dependency> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let of = text(&package["name"]);
    let dependencies = package["dependencies"].as_array().expect("dependencies");
    dependencies
        .iter()
        .map(|one| Dependency { of: of.clone(), on: text(&one["name"]), dev: one["kind"] == "dev" })
        .collect()
}

/// Every Rust file of ours, with its text.
fn sources() -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    for directory in ["crates", "services", "tests"] {
        collect(&root().join(directory), &mut files);
    }
    assert!(!files.is_empty());
    files
}

fn collect(directory: &Path, files: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("a file");
            files.push((path, text));
        }
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace")
}
