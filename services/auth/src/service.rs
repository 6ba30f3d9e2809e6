//! The methods that auth answers on the bus.

use bytes::Bytes;
use carillon_contract::{
    Method, Resource, ServiceName,
    messages::{
        AccessReply, AccessRequest, HttpReply, HttpRequest, JwksReply, JwksRequest, MembersReply,
        MembersRequest, MembershipReply, MembershipRequest, ProjectRequest, ProjectsRequest,
    },
};
use carillon_service::{Failure, Service, answer, http::Problem};
use carillon_store::{Log, StoreError};

use crate::{api, auth::Auth, keys::KeyError, members, projects, resources, revocations};

/// Members in one reply: 600 KB at the longest ids, below what a message may hold.
const MAX_MEMBERS: u32 = 2_000;

impl Service for Auth {
    const NAME: ServiceName = ServiceName::Auth;

    fn log(&self) -> &Log {
        &self.log
    }

    async fn http(&self, request: HttpRequest) -> Result<HttpReply, Problem> {
        api::answer(self, &request).await
    }

    async fn call(&self, method: &str, payload: Bytes) -> Result<Bytes, Failure> {
        match method {
            AccessRequest::NAME => answer(payload, |request| self.access(request)).await,
            JwksRequest::NAME => answer(payload, |request| self.jwks(request)).await,
            MembershipRequest::NAME => answer(payload, |request| self.membership(request)).await,
            MembersRequest::NAME => answer(payload, |request| self.members(request)).await,
            ProjectsRequest::NAME => answer(payload, |request| projects::page(self, request)).await,
            ProjectRequest::NAME => answer(payload, |request| projects::show(self, request)).await,
            _ => Err(Failure::UnknownMethod),
        }
    }
}

impl Auth {
    /// The offset is read first: what changes meanwhile may be in the page already, and follows as an
    /// event all the same, which does no harm.
    async fn access(&self, request: AccessRequest) -> Result<AccessReply, Failure> {
        let heads = self.log.heads(&[carillon_contract::Channel::access().to_string()]).await?;
        let page = revocations::page(self.database.reader(), &request.after).await?;
        let page = page.ok_or_else(|| Failure::Malformed("`after` is no reply's `next`".to_owned()))?;
        let offset = heads.first().map_or(0, |head| head.offset);
        let prefixed_ids = self.names.are_prefixed();
        Ok(AccessReply { epoch: self.log.epoch().to_owned(), offset, prefixed_ids, ..page })
    }

    async fn jwks(&self, _request: JwksRequest) -> Result<JwksReply, Failure> {
        let keys = self.keys.current().await.map_err(|error| match error {
            KeyError::Store(error) => Failure::from(error),
            error => Failure::Internal(error.to_string()),
        })?;
        Ok(JwksReply { jwks: keys.jwks.clone() })
    }

    async fn membership(&self, request: MembershipRequest) -> Result<MembershipReply, Failure> {
        let Some(resource) = resource(&request.resource) else { return Ok(MembershipReply::default()) };
        let reader = self.database.reader();
        let member = members::is_member(reader, &resource, &request.user).await?;
        // Only a group has members.
        let exists = member || resources::exists(reader, &resource).await?;
        Ok(MembershipReply { exists, member })
    }

    async fn members(&self, request: MembersRequest) -> Result<MembersReply, Failure> {
        let Some(resource) = resource(&request.resource) else { return Ok(MembersReply::default()) };
        let limit = if request.limit == 0 { MAX_MEMBERS } else { request.limit.min(MAX_MEMBERS) };
        let (users, more) = self.page_of_members(&resource, &request.after, limit).await?;
        let exists = !users.is_empty() || resources::exists(self.database.reader(), &resource).await?;
        Ok(MembersReply { exists, users, more })
    }

    /// So many members after this one, and whether there are more.
    pub(crate) async fn page_of_members(
        &self,
        resource: &Resource,
        after: &str,
        limit: u32,
    ) -> Result<(Vec<String>, bool), StoreError> {
        let one_more = i64::from(limit) + 1;
        let mut users = members::page(self.database.reader(), resource, after, one_more).await?;
        let more = users.len() > limit as usize;
        users.truncate(limit as usize);
        Ok((users, more))
    }
}

/// A text that is no resource's name is one that doesn't exist.
fn resource(text: &str) -> Option<Resource> {
    text.parse().ok()
}
