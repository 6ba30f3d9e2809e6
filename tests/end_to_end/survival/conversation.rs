//! A busy conversation over two gateways and two chat replicas: everyone has the same messages in the same
//! order, each once, and so has the stored history; also when a replica is killed midway.

use anyhow::{Context, ensure};
use carillon_testkit::{Cluster, Deployment, Gateway, JWT_SECRET, Socket, hs256, simple_jwt_claims};
use serde_json::{Value, json};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Duration, timeout},
};

use super::patient_gateways;
use crate::suite::Suite;

/// Who takes part, as many at each gateway, and how many of them write.
const CLIENTS: usize = 50;
const WRITERS: usize = 20;

/// How many messages each of those sends, the next when the last is acknowledged.
const EACH: usize = 250;

const MESSAGES: usize = WRITERS * EACH;

/// How long all of it may take.
const PATIENCE: Duration = Duration::from_secs(240);

/// What is killed, when so many messages have been heard.
const VICTIM: &str = "chat-1";
const MIDWAY: usize = MESSAGES / 3;

/// Messages of one page of the history.
const PAGE: usize = 200;

pub(super) fn register(suite: &mut Suite) {
    suite.own_cluster("survival_of_a_conversation", patient_gateways, everyone_has_one_history);
}

/// S4-03
async fn everyone_has_one_history(cluster: &Cluster) -> anyhow::Result<()> {
    let deployment = cluster.deployment();
    let undisturbed = Crowd::gather(deployment).await?;
    undisturbed.talk(deployment, async |_| Ok(())).await.context("undisturbed")?;
    let disturbed = Crowd::gather(deployment).await?;
    let kill = async |mut heard: watch::Receiver<usize>| {
        heard.wait_for(|count| *count >= MIDWAY).await?;
        deployment.kill(VICTIM)?;
        deployment.start(VICTIM).await
    };
    disturbed.talk(deployment, kill).await.context("with a replica killed midway")
}

/// A message as far as it is compared: its id and what it says.
type Heard = (u64, String);

/// The participants of one conversation, each with it open.
struct Crowd {
    conversation: u64,
    tokens: Vec<String>,
    sockets: Vec<Socket>,
}

impl Crowd {
    async fn gather(deployment: &Deployment) -> anyhow::Result<Self> {
        let people = 5_000..5_000 + CLIENTS;
        let token = |user: usize| hs256(JWT_SECRET, &simple_jwt_claims(&json!(user)));
        let tokens: Vec<String> = people.clone().map(token).collect();
        let participants: Vec<String> = people.map(|user| format!("django:{user}")).collect();
        let api = deployment.api().with_token(&tokens[0]);
        let made = api
            .post("/api/chat/conversations/", &json!({"participants": participants}))
            .await?
            .expect(201)?;
        let conversation = made["id"].as_u64().with_context(|| format!("no id in {made}"))?;
        let mut sockets = Vec::new();
        for (number, token) in tokens.iter().enumerate() {
            sockets.push(open(&deployment.gateways()[number % 2], conversation, token).await?);
        }
        Ok(Self { conversation, tokens, sockets })
    }

    /// Has the writers write, with `meanwhile` told how many messages the first client has heard.
    async fn talk(
        self,
        deployment: &Deployment,
        meanwhile: impl AsyncFnOnce(watch::Receiver<usize>) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let count = watch::Sender::new(0);
        let heard = count.subscribe();
        let mut clients = JoinSet::new();
        for (number, socket) in self.sockets.into_iter().enumerate() {
            let count = (number == 0).then(|| count.clone());
            clients.spawn(Client { number, socket, count, heard: Vec::new(), sent: 0 }.take_part());
        }
        let everyone = async {
            let mut stories = Vec::new();
            while let Some(story) = clients.join_next().await {
                stories.push(story??);
            }
            anyhow::Ok(stories)
        };
        let (stories, ()) = tokio::try_join!(
            async { timeout(PATIENCE, everyone).await.context("somebody still lacks something")? },
            meanwhile(heard)
        )?;
        judge(&stories)?;
        let stored = history(deployment, self.conversation, &self.tokens[1]).await?;
        ensure!(stored == stories[0], "the history differs from what was heard");
        Ok(())
    }
}

