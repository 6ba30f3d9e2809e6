//! What each order does, and what it is answered when it comes again.

use carillon_contract::messages::HttpReply;
use carillon_service::http;
use carillon_store::StoreError;
use serde_json::Value;

use super::{Answer, Change, Ledger, Order};
use crate::{comments, statuses, tickets};

/// Carries out an order within the ledger's transaction, unless that was done before.
pub(super) async fn answer(ledger: &mut Ledger<'_>, order: &Order) -> Result<Answer, StoreError> {
    if let Some(frame) = ledger.told(order)? {
        return Ok(Ok(again(&order.change, frame)));
    }
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

/// The answer of then, whatever has changed since: what was told has it.
fn again(change: &Change, frame: &Value) -> HttpReply {
    let data = &frame["data"];
    match change {
        Change::CreateTicket(_) | Change::CreateStatus(_) => http::json(201, data),
        Change::AddComment(_) => http::json(201, &comments::uncounted(data)),
        Change::UpdateTicket(_) | Change::EditComment(_) | Change::UpdateStatus(_) => http::json(200, data),
        Change::DeleteTicket(_) | Change::DeleteComment(_) | Change::DeleteStatus(_) => http::no_content(),
    }
}
