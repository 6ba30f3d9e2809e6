//! What the environment says: the variables that every OpenTelemetry SDK reads.

use std::{num::NonZero, time::Duration};

/// The protocol in which spans are sent.
const PROTOCOL: &str = "http/protobuf";

/// How spans are collected and sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Settings {
    /// The most spans that wait to be sent; those that come then are dropped.
    pub(crate) queue: usize,
    /// The most spans of one request.
    pub(crate) batch: usize,
    /// How long a span may wait for others before it is sent.
    pub(crate) delay: Duration,
}

/// Why spans are not recorded though a collector is named.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SettingsError {
    #[error(
        "the protocol {0} is not spoken here: {PROTOCOL} is, at the collector's HTTP port (OTEL_EXPORTER_OTLP_PROTOCOL)"
    )]
    Protocol(String),
}

impl Settings {
    /// `None`: there is no collector, or nothing is to be sent to it.
    pub(crate) fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, SettingsError> {
        let variable = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        let of_traces = |name: &str| {
            let own = variable(&format!("OTEL_EXPORTER_OTLP_TRACES_{name}"));
            own.or_else(|| variable(&format!("OTEL_EXPORTER_OTLP_{name}")))
        };
        let is_disabled = variable("OTEL_SDK_DISABLED").is_some_and(|text| text.eq_ignore_ascii_case("true"));
        let goes_elsewhere = variable("OTEL_TRACES_EXPORTER").is_some_and(|exporter| exporter != "otlp");
        if is_disabled || goes_elsewhere || of_traces("ENDPOINT").is_none() {
            return Ok(None);
        }
        if let Some(other) = of_traces("PROTOCOL").filter(|protocol| protocol != PROTOCOL) {
            return Err(SettingsError::Protocol(other));
        }
        let number = |name: &str, default: usize| {
            let number = variable(name).and_then(|text| text.parse::<NonZero<usize>>().ok());
            number.map_or(default, NonZero::get)
        };
        let queue = number("OTEL_BSP_MAX_QUEUE_SIZE", 2_048);
        let delay = number("OTEL_BSP_SCHEDULE_DELAY", 5_000);
        Ok(Some(Self {
            queue,
            batch: number("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 512).min(queue),
            delay: Duration::from_millis(u64::try_from(delay).unwrap_or(u64::MAX)),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Option<Settings>, String> {
        let find = |name: &str| variables.iter().find(|(key, _)| *key == name);
        Settings::read(|name| find(name).map(|(_, value)| (*value).to_owned()))
            .map_err(|error| error.to_string())
    }

    const ENDPOINT: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318");

    #[test]
    fn there_is_nothing_without_a_collector() {
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&[("OTEL_EXPORTER_OTLP_ENDPOINT", " ")]), Ok(None));
        assert_eq!(read(&[ENDPOINT, ("OTEL_SDK_DISABLED", "TRUE")]), Ok(None));
        assert_eq!(read(&[ENDPOINT, ("OTEL_TRACES_EXPORTER", "none")]), Ok(None));
        assert!(
            read(&[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1/x")]).expect("read").is_some()
        );
    }

    #[test]
    fn the_queue_is_what_the_environment_says() {
        let delay = Duration::from_secs(5);
        assert_eq!(read(&[ENDPOINT]), Ok(Some(Settings { queue: 2_048, batch: 512, delay })));
        let given = [
            ENDPOINT,
            ("OTEL_BSP_MAX_QUEUE_SIZE", "100"),
            ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "nonsense"),
            ("OTEL_BSP_SCHEDULE_DELAY", "20"),
        ];
        let delay = Duration::from_millis(20);
        assert_eq!(read(&given), Ok(Some(Settings { queue: 100, batch: 100, delay })));
    }

    #[test]
    fn another_protocol_is_refused_by_name() {
        let refusal = read(&[ENDPOINT, ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]).expect_err("a refusal");
        assert!(refusal.contains("grpc") && refusal.contains("http/protobuf"), "{refusal}");
        let own = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/protobuf");
        assert!(read(&[ENDPOINT, ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"), own]).is_ok());
    }
}
