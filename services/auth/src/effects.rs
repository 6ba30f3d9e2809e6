//! What a transaction makes known: events on channel `access`, and what auth owes notification.

use carillon_contract::{
    Channel, Method, Resource, ResourceKind, ServiceName,
    messages::{
        AccessChange, Block, KeysChanged, MembershipEnded, PublishEventRequest, TokenRevoked, UserRevoked,
        Variant, access_change::Change,
    },
};
use carillon_store::{Debt, NewEvent};
use prost::Message;
use serde_json::json;

use crate::{random::random_id, user_name::rendered};

/// Gathered while a transaction runs, written as its last statements, and sent once it is committed.
#[derive(Default)]
pub(crate) struct Effects {
    pub(crate) events: Vec<NewEvent>,
    pub(crate) debts: Vec<Debt>,
}

impl Effects {
    /// Older tokens of a user are void.
    pub(crate) fn user_revoked(&mut self, revoked: UserRevoked) {
        self.change(Change::UserRevoked(revoked));
    }

    /// A token or login is void.
    pub(crate) fn token_revoked(&mut self, revoked: TokenRevoked) {
        self.change(Change::TokenRevoked(revoked));
    }

    /// Somebody is let in no more.
    pub(crate) fn blocked(&mut self, block: Block) {
        self.change(Change::Blocked(block));
    }

    /// Somebody is let in again.
    pub(crate) fn unblocked(&mut self, block: Block) {
        self.change(Change::Unblocked(block));
    }

    /// There is a new signing key.
    pub(crate) fn keys_changed(&mut self) {
        self.change(Change::KeysChanged(KeysChanged {}));
    }

    /// A user is a member no longer; an organisation that goes on is told.
    pub(crate) fn membership_ended(&mut self, user: &str, resource: &Resource) {
        self.membership_ended_with(user, resource);
        self.tell_organisation(resource, "member.left", user);
    }

    /// A user is a member no longer, because what it was a member of is no more.
    pub(crate) fn membership_ended_with(&mut self, user: &str, resource: &Resource) {
        let ended = MembershipEnded { user: user.to_owned(), resource: resource.to_string() };
        self.change(Change::MembershipEnded(ended));
    }

    /// A user has become a member.
    pub(crate) fn membership_began(&mut self, user: &str, resource: &Resource) {
        self.tell_organisation(resource, "member.joined", user);
    }

    fn change(&mut self, change: Change) {
        let change = AccessChange { change: Some(change) };
        let variants = vec![Variant::json(change.encode_to_vec())];
        self.events.push(NewEvent::new(Channel::access(), random_id(), variants));
    }

    /// Owes notification an event of the organisation (S1-15).
    fn tell_organisation(&mut self, resource: &Resource, event_type: &str, user: &str) {
        if resource.kind() != ResourceKind::Organisation {
            return;
        }
        let cause = format!("auth.{}", random_id());
        let request = PublishEventRequest {
            org: resource.id().to_owned(),
            event_type: event_type.to_owned(),
            data: json!({ "user_id": rendered(user) }).to_string().into(),
            cause: cause.clone(),
        };
        self.debts.push(Debt {
            to: ServiceName::Notification,
            method: PublishEventRequest::NAME.to_owned(),
            cause,
            payload: request.encode_to_vec().into(),
        });
    }
}
