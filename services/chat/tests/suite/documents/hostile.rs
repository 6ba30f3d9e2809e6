//! What no Yjs client says.

use carillon_chat::DocumentsArgs;
use carillon_testkit::service::Place;
use proptest::{prelude::*, strategy::ValueTree as _, test_runner::TestRunner};
use yrs::{
    sync::{AwarenessUpdate, Message, SyncMessage, awareness::AwarenessUpdateEntry},
    updates::encoder::Encode as _,
};

use super::{Editor, channel, connection, stored, sync, whole, world};
use crate::world::World;

async fn code(world: &World, number: u64, frame: Vec<u8>) -> Option<u32> {
    let reply = world.frame_bytes(&connection("hostile", "plan"), number, frame).await;
    reply.close.map(|close| {
        assert!(!close.reason.is_empty());
        close.code
    })
}

/// Each of these ends its connection with a reason, and nothing else.
pub(crate) async fn bytes_that_make_no_sense_close_the_connection(place: Place) {
    let world = world(place, DocumentsArgs::default()).await;
    let mut one = Editor::open(&world, "one", "plan").await;
    one.insert(&world, 0, "still here").await;
    // An array in an array in an array …
    let mut nested = vec![1, 1, 1, 0, 8, 1, 1, 97, 1];
    nested.extend([117, 1].repeat(400_000));
    let cases: Vec<(u32, Vec<u8>)> = vec![
        (1007, vec![]),
        (1007, vec![0]),
        (1007, vec![0, 0]),
        (1007, vec![0, 2, 200]),
        (1003, vec![0, 3, 0]),
        (1003, vec![2, 0, 1, 97]),
        (1003, vec![4, 0]),
        (1003, vec![200, 200, 1]),
        (1007, vec![255; 20]),
        (1007, b"{\"type\":\"ping\"}".to_vec()),
        (1007, sync(SyncMessage::Update(vec![]))),
        (1007, sync(SyncMessage::Update(vec![0]))),
        (1007, sync(SyncMessage::Update(vec![0, 0, 0]))),
        // A count of four billion clients, or states.
        (1007, sync(SyncMessage::Update(vec![255, 255, 255, 255, 15, 0]))),
        (1007, vec![0, 0, 5, 255, 255, 255, 255, 15]),
        (1007, vec![1, 5, 255, 255, 255, 255, 15]),
        (1007, sync(SyncMessage::Update(nested))),
        // Awareness that is not JSON.
        (1007, vec![1, 5, 1, 1, 1, 1, b'{']),
    ];
    for (number, (expected, frame)) in cases.into_iter().enumerate() {
        let number = u64::try_from(number).expect("a number");
        let start: Vec<u8> = frame.iter().take(20).copied().collect();
        let code = code(&world, number, frame).await;
        // The first byte of text may be that of a kind of message that nobody knows.
        assert!(
            code == Some(expected) || start.starts_with(b"{") && code == Some(1003),
            "{start:?}: {code:?}"
        );
    }
    assert_eq!((world.history(&channel("plan")).await.len(), stored(&world).await.0), (1, 1));
    any_bytes_are_answered(&world, &whole(&one.document)).await;
    assert!(Editor::open(&world, "late", "plan").await.content().contains("still here"));
}

/// Bytes at random, and updates with some bytes changed.
async fn any_bytes_are_answered(world: &World, update: &[u8]) {
    let any_bytes = prop::collection::vec(any::<u8>(), 0..60);
    let kind = prop::sample::select(vec![vec![], vec![0, 0], vec![0, 1], vec![0, 2], vec![1]]);
    let length = update.len();
    let changed = prop::collection::vec((0..length, any::<u8>()), 0..4);
    let mut runner = TestRunner::default();
    for number in 1_000..1_400 {
        let (kind, bytes, changes) =
            (&kind, &any_bytes, &changed).new_tree(&mut runner).expect("a case").current();
        let mut update = update.to_vec();
        changes.into_iter().for_each(|(at, byte)| update[at] = byte);
        let mut frame: Vec<u8> = kind;
        if number % 2 == 0 {
            frame.push(u8::try_from(bytes.len()).expect("a few"));
        }
        frame.extend(bytes);
        for frame in [frame, sync(SyncMessage::Update(update))] {
            let elsewhere = connection(&format!("hostile-{number}"), "elsewhere");
            world.frame_bytes(&elsewhere, number, frame).await;
        }
    }
    // Whatever of that was an update is one that can be read.
    let reply = world
        .frame_bytes(&connection("late", "elsewhere"), 1, sync(SyncMessage::SyncStep1(Default::default())))
        .await;
    assert_eq!(reply.close, None);
    assert!(!reply.frames.is_empty());
}

/// 4413, and nothing is stored; a document that is only full of what was deleted has room again.
pub(crate) async fn what_is_too_large_is_refused_and_not_stored(place: Place) {
    let documents = DocumentsArgs {
        chat_document_bytes: 5_000,
        chat_document_update_bytes: 3_000,
        chat_document_awareness_bytes: 1_024,
        ..DocumentsArgs::default()
    };
    let world = world(place, documents).await;
    let mut one = Editor::open(&world, "one", "plan").await;
    let too_large = sync(SyncMessage::Update(
        Editor::open(&world, "two", "x").await.insert_offline(0, &"x".repeat(3_001)),
    ));
    assert_eq!(code(&world, 1, too_large).await, Some(4413));
    for _ in 0..5 {
        one.insert(&world, 0, &"y".repeat(2_000)).await;
        one.remove(&world, 0, 2_000).await;
    }
    one.insert(&world, 0, &"z".repeat(2_900)).await;
    let full = sync(SyncMessage::Update(
        Editor::open(&world, "three", "x").await.insert_offline(0, &"x".repeat(2_500)),
    ));
    let before = stored(&world).await;
    assert_eq!(code(&world, 2, full).await, Some(4413));
    assert!(stored(&world).await.1 <= before.1);
    let entry = AwarenessUpdateEntry { clock: 1, json: format!("\"{}\"", "x".repeat(2_000)).into() };
    let clients = [(one.document.client_id(), entry)].into_iter().collect();
    let awareness = Message::Awareness(AwarenessUpdate { clients });
    assert_eq!(code(&world, 3, awareness.encode_v1()).await, Some(4413));
    assert_eq!(Editor::open(&world, "late", "plan").await.content(), "z".repeat(2_900));
}
