//! Answers that are held back.

use tokio::sync::oneshot;

/// The service's side of an answer that is held back.
pub(super) struct Hold {
    reached: oneshot::Sender<()>,
    release: oneshot::Receiver<()>,
}

/// An answer that is held back, until this is dropped.
pub(crate) struct Held {
    pub(crate) reached: Option<oneshot::Receiver<()>>,
    _release: oneshot::Sender<()>,
}

impl Held {
    /// Waits until the service has worked out the answer.
    pub(crate) async fn reached(&mut self) {
        if let Some(reached) = self.reached.take() {
            reached.await.expect("a question");
        }
    }
}

pub(super) fn hold() -> (Hold, Held) {
    let ((reached, is_reached), (end, release)) = (oneshot::channel(), oneshot::channel());
    (Hold { reached, release }, Held { reached: Some(is_reached), _release: end })
}

/// Waits until the answer is no longer held back.
pub(super) async fn wait(hold: Option<Hold>) {
    if let Some(hold) = hold {
        // Whoever holds it may not look.
        let _ = hold.reached.send(());
        let _ = hold.release.await;
    }
}
