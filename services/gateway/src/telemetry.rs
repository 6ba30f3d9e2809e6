//! What the gateway tells of itself: once a second what it has counted since it started, and, when it is asked,
//! who is connected. Nothing of it costs anything where events pass: workers keep plain numbers.

mod entrance;
mod recent;
mod reception;
mod refusals;
mod reporter;

use std::time::Duration;

use futures_util::future::join_all;
use tokio::{sync::mpsc, time::timeout};

use crate::shard::Control;

pub(crate) use entrance::Entrance;
pub(crate) use reception::answer;
pub(crate) use refusals::Refusals;
pub(crate) use reporter::report;

/// How long a worker may take over a question.
const PATIENCE: Duration = Duration::from_millis(700);

/// What each worker answers; `None` for one that doesn't in time.
async fn ask_all<T>(
    workers: &[mpsc::Sender<Control>],
    question: impl Fn(mpsc::Sender<T>) -> Control,
) -> Vec<Option<T>> {
    let ask = async |worker: &mpsc::Sender<Control>| {
        let (reply, mut answer) = mpsc::channel(1);
        // One that has ended drops the question, and with it where the answer would go.
        worker.send(question(reply)).await.ok()?;
        answer.recv().await
    };
    let asked =
        workers.iter().map(|worker| async move { timeout(PATIENCE, ask(worker)).await.ok().flatten() });
    join_all(asked).await
}
