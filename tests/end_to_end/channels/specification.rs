//! `proto/asyncapi.yaml`: which message a frame is, and whether it is as specified.

use std::collections::BTreeMap;

use anyhow::{Context, bail, ensure};
use jsonschema::Validator;
use serde_json::{Value, json};

const TEXT: &str = include_str!("../../../proto/asyncapi.yaml");

/// Who says a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Side {
    Client,
    Server,
}

/// The messages of the specification.
pub(super) struct Specification {
    document: Value,
    messages: BTreeMap<String, (Vec<Side>, Validator)>,
}

impl Specification {
    /// Reads it.
    pub(super) fn load() -> anyhow::Result<Self> {
        let document: Value = serde_saphyr::from_str(TEXT).context("asyncapi.yaml is YAML")?;
        let mut messages = BTreeMap::new();
        for (name, message) in members(&document["components"]["messages"]) {
            let mut schema = message["payload"].clone();
            // References into the document are found in a schema that holds the same parts.
            schema["components"] = json!({"schemas": document["components"]["schemas"]});
            let validator = jsonschema::validator_for(&schema).with_context(|| format!("{name}'s schema"))?;
            messages.insert(name.clone(), (sides(&document, name), validator));
        }
        Ok(Self { document, messages })
    }

    /// The specification itself.
    pub(super) fn document(&self) -> &Value {
        &self.document
    }

    /// The names of all messages of a side.
    pub(super) fn messages(&self, side: Side) -> impl Iterator<Item = &str> {
        self.messages
            .iter()
            .filter(move |(_, (sides, _))| sides.contains(&side))
            .map(|(name, _)| name.as_str())
    }

    /// Which message of that side a frame is; exactly one.
    pub(super) fn message(&self, side: Side, frame: &Value) -> anyhow::Result<&str> {
        let of_side = self.messages.iter().filter(|(_, (sides, _))| sides.contains(&side));
        let found: Vec<&str> = of_side
            .filter(|(_, (_, schema))| schema.is_valid(frame))
            .map(|(name, _)| name.as_str())
            .collect();
        match found[..] {
            [one] => Ok(one),
            _ => bail!(
                "{side:?}'s frame {frame} is none of the specification's messages, or several: {found:?}"
            ),
        }
    }

    /// Every example is what it is an example of.
    pub(super) fn check_examples(&self) -> anyhow::Result<()> {
        for (name, message) in members(&self.document["components"]["messages"]) {
            for example in message["examples"].as_array().into_iter().flatten() {
                let (_, schema) = &self.messages[name];
                ensure!(schema.is_valid(&example["payload"]), "an example of {name} is none");
            }
        }
        Ok(())
    }
}

/// Who says a message, by the operations that name it.
fn sides(document: &Value, name: &str) -> Vec<Side> {
    let reference = format!("#/channels/socket/messages/{name}");
    let names =
        |list: &Value| list.as_array().is_some_and(|list| list.iter().any(|one| one["$ref"] == *reference));
    let operations: Vec<&Value> = members(&document["operations"]).map(|(_, operation)| operation).collect();
    let is_received =
        operations.iter().any(|operation| operation["action"] == "receive" && names(&operation["messages"]));
    let is_sent = operations.iter().any(|operation| {
        names(&operation["reply"]["messages"])
            || operation["action"] == "send" && names(&operation["messages"])
    });
    let sides = [(is_received, Side::Client), (is_sent, Side::Server)];
    sides.into_iter().filter(|(is_one, _)| *is_one).map(|(_, side)| side).collect()
}

fn members(object: &Value) -> impl Iterator<Item = (&String, &Value)> {
    object.as_object().into_iter().flatten()
}
