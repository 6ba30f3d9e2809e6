//! What a new user's fields may be.

use carillon_service::http::Problem;

use crate::passwords::MAX_LENGTH;

/// What a username is.
pub(crate) const USERNAME_RULE: &str = "1 to 150 characters, without control characters";
/// What a password is.
pub(crate) const PASSWORD_RULE: &str = "8 characters to 1,024 bytes";

const MAX_USERNAME: usize = 150;
const MAX_TEXT: usize = 254;
const MIN_PASSWORD: usize = 8;
const MAX_ROLES: usize = 32;
const MAX_ROLE: usize = 64;

/// Whether this can be a username.
pub(crate) fn is_username(text: &str) -> bool {
    let length = text.trim().chars().count();
    (1..=MAX_USERNAME).contains(&length) && !text.chars().any(char::is_control)
}

/// Whether this can be a password.
pub(crate) fn is_password(text: &str) -> bool {
    text.chars().count() >= MIN_PASSWORD && text.len() <= MAX_LENGTH
}

/// # Errors
/// 422 for what is no username.
pub(crate) fn username(text: &str) -> Result<String, Problem> {
    if is_username(text) {
        Ok(text.trim().to_owned())
    } else {
        Err(Problem::unprocessable("username", USERNAME_RULE))
    }
}

/// # Errors
/// 422 for what is no password.
pub(crate) fn password(text: String) -> Result<String, Problem> {
    if is_password(&text) { Ok(text) } else { Err(Problem::unprocessable("password", PASSWORD_RULE)) }
}

/// A name or an address, which may be empty.
///
/// # Errors
/// 422 naming the field for what is too long or has control characters.
pub(crate) fn text(field: &str, text: String) -> Result<String, Problem> {
    if text.len() > MAX_TEXT || text.chars().any(char::is_control) {
        return Err(Problem::unprocessable(field, "at most 254 bytes, without control characters"));
    }
    Ok(text)
}

/// Role names.
///
/// # Errors
/// 422 for what is no list of role names.
pub(crate) fn roles(roles: Vec<String>) -> Result<Vec<String>, Problem> {
    if roles.len() > MAX_ROLES || !roles.iter().all(|role| is_role(role)) {
        return Err(Problem::unprocessable("roles", "at most 32 names of a-z, 0-9, `-` and `_`"));
    }
    Ok(roles)
}

fn is_role(text: &str) -> bool {
    (1..=MAX_ROLE).contains(&text.len())
        && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'))
}
