//! A user's inbox, over HTTP and over sockets. No test sends to everyone in these deployments: counts are exact.

use anyhow::{Context, ensure};
use carillon_testkit::{Api, Deployment, Socket, User, unique};
use serde_json::{Value, json};

use crate::{
    checks::{connect, has, has_texts},
    suite::{Suite, both, keycloak},
};

const INBOX: &str = "/api/notifications/";

pub(crate) fn register(suite: &mut Suite) {
    keycloak!(
        suite,
        the_inbox_is_read_a_page_at_a_time,
        reading_over_http_reaches_the_users_other_connections,
        reading_over_a_socket_reaches_the_others,
        what_arrives_later_stays_unread,
        a_deleted_notification_is_gone,
        an_inbox_is_the_users_own,
    );
    both!(suite, what_everyone_was_sent_is_in_the_inbox);
}

async fn the_inbox_is_read_a_page_at_a_time(deployment: &Deployment) -> anyhow::Result<()> {
    let user = deployment.user("alice").await?;
    let api = deployment.api().with_token(&user.token);
    let empty = json!({"items": [], "next": null, "counts": {"total": 0, "unread": 0}, "version": 0});
    ensure!(page(&api, "").await? == empty, "not empty: {}", page(&api, "").await?);

    let sent = send(deployment, &user, 5).await?;
    let all = page(&api, "").await?;
    has(&all, &json!({"next": null, "counts": {"total": 5, "unread": 5}}))?;
    let newest_first: Vec<_> = sent.iter().rev().cloned().collect();
    ensure!(ids(&all) == newest_first, "{all}");
    for item in all["items"].as_array().into_iter().flatten() {
        has(item, &json!({"is_read": false, "message": "Hello", "priority": "normal"}))?;
        has_texts(item, &["title", "timestamp", "notification_type"])?;
    }

    let mut pages = vec![page(&api, "?limit=2").await?];
    while let Some(before) = pages.last().and_then(|page| page["next"].as_i64()) {
        pages.push(page(&api, &format!("?limit=2&before={before}")).await?);
    }
    ensure!(pages.len() == 3, "{} pages", pages.len());
    ensure!(pages.iter().flat_map(ids).collect::<Vec<_>>() == newest_first, "{pages:?}");

    for id in [&sent[1], &sent[3]] {
        read(&api, id).await?;
    }
    let unread = page(&api, "?status=unread").await?;
    ensure!(ids(&unread) == [sent[4].clone(), sent[2].clone(), sent[0].clone()], "{unread}");
    let read = page(&api, "?status=read&limit=1").await?;
    ensure!(ids(&read) == [sent[3].clone()] && read["items"][0]["is_read"] == true, "{read}");
    has(&read, &json!({"counts": {"total": 5, "unread": 3}}))?;
    let rest = page(&api, &format!("?status=read&limit=1&before={}", read["next"])).await?;
    ensure!(ids(&rest) == [sent[1].clone()] && rest["next"].is_null(), "{rest}");

    for (query, field) in [
        ("?limit=0", "limit"),
        ("?limit=101", "limit"),
        ("?limit=x", "limit"),
        ("?status=new", "status"),
        ("?before=x", "before"),
    ] {
        has(&api.get(&format!("{INBOX}{query}")).await?.expect(422)?, &json!({"field": field}))?;
    }
    Ok(())
}

/// Each connection of the user, on each gateway and in each dialect, gets the new count, once.
async fn reading_over_http_reaches_the_users_other_connections(
    deployment: &Deployment,
) -> anyhow::Result<()> {
    let user = deployment.user("alice").await?;
    let api = deployment.api().with_token(&user.token);
    let sent = send(deployment, &user, 3).await?;
    let mut sockets = connections(deployment, &user).await?;
    let marked = read(&api, &sent[0]).await?;
    has(&marked, &json!({"marked": 1, "counts": {"total": 3, "unread": 2}}))?;
    counted(&mut sockets, 2, &marked["version"]).await?;

    let again = read(&api, &sent[0]).await?;
    has(&again, &json!({"marked": 0, "counts": {"total": 3, "unread": 2}, "version": marked["version"]}))?;
    for socket in &mut sockets {
        socket.expect_none("another count", |frame| frame["type"] == "unread_count").await?;
    }
    let all = api.post(&format!("{INBOX}read-all/"), &json!({})).await?.expect(200)?;
    has(&all, &json!({"marked": 2, "counts": {"total": 3, "unread": 0}}))?;
    ensure!(all["version"].as_i64() > marked["version"].as_i64(), "the version is not newer: {all}");
    counted(&mut sockets, 0, &all["version"]).await
}

