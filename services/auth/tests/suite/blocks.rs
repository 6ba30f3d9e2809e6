//! Who is let in no more: as gateways are told, and as admins see it.

use carillon_contract::messages::{AccessRequest, Block, access_change::Change};
use serde_json::{Value, json};

use crate::{
    database::Fresh,
    world::{World, identity, text, until},
};

async fn block(world: &World, body: &Value) -> Value {
    world.admin("auth.blocks.create").body(body).expect(201).await
}

async fn lift(world: &World, block: &Value, status: u32) {
    world.admin("auth.blocks.delete").parameter("block_id", &text(&block["id"])).expect(status).await;
}

/// What a gateway that starts is told, in order.
async fn told(world: &World) -> Vec<(String, String)> {
    let (mut told, mut request) = (Vec::new(), AccessRequest::default());
    loop {
        let reply = world.call(&request).await;
        told.extend(reply.blocks.into_iter().map(|block| (block.user, block.network)));
        if reply.next.is_empty() {
            told.sort();
            return told;
        }
        request.after = reply.next;
    }
}

fn pair(user: &str, network: &str) -> (String, String) {
    (user.to_owned(), network.to_owned())
}

pub(crate) async fn a_block_is_told_listed_and_lifted(fresh: Fresh) {
    let mut world = World::start(fresh).await;
    let mut listener = world.listen().await;
    let user = block(&world, &json!({"user_id": 1, "reason": "spam"})).await;
    assert_eq!(
        (&user["user_id"], &user["reason"], &user["created_by"]),
        (&json!(1), &json!("spam"), &json!("4"))
    );
    assert_eq!((&user["expires_at"], user.get("address")), (&Value::Null, None));
    let Change::Blocked(heard) = listener.next().await else { panic!("a block") };
    assert_eq!(heard, Block { user: "1".to_owned(), ..Block::default() });
    let network = block(&world, &json!({"address": "203.0.113.77/24", "expires_in": 3600})).await;
    assert_eq!(network["address"], "203.0.113.0/24");
    assert!(network["expires_at"].is_string());
    let Change::Blocked(heard) = listener.next().await else { panic!("a block") };
    assert!(heard.network == "203.0.113.0/24" && heard.expires_at > 0);
    let one = block(&world, &json!({"address": "::ffff:192.0.2.7"})).await;
    assert_eq!(one["address"], "192.0.2.7");
    assert_eq!(told(&world).await, [pair("", "192.0.2.7/32"), pair("", "203.0.113.0/24"), pair("1", "")]);
    let listed = world.admin("auth.blocks.list").query("limit", "2").expect(200).await;
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(2));
    let rest = world.admin("auth.blocks.list").query("after", &text(&listed["next"])).expect(200).await;
    assert_eq!((rest["items"].as_array().map(Vec::len), &rest["next"]), (Some(1), &Value::Null));

    lift(&world, &user, 204).await;
    lift(&world, &user, 404).await;
    let changes = world.changes().await;
    let Some(Change::Unblocked(lifted)) = changes.last() else { panic!("{changes:?}") };
    assert_eq!(lifted.user, "1");
    world.restart().await;
    assert_eq!(told(&world).await, [pair("", "192.0.2.7/32"), pair("", "203.0.113.0/24")]);
    world.stop().await;
}

pub(crate) async fn who_is_blocked_again_has_one_block_and_its_later_end(fresh: Fresh) {
    let world = World::start(fresh).await;
    let first = block(&world, &json!({"user_id": "keycloak:7", "expires_in": 1})).await;
    let again = block(&world, &json!({"user_id": "keycloak:7", "reason": "again"})).await;
    assert_eq!((&first["id"], &again["reason"]), (&again["id"], &json!("again")));
    assert_eq!(again["expires_at"], Value::Null);
    block(&world, &json!({"address": "192.0.2.7", "expires_in": 1})).await;
    // What has expired is not told; the other has no end any more.
    until("it has expired", async || told(&world).await == [pair("keycloak:7", "")]).await;
    let listed = world.admin("auth.blocks.list").expect(200).await;
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(1));
}

pub(crate) async fn a_block_that_can_not_be_is_refused(fresh: Fresh) {
    let world = World::start(fresh).await;
    for (field, body) in [
        ("user_id", json!({})),
        ("address", json!({"user_id": 1, "address": "192.0.2.7"})),
        ("user_id", json!({"user_id": 4})),
        ("user_id", json!({"user_id": ""})),
        ("address", json!({"address": "192.0.2.0/24"})),
        ("address", json!({"address": "localhost"})),
        ("address", json!({"address": "192.0.2.7/33"})),
        ("address", json!({"address": "0.0.0.0/0"})),
        ("address", json!({"address": "::/0"})),
        ("address", json!({"address": "::ffff:192.0.2.0/120"})),
        ("expires_in", json!({"user_id": 1, "expires_in": 0})),
        ("expires_in", json!({"user_id": 1, "expires_in": 999_999_999_999_i64})),
        ("reason", json!({"user_id": 1, "reason": "x".repeat(300)})),
    ] {
        let asked = world.admin("auth.blocks.create").address("192.0.2.1").body(&body);
        asked.expect_field(field).await;
    }
    let body = json!({"user_id": 1});
    world.ask("auth.blocks.create").identity(identity("1")).body(&body).expect(403).await;
    assert!(told(&world).await.is_empty() && world.changes().await.is_empty());
}

pub(crate) async fn blocks_are_told_a_page_at_a_time(fresh: Fresh) {
    let world = World::start(fresh).await;
    for number in 0..1_003 {
        block(&world, &json!({"address": format!("2001:db8:0:{number:x}::/64")})).await;
    }
    world.admin("auth.users.revoke").parameter("user_id", "1").expect(204).await;
    let mut all = told(&world).await;
    all.dedup();
    assert_eq!(all.len(), 1_003);
}
