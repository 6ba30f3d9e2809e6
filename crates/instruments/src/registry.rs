//! The registry.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use prometheus::{
    Encoder, Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge,
    IntGaugeVec, Opts, Result, TextEncoder, core::Collector, proto::MetricFamily,
};

use crate::{Instrument, Kind};

/// The metrics of a process. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    registry: prometheus::Registry,
    instruments: Arc<Mutex<BTreeMap<String, Instrument>>>,
    /// What everything that is made here is labelled with.
    labels: HashMap<String, String>,
}

impl Registry {
    /// An empty registry.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same registry for metrics that more than one service of a process has: whatever is made with the
    /// result has the label `service`.
    #[must_use]
    pub fn of_service(&self, service: &str) -> Self {
        let mut labels = self.labels.clone();
        labels.insert("service".to_owned(), service.to_owned());
        Self { labels, ..self.clone() }
    }

    /// Adds a collector. Those of this registry's own making are added already.
    ///
    /// # Errors
    /// If it has a metric that is there already, with the same labels.
    pub fn register(&self, collector: Box<dyn Collector>) -> Result<()> {
        let instruments = instruments(&*collector);
        self.registry.register(collector)?;
        let mut known = self.lock();
        known.extend(instruments.into_iter().map(|instrument| (instrument.name.clone(), instrument)));
        Ok(())
    }

    /// The figures of this moment.
    pub fn gather(&self) -> Vec<MetricFamily> {
        self.registry.gather()
    }

    /// The same in Prometheus's text format.
    ///
    /// # Errors
    /// Figures that don't fit together.
    pub fn text(&self) -> Result<Vec<u8>> {
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.gather(), &mut text)?;
        Ok(text)
    }

    /// Every metric by name, also those without figures.
    pub fn instruments(&self) -> Vec<Instrument> {
        self.lock().values().cloned().collect()
    }

    /// A counter.
    ///
    /// # Errors
    /// As of [`Registry::register`]; so too of those below.
    pub fn counter(&self, name: &str, help: &str) -> Result<IntCounter> {
        self.added(IntCounter::with_opts(self.options(name, help))?)
    }

    /// Counters by these labels.
    ///
    /// # Errors
    /// As of [`Registry::register`].
    pub fn counters(&self, name: &str, help: &str, labels: &[&str]) -> Result<IntCounterVec> {
        self.added(IntCounterVec::new(self.options(name, help), labels)?)
    }

    /// A gauge of whole numbers.
    ///
    /// # Errors
    /// As of [`Registry::register`].
    pub fn gauge(&self, name: &str, help: &str) -> Result<IntGauge> {
        self.added(IntGauge::with_opts(self.options(name, help))?)
    }

    /// Gauges of whole numbers by these labels.
    ///
    /// # Errors
    /// As of [`Registry::register`].
    pub fn gauges(&self, name: &str, help: &str, labels: &[&str]) -> Result<IntGaugeVec> {
        self.added(IntGaugeVec::new(self.options(name, help), labels)?)
    }

    /// A gauge of any number, for instance of seconds.
    ///
    /// # Errors
    /// As of [`Registry::register`].
    pub fn level(&self, name: &str, help: &str) -> Result<Gauge> {
        self.added(Gauge::with_opts(self.options(name, help))?)
    }

    /// Gauges of any numbers by these labels.
    ///
    /// # Errors
    /// As of [`Registry::register`].
    pub fn levels(&self, name: &str, help: &str, labels: &[&str]) -> Result<GaugeVec> {
        self.added(GaugeVec::new(self.options(name, help), labels)?)
    }

    /// A histogram with these bounds.
    ///
    /// # Errors
    /// As of [`Registry::register`].
    pub fn histogram(&self, name: &str, help: &str, bounds: &[f64]) -> Result<Histogram> {
        let options = HistogramOpts::from(self.options(name, help)).buckets(bounds.to_vec());
        self.added(Histogram::with_opts(options)?)
    }

    /// Histograms with these bounds by these labels.
    ///
    /// # Errors
    /// As of [`Registry::register`].
    pub fn histograms(
        &self,
        name: &str,
        help: &str,
        bounds: &[f64],
        labels: &[&str],
    ) -> Result<HistogramVec> {
        let options = HistogramOpts::from(self.options(name, help)).buckets(bounds.to_vec());
        self.added(HistogramVec::new(options, labels)?)
    }

    /// A metric's name and help, with the labels that everything here has.
    pub fn options(&self, name: &str, help: &str) -> Opts {
        Opts::new(name, help).const_labels(self.labels.clone())
    }

    fn added<C: Collector + Clone + 'static>(&self, collector: C) -> Result<C> {
        self.register(Box::new(collector.clone()))?;
        Ok(collector)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Instrument>> {
        self.instruments.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a collector collects. A description lacks the type, and what is collected lacks the labels as long as
/// there are no figures.
fn instruments(collector: &dyn Collector) -> Vec<Instrument> {
    let families = collector.collect();
    let kind = |name: &str| {
        let family = families.iter().find(|family| family.name() == name);
        family.map_or(Kind::Other, |family| family.get_field_type().into())
    };
    let described = collector.desc().into_iter().map(|description| {
        let constant = description.const_label_pairs.iter().map(|pair| pair.name().to_owned());
        Instrument {
            name: description.fq_name.clone(),
            kind: kind(&description.fq_name),
            labels: constant.chain(description.variable_labels.iter().cloned()).collect(),
            help: description.help.clone(),
        }
    });
    described.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_without_figures_is_known() {
        let registry = Registry::new();
        registry.counters("a_total", "A.", &["outcome"]).expect("new");
        registry.of_service("chat").histograms("b_seconds", "B.", &[1.0], &["method"]).expect("new");
        assert!(registry.gather().is_empty());
        let [a, b] = &registry.instruments()[..] else { panic!("two of them") };
        assert_eq!((a.name.as_str(), a.kind, a.help.as_str()), ("a_total", Kind::Counter, "A."));
        assert!(a.labels.iter().eq(["outcome"]));
        assert_eq!((b.name.as_str(), b.kind), ("b_seconds", Kind::Histogram));
        assert!(b.labels.iter().eq(["method", "service"]));
    }

    #[test]
    fn services_of_one_process_share_a_metric_and_nothing_is_there_twice() {
        let registry = Registry::new();
        for service in ["chat", "auth"] {
            registry.of_service(service).gauge("a", "A.").expect("each its own").set(1);
        }
        assert!(registry.of_service("chat").gauge("a", "A.").is_err());
        assert_eq!(registry.gather()[0].get_metric().len(), 2);
        assert_eq!(registry.instruments().len(), 1);
    }
}
