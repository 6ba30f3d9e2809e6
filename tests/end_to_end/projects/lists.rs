//! Reading what a project has: its tickets, its statuses, and one's projects (S3-02).

use anyhow::{Context, ensure};
use carillon_testkit::{Api, Deployment, send, unique};
use reqwest::Method;
use serde_json::{Value, json};

use super::{Team, api_of, next, tickets::listeners};
use crate::{
    checks::has,
    suite::{Suite, both},
};

pub(super) fn register(suite: &mut Suite) {
    both!(
        suite,
        s3_02_tickets_are_filtered_and_sorted,
        s3_02_tickets_are_listed_a_page_at_a_time,
        s3_02_a_projects_statuses_are_told,
        s3_02_a_repeated_change_of_a_status_undoes_no_later_one,
        s3_06_a_user_picks_one_of_its_projects,
    );
}

/// The titles of the tickets that a query finds, and the next page's cursor.
async fn titles(api: &Api, team: &Team, query: &str) -> anyhow::Result<(Vec<String>, Value)> {
    let page = api.get(&team.route(&format!("tickets/?{query}"))).await?.expect(200)?;
    let tickets = page["tickets"].as_array().context("no tickets")?;
    let titles = tickets.iter().map(|ticket| ticket["title"].as_str().unwrap_or_default().to_owned());
    Ok((titles.collect(), page["next"].clone()))
}

async fn s3_02_tickets_are_filtered_and_sorted(deployment: &Deployment) -> anyhow::Result<()> {
    let team = Team::start(deployment).await?;
    let (alice, bob) = (api_of(deployment, &team.alice), api_of(deployment, &team.bob));
    let (to_alice, to_bob) = (team.alice.id_json(), team.bob.id_json());
    for (api, body) in [
        (
            &alice,
            json!({"title": "Login 100%", "assignee": to_bob, "labels": ["web", "bug"], "priority": "high"}),
        ),
        (&bob, json!({"title": "logout", "assignee": to_alice, "status": "Done", "due_date": "2026-03-01"})),
        (&bob, json!({"title": "Search", "labels": ["web"], "priority": "urgent", "due_date": "2026-02-01"})),
    ] {
        team.create(api, &body).await?;
    }
    let me = &team.alice.id;
    for (query, expected) in [
        ("".to_owned(), &["Search", "logout", "Login 100%"][..]),
        ("sort=key".to_owned(), &["Login 100%", "logout", "Search"]),
        ("sort=-priority".to_owned(), &["Search", "Login 100%", "logout"]),
        ("sort=due_date".to_owned(), &["Search", "logout", "Login 100%"]),
        ("status=done".to_owned(), &["logout"]),
        ("status=1&sort=key".to_owned(), &["Login 100%", "Search"]),
        ("assignee=me".to_owned(), &["logout"]),
        (format!("assignee={me},none"), &["Search", "logout"]),
        ("reporter=me".to_owned(), &["Login 100%"]),
        ("priority=high,urgent".to_owned(), &["Search", "Login 100%"]),
        ("label=web".to_owned(), &["Search", "Login 100%"]),
        ("label=web,bug".to_owned(), &["Login 100%"]),
        ("q=LOG".to_owned(), &["logout", "Login 100%"]),
        ("q=%25".to_owned(), &["Login 100%"]),
        (format!("q={}-2", team.project.key.to_lowercase()), &["logout"]),
        ("q=nothing".to_owned(), &[]),
    ] {
        let (found, _) = titles(&alice, &team, &query).await?;
        ensure!(found == expected, "{query}: {found:?}");
    }
    Ok(())
}

/// What changes between two pages moves nothing into both or out of them.
async fn s3_02_tickets_are_listed_a_page_at_a_time(deployment: &Deployment) -> anyhow::Result<()> {
    let team = Team::start(deployment).await?;
    let alice = api_of(deployment, &team.alice);
    let expected: Vec<String> = (1..=5).map(|number| number.to_string()).collect();
    for title in &expected {
        team.create(&alice, &json!({"title": title})).await?;
    }
    for sort in ["key", "title", "-priority"] {
        let (mut found, mut cursor) = titles(&alice, &team, &format!("limit=2&sort={sort}")).await?;
        while let Some(next) = cursor.as_str() {
            let (page, after) = titles(&alice, &team, &format!("limit=2&sort={sort}&cursor={next}")).await?;
            ensure!(page.len() <= 2, "{page:?}");
            (found, cursor) = ([found, page].concat(), after);
        }
        found.sort_unstable();
        ensure!(found == expected, "{sort}: {found:?}");
    }
    for query in ["limit=0", "limit=201", "sort=colour", "status=Nowhere", "cursor=x", "priority=most"] {
        let refused = alice.get(&team.route(&format!("tickets/?{query}"))).await?.expect(422)?;
        ensure!(refused["field"] == query.split('=').next().unwrap_or_default(), "{query}: {refused}");
    }
    Ok(())
}

