//! `/api/chat/access/`

use carillon_contract::messages::{HttpReply, HttpRequest};
use carillon_service::http::{self, Problem};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Access,
    rule::{Rule, RuleError},
};

/// `GET …`: every rule, with where it comes from. A rule of the configuration is not in force if
/// another one has its prefix.
pub(super) async fn list(access: &Access) -> Result<HttpReply, Problem> {
    let rules = access.cache.current().await?;
    let stored = rules.stored.iter().map(|stored| view(Some(stored.id), &stored.rule, true));
    let configured = rules.configured.iter().map(|rule| view(None, rule, !rules.is_overruled(rule)));
    let rules: Vec<Value> = stored.chain(configured).collect();
    Ok(http::json(200, &json!({"rules": rules})))
}

/// `PUT …` with `{area, prefix, allow}`: makes a rule, or changes the one of the same prefix.
pub(super) async fn set(access: &Access, request: &HttpRequest) -> Result<HttpReply, Problem> {
    #[derive(Deserialize)]
    struct Body {
        area: String,
        prefix: String,
        allow: String,
    }
    let Body { area, prefix, allow } = http::body(request)?;
    let rule = Rule::new(&area, &prefix, &allow)?;
    match access.put(&rule).await? {
        Some(id) => Ok(http::json(200, &view(Some(id), &rule, true))),
        None => Err(Problem::conflict("there are as many rules as there may be")),
    }
}

/// `DELETE …/{rule_id}/`
pub(super) async fn delete(access: &Access, request: &HttpRequest) -> Result<HttpReply, Problem> {
    let unknown = || Problem::not_found("there is no such rule");
    let id = http::parameter(request, "rule_id").parse().map_err(|_| unknown())?;
    match access.remove(id).await? {
        true => Ok(http::no_content()),
        false => Err(unknown()),
    }
}

fn view(id: Option<i64>, rule: &Rule, in_force: bool) -> Value {
    json!({
        "id": id,
        "area": rule.area.as_str(),
        "prefix": rule.prefix,
        "allow": rule.allow.to_string(),
        "source": if id.is_some() { "api" } else { "configuration" },
        "in_force": in_force,
    })
}

impl From<RuleError> for Problem {
    fn from(error: RuleError) -> Self {
        Self::unprocessable(error.field, error.expected)
    }
}
