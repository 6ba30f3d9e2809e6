//! How often a login may fail.

use carillon_auth::Demo;
use serde_json::json;

use crate::{
    database::Fresh,
    world::{PASSWORD, World},
};

async fn limited(fresh: Fresh) -> World {
    World::start_with(fresh, |args| {
        args.demo = Demo::Make;
        args.logins.login_failures_per_user = 2;
        args.logins.login_failures_per_address = 3;
    })
    .await
}

async fn attempt(world: &World, address: &str, username: &str, password: &str) -> u32 {
    let body = json!({"username": username, "password": password});
    world.ask("auth.token").address(address).body(&body).send().await.status
}

pub(crate) async fn a_user_with_too_many_failures_waits(fresh: Fresh) {
    let world = limited(fresh).await;
    assert_eq!(attempt(&world, "192.0.2.1", "alice", "wrong").await, 401);
    assert_eq!(attempt(&world, "192.0.2.2", "ALICE", "wrong").await, 401);
    let body = json!({"username": "alice", "password": PASSWORD});
    let refused = world.ask("auth.token").address("192.0.2.3").body(&body).send().await;
    assert_eq!(refused.status, 429);
    let seconds: u32 = refused.headers["retry-after"].parse().expect("seconds");
    assert!((1..=301).contains(&seconds), "{seconds}");
    assert_eq!(attempt(&world, "192.0.2.3", "bob", PASSWORD).await, 200);
    // Whether a name is anyone's can't be told by its limit either.
    for expected in [401, 401, 429] {
        assert_eq!(attempt(&world, &format!("198.51.100.{expected}"), "nobody", "wrong").await, expected);
    }
    assert!(world.counter("carillon_auth_logins_total", "limited") == 2.0);
}

pub(crate) async fn an_address_with_too_many_failures_waits(fresh: Fresh) {
    let world = limited(fresh).await;
    // Addresses of one customer: the first 64 bits are the same.
    for (number, name) in ["a", "b", "c"].into_iter().enumerate() {
        assert_eq!(attempt(&world, &format!("2001:db8::{number}"), name, "wrong").await, 401);
    }
    assert_eq!(attempt(&world, "2001:db8::ffff", "alice", PASSWORD).await, 429);
    assert_eq!(attempt(&world, "2001:db8:0:1::1", "alice", PASSWORD).await, 200);
}

pub(crate) async fn a_login_clears_the_failures_of_its_user(fresh: Fresh) {
    let world = limited(fresh).await;
    assert_eq!(attempt(&world, "192.0.2.1", "alice", "wrong").await, 401);
    assert_eq!(attempt(&world, "192.0.2.1", "alice", PASSWORD).await, 200);
    assert_eq!(attempt(&world, "192.0.2.1", "alice", "wrong").await, 401);
    assert_eq!(attempt(&world, "192.0.2.1", "alice", PASSWORD).await, 200);
    assert_eq!(attempt(&world, "192.0.2.1", "alice", "wrong").await, 401);
    // Those of the address were not: whoever knows one password could guess others.
    assert_eq!(attempt(&world, "192.0.2.1", "bob", PASSWORD).await, 429);
}
