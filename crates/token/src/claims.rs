//! In which claims an issuer says who the user is.

use serde_json::{Map, Value};

/// The names of the claims that are read, each a list of which the first present one counts.
///
/// A name is a claim's exact name (`https://example.org/roles`), or else a path into objects
/// (`realm_access.roles`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// The user's id: text, or a whole number.
    pub user: Vec<String>,
    /// The name by which the user is addressed.
    pub username: Vec<String>,
    /// The e-mail address.
    pub email: Vec<String>,
    /// The given name.
    pub first_name: Vec<String>,
    /// The family name.
    pub last_name: Vec<String>,
    /// The roles: a list of texts, or one text with the roles separated by spaces.
    pub roles: Vec<String>,
}

impl Claims {
    /// Those of Django's SimpleJWT, and of tokens minted by hand.
    pub fn simple_jwt() -> Self {
        Self { user: names(&["user_id", "sub"]), roles: names(&["roles"]), ..Self::openid() }
    }

    /// Those of an OpenID provider; roles are where Keycloak has them.
    pub fn openid() -> Self {
        Self {
            user: names(&["sub"]),
            username: names(&["preferred_username", "username"]),
            email: names(&["email"]),
            first_name: names(&["given_name", "first_name"]),
            last_name: names(&["family_name", "last_name"]),
            roles: names(&["realm_access.roles"]),
        }
    }

    /// Those of Carillon's own tokens.
    pub(crate) fn carillon() -> Self {
        Self { roles: names(&["roles"]), ..Self::openid() }
    }
}

/// The first of these claims that is present.
pub(crate) fn find<'a>(claims: &'a Map<String, Value>, names: &[String]) -> Option<&'a Value> {
    names.iter().find_map(|name| at(claims, name))
}

/// The first of these claims that is present, if it is text; else nothing.
pub(crate) fn text(claims: &Map<String, Value>, names: &[String]) -> String {
    find(claims, names).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// The words of a claim that is a list of texts, or a text with words separated by spaces.
pub(crate) fn words(value: Option<&Value>) -> Vec<&str> {
    match value {
        Some(Value::String(text)) => text.split_whitespace().collect(),
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn at<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    if let Some(value) = claims.get(name) {
        return Some(value).filter(|value| !value.is_null());
    }
    let (first, rest) = name.split_once('.')?;
    at(claims.get(first)?.as_object()?, rest)
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_exact_name_wins_over_a_path() {
        let Value::Object(claims) = json!({"a.b": 1, "a": {"b": 2, "c": {"d": 3}}, "n": null}) else {
            panic!("an object")
        };
        assert_eq!(find(&claims, &names(&["a.b"])), Some(&json!(1)));
        assert_eq!(find(&claims, &names(&["n", "a.c.d"])), Some(&json!(3)));
        assert_eq!(find(&claims, &names(&["a.x", "a.b.c", "x", "n", ""])), None);
    }
}
