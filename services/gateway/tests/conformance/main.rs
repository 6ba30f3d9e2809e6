//! Holds the gateway's socket to RFC 6455 and RFC 7692, case by case, numbered as in the Autobahn test suite; and has clients of
//! other make talk to it.
//!
//! A real gateway process, on a real NATS server. What a client says goes to an owner that answers it with itself
//! (`owner.rs`), so whole messages can be compared; frames are written by hand (`wire.rs`). A case is a script and what
//! has to be heard (`script.rs`); each is a trial. A table ends the run, and `docs/conformance.md` lists every case with its
//! result: the trial `page` holds it to what is tested here. Beside the cases stand ten thousand hostile clients (`hostile.rs`). `make conformance` runs all of it; without `--include-ignored`
//! the browser is left out.

#![allow(clippy::expect_used, clippy::unwrap_used)]

mod cases;
mod clients;
mod gateway;
mod hostile;
mod owner;
mod page;
mod peer;
mod results;
mod script;
mod stage;
mod wire;

use std::{process::ExitCode, sync::Arc};

use libtest_mimic::{Arguments, Trial};

use crate::{results::Results, stage::Stage};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let groups = cases::groups();
    let page = page::written(&groups);
    let mut trials = vec![Trial::test("page", move || Ok(page::check(&page)?))];
    let results = Arc::new(Results::of(&groups));
    if arguments.list {
        // Nothing is run, so nothing has to be started.
        let names = groups.into_iter().flat_map(|group| group.cases).map(|case| case.number);
        trials.extend(
            names
                .chain(clients::NAMES.map(str::to_owned))
                .chain([hostile::NAME.to_owned()])
                .map(|name| Trial::test(name, || Ok(()))),
        );
        return libtest_mimic::run(&arguments, trials).exit_code();
    }
    let stage = Arc::new(Stage::start().expect("a gateway"));
    for group in groups {
        let name = group.name;
        for case in group.cases {
            let (stage, results) = (stage.clone(), results.clone());
            trials.push(Trial::test(case.number.clone(), move || Ok(results.record(name, case, &stage)?)));
        }
    }
    trials.extend(clients::trials(&stage));
    trials.push(hostile::trial());
    let conclusion = libtest_mimic::run(&arguments, trials);
    results.print();
    conclusion.exit_code()
}
