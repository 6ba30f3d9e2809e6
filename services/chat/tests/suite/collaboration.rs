//! Collaboration rooms (S0-03).

use std::collections::BTreeMap;

use carillon_chat::{CollaborationArgs, SettingsArgs};
use carillon_contract::{Channel, messages::Session};
use carillon_testkit::service::{Place, json_of, session};
use serde_json::{Value, json};

use crate::world::{World, accepted, person};

fn room(name: &str) -> Channel {
    Channel::new("collaboration", &[name]).expect("a channel")
}

fn in_room(user: &str, connection: &str) -> Session {
    let identity = person(user, &format!("user-{user}"));
    let session = session("collaboration", "", Some(identity), &[("room_name", "board")]);
    Session { connection: connection.to_owned(), ..session }
}

fn sender(user: u64) -> Value {
    json!({"id": user, "first_name": "", "last_name": "", "username": format!("user-{user}")})
}

async fn greeting(world: &World, session: &Session) -> Value {
    let accept = accepted(world.open_session(session, &[]).await);
    assert_eq!(accept.greeting.len(), 1);
    serde_json::from_slice(&accept.greeting[0]).expect("JSON")
}

/// S0-03: byte by byte, but for the sender; its own connection is left out.
pub(crate) async fn a_frame_reaches_the_others_as_it_was_written(place: Place) {
    let world = World::start(place).await;
    let mut live = world.listen(&room("board")).await;
    let alice = in_room("1", "a");
    let text = r#"{"type":"draw", "at":[1.50,2e3], "id":12345678901234567890123, "s":"\u00e9é\/"}"#;
    let reply = world.frame_bytes(&alice, 1, text.as_bytes().to_vec()).await;
    assert!(reply.frames.is_empty() && reply.close.is_none());
    let event = live.next().await;
    assert_eq!((event.except_connection.as_str(), event.offset), ("a", 1));
    let heard = String::from_utf8(event.variants[0].json.to_vec()).expect("text");
    let open = text.strip_suffix('}').expect("a brace");
    let added = heard.strip_prefix(open).expect("what was written").strip_prefix(",\"sender\":");
    let added: Value =
        serde_json::from_str(added.and_then(|it| it.strip_suffix('}')).expect("a sender")).unwrap();
    assert_eq!(added, sender(1));
    assert_eq!(world.history(&room("board")).await, [event]);
}

/// S0-03: `participants` on entry, then each user's coming and going, once.
pub(crate) async fn who_is_there_is_visible(place: Place) {
    let world = World::start(place).await;
    let mut live = world.listen(&room("board")).await;
    let (alice, other_tab, bob) = (in_room("1", "a"), in_room("1", "b"), in_room("2", "c"));
    let told = greeting(&world, &alice).await;
    assert_eq!(told, json!({"type": "participants", "participants": [sender(1)], "count": 1}));
    let joined = json!({"type": "participant_joined", "participant": sender(1), "count": 1});
    assert_eq!(live.json().await, joined);
    greeting(&world, &other_tab).await;
    let told = greeting(&world, &bob).await;
    assert_eq!(told, json!({"type": "participants", "participants": [sender(1), sender(2)], "count": 2}));
    let joined = json!({"type": "participant_joined", "participant": sender(2), "count": 2});
    assert_eq!(live.json().await, joined);
    world.close(&alice, false).await;
    world.close(&bob, false).await;
    let left = json!({"type": "participant_left", "participant": sender(2), "count": 1});
    assert_eq!(live.json().await, left);
    world.close(&other_tab, false).await;
    let left = json!({"type": "participant_left", "participant": sender(1), "count": 0});
    assert_eq!(live.json().await, left);
}

/// Its sender is told, and nothing is stored: what is no object, too large, or the server's own.
pub(crate) async fn what_can_t_be_passed_on_is_refused(place: Place) {
    let collaboration = CollaborationArgs { collaboration_frame_size: 100 };
    let settings = SettingsArgs { collaboration, ..SettingsArgs::default() };
    let world = World::start_with(place, 1, settings).await;
    let alice = in_room("1", "a");
    for (number, (payload, code, message)) in [
        ("{".to_owned(), "invalid_json", "Invalid JSON format"),
        ("[1]".to_owned(), "invalid", "Invalid message format"),
        ("5".to_owned(), "invalid", "Invalid message format"),
        (json!({"a": "x".repeat(100)}).to_string(), "too_large", "A frame has at most 100 bytes"),
        (json!({"sender": {"id": 2}}).to_string(), "reserved_member", "`sender` is added by the server"),
        (json!({"offset": 7}).to_string(), "reserved_member", "`offset` is added by the server"),
        (
            json!({"type": "participant_left"}).to_string(),
            "reserved_type",
            "Only the server says `participant_left`",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let reply = world.frame_bytes(&alice, number as u64 + 1, payload.into_bytes()).await;
        let frame: Value = serde_json::from_slice(&reply.frames[0]).expect("JSON");
        assert_eq!(frame, json!({"type": "error", "code": code, "message": message}));
        assert_eq!(reply.close, None);
    }
    assert!(world.history(&room("board")).await.is_empty());
}

pub(crate) async fn a_repeated_frame_is_passed_on_once(place: Place) {
    let world = World::start(place).await;
    let alice = in_room("1", "a");
    for number in [1, 1, 2, 1] {
        world.frame(&alice, number, &json!({"number": number})).await;
    }
    let numbers: Vec<_> = world
        .history(&room("board"))
        .await
        .iter()
        .map(|event| json_of(event, "")["number"].clone())
        .collect();
    assert_eq!(numbers, [1, 2]);
}

pub(crate) async fn frames_of_many_keep_each_sender_s_order(place: Place) {
    crowd(World::start(place).await).await;
}

pub(crate) async fn two_replicas_keep_each_sender_s_order(place: Place) {
    crowd(World::start_with(place, 2, SettingsArgs::default()).await).await;
}

/// Everyone sends one frame after the other, by whichever replica: none is lost, and those of one
/// participant stay in order.
async fn crowd(world: World) {
    const PARTICIPANTS: u64 = 30;
    const FRAMES: u64 = 30;
    let participant = async |user: u64| {
        let session = in_room(&user.to_string(), &format!("connection-{user}"));
        for number in 1..=FRAMES {
            assert!(world.frame(&session, number, &json!({"number": number})).await.is_empty());
        }
    };
    futures_util::future::join_all((1..=PARTICIPANTS).map(participant)).await;
    let mut heard: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for event in world.history(&room("board")).await {
        let frame = json_of(&event, "");
        let (user, number) = (frame["sender"]["id"].as_u64(), frame["number"].as_u64());
        heard.entry(user.expect("a user")).or_default().push(number.expect("a number"));
    }
    assert_eq!(heard.len() as u64, PARTICIPANTS);
    for numbers in heard.into_values() {
        assert_eq!(numbers, (1..=FRAMES).collect::<Vec<_>>());
    }
}
