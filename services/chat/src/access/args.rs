//! Access rules by configuration.

use super::rule::Rule;

/// The most rules of a configuration.
const MAX_RULES: usize = 1_000;

/// Who may enter which rooms and documents.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct AccessArgs {
    /// Who may enter what begins with a prefix: rules as area:prefix=allow, separated by semicolons.
    /// Areas: chat, collaboration, document. Allowed: everyone, signed-in, org:<id>, project:<id>,
    /// users:<id>,<id>. The longest prefix decides; an admin may enter everything. Without a rule
    /// collaboration rooms are for everyone with a token, and the rest is for everyone.
    #[arg(
        long,
        env = "CARILLON_ROOM_ACCESS",
        value_name = "RULES",
        default_value = "",
        hide_default_value = true,
        value_parser = RoomAccess::parse
    )]
    pub room_access: RoomAccess,
}

/// Rules by configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoomAccess(pub(super) Vec<Rule>);

impl RoomAccess {
    /// Reads rules: `chat:eng-=org:acme;collaboration:proj-=project:1;document:=signed-in`.
    ///
    /// # Errors
    /// What is wrong, and with which rule.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut rules: Vec<Rule> = Vec::new();
        for text in text.split(';').map(str::trim).filter(|text| !text.is_empty()) {
            let rule = rule(text).map_err(|error| format!("`{text}`: {error}"))?;
            if rules.iter().any(|other| (other.area, &other.prefix) == (rule.area, &rule.prefix)) {
                return Err(format!("`{text}`: there is another rule for the same prefix"));
            }
            rules.push(rule);
        }
        if rules.len() > MAX_RULES {
            return Err(format!("there are more than {MAX_RULES} rules"));
        }
        Ok(Self(rules))
    }
}

fn rule(text: &str) -> Result<Rule, String> {
    let parts = text.split_once(':').and_then(|(area, rest)| Some((area, rest.split_once('=')?)));
    let (area, (prefix, allow)) = parts.ok_or_else(|| "a rule is area:prefix=allow".to_owned())?;
    Rule::new(area.trim(), prefix, allow.trim()).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_separated_by_semicolons() {
        let text = "chat:eng-=org:acme; collaboration:proj-=project:1;document:=signed-in;";
        let rules: Vec<_> = RoomAccess::parse(text)
            .expect("rules")
            .0
            .iter()
            .map(|rule| format!("{}|{}|{}", rule.area.as_str(), rule.prefix, rule.allow))
            .collect();
        assert_eq!(rules, ["chat|eng-|org:acme", "collaboration|proj-|project:1", "document||signed-in"]);
        assert_eq!(RoomAccess::parse(""), Ok(RoomAccess::default()));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_rule() {
        for (text, expected) in [
            ("chat", "`chat`: a rule is area:prefix=allow"),
            ("chat:eng", "`chat:eng`: a rule is area:prefix=allow"),
            ("room:a=everyone", "`room:a=everyone`: area must be chat, collaboration or document"),
            (
                "document:=everyone;chat:a=b=org:x",
                "`chat:a=b=org:x`: allow must be everyone, signed-in, org:<id>, project:<id> or users:<id>,<id>",
            ),
            ("chat:a=everyone;chat:a=org:x", "`chat:a=org:x`: there is another rule for the same prefix"),
        ] {
            assert_eq!(RoomAccess::parse(text), Err(expected.to_owned()));
        }
    }
}
