//! Streams that don't begin: each with an HTTP response that says why.

use carillon_contract::{Method, messages::OpenRequest};

use crate::bed::{Bed, token, until, with_gateway};

async fn status(bed: &Bed, path: &str) -> u16 {
    let response = bed.events(path, &[]).await;
    let (status, kind) = (response.status().as_u16(), response.headers()["content-type"].clone());
    assert_eq!(kind, "application/problem+json", "{path}");
    let problem: serde_json::Value = response.json().await.expect("a problem");
    assert_eq!(problem["status"], status);
    status
}

#[test]
fn who_may_not_is_told_by_status() {
    with_gateway(&[], async |bed| {
        let (mine, expired) = (token("7", 60), token("7", -60));
        for (path, expected) in [
            ("user.7/".to_owned(), 401),
            ("project.1.tickets/".to_owned(), 401),
            ("user.7/?token=nonsense".to_owned(), 401),
            (format!("user.7/?token={expired}"), 401),
            (format!("user.8/?token={mine}"), 403),
            (format!("nothing.8/?token={mine}"), 404),
            (format!("access/?token={mine}"), 404),
            (format!("document.plan/?token={mine}"), 404),
            (format!("room.a%20b/?token={mine}"), 404),
        ] {
            assert_eq!(status(bed, &path).await, expected, "{path}");
        }
        assert!(bed.services.connections().is_empty(), "no owner was asked");
        let authorized = bed.events("user.7/", &[("authorization", &format!("Bearer {mine}"))]).await;
        assert_eq!(authorized.status().as_u16(), 200);
        let url = format!("http://{}/api/events/room.general/", bed.address);
        let posted = reqwest::Client::new().post(url).send().await.expect("an answer");
        assert_eq!(
            (posted.status().as_u16(), &posted.headers()["allow"]),
            (405, &"GET".parse().expect("a value"))
        );
        let elsewhere = bed.events("room.general/", &[("host", "evil.example")]).await;
        assert_eq!(elsewhere.status().as_u16(), 400);
    });
}

#[test]
fn what_the_owner_says_decides() {
    with_gateway(&[], async |bed| {
        let mine = token("7", 60);
        for (code, path, expected) in [
            (4001, format!("org.1/?token={mine}"), 401),
            (4003, format!("org.1/?token={mine}"), 403),
            (4004, format!("project.1.tickets/?token={mine}"), 404),
            (4004, "room.general/".to_owned(), 403),
            (4400, "room.general/".to_owned(), 403),
            (1013, "room.general/".to_owned(), 503),
        ] {
            bed.services.reject(code);
            assert_eq!(status(bed, &path).await, expected, "{code} at {path}");
        }
        bed.services.refuse(OpenRequest::NAME, 1);
        assert_eq!(status(bed, "room.general/").await, 503);
        until("nothing stays", || bed.metric("carillon_gateway_connections", "") == 0.0).await;
    });
}

#[test]
fn streams_count_as_connections() {
    with_gateway(&["--connections-per-address", "2"], async |bed| {
        let _socket = bed.greeted("/ws/chat/general/").await;
        let source = bed.event_source("room.general/", &[]).await;
        let refused = bed.events("room.general/", &[]).await;
        assert_eq!(refused.status().as_u16(), 429);
        assert!(refused.headers().contains_key("retry-after"));
        drop(source);
        until("its place is free", || bed.metric("carillon_gateway_connections", "") == 1.0).await;
        bed.event_source("room.general/", &[]).await;
    });
    with_gateway(&["--max-connections", "1"], async |bed| {
        let _socket = bed.greeted("/ws/chat/general/").await;
        assert_eq!(status(bed, "room.general/").await, 503);
    });
}
