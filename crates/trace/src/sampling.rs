//! Which traces are recorded.

use opentelemetry_sdk::trace::Sampler;

/// What decides it.
#[derive(Debug)]
pub(crate) struct Sampling {
    pub(crate) sampler: Sampler,
    /// What a caller has decided about its trace counts, and the sampler only for traces that begin here.
    pub(crate) by_parent: bool,
    /// What is wrong with the configuration, if something is: a process that can't be watched as it was meant
    /// to is better than none.
    pub(crate) complaint: Option<String>,
}

impl Sampling {
    /// By `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG`. Everything, if neither is there.
    pub(crate) fn of(name: Option<&str>, argument: Option<&str>) -> Self {
        let name = name.unwrap_or("parentbased_always_on");
        let (kind, by_parent) = match name.strip_prefix("parentbased_") {
            Some(kind) => (kind, true),
            None => (name, false),
        };
        let (root, complaint) = match (kind, ratio(argument)) {
            ("always_on", _) => (Sampler::AlwaysOn, None),
            ("always_off", _) => (Sampler::AlwaysOff, None),
            ("traceidratio", Some(ratio)) => (Sampler::TraceIdRatioBased(ratio), None),
            ("traceidratio", None) => {
                let complaint = "OTEL_TRACES_SAMPLER_ARG has to be 0 to 1; every trace is recorded";
                (Sampler::AlwaysOn, Some(complaint.to_owned()))
            }
            _ => {
                let complaint =
                    format!("OTEL_TRACES_SAMPLER={name} is not known here; every trace is recorded");
                return Self { sampler: Sampler::AlwaysOn, by_parent: true, complaint: Some(complaint) }
                    .wrapped();
            }
        };
        Self { sampler: root, by_parent, complaint }.wrapped()
    }

    fn wrapped(self) -> Self {
        if !self.by_parent {
            return self;
        }
        Self { sampler: Sampler::ParentBased(Box::new(self.sampler)), ..self }
    }
}

/// Of the traces, so many: 1 where nothing is said.
fn ratio(argument: Option<&str>) -> Option<f64> {
    let ratio: f64 = argument.unwrap_or("1").trim().parse().ok()?;
    (0.0..=1.0).contains(&ratio).then_some(ratio)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sampling(name: &str, argument: &str) -> (String, bool, bool) {
        let argument = (!argument.is_empty()).then_some(argument);
        let Sampling { sampler, by_parent, complaint } = Sampling::of(Some(name), argument);
        (format!("{sampler:?}"), by_parent, complaint.is_some())
    }

    #[test]
    fn the_standard_names_are_known() {
        let expected = |text: &str, by_parent| (text.to_owned(), by_parent, false);
        assert_eq!(sampling("always_on", ""), expected("AlwaysOn", false));
        assert_eq!(sampling("always_off", ""), expected("AlwaysOff", false));
        assert_eq!(sampling("traceidratio", "0.25"), expected("TraceIdRatioBased(0.25)", false));
        assert_eq!(sampling("parentbased_always_off", ""), expected("ParentBased(AlwaysOff)", true));
        let one_percent = expected("ParentBased(TraceIdRatioBased(0.01))", true);
        assert_eq!(sampling("parentbased_traceidratio", "0.01"), one_percent);
    }

    #[test]
    fn what_is_not_known_is_said_and_records_everything() {
        let everything = ("ParentBased(AlwaysOn)".to_owned(), true, true);
        assert_eq!(sampling("xray", ""), everything);
        for argument in ["1.5", "-1", "some"] {
            assert_eq!(sampling("parentbased_traceidratio", argument), everything, "{argument}");
        }
        assert!(Sampling::of(None, None).complaint.is_none());
    }
}
