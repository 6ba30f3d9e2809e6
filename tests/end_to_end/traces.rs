//! Traces as a collector receives them: what a client did, through every process that had to do with it.

mod callers;
mod collectors;
mod tree;

use anyhow::ensure;
use carillon_testkit::{Cluster, CollectedSpan, Collector, Deployment, OneProcess, Options, unique};
use serde_json::json;

use crate::{chat_rooms::enter, checks::connect, projects::Team, suite::Suite};
use tree::{root, tree};

/// A message in a room: what the gateway did with the frame, the service with the message, and each gateway with
/// the event.
const MESSAGE: &str = "\
session.frame (server, gateway)
  chat/frame (client, gateway)
    chat/frame (server, chat)
      db.write (internal, chat)
        db.transaction (client, chat)
          log.append (internal, chat)
        publish room (producer, chat)
          fan_out (consumer, gateway)
          fan_out (consumer, gateway)
";

/// The same in one process, which is one gateway.
const MESSAGE_IN_ONE_PROCESS: &str = "\
session.frame (server, gateway)
  chat/frame (client, gateway)
    chat/frame (server, chat)
      db.write (internal, chat)
        db.transaction (client, chat)
          log.append (internal, chat)
        publish room (producer, chat)
          fan_out (consumer, gateway)
";

/// A ticket for somebody: three services, and what one owes another.
const TICKET: &str = "\
POST /api/projects/{project_id}/tickets/ (server, gateway)
  ticket-presence/http (client, gateway)
    ticket-presence/http (server, ticket-presence)
      auth/project (client, ticket-presence)
        auth/project (server, auth)
      db.transaction (client, ticket-presence)
      db.write (internal, ticket-presence)
        db.transaction (client, ticket-presence)
          log.append (internal, ticket-presence)
          outbox.deliver (internal, ticket-presence)
            notification/notify (client, ticket-presence)
              notification/notify (server, notification)
                db.write (internal, notification)
                  db.transaction (client, notification)
                    log.append (internal, notification)
                  publish user (producer, notification)
                    fan_out (consumer, gateway)
        publish project (producer, ticket-presence)
";

pub(crate) fn register(suite: &mut Suite) {
    suite.own_cluster("trace_of_a_frame_across_processes", collected, a_frame_in_a_cluster);
    suite.own_process("trace_of_a_frame_through_one_process", collected, a_frame_in_one_process);
    suite.own_cluster("trace_of_a_ticket_up_to_its_assignee", collected, a_ticket);
    callers::register(suite);
    collectors::register(suite);
}

/// A deployment with a collector.
fn collected() -> Options {
    Options { collector: Some(Collector::start().expect("a collector")), ..Options::default() }
}

/// A deployment with a collector, and more environment.
fn collected_with(variables: &[(&str, &str)]) -> Options {
    let environment = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Options { environment: environment.collect(), ..collected() }
}

async fn a_frame_in_a_cluster(cluster: &Cluster) -> anyhow::Result<()> {
    let spans = say(cluster.deployment(), MESSAGE).await?;
    for span in &spans {
        ensure!(span.process == span.attribute("carillon.service"), "another process's: {span:?}");
    }
    let fan_outs: Vec<_> = spans.iter().filter(|span| span.name == "fan_out").collect();
    ensure!(fan_outs.iter().all(|span| span.attribute("carillon.connections") == "1"), "{fan_outs:?}");
    ensure!(fan_outs[0].instance != fan_outs[1].instance, "one gateway's: {fan_outs:?}");
    let transaction = spans.iter().find(|span| span.name == "db.transaction").expect("as the tree has it");
    for (name, expected) in [
        ("db.system.name", "postgresql"),
        ("db.namespace", "chat"),
        ("db.operation.batch.size", "1"),
        ("carillon.committed", "true"),
    ] {
        ensure!(transaction.attribute(name) == expected, "{name}: {transaction:?}");
    }
    Ok(())
}

async fn a_frame_in_one_process(process: &OneProcess) -> anyhow::Result<()> {
    let spans = say(process.deployment(), MESSAGE_IN_ONE_PROCESS).await?;
    ensure!(spans.iter().all(|span| span.process == "carillon"), "{spans:?}");
    let fan_out = spans.iter().find(|span| span.name == "fan_out").expect("as the tree has it");
    ensure!(fan_out.attribute("carillon.connections") == "2", "{fan_out:?}");
    Ok(())
}

/// Says something in a room, two of whose clients are at different gateways if there are two, and waits for its
/// trace. Nothing that is said in it tells who said what and where.
async fn say(deployment: &Deployment, expected: &str) -> anyhow::Result<Vec<CollectedSpan>> {
    let ([first, second], room) = (deployment.gateways(), unique("secret-room"));
    let user = deployment.user("alice").await?;
    let path = format!("/ws/chat/{room}/");
    let mut sender = enter(first.socket(&path)?.token(&user.token)).await?;
    let mut listener = enter(second.socket(&path)?).await?;
    let text = unique("secret-text");
    sender.send_json(&json!({"type": "chat_message", "message": text})).await?;
    listener.next_where("the message", |frame| frame["message"] == text.as_str()).await?;
    let spans = trace_of(deployment, "session.frame", expected).await?;
    ensure!(root(&spans)?.attribute("carillon.endpoint") == "chat", "{spans:?}");
    let secrets = [room.as_str(), &text, &user.username, &user.token];
    for span in deployment.collector()?.spans() {
        let mut said = span.attributes.values().chain([&span.name]);
        let told = said.find(|said| secrets.iter().any(|secret| said.contains(secret)));
        ensure!(told.is_none(), "{told:?} of {span:?}");
    }
    Ok(spans)
}

async fn a_ticket(cluster: &Cluster) -> anyhow::Result<()> {
    let deployment = cluster.deployment();
    let (team, [gateway, _]) = (Team::start(deployment).await?, deployment.gateways());
    let mut inbox = connect(gateway, "/ws/notifications/", &team.bob.token).await?;
    let body = json!({"title": "Secret", "assignee": team.bob.id_json()});
    team.create(&deployment.api().with_token(&team.alice.token), &body).await?;
    inbox.next_where("the notification", |frame| frame["title"] == "Ticket Assigned").await?;
    let spans = trace_of(deployment, "POST /api/projects/{project_id}/tickets/", TICKET).await?;
    ensure!(root(&spans)?.attribute("http.response.status_code") == "201", "{spans:?}");
    for span in &spans {
        ensure!(span.process == span.attribute("carillon.service"), "another process's: {span:?}");
    }
    Ok(())
}

/// Waits until the trace whose root has this name is as expected.
async fn trace_of(deployment: &Deployment, name: &str, expected: &str) -> anyhow::Result<Vec<CollectedSpan>> {
    let mut last = String::new();
    let found = deployment.collector()?.wait_for(name, |spans| {
        let root = spans.iter().find(|span| span.name == name && span.parent.is_empty())?;
        let trace: Vec<_> = spans.iter().filter(|span| span.trace == root.trace).cloned().collect();
        last = tree(&trace);
        (last == expected).then_some(trace)
    });
    found.await.map_err(|error| error.context(format!("the trace is\n{last}instead of\n{expected}")))
}