async fn open(gateway: &Gateway, conversation: u64, token: &str) -> anyhow::Result<Socket> {
    let mut socket = gateway.socket(&format!("/ws/chat/{conversation}/"))?.token(token).open().await?;
    socket.next_of_type("conversation_joined").await?;
    Ok(socket)
}

/// Everyone has heard the same, in the order of ids, each message once.
fn judge(stories: &[Vec<Heard>]) -> anyhow::Result<()> {
    let first = &stories[0];
    ensure!(first.is_sorted_by(|one, next| one.0 < next.0), "ids go back");
    let mut texts: Vec<&str> = first.iter().map(|(_, text)| text.as_str()).collect();
    texts.sort_unstable();
    texts.dedup();
    ensure!(texts.len() == MESSAGES, "{} different messages of {MESSAGES}", texts.len());
    for (number, story) in stories.iter().enumerate() {
        ensure!(story == first, "story {number} is another one");
    }
    Ok(())
}

async fn history(deployment: &Deployment, conversation: u64, token: &str) -> anyhow::Result<Vec<Heard>> {
    let api = deployment.api().with_token(token);
    let mut stored: Vec<Heard> = Vec::new();
    loop {
        let after = stored.last().map_or(0, |(id, _)| *id);
        let path = format!("/api/chat/conversations/{conversation}/messages/?after={after}&limit={PAGE}");
        let page = api.get(&path).await?.expect(200)?;
        for message in page["messages"].as_array().context("no messages")? {
            stored.push(read(message)?);
        }
        if page["has_more"] != true {
            return Ok(stored);
        }
    }
}

fn read(message: &Value) -> anyhow::Result<Heard> {
    let id = message["id"].as_u64().with_context(|| format!("no id in {message}"))?;
    Ok((id, message["content"].as_str().context("no content")?.to_owned()))
}

struct Client {
    number: usize,
    socket: Socket,
    /// Where it tells how much it has heard.
    count: Option<watch::Sender<usize>>,
    heard: Vec<Heard>,
    /// How many of its messages have been sent, the last of them perhaps not acknowledged yet.
    sent: usize,
}

impl Client {
    /// Writes its share, and listens until it has heard everything, on one connection.
    async fn take_part(mut self) -> anyhow::Result<Vec<Heard>> {
        if self.number < WRITERS {
            self.say_next().await?;
        }
        while self.heard.len() < MESSAGES {
            let frame = self.socket.next_json_within(PATIENCE).await?;
            match frame["type"].as_str().unwrap_or_default() {
                "chat_message" => {
                    self.heard.push(read(&frame["message"])?);
                    if let Some(count) = &self.count {
                        count.send_replace(self.heard.len());
                    }
                }
                "message_ack" => {
                    ensure!(frame["client_id"] == self.client_id(), "client {}: {frame}", self.number);
                    self.say_next().await?;
                }
                // It can't tell whether the last one was stored: it says it again, under its own id.
                "error" if frame["code"] == "unavailable" => self.say().await?,
                "error" => anyhow::bail!("client {}: {frame}", self.number),
                _ => {}
            }
        }
        let Self { mut socket, heard, .. } = self;
        socket.expect_none("one message more", |frame| frame["type"] == "chat_message").await?;
        socket.close().await?;
        Ok(heard)
    }

    async fn say_next(&mut self) -> anyhow::Result<()> {
        if self.sent == EACH {
            return Ok(());
        }
        self.sent += 1;
        self.say().await
    }

    async fn say(&mut self) -> anyhow::Result<()> {
        let text = format!("{} of {}", self.sent, self.number);
        let frame = json!({"type": "chat_message", "message": text, "client_id": self.client_id()});
        self.socket.send_json(&frame).await
    }

    fn client_id(&self) -> String {
        format!("{}-{}", self.number, self.sent)
    }
}
