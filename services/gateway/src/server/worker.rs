//! Seats: what a worker thread takes up when it starts.

use std::{
    cell::OnceCell,
    rc::Rc,
    sync::{Arc, Mutex, PoisonError},
};

use carillon_service::EventLoops;
use tokio::sync::mpsc;

use crate::{
    hub::{Delivery, ListenerId},
    metrics::Metrics,
    shard::{Alarm, Bounds, Control, Shard, work},
};

/// The receiving ends of one worker.
pub(crate) struct Seat {
    pub(crate) number: ListenerId,
    pub(crate) bounds: Bounds,
    pub(crate) deliveries: mpsc::Receiver<Vec<Delivery>>,
    pub(crate) controls: mpsc::Receiver<Control>,
    /// Where it counts how late its event loop is.
    pub(crate) event_loops: EventLoops,
}

thread_local! {
    /// The worker of this thread, which serves every listener: each has its services built on each thread.
    static WORKER: OnceCell<Rc<Shard>> = const { OnceCell::new() };
}

/// The worker of this thread, which takes up a free seat and starts when it is first asked for.
///
/// # Panics
/// If there is none: a worker that failed can't be replaced, since its connections are gone and
/// its place with them. If there is no descriptor left for its timer.
pub(super) fn take(seats: &Arc<Mutex<Vec<Seat>>>, metrics: Arc<Metrics>) -> Rc<Shard> {
    WORKER.with(|worker| worker.get_or_init(|| start(seats, metrics)).clone())
}

fn start(seats: &Arc<Mutex<Vec<Seat>>>, metrics: Arc<Metrics>) -> Rc<Shard> {
    let seat = seats.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let Some(seat) = seat else { panic!("a worker failed and can't be replaced") };
    let alarm = match Alarm::new() {
        Ok(alarm) => alarm,
        Err(error) => panic!("a worker has no timer: {error}"),
    };
    tokio::task::spawn_local(async move { seat.event_loops.measure(|_| ()).await });
    let shard = Shard::new(seat.number, seat.bounds, metrics);
    tokio::task::spawn_local(work(shard.clone(), seat.deliveries, seat.controls, alarm));
    shard
}
