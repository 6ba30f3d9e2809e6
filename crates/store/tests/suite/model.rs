//! Random concurrent appends against a model.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use carillon_store::{Appended, NewEvent};
use futures_util::future::join_all;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use crate::{
    Fresh,
    fixture::{all_events, append, event, history, offsets},
};

const ROUNDS: u64 = 4;
const TASKS: usize = 6;
const APPENDS: usize = 12;

/// Tells how to repeat a round that failed.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the seed was {}", self.0);
        }
    }
}

/// What one task asks: several calls, each of a few events, many with causes that others use too.
fn script(random: &mut StdRng) -> Vec<Vec<NewEvent>> {
    let mut one =
        || event(&format!("c{}", random.random_range(0..4)), &format!("x{}", random.random_range(0..150)));
    (0..APPENDS).map(|call| (0..=call % 7).map(|_| one()).collect()).collect()
}

pub(crate) async fn random_concurrent_appends_agree_with_a_model(fresh: Fresh) {
    let (database, log) = fresh.log().await;
    let mut model = Model::default();
    for _ in 0..ROUNDS {
        let seed = Seed(rand::random());
        let mut random = StdRng::seed_from_u64(seed.0);
        let scripts: Vec<_> = (0..TASKS).map(|_| script(&mut random)).collect();
        let task = async |script: &Vec<Vec<NewEvent>>| {
            let mut outcomes = Vec::new();
            for events in script {
                outcomes.push(append(&database, &log, events).await.unwrap());
            }
            outcomes
        };
        let outcomes = join_all(scripts.iter().map(task)).await;
        for (script, outcomes) in scripts.iter().zip(&outcomes) {
            for (events, appended) in script.iter().zip(outcomes) {
                model.learn(events, appended);
            }
        }
    }
    for (name, causes) in &model.causes {
        let events = all_events(&log, name.strip_prefix("user.").unwrap()).await;
        assert_eq!(offsets(&events), (1..=causes.len() as u64).collect::<Vec<_>>());
        assert_eq!(history(&log, name.strip_prefix("user.").unwrap(), 0, 0).await.head, causes.len() as u64);
    }
    assert_eq!(model.fresh, model.offsets.len());
}

/// What must hold, whatever the order in which the appends took effect.
#[derive(Default)]
struct Model {
    /// Each cause of a channel has one offset, for everyone who asked.
    offsets: HashMap<(String, String), u64>,
    causes: BTreeMap<String, BTreeSet<String>>,
    /// Of all who asked for a cause, one was not told that it is a duplicate.
    fresh: usize,
}

impl Model {
    fn learn(&mut self, events: &[NewEvent], appended: &[Appended]) {
        assert_eq!(events.len(), appended.len());
        let mut last: HashMap<&str, u64> = HashMap::new();
        for (new, appended) in events.iter().zip(appended) {
            let channel = new.channel.to_string();
            let known =
                self.offsets.entry((channel.clone(), new.cause.clone())).or_insert(appended.event.offset);
            assert_eq!(*known, appended.event.offset);
            assert_eq!(appended.event.variants, new.variants);
            self.causes.entry(channel).or_default().insert(new.cause.clone());
            if !appended.duplicate {
                self.fresh += 1;
                // Within a call, offsets follow the order of the events.
                let previous = last.insert(new.channel.as_str(), appended.event.offset);
                assert!(previous.is_none_or(|previous| previous + 1 == appended.event.offset));
            }
        }
    }
}
