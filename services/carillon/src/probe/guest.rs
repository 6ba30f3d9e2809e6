//! As whom a deployment is probed, and where that user may go.

use anyhow::Context;
use reqwest::Method;
use serde_json::{Value, json};

use super::Args;
use crate::client::{ApiError, SecretText, Target, log_in};

/// The demo's user, and the one whom it talks to.
const DEMO: &str = "alice";
const DEMO_PASSWORD: &str = "carillon";
const DEMO_PARTNER: u64 = 2;

/// Under which name a conversation of the demo's is made, once.
const KEY: &str = "carillon-probe";

/// Whoever probes.
#[derive(Debug)]
pub(super) struct Guest {
    pub(super) target: Target,
    pub(super) user: Option<String>,
    pub(super) org: Option<String>,
    pub(super) project: Option<String>,
    pub(super) conversation: Option<String>,
    pub(super) room: String,
    name: String,
}

impl Guest {
    /// Finds out who the token's holder is, and what there is for it.
    ///
    /// # Errors
    /// A login that is refused, or a token that isn't taken.
    pub(super) async fn arrive(args: &Args) -> anyhow::Result<Self> {
        let mut target = args.target.target().await?;
        let mut is_demo = false;
        if target.token.is_none() && !args.anonymous && target.address.is_loopback() {
            // Where there is no demo, nobody is fine, too.
            if let Ok(token) =
                log_in(&target.address, DEMO, &SecretText::from(DEMO_PASSWORD.to_owned())).await
            {
                (target, is_demo) = (Target::new(&args.target.url, Some(token))?, true);
            }
        }
        let me = if target.token.is_some() { me(&target).await? } else { Value::Null };
        let mut guest = Self {
            user: id(&me["id"]),
            org: args.org.clone().or_else(|| id(&me["organisations"][0]["id"])),
            project: args.project.clone().or_else(|| id(&me["projects"][0]["id"])),
            conversation: args.conversation.clone(),
            room: args.room.clone(),
            name: me["username"].as_str().filter(|name| !name.is_empty()).unwrap_or("anonymous").to_owned(),
            target,
        };
        if guest.conversation.is_none() && guest.user.is_some() {
            guest.conversation = guest.find_conversation(is_demo).await;
        }
        Ok(guest)
    }

    /// The user's name, for people.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The latest of the user's conversations; the demo's user begins one, once.
    async fn find_conversation(&self, is_demo: bool) -> Option<String> {
        let api = &self.target.api;
        let list = api.get("/api/chat/conversations/?limit=1").await.ok()?;
        let found = id(&list["conversations"][0]["id"]);
        if found.is_some() || !is_demo {
            return found;
        }
        let body = json!({"participants": [DEMO_PARTNER]});
        let made = api.call(Method::POST, "/api/chat/conversations/", Some(&body), Some(KEY)).await.ok()?;
        id(&made["id"])
    }
}

/// Who the token's holder is; nobody's, if it is a back end's.
async fn me(target: &Target) -> anyhow::Result<Value> {
    match target.api.get("/api/auth/me/").await {
        Ok(me) => Ok(me),
        Err(ApiError::Refused { status: 403, .. }) => Ok(Value::Null),
        // While auth is away endpoints may be there; what they say tells more.
        Err(ApiError::Refused { status: 502..=504, .. }) => Ok(Value::Null),
        Err(error) => Err(error).context("who am I?"),
    }
}

fn id(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
