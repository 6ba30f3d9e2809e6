//! The files of `deploy/nginx`, with what belongs to a machine exchanged: addresses and paths.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};

use super::certificate::Certificate;

/// Where things are here.
pub(super) struct Places<'a> {
    pub(super) directory: &'a Path,
    pub(super) logs: &'a Path,
    pub(super) certificate: &'a Certificate,
    pub(super) gateways: &'a [String; 2],
    pub(super) plain: u16,
    pub(super) redirecting: u16,
    pub(super) secure: u16,
}

/// Directories of nginx for what it can't hold in memory.
const TEMPORARY: [&str; 5] = ["client_body", "proxy", "fastcgi", "scgi", "uwsgi"];

/// Writes them as they would lie in `/etc/nginx`, both sites beside each other; the main file.
pub(super) fn write(places: &Places<'_>) -> anyhow::Result<PathBuf> {
    let directory = places.directory;
    for part in ["carillon", "conf.d"] {
        fs::create_dir_all(directory.join(part))?;
    }
    for file in ["http.conf", "locations.conf"] {
        fs::write(directory.join("carillon").join(file), shipped(&format!("carillon/{file}"), &[])?)?;
    }
    let [first, second] = places.gateways;
    let gateways = [("127.0.0.1:8001", first.clone()), ("127.0.0.1:8002", second.clone())];
    fs::write(directory.join("carillon/gateways.conf"), shipped("carillon/gateways.conf", &gateways)?)?;
    let sites = [("plain.conf", plain(places)?), ("tls.conf", secure(places)?)];
    for (file, text) in sites {
        fs::write(directory.join("conf.d").join(file), text)?;
    }
    let temporary = TEMPORARY.map(|name| format!("{name}_temp_path {};\n", directory.join(name).display()));
    let http = format!("pid {};\nhttp {{\n{}", directory.join("pid").display(), temporary.concat());
    let main = directory.join("nginx.conf");
    fs::write(&main, shipped("nginx.conf", &[("http {\n", http)])?)?;
    Ok(main)
}

fn plain(places: &Places<'_>) -> anyhow::Result<String> {
    let listen = format!("listen 127.0.0.1:{};", places.plain);
    shipped("sites/plain.conf", &[("listen 80;", listen), logs(places)])
}

fn secure(places: &Places<'_>) -> anyhow::Result<String> {
    let Places { certificate, secure, redirecting, .. } = places;
    shipped(
        "sites/tls.conf",
        &[
            ("listen 80;", format!("listen 127.0.0.1:{redirecting};")),
            ("listen 443 ssl http2;", format!("listen 127.0.0.1:{secure} ssl http2;")),
            ("/etc/nginx/tls/carillon.crt", certificate.file.display().to_string()),
            ("/etc/nginx/tls/carillon.key", certificate.key.display().to_string()),
            logs(places),
            // The other site has it, too, and is read first.
            ("include carillon/http.conf;", String::new()),
        ],
    )
}

fn logs(places: &Places<'_>) -> (&'static str, String) {
    ("/var/log/nginx", places.logs.display().to_string())
}

/// A file of `deploy/nginx` with some of it exchanged, all of which has to be in it.
fn shipped(file: &str, exchanged: &[(&str, String)]) -> anyhow::Result<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/nginx").join(file);
    let mut text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    for (old, new) in exchanged {
        ensure!(text.contains(old), "{file} has no {old:?}");
        text = text.replace(old, new);
    }
    Ok(text)
}
