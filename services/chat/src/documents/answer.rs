//! What a client lacks, in as many parts as it takes.

use bytes::Bytes;
use yrs::{StateVector, Update};

use super::{
    message,
    stored::Stored,
    update::{difference, merge},
};

/// The bytes of one part, about: with one more update it has to fit into a message on the bus.
const PART: usize = 512 * 1024;

/// One part of what a client lacks.
#[derive(Debug, Default)]
pub(crate) struct Part {
    pub(crate) frames: Vec<Bytes>,
    /// There is more, in the updates after this number.
    pub(crate) more_after: Option<i64>,
}

/// What somebody in this state lacks of these updates: their beginning, if it is much. Only the
/// last part tells the client that it is up to date.
pub(crate) fn part(updates: &[Stored], state: &StateVector) -> Part {
    let (mut lacking, mut bytes) = (Vec::new(), 0);
    let mut more_after = None;
    let mut last = 0;
    for stored in updates {
        if bytes >= PART {
            more_after = Some(last);
            break;
        }
        last = stored.number;
        if stored.extent.exceeds(state) {
            // What can't be cut is sent whole, which does no harm.
            let part = difference(&stored.content, state).unwrap_or_else(|_| stored.content.clone());
            bytes += part.len();
            lacking.push(part);
        }
    }
    Part { frames: frames(lacking, more_after.is_none()), more_after }
}

fn frames(mut updates: Vec<Vec<u8>>, is_last: bool) -> Vec<Bytes> {
    if updates.len() > 1 {
        let parts: Vec<&[u8]> = updates.iter().map(Vec::as_slice).collect();
        if let Ok((merged, _)) = merge(&parts) {
            updates = vec![merged];
        }
    }
    let last = is_last.then(|| updates.pop().unwrap_or_else(|| Update::EMPTY_V1.to_vec()));
    let frames = updates.iter().map(|update| message::update(update));
    frames.chain(last.map(message::answer)).collect()
}
