//! What a comment says, and whom it mentions.

use carillon_contract::messages::HttpRequest;
use carillon_service::http::{self, Problem};
use serde::Deserialize;

use crate::{
    access::{Asked, Caller, Project},
    mentions::{self, Mention},
    service::Projects,
};

const MAX_MESSAGE: usize = 5_000;

/// A text, and the members whom it mentions.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) text: String,
    pub(super) mentions: Vec<Mention>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    message: String,
}

/// Lets in who writes a message.
pub(super) async fn visit(
    projects: &Projects,
    request: &HttpRequest,
) -> Result<(Project, Caller, Message), Problem> {
    let text = text(http::body::<Body>(request)?)?;
    let names = mentions::names(&text);
    let asked = Asked { names: names.iter().cloned().collect(), ..Asked::default() };
    let (project, caller) = projects.access.visit(request, asked).await?;
    let mentions = mentions::members(&project, &names);
    Ok((project, caller, Message { text, mentions }))
}

/// A text of bounded length.
fn text(body: Body) -> Result<String, Problem> {
    let text = body.message.trim();
    if !(1..=MAX_MESSAGE).contains(&text.chars().count()) {
        return Err(Problem::unprocessable("message", "must have 1 to 5000 characters"));
    }
    if text.contains('\0') {
        return Err(Problem::unprocessable("message", "must not hold the character U+0000"));
    }
    Ok(text.to_owned())
}
