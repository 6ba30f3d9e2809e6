//! What the ticket-presence service asks: projects, and who of some users are their members.

use carillon_auth::Demo;
use carillon_contract::messages::{Profile, Project, ProjectReply, ProjectRequest, ProjectsRequest};
use serde_json::{Value, json};

use crate::{
    database::Fresh,
    world::{World, back_end},
};

fn asked(users: &[&str], usernames: &[&str]) -> ProjectRequest {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    ProjectRequest { id: "1".to_owned(), users: texts(users), usernames: texts(usernames) }
}

/// The ids of the members in a reply.
fn members(reply: &ProjectReply) -> Vec<&str> {
    reply.members.iter().map(|profile| profile.user.as_str()).collect()
}

async fn add(world: &World, project: &str, user: &str) {
    let add = world.ask("auth.projects.members.add").identity(back_end("memberships:write"));
    add.parameter("project_id", project).parameter("user_id", user).expect(204).await;
}

/// By id or by username, in whatever case, each once; whoever is no member is left out.
pub(crate) async fn a_project_tells_who_of_some_are_members(fresh: Fresh) {
    let world = World::start(fresh).await;
    let bob = Profile {
        user: "2".to_owned(),
        username: "bob".to_owned(),
        first_name: "Bob".to_owned(),
        last_name: "Demo".to_owned(),
    };
    let reply = world.call(&asked(&["2", "3", "99", "2"], &["BOB", "carol", "nobody", " bob "])).await;
    let project = reply.project.clone().expect("a project");
    assert_eq!((project.id.as_str(), project.key.as_str()), ("1", "PROJ"));
    assert!(!project.name.is_empty());
    assert_eq!(reply.members, [bob]);
    assert_eq!(members(&world.call(&asked(&["1"], &["Bob"])).await), ["1", "2"]);
    let nobody = world.call(&asked(&[], &[])).await;
    assert_eq!((nobody.project, nobody.members), (Some(project), Vec::new()));
    for id in ["9", "", "01", "a b", "org.acme", "a\0b", "a\nb", &"x".repeat(300)] {
        let request = ProjectRequest { id: id.to_owned(), ..asked(&["1"], &["bob"]) };
        assert_eq!(world.call(&request).await, ProjectReply::default(), "{id:?}");
    }
}

/// Members whom only their tokens know have an id and nothing else; one who is inactive is found by no name.
pub(crate) async fn members_without_a_name_are_members(fresh: Fresh) {
    let world = World::start(fresh).await;
    let eve = json!({"username": "Eve", "password": "correct horse", "active": false});
    let eve = world.admin("auth.users.create").body(&eve).expect(201).await["id"].to_string();
    for user in ["keycloak:z", "77", &eve] {
        add(&world, "1", user).await;
    }
    let reply = world.call(&asked(&["keycloak:z", "77"], &["eve"])).await;
    let nameless = |user: &str| Profile { user: user.to_owned(), ..Profile::default() };
    assert_eq!(reply.members, [nameless("77"), nameless("keycloak:z")]);
    assert_eq!(members(&world.call(&asked(&[&eve], &[])).await), [eve.as_str()]);
}

/// Users of ours are asked for as other services call them.
pub(crate) async fn members_have_the_ids_that_others_know(fresh: Fresh) {
    let world = World::start_with(fresh, |args| {
        args.demo = Demo::Make;
        args.bare_ids = "django".to_owned();
    })
    .await;
    // A bare 2 is somebody else, whatever our own 2 is called.
    add(&world, "1", "2").await;
    let reply = world.call(&asked(&["2", "carillon:2", "carillon:3"], &["alice"])).await;
    let names: Vec<_> = reply.members.iter().map(|it| (it.user.as_str(), it.username.as_str())).collect();
    assert_eq!(names, [("2", ""), ("carillon:1", "alice"), ("carillon:2", "bob")]);
    let mine = |user: &str| ProjectsRequest { user: user.to_owned(), ..ProjectsRequest::default() };
    assert_eq!(world.call(&mine("carillon:1")).await.projects.len(), 1);
    assert_eq!(world.call(&mine("1")).await.projects, []);
}

/// All of them, or a user's, in the order of their ids.
pub(crate) async fn projects_are_told_page_by_page(fresh: Fresh) {
    let world = World::start(fresh).await;
    let mut expected = vec!["1".to_owned()];
    for number in 0..7 {
        let id = format!("p{number}");
        let body = json!({"id": id, "name": "N", "key": format!("K{number}")});
        world.admin("auth.projects.create").body(&body).expect(201).await;
        if number % 2 == 0 {
            add(&world, &id, "1").await;
        }
        expected.push(id);
    }
    let organisation: Value = json!({"id": "p9", "name": "no project"});
    world.admin("auth.orgs.create").body(&organisation).expect(201).await;
    assert_eq!(ids(&walk(&world, "", 3).await), expected);
    let mine: Vec<_> = ["1", "p0", "p2", "p4", "p6"].map(str::to_owned).into();
    for limit in [1, 2, 5, 100, 0] {
        let projects = walk(&world, "1", limit).await;
        assert_eq!(ids(&projects), mine, "{limit}");
        assert_eq!((projects[1].key.as_str(), projects[1].name.as_str()), ("K0", "N"));
    }
    assert_eq!(walk(&world, "2", 10).await.len(), 1);
    assert_eq!(walk(&world, "99", 10).await, []);
    world.admin("auth.projects.delete").parameter("project_id", "p2").expect(204).await;
    assert_eq!(ids(&walk(&world, "1", 2).await), ["1", "p0", "p4", "p6"]);
}

async fn walk(world: &World, user: &str, limit: u32) -> Vec<Project> {
    let mut projects: Vec<Project> = Vec::new();
    loop {
        let after = projects.last().map(|project| project.id.clone()).unwrap_or_default();
        let reply = world.call(&ProjectsRequest { user: user.to_owned(), after, limit }).await;
        assert!(limit == 0 || reply.projects.len() <= limit as usize);
        projects.extend(reply.projects);
        if !reply.more {
            return projects;
        }
    }
}

fn ids(projects: &[Project]) -> Vec<String> {
    projects.iter().map(|project| project.id.clone()).collect()
}

/// As many as one statement takes, and no more.
pub(crate) async fn a_request_is_bounded(fresh: Fresh) {
    let world = World::start(fresh).await;
    let many = |count: usize| (0..count).map(|number| number.to_string()).collect::<Vec<_>>();
    let request = |users: usize, names: usize| ProjectRequest {
        id: "1".to_owned(),
        users: many(users),
        usernames: many(names),
    };
    assert_eq!(members(&world.call(&request(500, 500)).await), ["1", "2"]);
    for (users, names) in [(501, 0), (0, 501)] {
        let refused = world.bus.call(carillon_contract::ServiceName::Auth, &request(users, names)).await;
        assert!(refused.is_err_and(|error| !error.is_unavailable()));
    }
}
