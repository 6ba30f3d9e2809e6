//! Where each endpoint is for whoever probes.

use carillon_contract::{Endpoint, Payload};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::guest::Guest;

/// What stays as it is in a path's parameter.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');

/// The endpoint's path, or why there is none.
pub(super) fn path_of(row: &Endpoint, guest: &Guest) -> Result<String, String> {
    if guest.target.token.is_none() && !row.anonymous {
        return Err("it takes a token (--token, --login)".to_owned());
    }
    let mut path = row.pattern.to_owned();
    while let Some((before, rest)) = path.split_once('{') {
        let (name, after) = rest.split_once('}').ok_or("its pattern can't be read")?;
        let value = parameter(row, name, guest)?;
        path = format!("{before}{}{after}", utf8_percent_encode(&value, PLAIN));
    }
    Ok(path)
}

fn parameter(row: &Endpoint, name: &str, guest: &Guest) -> Result<String, String> {
    let missing = |what: &str| format!("the token's user is in no {what} (--{what})");
    let kind = row.channels.first().and_then(|template| template.0.first()).copied().unwrap_or_default();
    match name {
        "user_id" => guest.user.clone().ok_or_else(|| "the token is no user's".to_owned()),
        "org_id" => guest.org.clone().ok_or_else(|| missing("org")),
        "project_id" => guest.project.clone().ok_or_else(|| missing("project")),
        "room_name" if kind == "conversation" => {
            guest.conversation.clone().ok_or_else(|| missing("conversation"))
        }
        "room_name" | "name" if row.payload != Payload::Channels => Ok(guest.room.clone()),
        other => Err(format!("this version doesn't know what {other} is")),
    }
}
