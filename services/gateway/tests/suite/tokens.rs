//! Tokens that end while their connection lives.

use serde_json::json;

use crate::bed::{token, token_with, with_gateway};

#[test]
fn a_token_that_expires_is_told_before_and_closes() {
    with_gateway(&["--expiry-warning-seconds", "1"], async |bed| {
        let mut clients = Vec::new();
        for number in 0..4 {
            let token = token("1", 2 + number % 2);
            clients.push(bed.greeted(&format!("/ws/notifications/?token={token}")).await);
        }
        for client in &mut clients {
            assert_eq!(client.json().await, json!({"type": "token_expiring", "expires_in": 1}));
            assert_eq!(client.closed().await, (4001, "token expired".to_owned()));
        }
    });
}

#[test]
fn a_refresh_keeps_the_connection_and_only_one_of_the_same_user_does() {
    with_gateway(&["--expiry-warning-seconds", "1"], async |bed| {
        let mut client = bed.greeted(&format!("/ws/notifications/?token={}", token("1", 2))).await;
        let refresh = |token| json!({"type": "refresh", "token": token}).to_string();
        for wrong in [token("2", 3600), token("1", -10), "nonsense".to_owned()] {
            client.send(&refresh(wrong)).await;
            assert_eq!(client.json().await["code"], "refresh");
        }
        client.send(&refresh(token("1", 4))).await;
        assert_eq!(client.json().await["type"], "refreshed");
        // The first token's end passes without a word; the second's is told.
        let told = client.json().await;
        assert_eq!((&told["type"], &told["expires_in"]), (&json!("token_expiring"), &json!(1)));
        assert_eq!(client.closed().await.0, 4001);
    });
}

/// What it was let in for may have been one of them: whoever comes back is asked about anew.
#[test]
fn a_refresh_with_fewer_roles_ends_the_connection() {
    with_gateway(&["--jwt-roles", "staff=admin,author=editor"], async |bed| {
        let with = |roles: &[&str]| token_with("1", 3600, roles);
        let refresh = |roles: &[&str]| json!({"id": 1, "type": "refresh", "token": with(roles)}).to_string();
        for path in ["/ws/notifications/", "/ws/v1/"] {
            let connect = async || {
                let mut client = bed.connect(&format!("{path}?token={}", with(&["staff"]))).await;
                client.json().await;
                client
            };
            let mut client = connect().await;
            for enough in [&["staff"][..], &["author", "staff"]] {
                client.send(&refresh(enough)).await;
                assert_eq!(client.json().await["type"], "refreshed", "{path}");
            }
            client.send(&refresh(&["staff"])).await;
            let fewer = (1012, "the token has fewer roles: reconnect".to_owned());
            assert_eq!(client.closed_at_once().await, fewer, "{path}");
            let mut client = connect().await;
            client.send(&refresh(&[])).await;
            assert_eq!(client.closed_at_once().await, fewer, "{path}");
        }
    });
}
