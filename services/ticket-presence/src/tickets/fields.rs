//! What callers write of a ticket, and what is wrong with it.

use std::collections::BTreeSet;

use carillon_contract::Id;
use carillon_service::{http::Problem, time};
use serde::{Deserialize, Deserializer};

use super::priority::Priority;
use crate::{
    access::{Asked, Project},
    mentions,
    statuses::StatusRef,
};

const MAX_TITLE: usize = 200;
const MAX_DESCRIPTION: usize = 20_000;
const MAX_LABELS: usize = 20;
const MAX_LABEL: usize = 50;

/// The fields of a ticket that a caller sets. `null` takes an assignee or a due date away.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fields {
    pub(super) title: Option<String>,
    pub(super) description: Option<String>,
    pub(super) status: Option<StatusRef>,
    pub(super) priority: Option<Priority>,
    #[serde(default, deserialize_with = "present")]
    pub(super) assignee: Option<Option<Id>>,
    pub(super) labels: Option<Vec<String>>,
    #[serde(default, deserialize_with = "present")]
    pub(super) due_date: Option<Option<String>>,
    /// The version that the caller has seen: a change of any other is refused.
    pub(super) version: Option<i64>,
}

impl Fields {
    /// Checks what can be checked without looking anything up, and puts it into shape.
    pub(super) fn check(mut self) -> Result<Self, Problem> {
        let refuse = |field, detail| Err(Problem::unprocessable(field, detail));
        if let Some(title) = self.title.take() {
            let title = title.trim().to_owned();
            if !(1..=MAX_TITLE).contains(&title.chars().count()) {
                return refuse("title", "must have 1 to 200 characters");
            }
            if title.chars().any(char::is_control) {
                return refuse("title", "must be one line without control characters");
            }
            self.title = Some(title);
        }
        if let Some(description) = &self.description {
            if description.chars().count() > MAX_DESCRIPTION {
                return refuse("description", "must have at most 20000 characters");
            }
            if description.contains('\0') {
                return refuse("description", "must not hold the character U+0000");
            }
        }
        if let Some(Some(date)) = &self.due_date
            && !time::is_date(date)
        {
            return refuse("due_date", "must be a date such as 2026-01-31, or null");
        }
        self.labels = self.labels.map(labels).transpose()?;
        Ok(self)
    }

    /// Of whom it matters whether they are members.
    pub(super) fn asked(&self) -> Asked {
        let users = self.assignee.iter().flatten().map(Id::to_string).collect();
        Asked { users, names: self.mentioned().into_iter().collect() }
    }

    /// The names that the description mentions.
    pub(super) fn mentioned(&self) -> BTreeSet<String> {
        self.description.as_deref().map(mentions::names).unwrap_or_default()
    }

    /// The assignee as clients read it.
    ///
    /// # Errors
    /// 422 for somebody who is no member of the project.
    pub(super) fn assignee(
        &self,
        project: &Project,
    ) -> Result<Option<Option<carillon_contract::Person>>, Problem> {
        let Some(assignee) = &self.assignee else { return Ok(None) };
        let Some(user) = assignee else { return Ok(Some(None)) };
        let member = project.member(user.as_str()).cloned();
        let refusal = || Problem::unprocessable("assignee", "is not a member of the project");
        member.map(|member| Some(Some(member))).ok_or_else(refusal)
    }
}

/// Labels without repetitions.
fn labels(labels: Vec<String>) -> Result<Vec<String>, Problem> {
    let mut kept: Vec<String> = Vec::new();
    for label in labels {
        let label = label.trim();
        if !(1..=MAX_LABEL).contains(&label.chars().count()) || label.chars().any(char::is_control) {
            return Err(Problem::unprocessable("labels", "each must be one line of 1 to 50 characters"));
        }
        if !kept.iter().any(|other| other == label) {
            kept.push(label.to_owned());
        }
    }
    match kept.len() {
        0..=MAX_LABELS => Ok(kept),
        _ => Err(Problem::unprocessable("labels", "must be at most 20")),
    }
}

/// Tells `null` from what isn't there.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn refused(field: &str, value: Value) -> String {
        let fields: Fields = serde_json::from_value(json!({ field: value })).expect("fields");
        let reply = fields.check().expect_err("a problem").into_reply();
        let body: Value = serde_json::from_slice(&reply.body).expect("JSON");
        assert_eq!(reply.status, 422);
        body["field"].as_str().expect("a field").to_owned()
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (field, value) in [
            ("title", json!("")),
            ("title", json!(" \t ")),
            ("title", json!("x".repeat(201))),
            ("title", json!("a\nb")),
            ("description", json!("x".repeat(20_001))),
            ("description", json!("a\u{0}b")),
            ("labels", json!([""])),
            ("labels", json!(["x".repeat(51)])),
            ("labels", json!((0..21).map(|number| number.to_string()).collect::<Vec<_>>())),
            ("due_date", json!("2026-02-30")),
            ("due_date", json!("soon")),
        ] {
            assert_eq!(refused(field, value), field);
        }
    }

    #[test]
    fn null_is_told_from_nothing() {
        let fields: Fields = serde_json::from_value(json!({"assignee": null})).expect("fields");
        assert_eq!((fields.assignee, fields.due_date), (Some(None), None));
    }

    #[test]
    fn fields_are_put_into_shape() {
        let body = json!({"title": " é ", "labels": ["a", " a ", "b"], "due_date": "2028-02-29"});
        let fields: Fields = serde_json::from_value(body).expect("fields");
        let fields = fields.check().expect("valid");
        assert_eq!(fields.title.as_deref(), Some("é"));
        assert_eq!(fields.labels.expect("labels"), ["a", "b"]);
    }
}
