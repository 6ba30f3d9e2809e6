//! `POST /api/auth/token/`: a password for an access and a refresh token.

use carillon_contract::messages::{HttpReply, HttpRequest};
use carillon_service::http::{self, Problem};
use serde::Deserialize;
use serde_json::json;

use crate::{
    auth::Auth,
    login_limits::{Attempt, Verdict},
    new_user,
    passwords::{MAX_LENGTH, PasswordError},
    tokens, users,
};

#[derive(Deserialize)]
struct Credentials {
    username: String,
    password: String,
}

/// Whether it's the username or the password that is wrong stays untold.
const REFUSAL: &str = "no active account was found with these credentials";

pub(super) async fn log_in(auth: &Auth, request: &HttpRequest) -> Result<HttpReply, Problem> {
    let credentials: Credentials = http::body(request)?;
    let outcome = attempt(auth, credentials, &request.address).await;
    auth.metrics.login(match &outcome {
        Ok(_) => "ok",
        Err(problem) => match problem.status() {
            401 => "wrong",
            429 => "limited",
            _ => "unavailable",
        },
    });
    outcome
}

/// A failure is counted while the hash's permit is held. So however many try at once, not more of
/// them than there are cores get past a limit that is about to be reached.
async fn attempt(auth: &Auth, credentials: Credentials, address: &str) -> Result<HttpReply, Problem> {
    let Credentials { mut username, password } = credentials;
    if !new_user::is_username(&username) {
        // Nobody is called that, nor is what can't be a name worth remembering.
        username.clear();
    }
    let subject = Attempt::new(&username, address);
    let permit = auth.passwords.permit().await?;
    let failed_before = match auth.limits.check(&subject).await? {
        Verdict::Wait(seconds) => {
            return Err(Problem::too_many_requests(seconds, "too many failed logins; wait"));
        }
        Verdict::Allowed { failed_before } => failed_before,
    };
    let user = users::by_name(auth.database.reader(), &username).await?;
    let hash = user.as_ref().map(|user| user.password_hash.as_str());
    let (right, _permit) = if password.len() > MAX_LENGTH {
        (false, permit)
    } else {
        auth.passwords.verify(permit, password, hash).await?
    };
    let pair = match user.filter(|_| right) {
        Some(user) => tokens::log_in(auth, user.id).await?,
        None => None,
    };
    let Some(pair) = pair else {
        auth.limits.failed(&subject).await?;
        return Err(Problem::unauthorized(REFUSAL));
    };
    if failed_before {
        auth.limits.succeeded(&subject).await?;
    }
    Ok(http::json(200, &json!({ "access": pair.access, "refresh": pair.refresh })))
}

impl From<PasswordError> for Problem {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Busy => Self::unavailable("too many logins at once"),
            error => {
                tracing::error!(%error, "a password could not be hashed");
                Self::internal()
            }
        }
    }
}
