//! The keys that sign.

use carillon_auth::Demo;
use carillon_contract::messages::{JwksRequest, access_change::Change};
use serde_json::{Value, json};

use crate::{
    database::Fresh,
    world::{World, identity, text},
};

async fn kids(world: &World) -> Vec<String> {
    let jwks = world.ask("auth.jwks").expect(200).await;
    let pushed: Value = serde_json::from_str(&world.call(&JwksRequest {}).await.jwks).expect("JSON");
    assert_eq!(pushed, jwks, "on the bus and over HTTP");
    assert!(!jwks.to_string().contains("\"d\""), "no private key");
    jwks["keys"].as_array().expect("keys").iter().map(|key| text(&key["kid"])).collect()
}

pub(crate) async fn a_rotation_leaves_no_login_behind(fresh: Fresh) {
    let mut world = World::start(fresh).await;
    let first = kids(&world).await;
    assert_eq!(first.len(), 1);
    let (access, refresh) = world.log_in("alice").await;
    let body = json!({"name": "x", "scopes": ["events:publish"]});
    let service = world.admin("auth.service-tokens.create").body(&body).expect(201).await;

    let rotated = world.admin("auth.keys.rotate").expect(201).await;
    let both = kids(&world).await;
    assert_eq!(both, [text(&rotated["kid"]), first[0].clone()], "the newest first");
    for token in [&access, &refresh, &text(&service["token"])] {
        assert_eq!(world.verify(token).await, 200, "signed by the old key");
    }
    let renewed = world.refresh(&refresh).await;
    assert_eq!(renewed.status, 200);
    assert_eq!(kid(&text(&renewed.json["access"])), both[0], "signed by the new key");
    world.stop().await;
    world.launch(|args| args.demo = Demo::Leave);
    world.ready().await;
    assert_eq!(kids(&world).await, both, "a restart makes no key");
    assert_eq!(world.verify(&access).await, 200);
}

pub(crate) async fn a_rotation_is_told(fresh: Fresh) {
    let world = World::start(fresh).await;
    let mut listener = world.listen().await;
    world.ask("auth.keys.rotate").identity(identity("1")).expect(403).await;
    world.admin("auth.keys.rotate").expect(201).await;
    assert!(matches!(listener.next().await, Change::KeysChanged(_)));
}

/// The key that a token's header names.
fn kid(token: &str) -> String {
    let header = token.split('.').next().expect("a header");
    let mut bits = 0_u32;
    let mut held = 0;
    let mut bytes = Vec::new();
    for letter in header.bytes() {
        let value = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let value = value.iter().position(|known| *known == letter).expect("base64url");
        bits = bits << 6 | u32::try_from(value).expect("six bits");
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from(bits >> held & 0xff).expect("a byte"));
        }
    }
    text(&serde_json::from_slice::<Value>(&bytes).expect("JSON")["kid"])
}
