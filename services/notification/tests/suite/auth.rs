//! A stand-in for auth: organisations and their members.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use carillon_bus::{Bus, Handler, Refusal, RefusalKind, Server};
use carillon_contract::{
    Method, Resource, ServiceName,
    messages::{MembersReply, MembersRequest, MembershipReply, MembershipRequest},
};
use prost::Message;

#[derive(Default)]
pub(crate) struct State {
    pub(crate) members: BTreeMap<String, BTreeSet<String>>,
    /// From the page after this user on, it is away.
    pub(crate) away_after: Option<String>,
    /// The largest page.
    pub(crate) page: Option<usize>,
}

#[derive(Clone, Default)]
pub(crate) struct Auth(Arc<Mutex<State>>);

impl Auth {
    pub(crate) async fn serve(&self, bus: &Bus) -> Server {
        bus.serve(ServiceName::Auth, 16, self.clone()).await.expect("auth serves")
    }

    pub(crate) fn set(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.0.lock().expect("no panic"));
    }

    pub(crate) fn add(&self, org: &str, users: impl IntoIterator<Item = String>) {
        self.set(|state| state.members.entry(org.to_owned()).or_default().extend(users));
    }

    fn membership(&self, request: &MembershipRequest) -> MembershipReply {
        let state = self.0.lock().expect("no panic");
        let members = state.members.get(&id(&request.resource));
        MembershipReply {
            exists: members.is_some(),
            member: members.is_some_and(|members| members.contains(&request.user)),
        }
    }

    fn members(&self, request: &MembersRequest) -> Result<MembersReply, Refusal> {
        let state = self.0.lock().expect("no panic");
        if state.away_after.as_ref() == Some(&request.after) {
            return Err(Refusal::new(RefusalKind::Unavailable, "away"));
        }
        let Some(members) = state.members.get(&id(&request.resource)) else {
            return Ok(MembersReply::default());
        };
        let limit = state.page.unwrap_or(500).min(request.limit as usize);
        let mut users: Vec<String> =
            members.iter().filter(|user| **user > request.after).take(limit + 1).cloned().collect();
        let more = users.len() > limit;
        users.truncate(limit);
        Ok(MembersReply { exists: true, users, more })
    }
}

impl Handler for Auth {
    async fn handle(&self, method: &str, payload: Bytes) -> Result<Bytes, Refusal> {
        match method {
            MembershipRequest::NAME => {
                let request = MembershipRequest::decode(payload).expect("a request");
                Ok(self.membership(&request).encode_to_vec().into())
            }
            MembersRequest::NAME => {
                let request = MembersRequest::decode(payload).expect("a request");
                Ok(self.members(&request)?.encode_to_vec().into())
            }
            other => panic!("auth has no method {other}"),
        }
    }
}

fn id(resource: &str) -> String {
    resource.parse::<Resource>().expect("a resource").id().to_owned()
}
