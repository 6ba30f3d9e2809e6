//! Figures as they are shown (S0-10), and how they come about.

use std::{collections::BTreeMap, ops::AddAssign, sync::Arc};

use serde::{Serialize, Serializer};

use super::{Counts, Entrance, Past, Pasts, Report};

/// Everything, and its parts: what each gateway has counted that is there, and what the others have, come to the
/// same as what was counted at each entrance.
#[derive(Debug, Default)]
pub(crate) struct Breakdown {
    pub(crate) all: Figures,
    pub(crate) gateways: Vec<(Arc<Report>, Figures)>,
    pub(crate) gone: Figures,
    pub(crate) entrances: BTreeMap<Entrance, Figures>,
}

/// What is shown, of whatever it is that was counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Figures {
    pub(crate) counts: Counts,
    /// Connections that are open.
    pub(crate) active: u64,
    /// Connections that were opened today.
    pub(crate) today: u64,
    /// Messages of the last minute.
    pub(crate) recent: u64,
}

impl Breakdown {
    /// Adds what a gateway tells that is there.
    pub(super) fn add(&mut self, report: &Arc<Report>, pasts: &Pasts, day: i64) {
        let mut sum = Figures::default();
        for (entrance, past) in pasts {
            sum += self.add_at(entrance, Figures::of(past, day));
        }
        // Whatever else counts of it: these are its connections.
        for (entrance, past) in &report.pasts {
            let active = past.counts.opened.saturating_sub(past.counts.closed);
            let recent = report.recent.get(entrance).copied().unwrap_or_default();
            sum += self.add_at(entrance, Figures { active, recent, ..Figures::default() });
        }
        self.gateways.push((report.clone(), sum));
    }

    /// Adds what was counted by gateways that are gone.
    pub(super) fn add_gone(&mut self, pasts: &Pasts, day: i64) {
        for (entrance, past) in pasts {
            let figures = self.add_at(entrance, Figures::of(past, day));
            self.gone += figures;
        }
    }

    fn add_at(&mut self, entrance: &Entrance, figures: Figures) -> Figures {
        self.all += figures;
        match self.entrances.get_mut(entrance) {
            Some(sum) => *sum += figures,
            None => drop(self.entrances.insert(entrance.clone(), figures)),
        }
        figures
    }
}

impl Figures {
    fn of(past: &Past, day: i64) -> Self {
        Self { counts: past.counts, today: past.opened_on(day), ..Self::default() }
    }
}

impl AddAssign for Figures {
    fn add_assign(&mut self, other: Self) {
        self.counts += other.counts;
        self.active += other.active;
        self.today += other.today;
        self.recent += other.recent;
    }
}

impl Serialize for Figures {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Shown {
            active_connections: u64,
            connections_today: u64,
            messages_sent: u64,
            messages_received: u64,
            avg_connection_duration: f64,
            messages_per_minute: u64,
            connections_total: u64,
            handshakes_refused: u64,
            bytes_sent: u64,
            bytes_received: u64,
        }
        let Counts { closed, closed_milliseconds, .. } = self.counts;
        let shown = Shown {
            active_connections: self.active,
            connections_today: self.today,
            messages_sent: self.counts.messages_sent,
            messages_received: self.counts.messages_received,
            avg_connection_duration: closed_milliseconds as f64 / 1e3 / closed.max(1) as f64,
            messages_per_minute: self.recent,
            connections_total: self.counts.opened,
            handshakes_refused: self.counts.refused,
            bytes_sent: self.counts.bytes_sent,
            bytes_received: self.counts.bytes_received,
        };
        shown.serialize(serializer)
    }
}
