//! Several replicas on one database.

use carillon_auth::Demo;
use carillon_bus::Bus;
use serde_json::json;

use crate::{
    database::Fresh,
    world::{PASSWORD, World, ask_on, identity, text},
};

pub(crate) async fn two_that_start_at_once_share_one_key_and_one_demo(fresh: Fresh) {
    let mut world = World::empty(fresh);
    let other = Bus::in_process();
    world.launch(|args| args.demo = Demo::Make);
    world.launch_on(other.clone(), |args| args.demo = Demo::Make);
    world.ready().await;
    let jwks = world.ask("auth.jwks").expect(200).await;
    assert_eq!(jwks["keys"].as_array().map(Vec::len), Some(1));
    assert_eq!(ask_on(&other, "auth.jwks").expect(200).await, jwks);
    let users = world.admin("auth.users.list").expect(200).await;
    assert_eq!(users["items"].as_array().map(Vec::len), Some(4));
    world.stop().await;
}

pub(crate) async fn each_knows_what_the_other_did(fresh: Fresh) {
    let mut world = World::start(fresh).await;
    let other = Bus::in_process();
    world.launch_on(other.clone(), |args| args.demo = Demo::Make);
    world.ready().await;
    let (access, refresh) = world.log_in("alice").await;
    let verify = |token: &str| ask_on(&other, "auth.token.verify").body(&json!({ "token": token })).send();
    assert_eq!(verify(&access).await.status, 200);
    world.admin("auth.keys.rotate").expect(201).await;
    let (rotated, _) = world.log_in("alice").await;
    assert_eq!(verify(&rotated).await.status, 200, "signed by a key that the other made");
    let body = json!({ "refresh": refresh });
    ask_on(&other, "auth.logout").body(&body).expect(204).await;
    assert_eq!(world.verify(&access).await, 401);
    // Failed logins count together.
    for number in 0..10 {
        let body = json!({"username": "bob", "password": "wrong"});
        let bus = if number % 2 == 0 { &world.bus } else { &other };
        ask_on(bus, "auth.token").body(&body).expect(401).await;
    }
    for bus in [&world.bus, &other] {
        let body = json!({"username": "bob", "password": PASSWORD});
        ask_on(bus, "auth.token").body(&body).expect(429).await;
    }
    let me = ask_on(&other, "auth.me").identity(identity("2")).expect(200).await;
    assert_eq!(text(&me["username"]), "bob");
    world.stop().await;
}
