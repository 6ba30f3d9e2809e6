//! Which deployment a command is about, and who asks.

use super::{Address, Api, CredentialArgs, Handshake, SecretText};

/// Where a deployment is, and as whom to ask.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct TargetArgs {
    /// Address of a gateway, or of what balances several.
    #[arg(long, env = "CARILLON_URL", value_name = "URL", default_value = "http://127.0.0.1:8000")]
    pub(crate) url: Address,

    #[command(flatten)]
    pub(crate) credentials: CredentialArgs,
}

/// A deployment, and the token to ask it with.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// Where it is.
    pub(crate) address: Address,
    /// The token, if there is one.
    pub(crate) token: Option<SecretText>,
    /// HTTP with it.
    pub(crate) api: Api,
}

impl TargetArgs {
    /// Reads the token, or logs in.
    ///
    /// # Errors
    /// See [`CredentialArgs::token`].
    pub(crate) async fn target(&self) -> anyhow::Result<Target> {
        let token = self.credentials.token(&self.url).await?;
        Target::new(&self.url, token)
    }
}

impl Target {
    /// A deployment, asked with this token.
    ///
    /// # Errors
    /// A machine without certificates.
    pub(crate) fn new(address: &Address, token: Option<SecretText>) -> anyhow::Result<Self> {
        let api = Api::new(address, token.clone())?;
        Ok(Self { address: address.clone(), token, api })
    }

    /// A handshake with the endpoint at this path.
    pub(crate) fn socket(&self, path: &str) -> Handshake {
        Handshake::new(&self.address, path).token(self.token.as_ref())
    }
}
