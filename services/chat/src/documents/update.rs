//! Updates of documents, as Yjs encodes them (version 1).
//!
//! They are merged and cut without being applied to a document, so nothing that a client sends can
//! make a document unreadable: applying is for clients, and for tidying up in [`tidy`].

use std::mem::ManuallyDrop;

use yrs::{
    ClientID, Doc, ID, IdSet, OffsetKind, Options, ReadTxn as _, StateVector, Transact as _, Update,
    diff_updates_v1, updates::encoder::Encode as _,
};

use super::guard::{Unreadable, decode, unpanicked};

/// What an update adds to a document.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Extent {
    pub(crate) inserted: IdSet,
    pub(crate) deleted: IdSet,
}

impl Extent {
    /// Of an update.
    ///
    /// # Errors
    /// The bytes are none.
    pub(crate) fn of(update: &[u8]) -> Result<Self, Unreadable> {
        let update: Update = decode(update)?;
        unpanicked(|| {
            let mut deleted = IdSet::new();
            // As it stands in the update it need not be in order.
            for (client, ranges) in update.delete_set().iter() {
                for range in ranges.iter().filter(|range| !range.is_empty()) {
                    deleted.insert(ID::new(*client, range.start), range.end - range.start);
                }
            }
            Ok(Self { inserted: update.insertions(true), deleted })
        })
    }

    /// Of what is stored.
    ///
    /// # Errors
    /// The bytes are none.
    pub(crate) fn decode(inserted: &[u8], deleted: &[u8]) -> Result<Self, Unreadable> {
        Ok(Self { inserted: decode(inserted)?, deleted: decode(deleted)? })
    }

    pub(crate) fn is_empty(&self) -> bool {
        has_none(&self.inserted) && has_none(&self.deleted)
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.inserted.merge_with(other.inserted);
        self.deleted.merge_with(other.deleted);
    }

    /// Whether a document of that extent has all of this one.
    pub(crate) fn is_in(&self, other: &Self) -> bool {
        is_subset(&self.inserted, &other.inserted) && is_subset(&self.deleted, &other.deleted)
    }

    /// Of each client how much there is without a gap: what others needn't send.
    pub(crate) fn state_vector(&self) -> StateVector {
        let without_gap = |client: ClientID| {
            let first = self.inserted.get(&client)?.iter().next()?.0.clone();
            (first.start == 0).then_some((client, first.end))
        };
        self.inserted.client_ids().filter_map(without_gap).collect()
    }

    /// Whether somebody with this state lacks anything of it. Deletions have no state: they are
    /// always told.
    pub(crate) fn exceeds(&self, state: &StateVector) -> bool {
        let is_beyond = |client: ClientID| {
            let end =
                self.inserted.get(&client).and_then(|ranges| ranges.iter().last()).map(|last| last.0.end);
            end.is_some_and(|end| end > state.get(&client))
        };
        !has_none(&self.deleted) || self.inserted.client_ids().any(is_beyond)
    }
}

fn is_subset(part: &IdSet, whole: &IdSet) -> bool {
    part.client_ids().all(|client| match (part.get(&client), whole.get(&client)) {
        (Some(ranges), Some(others)) => ranges.subset_of(others),
        (ranges, None) => ranges.is_none_or(|ranges| ranges.is_empty()),
        (None, Some(_)) => true,
    })
}

fn has_none(set: &IdSet) -> bool {
    set.iter().all(|(_, ranges)| ranges.is_empty())
}

/// What somebody in this state lacks of an update.
///
/// # Errors
/// The bytes are no update.
pub(crate) fn difference(update: &[u8], state: &StateVector) -> Result<Vec<u8>, Unreadable> {
    if state.is_empty() {
        return Ok(update.to_vec());
    }
    unpanicked(|| Ok(diff_updates_v1(update, &state.encode_v1())?))
}

/// One update that says what several do.
///
/// # Errors
/// They can't be merged: then they are right as they are.
pub(crate) fn merge(updates: &[&[u8]]) -> Result<(Vec<u8>, Extent), Unreadable> {
    let extent = extent_of(updates)?;
    let merged = unpanicked(|| {
        let updates: Result<Vec<Update>, Unreadable> = updates.iter().map(|update| decode(update)).collect();
        Ok(Update::merge_updates(updates?).encode_v1())
    })?;
    verified(merged, &extent)
}

/// [`merge`], without the text and the values that were deleted since. For that they are applied to
/// a document.
///
/// # Errors
/// As [`merge`].
pub(crate) fn tidy(updates: &[&[u8]]) -> Result<(Vec<u8>, Extent), Unreadable> {
    let extent = extent_of(updates)?;
    let options = Options { offset_kind: OffsetKind::Utf16, ..Options::default() };
    let document = ManuallyDrop::new(Doc::with_options(options));
    let tidied = unpanicked(|| {
        // What has panicked is not dropped: it might panic again.
        let mut transaction = ManuallyDrop::new(document.transact_mut());
        for update in updates {
            let applied = transaction.apply_update(decode(update)?);
            applied.map_err(|error| Unreadable(error.to_string()))?;
        }
        drop(ManuallyDrop::into_inner(transaction));
        Ok(document.transact().encode_state_as_update_v1(&StateVector::default()))
    })?;
    drop(ManuallyDrop::into_inner(document));
    verified(tidied, &extent)
}

fn extent_of(updates: &[&[u8]]) -> Result<Extent, Unreadable> {
    let mut extent = Extent::default();
    for update in updates {
        extent.merge(Extent::of(update)?);
    }
    Ok(extent)
}

/// Whatever went wrong in between, nothing is lost.
fn verified(update: Vec<u8>, wanted: &Extent) -> Result<(Vec<u8>, Extent), Unreadable> {
    let extent = Extent::of(&update)?;
    if !wanted.is_in(&extent) {
        return Err(Unreadable("what was merged lacks something".to_owned()));
    }
    Ok((update, extent))
}

#[cfg(test)]
mod tests;
