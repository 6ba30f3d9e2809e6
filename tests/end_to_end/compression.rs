//! A client that compresses gets what one that does not gets: in conversations, long messages and short ones, said by
//! either, live and after an absence.

use anyhow::{Context, ensure};
use carillon_testkit::{Cluster, Deployment, OneProcess, Options, unique};
use serde_json::{Value, json};

use crate::{checks::connect, clients::Program, conversations_chat::Talk, suite::Suite};

pub(crate) fn register(suite: &mut Suite) {
    suite.own_process("who_compresses_gets_the_same", compressing, async |one: &OneProcess| {
        who_compresses_gets_the_same(one.deployment()).await
    });
    suite.own_cluster("who_compresses_gets_the_same", compressing, async |cluster: &Cluster| {
        who_compresses_gets_the_same(cluster.deployment()).await
    });
}

fn compressing() -> Options {
    let gateway_arguments = vec!["--compression".to_owned()];
    Options { gateway_arguments, ..Options::default() }
}

/// A client of npm's ws, which offers compression and compresses whatever it says; it prints what it hears, and says
/// what is typed.
fn client(url: &str) -> anyhow::Result<Program> {
    Program::javascript(&format!(
        "const socket = new WebSocket('{url}', {{ perMessageDeflate: {{ threshold: 0 }} }});
         socket.onopen = () => console.log('extensions', socket.extensions);
         socket.onmessage = (event) => console.log('heard', event.data);
         require('readline').createInterface({{ input: process.stdin }}).on('line', (line) => socket.send(line));"
    ))
}

async fn who_compresses_gets_the_same(deployment: &Deployment) -> anyhow::Result<()> {
    let [first, second] = deployment.gateways();
    let talk = Talk::start(deployment).await?;
    let mut plain = connect(first, &talk.path(), &talk.alice.token).await?;
    let url = format!("{}{}?token={}", second.websocket, talk.path(), talk.bob.token);
    let mut other = client(&url)?;
    let extensions = other.line("extensions").await?;
    ensure!(extensions == "extensions permessage-deflate", "{extensions}");
    let greeting = heard(&mut other, "\"epoch\"").await?;
    let place = place(&greeting).with_context(|| greeting.to_string())?;
    let mut said = Vec::new();
    for (number, length) in [1, 3_000, 10, 1_500].into_iter().enumerate() {
        let text = format!("{} {}", unique("said"), "word after word ".repeat(length / 16));
        let message = json!({"type": "chat_message", "message": text}).to_string();
        match number % 2 {
            0 => plain.send_text(&message).await?,
            _ => other.type_line(&message).await?,
        }
        let marker = text.split(' ').next().unwrap_or_default().to_owned();
        let one = plain.next_where("it", |frame| is_of(frame, &marker)).await?;
        let another = heard(&mut other, &marker).await?;
        ensure!(one == another, "{one}\nand\n{another}");
        said.push(one);
    }
    other.stop().await?;
    let mut back = client(&format!("{url}&since={place}"))?;
    for expected in said {
        let offset = format!("\"offset\":{}}}", expected["offset"]);
        let event = heard(&mut back, &offset).await?;
        ensure!(event == expected, "{event}\nand\n{expected}");
    }
    let metrics = reqwest::get(format!("{}/metrics", second.operations)).await?.text().await?;
    let saved = metrics.lines().find_map(|line| line.strip_prefix("carillon_gateway_saved_bytes_total "));
    let saved: f64 = saved.context("the metric")?.parse()?;
    ensure!(saved > 4_000.0, "{saved} bytes were saved");
    back.stop().await
}

async fn heard(client: &mut Program, text: &str) -> anyhow::Result<Value> {
    let line = client.line(text).await?;
    let frame = line.strip_prefix("heard ").with_context(|| line.clone())?;
    Ok(serde_json::from_str(frame)?)
}

fn is_of(frame: &Value, marker: &str) -> bool {
    frame["message"]["content"].as_str().is_some_and(|content| content.starts_with(marker))
}

/// The value of `?since=` after a greeting.
fn place(greeting: &Value) -> Option<String> {
    let offsets = greeting["channels"]
        .as_array()?
        .iter()
        .map(|channel| Some(format!(".{}", channel["offset"].as_u64()?)));
    Some(format!("{}{}", greeting["epoch"].as_str()?, offsets.collect::<Option<String>>()?))
}
