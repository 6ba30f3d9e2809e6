//! Notifications that a service owes its users: debts to the notification service.

use carillon_bus::Bus;
use carillon_contract::{
    Method as _, ServiceName,
    messages::{Notice, NotifyRequest},
};
use carillon_store::Debt;
use prost::Message as _;

/// The most notices of one request, and the most users that they name, so that it stays far below
/// what the bus carries.
const AT_A_TIME: usize = 100;
const USERS_AT_A_TIME: usize = 2_000;

/// Notices as debts, which the transaction that causes them owes. Each has a cause, unique for each of
/// its users, so that it arrives once however often it is delivered.
pub fn debts(notices: Vec<Notice>) -> Vec<Debt> {
    requests(notices).iter().map(|notices| debt(notices)).collect()
}

/// Delivers a debt of [`debts`].
///
/// # Errors
/// Why not; it stays owed.
pub async fn deliver(bus: &Bus, debt: Debt) -> Result<(), String> {
    if debt.method != NotifyRequest::NAME {
        return Err(format!("nothing is known about {}", debt.method));
    }
    let request = NotifyRequest::decode(debt.payload).map_err(|error| error.to_string())?;
    bus.call(debt.to, &request).await.map(drop).map_err(|error| error.to_string())
}

/// Notices as requests that fit.
fn requests(notices: Vec<Notice>) -> Vec<Vec<Notice>> {
    let mut requests: Vec<Vec<Notice>> = Vec::new();
    let mut users = 0;
    for notice in notices {
        users += notice.users.len();
        match requests.last_mut() {
            Some(last) if last.len() < AT_A_TIME && users <= USERS_AT_A_TIME => last.push(notice),
            _ => {
                users = notice.users.len();
                requests.push(vec![notice]);
            }
        }
    }
    requests
}

fn debt(notices: &[Notice]) -> Debt {
    Debt {
        to: ServiceName::Notification,
        method: NotifyRequest::NAME.to_owned(),
        cause: notices.first().map(|notice| notice.cause.clone()).unwrap_or_default(),
        payload: NotifyRequest { notices: notices.to_vec() }.encode_to_vec().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_stay_small() {
        let notice = |users: usize| Notice { users: vec!["1".to_owned(); users], ..Notice::default() };
        let sizes = |notices: Vec<Notice>| requests(notices).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(sizes(Vec::new()), [] as [usize; 0]);
        assert_eq!(sizes(vec![notice(1); 250]), [100, 100, 50]);
        assert_eq!(sizes(vec![notice(999); 5]), [2, 2, 1]);
        assert_eq!(sizes(vec![notice(3_000), notice(1), notice(1)]), [1, 2]);
    }
}
