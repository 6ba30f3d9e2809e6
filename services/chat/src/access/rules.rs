//! All rules together, as of one moment.

use std::sync::Arc;

use super::{
    Area,
    rule::{Allow, Rule},
};

/// The rules of the configuration, and those made over HTTP as of a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rules {
    pub(super) version: i64,
    pub(super) configured: Arc<[Rule]>,
    pub(super) stored: Vec<Stored>,
}

/// A rule made over HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) id: i64,
    pub(super) rule: Rule,
}

impl Rules {
    /// Who may enter what has this name: the longest prefix decides, and of two equal ones the one
    /// made over HTTP.
    pub(super) fn allow(&self, area: Area, name: &str) -> Allow {
        let deciding = self
            .every()
            .filter(|rule| rule.covers(area, name))
            // The last of equal ones.
            .max_by_key(|rule| rule.prefix.len());
        deciding.map_or_else(|| area.default_allow(), |rule| rule.allow.clone())
    }

    /// The rule of the configuration is one that decides nothing: another one has its prefix.
    pub(super) fn is_overruled(&self, configured: &Rule) -> bool {
        let same = |stored: &Stored| {
            (stored.rule.area, &stored.rule.prefix) == (configured.area, &configured.prefix)
        };
        self.stored.iter().any(same)
    }

    /// The longer prefixes below this one, whose rules decide in its stead.
    pub(super) fn longer(&self, area: Area, prefix: &str) -> impl Iterator<Item = &str> {
        let below = move |rule: &&Rule| {
            rule.area == area && rule.prefix.len() > prefix.len() && rule.prefix.starts_with(prefix)
        };
        self.every().filter(below).map(|rule| rule.prefix.as_str())
    }

    fn every(&self) -> impl Iterator<Item = &Rule> {
        self.configured.iter().chain(self.stored.iter().map(|stored| &stored.rule))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(area: &str, prefix: &str, allow: &str) -> Rule {
        Rule::new(area, prefix, allow).expect("a rule")
    }

    fn rules(configured: &[Rule], stored: &[Rule]) -> Rules {
        let stored = stored.iter().zip(1..).map(|(rule, id)| Stored { id, rule: rule.clone() }).collect();
        Rules { version: 1, configured: configured.into(), stored }
    }

    #[test]
    fn the_longest_prefix_decides() {
        let configured = [rule("chat", "eng-", "org:acme"), rule("chat", "", "signed-in")];
        let stored = [rule("chat", "eng-ops-", "users:1"), rule("chat", "eng-", "project:1")];
        let rules = rules(&configured, &stored);
        for (area, name, allow) in [
            (Area::Room, "general", "signed-in"),
            (Area::Room, "eng", "signed-in"),
            (Area::Room, "eng-", "project:1"),
            (Area::Room, "eng-1", "project:1"),
            (Area::Room, "eng-ops-1", "users:1"),
            (Area::Collaboration, "eng-1", "signed-in"),
            (Area::Document, "eng-1", "everyone"),
        ] {
            assert_eq!(rules.allow(area, name).to_string(), allow, "{name}");
        }
        assert!(rules.is_overruled(&configured[0]) && !rules.is_overruled(&configured[1]));
        let longer: Vec<_> = rules.longer(Area::Room, "eng-").collect();
        assert_eq!(longer, ["eng-ops-"]);
    }
}
