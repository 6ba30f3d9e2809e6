//! Awareness that is passed on, without its echoes.
//!
//! Every `y-websocket` client says again what it hears of others. If all of that were passed on,
//! each movement of a cursor in a room of twenty would become four hundred messages.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use yrs::{ClientID, sync::AwarenessUpdate};

/// For how long the same is an echo. Afterwards it answers somebody who asked through another replica.
const ECHO: Duration = Duration::from_secs(1);

/// The most documents, and clients of one, of which is remembered what they said last. Of any
/// more a few echoes are passed on.
const MAX_DOCUMENTS: usize = 2_000;
const MAX_CLIENTS: usize = 500;

/// What was passed on last, by this replica.
#[derive(Debug, Default)]
pub(crate) struct Echoes {
    documents: Mutex<HashMap<String, HashMap<ClientID, Last>>>,
}

#[derive(Debug, Clone, Copy)]
struct Last {
    clock: u32,
    is_gone: bool,
    at: Instant,
}

impl Echoes {
    /// What of a message is not a repetition. `None`: nothing is.
    pub(crate) fn without_echoes(
        &self,
        document: &str,
        mut update: AwarenessUpdate,
    ) -> Option<AwarenessUpdate> {
        let mut documents = self.locked();
        if documents.len() >= MAX_DOCUMENTS && !documents.contains_key(document) {
            documents.clear();
        }
        let known = documents.entry(document.to_owned()).or_default();
        if known.len() >= MAX_CLIENTS {
            known.clear();
        }
        update.clients.retain(|client, entry| {
            let next = Last { clock: entry.clock, is_gone: &*entry.json == "null", at: Instant::now() };
            let is_news = known.get(client).is_none_or(|last| next.is_news_after(last));
            if is_news {
                known.insert(*client, next);
            }
            is_news
        });
        (!update.clients.is_empty()).then_some(update)
    }

    /// Somebody asks: what was said before is news to them.
    pub(crate) fn forget(&self, document: &str) {
        self.locked().remove(document);
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<String, HashMap<ClientID, Last>>> {
        self.documents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Last {
    fn is_news_after(&self, last: &Self) -> bool {
        let is_newer = self.clock > last.clock || self.clock == last.clock && self.is_gone && !last.is_gone;
        is_newer || self.at.duration_since(last.at) >= ECHO
    }
}

#[cfg(test)]
mod tests {
    use yrs::sync::awareness::AwarenessUpdateEntry;

    use super::*;

    fn said(client: u64, clock: u32, json: &str) -> AwarenessUpdate {
        let entry = AwarenessUpdateEntry { clock, json: json.into() };
        AwarenessUpdate { clients: [(ClientID::new(client), entry)].into_iter().collect() }
    }

    #[test]
    fn echoes_end_and_news_go_on() {
        let echoes = Echoes::default();
        let passes = |update| echoes.without_echoes("plan", update).is_some();
        assert!(passes(said(1, 1, "{}")) && passes(said(2, 1, "{}")));
        assert!(!passes(said(1, 1, "{}")) && !passes(said(1, 0, "{}")));
        assert!(passes(said(1, 2, "{}")) && passes(said(1, 2, "null")) && !passes(said(1, 2, "null")));
        assert!(passes(said(3, 1, "{}")));
        echoes.forget("plan");
        assert!(passes(said(2, 1, "{}")) && !passes(said(2, 1, "{}")));
    }
}
