//! The first admin of a new deployment.

use anyhow::{Context, bail, ensure};
use carillon_contract::ADMIN_ROLE;
use carillon_store::StoreError;

use crate::{
    args::BootstrapArgs,
    auth::Auth,
    effects::Effects,
    new_user,
    users::{self, NewUser},
};

/// Where the password is, unless it is in a file.
const VARIABLE: &str = "CARILLON_BOOTSTRAP_ADMIN_PASSWORD";

/// Makes the admin that the operator asked for, unless there is a user of that name.
pub(crate) async fn make_admin(auth: &Auth, args: &BootstrapArgs) -> anyhow::Result<()> {
    let Some(name) = &args.bootstrap_admin else { return Ok(()) };
    if users::by_name(auth.database.reader(), name).await?.is_some() {
        return Ok(());
    }
    ensure!(new_user::is_username(name), "--bootstrap-admin: {}", new_user::USERNAME_RULE);
    let password = password(args)?;
    ensure!(new_user::is_password(&password), "the bootstrap admin's password: {}", new_user::PASSWORD_RULE);
    let hash = auth.passwords.hash(password).await?;
    insert(auth, name, hash).await?;
    tracing::info!(username = name, "the bootstrap admin was made");
    Ok(())
}

async fn insert(auth: &Auth, name: &str, password_hash: String) -> Result<(), StoreError> {
    let user = NewUser {
        id: None,
        username: name.trim().to_owned(),
        email: String::new(),
        first_name: String::new(),
        last_name: String::new(),
        password_hash,
        roles: vec![ADMIN_ROLE.to_owned()],
        active: true,
    };
    let mut tx = auth.database.begin().await?;
    // If another replica was faster, the place is taken, which is as good.
    users::create(&mut tx, user).await?;
    auth.commit(tx, Effects::default()).await
}

fn password(args: &BootstrapArgs) -> anyhow::Result<String> {
    if let Some(file) = &args.bootstrap_admin_password_file {
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("reading the bootstrap admin's password from {}", file.display()))?;
        return Ok(text.lines().next().unwrap_or_default().to_owned());
    }
    match std::env::var(VARIABLE) {
        Ok(password) => Ok(password),
        Err(_) => bail!("--bootstrap-admin needs {VARIABLE} or --bootstrap-admin-password-file"),
    }
}
