//! Documents that several people edit (Yjs).

mod editor;
mod hostile;

use carillon_chat::{DocumentsArgs, SettingsArgs};
use carillon_testkit::service::{Place, until};
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _};
use yrs::{
    StateVector, Update,
    sync::{AwarenessUpdate, Message, SyncMessage, awareness::AwarenessUpdateEntry},
    updates::{decoder::Decode as _, encoder::Encode as _},
};

use crate::world::World;
use editor::{Editor, channel, connection, sync, whole};

pub(crate) use hostile::{
    bytes_that_make_no_sense_close_the_connection, what_is_too_large_is_refused_and_not_stored,
};

/// One replica on SQLite, two on Postgres.
async fn world(place: Place, documents: DocumentsArgs) -> World {
    let replicas = if place.url.starts_with("sqlite") { 1 } else { 2 };
    World::start_with(place, replicas, SettingsArgs { documents, ..SettingsArgs::default() }).await
}

/// How many updates are stored of every document, and their bytes.
async fn stored(world: &World) -> (i64, i64) {
    sqlx::any::install_default_drivers();
    let mut connection = AnyConnection::connect(&world.place.url).await.expect("a connection");
    let schema = if world.place.url.starts_with("sqlite") { "" } else { "chat." };
    let statement = format!(
        "SELECT COUNT(*), CAST(COALESCE(SUM(length(content)), 0) AS BIGINT) FROM {schema}document_update"
    );
    sqlx::query_as(AssertSqlSafe(statement)).fetch_one(&mut connection).await.expect("a row")
}

/// Edits at once converge, and a client that comes when all others have left gets the text.
pub(crate) async fn edits_at_once_converge_and_stay(place: Place) {
    let world = world(place, DocumentsArgs::default()).await;
    let mut one = Editor::open(&world, "one", "plan").await;
    let mut two = Editor::open(&world, "two", "plan").await;
    for round in 0..20 {
        let (text, other) = (format!("a{round} "), format!("b{round} "));
        tokio::join!(one.insert(&world, 0, &text), two.insert(&world, 0, &other));
        if round % 5 == 0 {
            one.remove(&world, 1, 2).await;
        }
    }
    let head = world.history(&channel("plan")).await.last().expect("events").offset;
    assert_eq!(head, 44);
    tokio::join!(one.hear_up_to(head), two.hear_up_to(head));
    assert_eq!(one.content(), two.content());
    for round in 0..20 {
        assert!(one.content().contains(&format!("b{round} ")), "{}", one.content());
    }
    let expected = one.content();
    drop((one, two));
    let late = Editor::open(&world, "late", "plan").await;
    assert_eq!(late.content(), expected);
    let other = Editor::open(&world, "other", "another plan").await;
    assert_eq!(other.content(), "");
}

/// What a client did while it was away arrives when it is back; what everyone has already is not
/// stored again, deletions neither.
pub(crate) async fn a_client_that_was_away_brings_what_is_lacking(place: Place) {
    let world = world(place, DocumentsArgs::default()).await;
    let mut one = Editor::open(&world, "one", "plan").await;
    one.insert(&world, 0, "here").await;
    one.remove(&world, 0, 1).await;
    let mut two = Editor::open(&world, "two", "plan").await;
    assert_eq!(world.history(&channel("plan")).await.len(), 2);
    two.insert_offline(3, " and there");
    two.session.connection = "two again".to_owned();
    two.sync(&world).await;
    one.hear_up_to(3).await;
    assert_eq!((one.content(), two.content()), ("ere and there".to_owned(), "ere and there".to_owned()));
    one.session.connection = "one again".to_owned();
    one.sync(&world).await;
    assert_eq!((world.history(&channel("plan")).await.len(), stored(&world).await.0), (3, 3));
}

/// The gateway repeats a frame that was not answered in time: under the same number.
pub(crate) async fn a_repeated_update_is_stored_once(place: Place) {
    let world = world(place, DocumentsArgs::default()).await;
    let mut one = Editor::open(&world, "one", "plan").await;
    let update = sync(SyncMessage::Update(one.insert_offline(0, "once")));
    for _ in 0..3 {
        assert_eq!(world.frame_bytes(&one.session, 7, update.clone()).await.close, None);
    }
    assert_eq!((world.history(&channel("plan")).await.len(), stored(&world).await.0), (1, 1));
    world.frame_bytes(&one.session, 8, update).await;
    assert_eq!(Editor::open(&world, "two", "plan").await.content(), "once");
}

