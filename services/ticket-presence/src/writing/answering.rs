//! What each order does.

use carillon_store::StoreError;

use super::{Answer, Change, Ledger, Order};
use crate::{comments, statuses, tickets};

/// Carries out an order within the ledger's transaction.
pub(super) async fn answer(ledger: &mut Ledger<'_>, order: &Order) -> Result<Answer, StoreError> {
    match &order.change {
        Change::CreateTicket(creation) => tickets::create(ledger, order, creation).await,
        Change::UpdateTicket(update) => tickets::update(ledger, order, update).await,
        Change::DeleteTicket(deletion) => tickets::delete(ledger, order, deletion).await,
        Change::AddComment(addition) => comments::add(ledger, order, addition).await,
        Change::EditComment(edit) => comments::edit(ledger, order, edit).await,
        Change::DeleteComment(deletion) => comments::delete(ledger, order, deletion).await,
        Change::CreateStatus(creation) => statuses::create(ledger, order, creation).await,
        Change::UpdateStatus(update) => statuses::update(ledger, order, update).await,
        Change::DeleteStatus(deletion) => statuses::delete(ledger, order, deletion).await,
    }
}
