//! What a process tells Prometheus.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use anyhow::{Context, Result, ensure};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The answer to a `GET`, head and body.
///
/// # Errors
/// Nobody there, or no answer in time.
pub(crate) fn get(operations: SocketAddr, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(operations)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut response = Vec::new();
    stream.read_to_end(&mut response)?;
    Ok(String::from_utf8_lossy(&response).into_owned())
}

/// `/metrics`.
///
/// # Errors
/// As [`get`], or another status than 200.
pub(crate) fn scrape(operations: SocketAddr) -> Result<String> {
    let text = get(operations, "/metrics").with_context(|| format!("no metrics from {operations}"))?;
    ensure!(text.starts_with("HTTP/1.1 200 "), "no metrics from {operations}: {text}");
    Ok(text)
}

/// The sum of the samples of this name that have this label.
pub(crate) fn sum(text: &str, name: &str, label: &str) -> f64 {
    let samples =
        text.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix('{')?.split_once("} "));
    let wanted = samples.filter(|(labels, _)| labels.split(',').any(|found| found == label));
    wanted.filter_map(|(_, value)| value.trim().parse::<f64>().ok()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_told_by_name_and_label() {
        let text = "# HELP a_count no\na_count{pool=\"all\",service=\"chat\"} 3\na_count{service=\"auth\"} 4\n\
                    a_counter{service=\"chat\"} 8\na_count{service=\"chat\"} 1.5\r\n";
        assert_eq!(sum(text, "a_count", "service=\"chat\""), 4.5);
        assert_eq!(sum(text, "b", "service=\"chat\""), 0.0);
    }
}
