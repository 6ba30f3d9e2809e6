//! Comments, as everyone who listens to the project's tickets hears of them (S3-02).

use anyhow::ensure;
use carillon_testkit::Deployment;
use serde_json::json;

use super::{Team, api_of, person, tickets::listeners};
use crate::{
    checks::{has, has_texts, lives},
    suite::{Suite, both},
};

pub(super) fn register(suite: &mut Suite) {
    both!(suite, s3_02_a_comment_is_told_and_counted, s3_02_comments_are_read_a_page_at_a_time);
}

async fn s3_02_a_comment_is_told_and_counted(deployment: &Deployment) -> anyhow::Result<()> {
    let team = Team::start(deployment).await?;
    let (alice, bob) = (api_of(deployment, &team.alice), api_of(deployment, &team.bob));
    let ticket = team.create(&alice, &json!({"title": "Fix login bug"})).await?;
    let mut sockets = listeners(deployment, &team).await?;
    let comment = team.comment(&bob, &ticket, "I am on it").await?;
    let of_ticket = json!({"ticket_id": ticket["ticket_id"], "ticket_key": team.key(1)});
    has(&comment, &of_ticket)?;
    has(&comment, &json!({"author": person(&team.bob), "message": "I am on it", "edited_at": null}))?;
    let route = team.ticket_route(&ticket, &format!("comments/{}/", comment["comment_id"]));
    alice.patch(&route, &json!({"message": "not mine"})).await?.expect(403)?;
    let edited = bob.patch(&route, &json!({"message": "I was on it"})).await?.expect(200)?;
    has_texts(&edited, &["edited_at"])?;
    alice.delete(&route).await?.expect(403)?;
    for socket in &mut sockets {
        let mut added = socket.next_of_type("comment_added").await?;
        let count = added["data"].as_object_mut().and_then(|data| data.remove("comments"));
        ensure!(added["data"] == comment && count == Some(json!(1)), "{added}, {count:?}");
        has(&added, &json!({"actor": person(&team.bob)}))?;
        let updated = socket.next_of_type("comment_updated").await?;
        ensure!(updated["data"] == edited, "{updated}");
    }
    let shown = alice.get(&team.ticket_route(&ticket, "")).await?.expect(200)?;
    ensure!(shown["comments"] == 1 && shown["version"] == 1, "{shown}");
    bob.delete(&route).await?.expect(204)?;
    for mut socket in sockets {
        let deleted = socket.next_of_type("comment_deleted").await?;
        has(&deleted["data"], &of_ticket)?;
        has(&deleted["data"], &json!({"comment_id": comment["comment_id"], "comments": 0}))?;
        lives(socket).await?;
    }
    let left = alice.get(&team.ticket_route(&ticket, "comments/")).await?.expect(200)?;
    ensure!(left["comments"] == json!([]), "{left}");
    Ok(())
}

/// The oldest first.
async fn s3_02_comments_are_read_a_page_at_a_time(deployment: &Deployment) -> anyhow::Result<()> {
    let team = Team::start(deployment).await?;
    let (alice, bob) = (api_of(deployment, &team.alice), api_of(deployment, &team.bob));
    let ticket = team.create(&alice, &json!({"title": "Fix login bug"})).await?;
    let other = team.create(&alice, &json!({"title": "Another"})).await?;
    for text in ["one", "two", "three"] {
        team.comment(&bob, &ticket, text).await?;
        team.comment(&bob, &other, "of the other").await?;
    }
    let route = team.ticket_route(&ticket, "comments/?limit=2");
    let page = alice.get(&route).await?.expect(200)?;
    has(&page["comments"][0], &json!({"message": "one", "author": person(&team.bob)}))?;
    has(&page["comments"][1], &json!({"message": "two", "ticket_key": team.key(1)}))?;
    let last = alice.get(&format!("{route}&after={}", page["next"])).await?.expect(200)?;
    has(&last["comments"][0], &json!({"message": "three"}))?;
    ensure!(last["comments"][1].is_null() && last["next"].is_null(), "{last}");
    Ok(())
}
