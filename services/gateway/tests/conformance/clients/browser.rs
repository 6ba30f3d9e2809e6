//! A page in a real browser. It is served by this process, and says to it what came of its sockets.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};
use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;

use super::{PATIENCE, addresses};
use crate::stage::Stage;

const PAGE: &str = include_str!("page.html");

/// By which names it goes.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// It is killed when this is dropped, with its many processes.
struct Browser(Child);

impl Drop for Browser {
    fn drop(&mut self) {
        let group = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw);
        let _ = group.map(|group| kill_process_group(group, Signal::KILL));
        let _ = self.0.wait();
    }
}

pub(super) fn talk(stage: &Stage) -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let directory = TempDir::with_prefix("carillon-browser-")?;
    let log = directory.path().join("browser.log");
    let file = File::create(&log)?;
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--"]).arg(program()?);
    // Without the sandbox, because that can't be had by root or in a container; it loads one page of ours.
    command.args([
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
    ]);
    command.args(["--no-proxy-server", "--disable-background-networking"]);
    command.arg(format!("--user-data-dir={}", directory.path().join("profile").display()));
    command.arg(format!("http://{}/", listener.local_addr()?));
    command.env("HOME", directory.path()).stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
    let mut browser = Browser(command.process_group(0).spawn().context("setpriv")?);
    let page = PAGE.replace("{addresses}", &addresses(stage).join(" "));
    let outcome = outcome(&listener, &page, &mut browser);
    let outcome = outcome.with_context(|| std::fs::read_to_string(&log).unwrap_or_default())?;
    ensure!(outcome == "conforms", "{outcome}");
    Ok(())
}

/// Serves the page until it has said what came of it.
fn outcome(listener: &TcpListener, page: &str, browser: &mut Browser) -> anyhow::Result<String> {
    let since = Instant::now();
    while since.elapsed() < PATIENCE {
        match listener.accept() {
            Ok((stream, _)) => {
                if let Some(outcome) = serve(stream, page)? {
                    return Ok(outcome);
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                thread::sleep(Duration::from_millis(10));
            }
            Err(error) => return Err(error).context("accepting"),
        }
        if let Some(status) = browser.0.try_wait()? {
            bail!("the browser has ended: {status}");
        }
    }
    bail!("the page has said nothing in time")
}

/// Answers one request. `Some`: it was what the page has to say.
fn serve(stream: TcpStream, page: &str) -> anyhow::Result<Option<String>> {
    stream.set_nonblocking(false)?;
    // A browser opens connections in advance, on which nothing may come.
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    let mut reader = BufReader::new(&stream);
    let (mut request, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return Ok(None);
        }
        if request.is_empty() {
            request.clone_from(&line);
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse()?;
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let is_outcome = request.starts_with("POST /outcome ");
    let (status, content) = match request.starts_with("GET / ") {
        true => ("200 OK", page),
        false if is_outcome => ("200 OK", ""),
        false => ("404 Not Found", ""),
    };
    write!(
        &stream,
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{content}",
        content.len()
    )?;
    Ok(is_outcome.then(|| String::from_utf8_lossy(&body).into_owned()))
}

fn program() -> anyhow::Result<PathBuf> {
    let directories: Vec<PathBuf> =
        std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect();
    let candidates =
        NAMES.iter().flat_map(|name| directories.iter().map(move |directory| directory.join(name)));
    let mut found = candidates.filter(|path| path.is_file());
    found.next().context("there is no Chromium on PATH: `make conformance` installs it where it may, and says how where it may not")
}
