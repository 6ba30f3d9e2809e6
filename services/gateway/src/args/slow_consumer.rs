//! What a deployment wants to become of clients that don't keep up.

use anyhow::ensure;
use carillon_contract::{ENDPOINTS, SlowConsumer, endpoint};

/// `<endpoint>=close` or `<endpoint>=drop`. An endpoint that isn't there would leave a policy without effect.
pub(super) fn policy(text: &str) -> Result<(&'static str, SlowConsumer), String> {
    let (name, policy) = text.split_once('=').ok_or("of the form <endpoint>=close or <endpoint>=drop")?;
    let policy = match policy {
        "close" => SlowConsumer::Close,
        "drop" => SlowConsumer::Drop,
        other => return Err(format!("a slow consumer's policy is `close` or `drop`, not `{other}`")),
    };
    match endpoint(name) {
        Some(endpoint) => Ok((endpoint.name, policy)),
        None => {
            let names: Vec<&str> = ENDPOINTS.iter().map(|endpoint| endpoint.name).collect();
            Err(format!("no endpoint is called `{name}`; there are {}", names.join(", ")))
        }
    }
}

/// The policies, if no endpoint is named twice.
pub(super) fn each_once(
    policies: &[(&'static str, SlowConsumer)],
) -> anyhow::Result<Vec<(&'static str, SlowConsumer)>> {
    for (index, (name, _)) in policies.iter().enumerate() {
        let is_first = policies[..index].iter().all(|(other, _)| other != name);
        ensure!(is_first, "--slow-consumer names the endpoint `{name}` twice");
    }
    Ok(policies.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_are_of_endpoints_that_there_are() {
        assert_eq!(policy("chat=drop"), Ok(("chat", SlowConsumer::Drop)));
        assert_eq!(policy("document=close"), Ok(("document", SlowConsumer::Close)));
        for (wrong, because) in [
            ("chats=drop", "no endpoint is called `chats`; there are notifications, "),
            ("chat=keep", "`close` or `drop`, not `keep`"),
            ("chat", "of the form"),
            ("", "of the form"),
        ] {
            assert!(policy(wrong).expect_err("wrong").contains(because), "{wrong}");
        }
    }

    #[test]
    fn an_endpoint_has_one_policy() {
        let (drop, close) = (("chat", SlowConsumer::Drop), ("chat", SlowConsumer::Close));
        assert!(each_once(&[drop, ("counter", SlowConsumer::Drop)]).is_ok());
        assert!(each_once(&[drop, close]).expect_err("twice").to_string().contains("`chat` twice"));
    }
}
