//! Why there is no connection. The client's event of a failed attempt says its kind alone, such as "TLS error"; what the matter is
//! it notes about each server.

use std::{
    collections::BTreeSet,
    future::ready,
    sync::{Arc, Mutex, PoisonError},
};

use async_nats::ConnectOptions;

/// What kept the latest attempts from succeeding.
#[derive(Debug, Clone, Default)]
pub(super) struct Trouble(Arc<Mutex<Option<String>>>);

impl Trouble {
    /// Has the client show its notes before each attempt.
    pub(super) fn noted_by(&self, options: ConnectOptions) -> ConnectOptions {
        let trouble = self.clone();
        options.reconnect_to_server_callback(move |servers, _| {
            let reasons: BTreeSet<String> =
                servers.into_iter().filter_map(|server| server.last_error).collect();
            let reasons: Vec<String> = reasons.into_iter().collect();
            *trouble.0.lock().unwrap_or_else(PoisonError::into_inner) =
                (!reasons.is_empty()).then(|| reasons.join("; "));
            // Which server is next is the client's choice.
            ready(None)
        })
    }

    /// Why, as of the latest attempts but one.
    pub(super) fn reason(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
