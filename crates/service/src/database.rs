//! Where a service's database is.

/// The database of one service.
#[derive(Debug, Clone, clap::Args)]
pub struct DatabaseArgs {
    /// The database: `postgres://user:password@host/name`, where the service uses a schema of its
    /// own name, or `sqlite:PATH`.
    #[arg(long, env = "CARILLON_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub database_url: String,
}
