//! `/api/counter/{name}/`

use carillon_contract::{
    Channel,
    messages::{HttpReply, HttpRequest},
};
use carillon_service::http::{self, Problem};
use carillon_store::{Database, StoreError};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Counters, Outcome, frame, rows,
    update::{Action, Change, EXPECTED, Update},
};
use crate::visitor::MAX_NAME;

/// `GET …`
pub(super) async fn show(database: &Database, request: &HttpRequest) -> Result<HttpReply, Problem> {
    let (name, _) = counter(request)?;
    let mut connection = database.reader().acquire().await.map_err(StoreError::from)?;
    let value = rows::value(&mut connection, name).await?;
    Ok(http::json(200, &json!({"name": name, "counter": value})))
}

/// `POST …` with `{action, value}`, by a back end (S2-07).
pub(super) async fn update(counters: &Counters, request: &HttpRequest) -> Result<HttpReply, Problem> {
    #[derive(Deserialize)]
    struct Body {
        action: Action,
        value: Option<Value>,
    }
    let (name, channel) = counter(request)?;
    let Body { action, value } = http::body(request)?;
    let change = Change::new(action, value.as_ref())
        .ok_or_else(|| Problem::unprocessable("value", &format!("must be {EXPECTED}")))?;
    let update = Update::of_request(name, channel, change, http::cause(request)?);
    match counters.apply(update).await? {
        Outcome::Applied { total, offset, .. } | Outcome::Repeated { total, offset } => {
            Ok(http::json(200, &json!({"counter": total, "offset": offset})))
        }
        Outcome::CauseTaken => Err(Problem::conflict("the Idempotency-Key was used for another update")),
        Outcome::OutOfRange => Err(Problem::conflict(&frame::out_of_range().message)),
    }
}

/// The counter that a request is about.
fn counter(request: &HttpRequest) -> Result<(&str, Channel), Problem> {
    let name = http::parameter(request, "name");
    if name.chars().count() > MAX_NAME {
        return Err(Problem::unprocessable("name", "must have at most 100 characters"));
    }
    let channel = Channel::new("counter", &[name]);
    Ok((name, channel.map_err(|error| Problem::unprocessable("name", &error.to_string()))?))
}
