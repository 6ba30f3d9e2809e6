//! What a caller wants sent, and to whom.

use std::{collections::BTreeSet, sync::Arc};

use carillon_contract::Id;
use sha2::{Digest, Sha256};

use super::{Parcel, refusal::SendError};
use crate::{
    content::Content,
    delivery::Claim,
    fields::{FieldError, Fields, read},
};

/// The most users of one request.
const MAX_USERS: usize = 1_000;

const RECIPIENTS: [&str; 4] = ["user_id", "user_ids", "org_id", "everyone"];

/// Who is to receive it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Recipients {
    One(Arc<str>),
    Many(Vec<Arc<str>>),
    Organisation(String),
    Everyone,
}

/// A request's body, read.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) recipients: Recipients,
    content: Arc<Content>,
    fingerprint: String,
}

impl Order {
    pub(super) fn read(body: &[u8], now: i64) -> Result<Self, SendError> {
        let mut fields = Fields::parse(body)?;
        let fingerprint = fingerprint(&fields);
        // The document's own complaint comes first.
        let recipients = Recipients::take(&mut fields);
        let content = Content::take(&mut fields, now)?;
        Ok(Self { recipients: recipients?, content: Arc::new(content), fingerprint })
    }

    pub(super) fn parcel(&self, cause: String, claimed: bool) -> Parcel {
        let claim = Claim { key: cause.clone(), fingerprint: self.fingerprint.clone() };
        Parcel { content: self.content.clone(), cause: cause.into(), claim: claimed.then(|| Arc::new(claim)) }
    }
}

impl Recipients {
    /// At most one kind may be named. A recipient that is null is a mistake, and not everyone.
    fn take(fields: &mut Fields) -> Result<Self, SendError> {
        let named: Vec<_> = RECIPIENTS.into_iter().filter(|field| fields.has(field)).collect();
        match named[..] {
            [] => Ok(Self::Everyone),
            [field @ "user_id"] => Ok(Self::One(id(required(fields, field, "must be an id")?))),
            [field @ "user_ids"] => Self::many(required(fields, field, "must be a list of ids")?),
            [field @ "org_id"] => {
                Ok(Self::Organisation(required::<Id>(fields, field, "must be an id")?.into_string()))
            }
            [field] => match required(fields, field, "must be true")? {
                true => Ok(Self::Everyone),
                false => Err(SendError::invalid("everyone must be true")),
            },
            _ => Err(SendError::invalid("Only one of user_id, user_ids, org_id and everyone may be given")),
        }
    }

    fn many(ids: Vec<Id>) -> Result<Self, SendError> {
        if !(1..=MAX_USERS).contains(&ids.len()) {
            return Err(SendError::invalid("user_ids has 1 to 1000 ids"));
        }
        let users: BTreeSet<Arc<str>> = ids.into_iter().map(id).collect();
        Ok(Self::Many(users.into_iter().collect()))
    }
}

fn id(id: Id) -> Arc<str> {
    id.into_string().into()
}

fn required<T: serde::de::DeserializeOwned>(
    fields: &mut Fields,
    field: &'static str,
    expected: &'static str,
) -> Result<T, FieldError> {
    let value = fields.take_raw(field).ok_or(FieldError::Invalid { field, expected })?;
    read(&value, field, expected)
}

/// A digest of every field, whatever their order.
fn fingerprint(fields: &Fields) -> String {
    let mut digest = Sha256::new();
    for part in fields.iter().flat_map(|(name, value)| [name, value]) {
        digest.update(part.len().to_le_bytes());
        digest.update(part);
    }
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn recipients(more: &Value) -> Result<Recipients, String> {
        let mut body = json!({"title": "t", "message": "m"});
        let object = body.as_object_mut().expect("an object");
        object.extend(more.as_object().expect("an object").clone());
        Order::read(body.to_string().as_bytes(), 0).map(|order| order.recipients).map_err(|error| match error
        {
            SendError::Refused { status: 400, message } => message,
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn each_kind_of_recipient_is_understood() {
        assert_eq!(recipients(&json!({})), Ok(Recipients::Everyone));
        assert_eq!(recipients(&json!({"everyone": true})), Ok(Recipients::Everyone));
        assert_eq!(recipients(&json!({"user_id": 7})), Ok(Recipients::One("7".into())));
        assert_eq!(recipients(&json!({"user_id": "test-user"})), Ok(Recipients::One("test-user".into())));
        let many = Recipients::Many(vec!["1".into(), "a".into()]);
        assert_eq!(recipients(&json!({"user_ids": ["a", 1, "1"]})), Ok(many));
        assert_eq!(recipients(&json!({"org_id": "acme"})), Ok(Recipients::Organisation("acme".into())));
    }

    #[test]
    fn a_mistake_never_reaches_everyone() {
        for (body, message) in [
            (json!({"user_id": null}), "user_id must be an id"),
            (json!({"user_id": ""}), "user_id must be an id"),
            (json!({"user_id": 1.5}), "user_id must be an id"),
            (json!({"user_ids": []}), "user_ids has 1 to 1000 ids"),
            (json!({"user_ids": vec![1; 1_001]}), "user_ids has 1 to 1000 ids"),
            (json!({"user_ids": "1"}), "user_ids must be a list of ids"),
            (json!({"org_id": null}), "org_id must be an id"),
            (json!({"everyone": false}), "everyone must be true"),
            (json!({"everyone": null}), "everyone must be true"),
            (json!({"everyone": "yes"}), "everyone must be true"),
            (
                json!({"user_id": 1, "org_id": "a"}),
                "Only one of user_id, user_ids, org_id and everyone may be given",
            ),
        ] {
            assert_eq!(recipients(&body), Err(message.to_owned()));
        }
    }

    #[test]
    fn the_fingerprint_tells_bodies_apart() {
        let of = |body: &str| fingerprint(&Fields::parse(body.as_bytes()).expect("fields"));
        assert_eq!(of(r#"{"a":1,"b":2}"#), of(r#"{"b":2, "a":1}"#));
        assert_ne!(of(r#"{"a":1,"b":2}"#), of(r#"{"a":1,"b":3}"#));
        assert_eq!(of("{}").len(), 64);
    }
}