/// Documents 1 and 3: the client that marks is answered, the others get the count.
async fn reading_over_a_socket_reaches_the_others(deployment: &Deployment) -> anyhow::Result<()> {
    let user = deployment.user("alice").await?;
    let api = deployment.api().with_token(&user.token);
    let sent = send(deployment, &user, 3).await?;
    let mut sockets = connections(deployment, &user).await?;
    for (frame, answer, left) in [
        (json!({"type": "mark_read", "id": sent[0]}), json!({"type": "marked_read", "id": sent[0]}), 2),
        (json!({"type": "mark_read", "notification_id": sent[0]}), json!({"type": "marked_read"}), 2),
        (
            json!({"type": "mark_all_read", "up_to": sent[1]}),
            json!({"type": "marked_all_read", "marked": 1}),
            1,
        ),
        (json!({"type": "mark_all_read"}), json!({"type": "marked_all_read", "marked": 1}), 0),
    ] {
        let is_new = page(&api, "").await?["counts"]["unread"] != left;
        sockets[0].send_json(&frame).await?;
        // The answer and the count come by different ways, in either order.
        let mut frames = vec![sockets[0].next_json().await?];
        if is_new {
            frames.push(sockets[0].next_json().await?);
        }
        let answered = frames.iter().find(|frame| frame["type"] == answer["type"]).context("no answer")?;
        has(answered, &answer)?;
        has(answered, &json!({"count": left}))?;
        ensure!(!is_new || frames.iter().any(|frame| frame["type"] == "unread_count"), "{frames:?}");
        if is_new {
            counted(&mut sockets[1..], left, &answered["version"]).await?;
        }
    }
    sockets[0].send_json(&json!({"type": "mark_read", "id": 4_711})).await?;
    has(&sockets[0].next_of_type("error").await?, &json!({"message": "Unknown notification"}))
}

/// `up_to` is the newest that the client has seen.
async fn what_arrives_later_stays_unread(deployment: &Deployment) -> anyhow::Result<()> {
    let user = deployment.user("alice").await?;
    let api = deployment.api().with_token(&user.token);
    let seen = send(deployment, &user, 2).await?;
    let later = send(deployment, &user, 1).await?;
    let path = format!("{INBOX}read-all/");
    let marked = api.post(&path, &json!({"up_to": seen[1]})).await?.expect(200)?;
    has(&marked, &json!({"marked": 2, "counts": {"total": 3, "unread": 1}}))?;
    ensure!(ids(&page(&api, "?status=unread").await?) == later, "another one is unread");
    has(&api.post(&path, &json!({"up_to": {}})).await?.expect(422)?, &json!({"field": "up_to"}))?;
    api.post(&path, &json!({"up_to": "nothing that was ever sent"})).await?.expect(404)?;
    has(&page(&api, "").await?, &json!({"counts": {"total": 3, "unread": 1}}))
}

async fn a_deleted_notification_is_gone(deployment: &Deployment) -> anyhow::Result<()> {
    let user = deployment.user("alice").await?;
    let api = deployment.api().with_token(&user.token);
    let sent = send(deployment, &user, 3).await?;
    let mut sockets = connections(deployment, &user).await?;
    let path = |id: &Value| format!("{INBOX}{id}/");
    read(&api, &sent[0]).await?;
    for socket in &mut sockets {
        has(&socket.next_of_type("unread_count").await?, &json!({"count": 2}))?;
    }
    for (id, total, unread) in [(&sent[0], 2, 2), (&sent[1], 1, 1)] {
        api.delete(&path(id)).await?.expect(204)?;
        has(&page(&api, "").await?, &json!({"counts": {"total": total, "unread": unread}}))?;
        for socket in &mut sockets {
            has(&socket.next_of_type("unread_count").await?, &json!({"count": unread}))?;
        }
        api.delete(&path(id)).await?.expect(404)?;
        api.post(&format!("{INBOX}{id}/read/"), &json!({})).await?.expect(404)?;
    }
    ensure!(ids(&page(&api, "").await?) == sent[2..], "what was deleted is still there");
    Ok(())
}

