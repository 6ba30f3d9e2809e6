//! Who may send what to whom.

use carillon_contract::messages::Identity;

use super::{order::Recipients, refusal::SendError};

/// The scope of a service token that may send notifications.
const SCOPE: &str = "notifications:send";

/// Admins and service tokens with the scope: anything. Users: to themselves. Callers without a
/// token, where the deployment lets them in: to everyone, as document 2 does (S2-08).
pub(super) fn check(identity: Option<&Identity>, recipients: &Recipients) -> Result<(), SendError> {
    match identity {
        None if *recipients == Recipients::Everyone => Ok(()),
        None => Err(SendError::forbidden("Without a token a notification goes to everyone only")),
        Some(identity) if identity.is_admin() || identity.has_scope(SCOPE) => Ok(()),
        Some(identity) if identity.service => {
            Err(SendError::forbidden("The token needs the scope notifications:send"))
        }
        Some(identity) if recipients.is_only(&identity.user) => Ok(()),
        Some(_) => Err(SendError::forbidden("Users may send notifications to themselves only")),
    }
}

impl Recipients {
    fn is_only(&self, user: &str) -> bool {
        match self {
            Self::One(one) => **one == *user,
            Self::Many(many) => many.iter().all(|one| **one == *user),
            Self::Organisation(_) | Self::Everyone => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn may(identity: Option<&Identity>, recipients: &Recipients) -> bool {
        check(identity, recipients).is_ok()
    }

    #[test]
    fn each_caller_reaches_whom_it_may() {
        let user = Identity { user: "1".into(), ..Identity::default() };
        let admin = Identity { roles: vec!["admin".into()], ..user.clone() };
        let service = Identity { service: true, scopes: vec![SCOPE.into()], ..Identity::default() };
        let other_service = Identity { scopes: vec!["events:publish".into()], ..service.clone() };
        // The scope of a person's token means nothing.
        let pretender = Identity { scopes: vec![SCOPE.into()], ..user.clone() };
        let all = [
            Recipients::One("1".into()),
            Recipients::Many(vec!["1".into()]),
            Recipients::One("2".into()),
            Recipients::Many(vec!["1".into(), "2".into()]),
            Recipients::Organisation("acme".into()),
            Recipients::Everyone,
        ];
        let allowed = |identity| all.each_ref().map(|recipients| may(identity, recipients));
        assert_eq!(allowed(None), [false, false, false, false, false, true]);
        assert_eq!(allowed(Some(&user)), [true, true, false, false, false, false]);
        assert_eq!(allowed(Some(&pretender)), [true, true, false, false, false, false]);
        assert_eq!(allowed(Some(&other_service)), [false; 6]);
        assert_eq!(allowed(Some(&admin)), [true; 6]);
        assert_eq!(allowed(Some(&service)), [true; 6]);
    }
}
