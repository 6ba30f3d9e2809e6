//! Frames as those get them who agreed to compression: one compressor for all of a worker's connections.

use std::{cell::RefCell, sync::Arc};

use crate::{
    metrics::Metrics,
    websocket::{Deflater, Frame, Window},
};

pub(super) struct Compressor {
    deflater: RefCell<Deflater>,
    /// Messages of fewer bytes are not worth it.
    min_bytes: usize,
    metrics: Arc<Metrics>,
}

impl Compressor {
    pub(super) fn new(min_bytes: usize, metrics: Arc<Metrics>) -> Self {
        Self { deflater: RefCell::default(), min_bytes, metrics }
    }

    /// The frame itself, or its message compressed, whichever is smaller.
    pub(super) fn fit(&self, frame: &Frame, window: Option<Window>) -> Frame {
        let Some(window) = window.filter(|_| frame.len() >= self.min_bytes) else { return frame.clone() };
        let compressed = self.deflater.borrow_mut().deflate(frame, window);
        let outcome = if compressed.is_some() { "smaller" } else { "not_smaller" };
        self.metrics.compressions.with_label_values(&[outcome]).inc();
        compressed.unwrap_or_else(|| frame.clone())
    }

    /// The same for what one connection gets.
    pub(super) fn for_one(&self, frame: Frame, window: Option<Window>) -> Frame {
        if window.is_none() {
            return frame;
        }
        let fitting = self.fit(&frame, window);
        self.metrics.saved_bytes.inc_by((frame.len() - fitting.len()) as u64);
        fitting
    }

    #[cfg(test)]
    pub(super) fn of_tests() -> Self {
        let metrics = Metrics::new(&carillon_instruments::Registry::new()).expect("metrics");
        Self::new(512, Arc::new(metrics))
    }
}
