//! A certificate whose files change is used from then on; if they hold what can't be used, the one before stays.

use std::{sync::Arc, time::Duration};

use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::{Certificate, Files, Server, files::Contents};

/// How often the files are looked at. A mounted secret changes by a link that leads elsewhere, other files are written or
/// renamed: reading them, which are small, finds all of that.
const LOOK: Duration = Duration::from_secs(1);

/// The files of a certificate, and what was seen of them.
pub(crate) struct Reload {
    files: Files,
    /// What they held when they were looked at last.
    seen: Result<Contents, String>,
    /// What they hold was taken, or refused.
    is_judged: bool,
}

impl Reload {
    /// Reads the files for the first time.
    ///
    /// # Errors
    /// What can't be used.
    pub(crate) fn first(files: Files) -> anyhow::Result<(Self, Certificate)> {
        let contents = files.read()?;
        let certificate = files.certificate(&contents)?;
        Ok((Self { files, seen: Ok(contents), is_judged: true }, certificate))
    }

    /// Looks at the files from now on.
    pub(crate) async fn run(mut self, server: Arc<Server>, ended: CancellationToken) {
        let mut looks = tokio::time::interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while ended.run_until_cancelled(looks.tick()).await.is_some() {
            // A file system may let one wait.
            let looked = tokio::task::spawn_blocking(move || {
                let found = self.look();
                (self, found)
            });
            let Ok((this, found)) = looked.await else { return };
            self = this;
            if let Some(found) = found {
                adopt(&server, found);
            }
        }
    }

    /// What there is to say about the files, if they have changed. Two files are not written at once, and one not
    /// in an instant: what can't be used is refused if it is still the same at the next look.
    fn look(&mut self) -> Option<anyhow::Result<Certificate>> {
        let seen = self.files.read().map_err(|error| format!("{error:#}"));
        let is_new = seen != self.seen;
        if !is_new && self.is_judged {
            return None;
        }
        let found = match &seen {
            Ok(contents) => self.files.certificate(contents),
            Err(error) => Err(anyhow::Error::msg(error.clone())),
        };
        self.seen = seen;
        self.is_judged = !is_new || found.is_ok();
        self.is_judged.then_some(found)
    }
}

fn adopt(server: &Server, found: anyhow::Result<Certificate>) {
    let shown = found.and_then(|certificate| server.show(&certificate).map(|()| certificate));
    match shown {
        Ok(certificate) => {
            server.metrics.loaded();
            tracing::info!(valid_until = certificate.valid_until(), "another certificate is in use");
        }
        Err(error) => {
            server.metrics.rejected();
            let error = format!("{error:#}");
            tracing::error!(error, "the certificate's files can't be used: the one before stays in use");
        }
    }
}
