//! Pages that are written, or compared with what is written.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// If this is set, pages are written rather than compared.
const WRITE: &str = "CARILLON_WRITE_DOCS";

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Writes `docs/NAME`, or fails where what is written there is something else.
pub(crate) fn is_current(name: &str, page: &str) {
    let path = root().join("docs").join(name);
    if env::var_os(WRITE).is_some() {
        fs::write(&path, page).expect("to write the page");
        return;
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    let differing =
        page.lines().zip(written.lines().chain(["(its end)"])).find(|(line, there)| line != there);
    assert!(page == written, "docs/{name} is not what `make docs` writes, from here on: {differing:#?}");
}
