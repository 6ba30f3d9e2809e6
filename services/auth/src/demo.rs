//! The demo's users, organisation and project.

use carillon_contract::{ADMIN_ROLE, Id, Resource, ResourceKind};
use carillon_store::{StoreError, Transaction};

use crate::{
    auth::Auth,
    counter::Counter,
    effects::Effects,
    members,
    resources::{self, NewGroup},
    users::{self, NewUser},
};

/// Of every demo user.
const PASSWORD: &str = "carillon";

/// Ids, usernames, first names, and whether they are an admin.
const USERS: [(i64, &str, &str, bool); 4] = [
    (1, "alice", "Alice", false),
    (2, "bob", "Bob", false),
    (3, "carol", "Carol", false),
    (4, "admin", "Admin", true),
];

/// Who is in the demo's organisation and project.
const MEMBERS: [i64; 2] = [1, 2];

/// Makes the demo, once: what someone has removed of it stays removed.
pub(crate) async fn make(auth: &Auth) -> anyhow::Result<()> {
    if Counter::Demo.read(&auth.database).await? > 0 {
        return Ok(());
    }
    // Before the transaction: hashing takes longer than anyone should wait for it.
    let mut hashes = Vec::new();
    for _ in USERS {
        hashes.push(auth.passwords.hash(PASSWORD.to_owned()).await?);
    }
    Ok(insert(auth, hashes).await?)
}

/// Refuses to go on with a demo user who still has the password that everyone knows.
pub(crate) async fn refuse(auth: &Auth) -> anyhow::Result<()> {
    // Who has made a user of such a name here has chosen its password.
    if Counter::Demo.read(&auth.database).await? == 0 {
        return Ok(());
    }
    for (_, username, _, _) in USERS {
        let Some(user) = users::by_name(auth.database.reader(), username).await? else { continue };
        let permit = auth.passwords.permit().await?;
        let (known, _) =
            auth.passwords.verify(permit, PASSWORD.to_owned(), Some(&user.password_hash)).await?;
        anyhow::ensure!(
            !known,
            "this database has the demo's user {username}, whose password everyone knows: \
             remove the demo's users, use another database, or say --demo"
        );
    }
    Ok(())
}

async fn insert(auth: &Auth, hashes: Vec<String>) -> Result<(), StoreError> {
    let mut tx = auth.database.begin().await?;
    if Counter::Demo.lock(&auth.database, &mut tx).await? > 0 {
        return Ok(());
    }
    Counter::Demo.next(&mut tx).await?;
    for ((id, username, first_name, admin), password_hash) in USERS.into_iter().zip(hashes) {
        let user = NewUser {
            id: Some(id),
            username: username.to_owned(),
            email: format!("{username}@example.org"),
            first_name: first_name.to_owned(),
            last_name: "Demo".to_owned(),
            password_hash,
            roles: if admin { vec![ADMIN_ROLE.to_owned()] } else { Vec::new() },
            active: true,
        };
        users::create(&mut tx, user).await?;
    }
    group(auth, &mut tx, ResourceKind::Organisation, "acme", "Acme", None).await?;
    group(auth, &mut tx, ResourceKind::Project, "1", "Demo project", Some("PROJ")).await?;
    // Nobody is there yet whom it would tell anything.
    auth.commit(tx, Effects::default()).await?;
    tracing::info!("the demo's users, organisation and project were made");
    Ok(())
}

async fn group(
    auth: &Auth,
    tx: &mut Transaction,
    kind: ResourceKind,
    id: &str,
    name: &str,
    key: Option<&str>,
) -> Result<(), StoreError> {
    let resource = Resource::new(kind, id).map_err(StoreError::other)?;
    let id = Id::new(id).map_err(StoreError::other)?;
    let group = NewGroup { id: Some(id), name: name.to_owned(), key: key.map(str::to_owned) };
    resources::create(tx, kind, group).await?;
    for user in MEMBERS {
        members::add(tx, &resource, &auth.names.full(user), &mut Effects::default()).await?;
    }
    Ok(())
}