/// An admin changes them; a ticket then shows the new name.
async fn s3_02_a_projects_statuses_are_told(deployment: &Deployment) -> anyhow::Result<()> {
    let team = Team::start(deployment).await?;
    let (alice, admin) = (api_of(deployment, &team.alice), deployment.admin().await?.api());
    let ticket = team.create(&alice, &json!({"title": "Fix login bug"})).await?;
    let sockets = listeners(deployment, &team).await?;
    let route = team.route("statuses/");
    alice.post(&route, &json!({"name": "Mine"})).await?.expect(403)?;
    let blocked = admin.post(&route, &json!({"name": "Blocked", "color": "#f5222d"})).await?.expect(201)?;
    has(&blocked, &json!({"id": 5, "name": "Blocked", "color": "#f5222d"}))?;
    let renamed = admin.patch(&format!("{route}1/"), &json!({"name": "New"})).await?.expect(200)?;
    has(&renamed, &json!({"id": 1, "name": "New", "color": "#1890ff"}))?;
    admin.delete(&format!("{route}1/")).await?.expect(409)?;
    admin.delete(&format!("{route}5/")).await?.expect(204)?;
    admin.post(&route, &json!({"name": "done"})).await?.expect(409)?;
    for mut socket in sockets {
        for (action, status) in [("created", &blocked), ("updated", &renamed), ("deleted", &blocked)] {
            let frame = next(&mut socket, "status_update", action).await?;
            ensure!(frame["data"] == *status, "{frame} instead of {status}");
        }
        socket.close().await?;
    }
    let shown = alice.get(&team.ticket_route(&ticket, "")).await?.expect(200)?;
    has(&shown, &json!({"status": {"id": 1, "name": "New"}, "version": 1}))?;
    let project = alice.get(&team.route("")).await?.expect(200)?;
    has(&project, &json!({"key": team.project.key, "tickets": 1}))?;
    has(&project["statuses"][0], &json!({"name": "New", "tickets": 1}))
}

/// Whoever repeats a request is answered as then.
async fn s3_02_a_repeated_change_of_a_status_undoes_no_later_one(
    deployment: &Deployment,
) -> anyhow::Result<()> {
    let team = Team::start(deployment).await?;
    let (alice, admin) = (api_of(deployment, &team.alice), deployment.admin().await?.api());
    let route = team.route("statuses/1/");
    let key = unique("key");
    let rename = async || {
        let request = admin.request(Method::PATCH, &route).header("idempotency-key", &key);
        send(request.json(&json!({"name": "New"}))).await?.expect(200)
    };
    has(&rename().await?, &json!({"name": "New"}))?;
    admin.patch(&route, &json!({"name": "Newer"})).await?.expect(200)?;
    has(&rename().await?, &json!({"name": "New"}))?;
    let ticket = team.create(&alice, &json!({"title": "Fix login bug"})).await?;
    has(&ticket, &json!({"status": {"id": 1, "name": "Newer"}}))
}

/// S3-06: those that it is a member of, and no other.
async fn s3_06_a_user_picks_one_of_its_projects(deployment: &Deployment) -> anyhow::Result<()> {
    let team = Team::start(deployment).await?;
    let other = deployment.project(&[&team.alice]).await?;
    deployment.project(&[]).await?;
    for (user, expected) in [(&team.alice, vec![&team.project, &other]), (&team.bob, vec![&team.project])] {
        let mine = api_of(deployment, user).get("/api/projects/").await?.expect(200)?;
        let mut keys: Vec<&str> =
            mine["projects"].as_array().into_iter().flatten().filter_map(|one| one["key"].as_str()).collect();
        let mut expected: Vec<&str> = expected.iter().map(|project| project.key.as_str()).collect();
        keys.sort_unstable();
        expected.sort_unstable();
        ensure!(keys == expected && mine["next"].is_null(), "{mine}");
        has(&mine["projects"][0], &json!({"id": team.project.id_json()}))?;
    }
    Ok(())
}