/// Many updates become one, what was deleted is gone, and the text is the same.
pub(crate) async fn compaction_keeps_the_text(place: Place) {
    let documents = DocumentsArgs { chat_document_loose_updates: 10, ..DocumentsArgs::default() };
    let world = world(place, documents).await;
    let mut one = Editor::open(&world, "one", "plan").await;
    let mut two = Editor::open(&world, "two", "plan").await;
    for round in 0..30 {
        one.insert(&world, 0, "no longer needed").await;
        one.remove(&world, 0, 16).await;
        let text = format!("{round} ");
        tokio::join!(one.insert(&world, 0, &text), two.insert(&world, 0, "."));
    }
    let head = world.history(&channel("plan")).await.last().expect("events").offset;
    tokio::join!(one.hear_up_to(head), two.hear_up_to(head));
    until("updates are compacted", async || stored(&world).await.0 <= 11).await;
    let late = Editor::open(&world, "late", "plan").await;
    assert_eq!((late.content(), two.content()), (one.content(), one.content()));
    let events = world.history(&channel("plan")).await;
    let said: usize = events.iter().map(|event| event.variants[0].json.len()).sum();
    let (_, bytes) = stored(&world).await;
    assert!(usize::try_from(bytes).expect("bytes") < said / 2, "{bytes} of {said}");
    assert_eq!(late.content().matches('.').count(), 30);
}

/// A document of many megabytes reaches a newcomer, in updates that each fit into a message.
pub(crate) async fn a_large_document_keeps_its_pieces_small(place: Place) {
    let world = world(place, DocumentsArgs::default()).await;
    let mut one = Editor::open(&world, "one", "plan").await;
    for _ in 0..20 {
        one.insert(&world, 0, &"x".repeat(200_000)).await;
    }
    until("updates are compacted", async || stored(&world).await.0 < 15).await;
    let late = Editor::open(&world, "late", "plan").await;
    assert_eq!(late.content().len(), 4_000_000);
}

/// Others see a client's awareness, and it hears itself; a newcomer has everyone tell it.
pub(crate) async fn awareness_reaches_everyone(place: Place) {
    let world = world(place, DocumentsArgs::default()).await;
    let mut one = Editor::open(&world, "one", "plan").await;
    let mut two = Editor::open(&world, "two", "plan").await;
    assert_eq!(one.next_ephemeral().await, Message::AwarenessQuery);
    let entry = AwarenessUpdateEntry { clock: 1, json: r#"{"user":{"name":"Ada"}}"#.into() };
    let clients = [(one.document.client_id(), entry)].into_iter().collect();
    let message = Message::Awareness(AwarenessUpdate { clients });
    one.say(&world, message.encode_v1()).await;
    assert_eq!(one.next_ephemeral().await, message);
    assert_eq!(two.next_ephemeral().await, message);
    two.say(&world, Message::AwarenessQuery.encode_v1()).await;
    assert_eq!(one.next_ephemeral().await, Message::AwarenessQuery);
    assert!(world.history(&channel("plan")).await.is_empty());
}

/// What arrives before what it builds on waits for it, also across a compaction.
pub(crate) async fn updates_may_arrive_in_any_order(place: Place) {
    let documents = DocumentsArgs { chat_document_loose_updates: 1, ..DocumentsArgs::default() };
    let world = world(place, documents).await;
    let mut one = Editor::open(&world, "one", "plan").await;
    let updates: Vec<_> = ["a", "b", "c", "d"].iter().map(|text| one.insert_offline(0, text)).collect();
    let other = connection("other", "plan");
    for (number, update) in updates.iter().enumerate().skip(1) {
        let number = u64::try_from(number).expect("a number");
        world.frame_bytes(&other, number, sync(SyncMessage::Update(update.clone()))).await;
    }
    until("updates are compacted", async || stored(&world).await.0 <= 2).await;
    let reply = world.frame_bytes(&other, 10, sync(SyncMessage::SyncStep1(StateVector::default()))).await;
    let Ok(Message::Sync(SyncMessage::SyncStep2(update))) = Message::decode_v1(&reply.frames[0]) else {
        panic!("no answer")
    };
    assert!(!Update::decode_v1(&update).expect("an update").is_empty());
    world.frame_bytes(&other, 11, sync(SyncMessage::Update(updates[0].clone()))).await;
    let late = Editor::open(&world, "late", "plan").await;
    assert_eq!(late.content(), "dcba");
    assert_eq!(whole(&late.document).len(), whole(&one.document).len());
}
