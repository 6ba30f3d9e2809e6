//! Log lines that say of which trace they are.

use std::fmt;

use carillon_trace::TraceContext;
use tracing::{Event, Subscriber};
use tracing_subscriber::{
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::{Compact, Format, Json, Writer},
    },
    registry::LookupSpan,
};

/// A format whose lines name the trace that is current where they are written, as `trace_id`. Other lines are left
/// as they are.
pub(super) struct Traced<F> {
    format: F,
    place: fn(&str, &str, &mut Writer<'_>) -> fmt::Result,
}

impl<T> Traced<Format<Json, T>> {
    pub(super) fn json(format: Format<Json, T>) -> Self {
        Self { format, place: in_object }
    }
}

impl<T> Traced<Format<Compact, T>> {
    pub(super) fn text(format: Format<Compact, T>) -> Self {
        Self { format, place: at_end }
    }
}

impl<S, N, F> FormatEvent<S, N> for Traced<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let Some(trace) = TraceContext::current() else {
            return self.format.format_event(context, writer, event);
        };
        let mut line = String::new();
        self.format.format_event(context, Writer::new(&mut line), event)?;
        (self.place)(&line, &trace.trace_id(), &mut writer)
    }
}

/// As the first member of a JSON object.
fn in_object(line: &str, trace: &str, writer: &mut Writer<'_>) -> fmt::Result {
    match line.strip_prefix('{') {
        Some(rest) => write!(writer, "{{\"trace_id\":\"{trace}\",{rest}"),
        None => writer.write_str(line),
    }
}

/// As the last field of a line of text.
fn at_end(line: &str, trace: &str, writer: &mut Writer<'_>) -> fmt::Result {
    writeln!(writer, "{} trace_id={trace}", line.trim_end_matches('\n'))
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use tracing_subscriber::fmt;

    use super::*;

    const CALLER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("a lock").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Lines {
        fn said(&self) -> String {
            String::from_utf8(self.0.lock().expect("a lock").clone()).expect("text")
        }
    }

    async fn log() {
        tracing::info!(answer = 42, "without");
        let caller = TraceContext::parse(CALLER).expect("a context");
        caller.scope(async { tracing::info!(answer = 42, "within") }).await;
    }

    #[tokio::test]
    async fn a_line_of_text_ends_with_its_trace() {
        let lines = Lines::default();
        let written = lines.clone();
        let builder = fmt().compact().without_time().with_target(false);
        let builder = builder.map_event_format(|format| Traced::text(format.with_ansi(false)));
        let _logging =
            tracing::subscriber::set_default(builder.with_writer(move || written.clone()).finish());
        log().await;
        let expected =
            " INFO without answer=42\n INFO within answer=42 trace_id=4bf92f3577b34da6a3ce929d0e0e4736\n";
        assert_eq!(lines.said(), expected);
    }

    #[tokio::test]
    async fn a_json_line_has_a_member_for_it() {
        let lines = Lines::default();
        let written = lines.clone();
        let builder = fmt().json().flatten_event(true).map_event_format(Traced::json);
        let _logging =
            tracing::subscriber::set_default(builder.with_writer(move || written.clone()).finish());
        log().await;
        let said = lines.said();
        let lines: Vec<serde_json::Value> =
            said.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let member = |line: usize| lines[line]["trace_id"].as_str();
        assert_eq!((member(0), member(1)), (None, Some("4bf92f3577b34da6a3ce929d0e0e4736")));
        assert_eq!(lines[1]["message"], "within");
    }
}
