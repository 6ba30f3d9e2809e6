//! Embeds the console's files (`clients/console/dist`), if they have been built (`make console`), and none
//! otherwise. Beside a file may be what it is compressed: `index.html.br`, `index.html.gz`.

use std::{
    env,
    fmt::Write as _,
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    io,
    path::{Path, PathBuf},
};

const CONSOLE: &str = "../../clients/console/dist";

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed={CONSOLE}");
    println!("cargo::rerun-if-changed=build.rs");
    let manifest = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let target = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let root = manifest.join(CONSOLE);
    let mut files = Vec::new();
    // Without its page there is nothing to show.
    if root.join("index.html").is_file() {
        collect(&root.canonicalize()?, &mut files)?;
        files.sort();
    }
    fs::write(target.join("console.rs"), table(&root, &files)?)
}

/// Every file below a directory that is served by its own name.
fn collect(directory: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            collect(&path, files)?;
        } else if !name.starts_with('.') && !name.ends_with(".br") && !name.ends_with(".gz") {
            files.push(path);
        }
    }
    Ok(())
}

/// The files as a table in Rust.
fn table(root: &Path, files: &[PathBuf]) -> io::Result<String> {
    let mut table = String::from("/// What the console consists of.\nstatic FILES: &[File] = &[\n");
    for file in files {
        let inside = file.strip_prefix(root.canonicalize()?).expect("below the root");
        let inside = inside.to_str().expect("a name that a URL can have");
        let (path, immutable) = match inside {
            "index.html" => ("/".to_owned(), false),
            // Those have a hash of their content in their names.
            other => (format!("/{other}"), other.starts_with("assets/")),
        };
        writeln!(
            table,
            "    File {{ path: {path:?}, content_type: {:?}, tag: {:?}, immutable: {immutable}, \
             plain: include_bytes!({file:?}), gzip: {}, brotli: {} }},",
            content_type(file),
            tag(&fs::read(file)?),
            compressed(file, "gz"),
            compressed(file, "br"),
        )
        .expect("text can be written to");
    }
    table.push_str("];\n");
    Ok(table)
}

fn compressed(file: &Path, suffix: &str) -> String {
    let mut name = file.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    let path = PathBuf::from(name);
    if path.is_file() { format!("Some(include_bytes!({path:?}))") } else { "None".to_owned() }
}

/// Differs between contents, which is all that a browser compares it for.
fn tag(content: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

fn content_type(file: &Path) -> &'static str {
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json" | "webmanifest") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    }
}
