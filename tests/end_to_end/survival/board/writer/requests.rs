//! Requests that are repeated, with the same key, until they are answered.

use anyhow::bail;
use carillon_testkit::{Api, Gateway, Project, Reply, User, send, unique};
use reqwest::Method;
use serde_json::Value;
use tokio::time::{Duration, Instant, sleep};

use super::PATIENCE;

/// How long after an attempt that came to nothing the next one follows.
const PAUSE: Duration = Duration::from_millis(50);

/// A member's requests for a project's tickets.
pub(super) struct Requests {
    /// The gateway that it prefers, and the other.
    apis: [Api; 2],
    route: String,
    key: String,
    sent: usize,
}

impl Requests {
    pub(super) fn new(gateways: &[Gateway; 2], home: usize, project: &Project, user: &User) -> Self {
        let mut gateways = gateways.clone();
        gateways.rotate_left(home);
        let apis = gateways.map(|gateway| gateway.api().with_token(&user.token));
        let route = format!("/api/projects/{}/tickets/", project.id);
        Self { apis, route, key: unique("key"), sent: 0 }
    }

    /// Tries at one gateway and the other until one of them answers, and doesn't say that something is away.
    pub(super) async fn send(&mut self, method: Method, rest: &str, body: &Value) -> anyhow::Result<Reply> {
        self.sent += 1;
        let (key, path) = (format!("{}-{}", self.key, self.sent), format!("{}{rest}", self.route));
        let deadline = Instant::now() + PATIENCE;
        for api in self.apis.iter().cycle() {
            match send(api.request(method.clone(), &path).header("idempotency-key", &key).json(body)).await {
                Ok(reply) if reply.status != 503 || Instant::now() > deadline => return Ok(reply),
                Err(error) if Instant::now() > deadline => return Err(error),
                _ => sleep(PAUSE).await,
            }
        }
        bail!("no gateway")
    }
}
