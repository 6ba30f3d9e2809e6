//! Who is really there: what the tabs themselves know.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use super::attendance::Attendance;

/// Where a tab is.
#[derive(Debug, Clone)]
pub(super) enum Place {
    /// It has no connection, nor asks for one.
    Away,
    /// It asks for a connection.
    OnTheWay,
    /// It has one.
    There { gateway: String, user: String, viewing: Option<u64> },
}

/// Every tab, by number.
#[derive(Debug, Default)]
pub(super) struct Truth(Mutex<BTreeMap<usize, Place>>);

impl Truth {
    pub(super) fn is(&self, tab: usize, place: Place) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(tab, place);
    }

    /// Who is there. `None` while a tab is on its way, or doesn't know yet that its gateway was killed.
    pub(super) fn settled(&self, killed: &str) -> Option<Attendance> {
        let mut attendance = Attendance::default();
        for place in self.0.lock().unwrap_or_else(PoisonError::into_inner).values() {
            match place {
                Place::Away => {}
                Place::OnTheWay => return None,
                Place::There { gateway, .. } if gateway == killed => return None,
                Place::There { user, viewing, .. } => {
                    attendance.come(user, viewing.iter().copied());
                }
            }
        }
        Some(attendance)
    }
}