async fn an_inbox_is_the_users_own(deployment: &Deployment) -> anyhow::Result<()> {
    let (user, other) = (deployment.user("alice").await?, deployment.user("bob").await?);
    let own = deployment.api().with_token(&user.token);
    let others = deployment.api().with_token(&other.token);
    let sent = send(deployment, &user, 2).await?;
    let own_id = unique("custom");
    let body = json!({"user_id": user.id, "title": "T", "message": "M", "id": own_id});
    deployment.admin().await?.notify(&body).await?;
    for id in [sent[0].to_string(), own_id.clone(), "everyone-1".to_owned(), "0".to_owned(), "%00".to_owned()]
    {
        others.post(&format!("{INBOX}{id}/read/"), &json!({})).await?.expect(404)?;
        others.delete(&format!("{INBOX}{id}/")).await?.expect(404)?;
    }
    has(&page(&others, "").await?, &json!({"items": [], "counts": {"total": 0, "unread": 0}}))?;
    has(&page(&own, "").await?, &json!({"counts": {"total": 3, "unread": 3}}))?;
    let by_own_id = own.post(&format!("{INBOX}{own_id}/read/"), &json!({})).await?.expect(200)?;
    has(&by_own_id, &json!({"marked": 1, "counts": {"unread": 2}}))?;
    let token =
        deployment.admin().await?.create_service_token(&unique("shop"), &["notifications:send"]).await?;
    deployment.api().with_token(&token.token).get(INBOX).await?.expect(403)?;
    deployment.api().get(INBOX).await?.expect(401).map(drop)
}

/// Also for users who were not there, and each marks the own copy.
async fn what_everyone_was_sent_is_in_the_inbox(deployment: &Deployment) -> anyhow::Result<()> {
    let (alice, bob) = (deployment.user("alice").await?, deployment.user("bob").await?);
    let title = unique("New Alert");
    let body = json!({"title": title, "message": "Important update!", "everyone": true});
    let id = deployment.admin().await?.notify(&body).await?["id"].clone();
    let path = id.as_str().context("an id")?;
    let find = async |user: &User| {
        let inbox = page(&deployment.api().with_token(&user.token), "?limit=100").await?;
        let item = inbox["items"].as_array().into_iter().flatten().find(|item| item["id"] == id);
        anyhow::Ok(item.cloned())
    };
    for user in [&alice, &bob] {
        let item = find(user).await?.context("not in the inbox")?;
        has(&item, &json!({"title": title, "is_read": false}))?;
    }
    let api = deployment.api().with_token(&alice.token);
    has(&api.post(&format!("{INBOX}{path}/read/"), &json!({})).await?.expect(200)?, &json!({"marked": 1}))?;
    has(&find(&alice).await?.context("not in the inbox")?, &json!({"is_read": true}))?;
    has(&find(&bob).await?.context("not in the inbox")?, &json!({"is_read": false}))?;
    api.delete(&format!("{INBOX}{path}/")).await?.expect(204)?;
    ensure!(find(&alice).await?.is_none() && find(&bob).await?.is_some(), "deleted for another user");
    Ok(())
}

async fn page(api: &Api, query: &str) -> anyhow::Result<Value> {
    api.get(&format!("{INBOX}{query}")).await?.expect(200)
}

async fn read(api: &Api, id: &Value) -> anyhow::Result<Value> {
    api.post(&format!("{INBOX}{id}/read/"), &json!({})).await?.expect(200)
}

fn ids(page: &Value) -> Vec<Value> {
    page["items"].as_array().into_iter().flatten().map(|item| item["id"].clone()).collect()
}

/// Sends so many; their ids.
async fn send(deployment: &Deployment, user: &User, count: usize) -> anyhow::Result<Vec<Value>> {
    let mut ids = Vec::new();
    for _ in 0..count {
        let body = json!({"user_id": user.id, "title": unique("title"), "message": "Hello"});
        ids.push(deployment.admin().await?.notify(&body).await?["id"].clone());
    }
    Ok(ids)
}

/// One to each gateway, and document 4's endpoint.
async fn connections(deployment: &Deployment, user: &User) -> anyhow::Result<Vec<Socket>> {
    let [first, second] = deployment.gateways();
    let own = format!("/ws/notifications/{}/", user.id);
    let paths = [(first, "/ws/notifications/"), (second, "/ws/notifications/"), (second, own.as_str())];
    let mut sockets = Vec::new();
    for (gateway, path) in paths {
        sockets.push(connect(gateway, path, &user.token).await?);
    }
    Ok(sockets)
}

async fn counted(sockets: &mut [Socket], count: i64, version: &Value) -> anyhow::Result<()> {
    for socket in sockets {
        let frame = socket.next_of_type("unread_count").await?;
        has(&frame, &json!({"type": "unread_count", "count": count, "version": version}))?;
    }
    Ok(())
}
