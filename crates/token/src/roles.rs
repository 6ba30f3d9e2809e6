//! What another issuer's roles mean here.

use std::str::FromStr;

use crate::ConfigError;

/// Another issuer's role names, and the Carillon role that each stands for. What isn't mapped counts
/// for nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoleMapping(Vec<(String, String)>);

impl RoleMapping {
    /// Adds a role: who has `foreign` there has `own` here.
    #[must_use]
    pub fn with(mut self, foreign: impl Into<String>, own: impl Into<String>) -> Self {
        self.0.push((foreign.into(), own.into()));
        self
    }

    /// The Carillon roles of someone who has these.
    pub(crate) fn apply(&self, foreign: &[&str]) -> Vec<String> {
        let mut roles: Vec<String> = Vec::new();
        for (name, own) in &self.0 {
            if foreign.contains(&name.as_str()) && !roles.contains(own) {
                roles.push(own.clone());
            }
        }
        roles
    }
}

impl FromStr for RoleMapping {
    type Err = ConfigError;

    /// From `realm-admin=admin,other=role`; nothing maps nothing.
    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let mut mapping = Self::default();
        for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            let (foreign, own) = pair
                .rsplit_once('=')
                .map(|(foreign, own)| (foreign.trim(), own.trim()))
                .filter(|(foreign, own)| !foreign.is_empty() && !own.is_empty())
                .ok_or_else(|| ConfigError::RoleMapping(pair.to_owned()))?;
            mapping = mapping.with(foreign, own);
        }
        Ok(mapping)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_mapped_counts() {
        let mapping: RoleMapping =
            "realm-admin=admin, root = admin ,editor=staff".parse().expect("a mapping");
        assert_eq!(mapping.apply(&["admin", "realm-admin", "root", "x"]), ["admin"]);
        assert!(mapping.apply(&["admin", "Realm-Admin"]).is_empty());
        assert_eq!("".parse::<RoleMapping>().expect("a mapping"), RoleMapping::default());
        for text in ["admin", "=admin", "a=", "a=b,c"] {
            assert!(text.parse::<RoleMapping>().is_err(), "{text}");
        }
    }
}
