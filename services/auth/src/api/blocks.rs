//! `/api/auth/blocks/`: who is let in no more.

use std::net::IpAddr;

use carillon_contract::{
    Id,
    messages::{HttpReply, HttpRequest},
};
use carillon_service::{
    http::{self, Problem},
    time::timestamp,
};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{begin, page::Page};
use crate::{
    auth::Auth,
    blocks::{self, Block, Subject},
    new_user,
    revocations::SECOND,
    user_name::rendered,
};

/// From a second to ten years.
const LIFETIMES: std::ops::RangeInclusive<i64> = 1..=10 * 365 * 24 * 60 * 60;

#[derive(Deserialize)]
struct Body {
    /// One of these two.
    user_id: Option<Id>,
    address: Option<String>,
    /// Seconds; without it, until it is lifted.
    expires_in: Option<i64>,
    #[serde(default)]
    reason: String,
}

#[derive(Serialize)]
struct Shown {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    reason: String,
    created_by: String,
    created_at: String,
    expires_at: Option<String>,
}

pub(super) async fn list(auth: &Auth, request: &HttpRequest) -> Result<HttpReply, Problem> {
    let page = Page::of(request)?;
    let blocks = blocks::page(auth.database.reader(), &page.after, page.rows()).await?;
    let (blocks, next) = page.cut(blocks, |block| block.id.clone());
    let items: Vec<Shown> = blocks.into_iter().map(shown).collect();
    Ok(http::json(200, &json!({ "items": items, "next": next })))
}

/// Blocks a user or an address. Who is blocked already has that block changed.
pub(super) async fn create(auth: &Auth, request: &HttpRequest) -> Result<HttpReply, Problem> {
    let block = requested(request)?;
    let mut change = begin!(auth, request);
    let block = blocks::set(&mut change.tx, block).await?;
    change.effects.blocked(block.told());
    let answer = http::json(201, &shown(block));
    change.commit(auth, &answer).await?;
    auth.metrics.revoked("block", 1);
    Ok(answer)
}

pub(super) async fn delete(auth: &Auth, request: &HttpRequest) -> Result<HttpReply, Problem> {
    let id = http::parameter(request, "block_id");
    let mut change = begin!(auth, request);
    let block = blocks::lift(&mut change.tx, id).await?;
    let block = block.ok_or_else(|| Problem::not_found("there is no such block"))?;
    change.effects.unblocked(block.told());
    let answer = http::no_content();
    change.commit(auth, &answer).await?;
    Ok(answer)
}

fn requested(request: &HttpRequest) -> Result<Block, Problem> {
    let Body { user_id, address, expires_in, reason } = http::body(request)?;
    let caller = http::user(request)?;
    let subject = match (user_id, address) {
        (Some(user), None) => Subject::User(user.into_string()),
        (None, Some(address)) => Subject::Network(network(&address)?),
        (Some(_), Some(_)) => {
            return Err(Problem::unprocessable("address", "a user or an address, not both"));
        }
        (None, None) => return Err(Problem::unprocessable("user_id", "a user or an address is needed")),
    };
    match &subject {
        Subject::User(user) if *user == caller.user => {
            return Err(Problem::unprocessable("user_id", "this is you"));
        }
        Subject::Network(network) if is_within(&request.address, network) => {
            return Err(Problem::unprocessable("address", "your own address is among these"));
        }
        Subject::User(_) | Subject::Network(_) => {}
    }
    if expires_in.is_some_and(|seconds| !LIFETIMES.contains(&seconds)) {
        return Err(Problem::unprocessable("expires_in", "seconds, from one to ten years"));
    }
    let lifetime = expires_in.map(|seconds| seconds * SECOND);
    Ok(Block::new(subject, new_user::text("reason", reason)?, caller.user.clone(), lifetime))
}

/// A network, or the one that holds just an address; never all there are.
fn network(text: &str) -> Result<IpNet, Problem> {
    let unreadable = || {
        let forms = "an address as 192.0.2.7 or 2001:db8::7, or a network as 203.0.113.0/24 or 2001:db8::/64";
        Problem::unprocessable("address", forms)
    };
    let text = text.trim();
    let network = match text.parse::<IpAddr>() {
        Ok(address) => IpNet::from(address.to_canonical()),
        Err(_) => text.parse::<IpNet>().map_err(|_| unreadable())?.trunc(),
    };
    match network {
        // IPv4 written as IPv6: gateways know it by its own name.
        IpNet::V6(v6) if v6.addr().to_ipv4_mapped().is_some() => Err(unreadable()),
        network if network.prefix_len() == 0 => Err(unreadable()),
        network => Ok(network),
    }
}

fn is_within(address: &str, network: &IpNet) -> bool {
    address.parse::<IpAddr>().is_ok_and(|address| network.contains(&address.to_canonical()))
}

fn shown(block: Block) -> Shown {
    let (user_id, address) = match &block.subject {
        Subject::User(user) => (Some(rendered(user)), None),
        // One address without the length of its network, as it was given.
        Subject::Network(network) if network.prefix_len() == network.max_prefix_len() => {
            (None, Some(network.addr().to_string()))
        }
        Subject::Network(network) => (None, Some(network.to_string())),
    };
    Shown {
        id: block.id,
        user_id,
        address,
        reason: block.reason,
        created_by: block.created_by,
        created_at: timestamp(block.created_at),
        expires_at: block.expires_at.map(timestamp),
    }
}
