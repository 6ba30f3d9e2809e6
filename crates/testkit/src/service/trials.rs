//! Tests as trials of libtest-mimic: each on a fresh database.

use std::sync::Arc;

use libtest_mimic::Trial;
use tokio::{runtime::Runtime, time::timeout};

use super::{Engine, Engines, Place, TRIAL};

/// A test on a fresh database of this engine.
pub fn trial(
    name: String,
    engine: Engine,
    engines: Arc<Engines>,
    test: impl AsyncFnOnce(Place) + Send + 'static,
) -> Trial {
    Trial::test(name, move || {
        Runtime::new().map_err(|error| error.to_string())?.block_on(async {
            let place = engines.fresh(engine).await;
            timeout(TRIAL, test(place)).await.map_err(|_| "the test takes too long".into())
        })
    })
}

/// The trials of a service's suite: one for each engine that is named after a module.
///
/// ```ignore
/// let trials = carillon_testkit::trials! { &engines,
///     rooms: BOTH { messages_reach_everyone, names_are_kept_apart }
///     outage: POSTGRES { without_the_database_it_says_so }
/// };
/// ```
#[macro_export]
macro_rules! trials {
    ($engines:expr, $($module:ident: $kinds:ident { $($test:ident),* $(,)? })*) => {{
        let mut trials = Vec::new();
        $($(
            for engine in $crate::service::$kinds {
                let engines = ::std::sync::Arc::clone($engines);
                let name = format!("{}::{} on {}", stringify!($module), stringify!($test), engine.as_str());
                let test = async |place| $module::$test(place).await;
                trials.push($crate::service::trial(name, *engine, engines, test));
            }
        )*)*
        trials
    }};
}
