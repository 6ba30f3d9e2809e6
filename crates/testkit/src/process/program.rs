//! Where programs are found.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, bail};

/// Where `make setup-tests` unpacks servers that are not to be installed.
const UNPACKED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/.debian/usr/sbin");

/// A program that this machine has to provide: on `PATH`, where Debian puts servers, or unpacked for the tests.
///
/// # Errors
/// If it isn't there, saying what to install.
pub(crate) fn installed(name: &str, package: &str) -> anyhow::Result<PathBuf> {
    let on_path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&on_path).chain(server_directories()).map(|directory| directory.join(name));
    match found.into_iter().find(|path| path.is_file()) {
        Some(path) => Ok(path),
        None => bail!(
            "{name} is not on PATH, in /usr/sbin or in /usr/lib/postgresql/*/bin. \
             Install it: `make setup-tests`, or `apt-get install {package}`"
        ),
    }
}

/// One of Carillon's own binaries, beside the running one (`target/debug/`, or above its `deps/`).
///
/// # Errors
/// If it hasn't been built.
pub(crate) fn built(name: &str) -> anyhow::Result<PathBuf> {
    let this = env::current_exe().context("where this program is")?;
    let directory = this.parent().context("this program has no directory")?;
    let candidates = [Some(directory), directory.parent()];
    let found = candidates.into_iter().flatten().map(|directory| directory.join(name));
    match found.into_iter().find(|path| path.is_file()) {
        Some(path) => Ok(path),
        None => bail!("{name} is not built beside {}: run `make build` first", this.display()),
    }
}

/// `carillon` as an operator calls it, without what the developer's shell has configured.
///
/// # Errors
/// If it hasn't been built.
pub fn carillon() -> anyhow::Result<Command> {
    program("carillon")
}

/// One of Carillon's binaries, likewise.
///
/// # Errors
/// If it hasn't been built.
pub fn program(name: &str) -> anyhow::Result<Command> {
    super::command(&built(name)?, None)
}

fn server_directories() -> Vec<PathBuf> {
    let mut postgres: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((version(&entry.path())?, entry.path().join("bin"))))
        .collect();
    postgres.sort();
    let newest_first = postgres.into_iter().rev().map(|(_, directory)| directory);
    let sbin = ["/usr/sbin", UNPACKED].map(PathBuf::from);
    sbin.into_iter().chain(newest_first).collect()
}

fn version(directory: &Path) -> Option<u32> {
    directory.file_name()?.to_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_said_with_its_package() {
        let error = installed("no-such-server", "no-such-package").expect_err("not there").to_string();
        assert!(error.contains("apt-get install no-such-package"), "{error}");
        let error = built("no-such-binary").expect_err("not there").to_string();
        assert!(error.contains("make build"), "{error}");
    }
}
