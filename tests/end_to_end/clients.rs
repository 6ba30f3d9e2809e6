//! The documents' own clients, run as they are written there: Python's `websockets`, `wscat`, curl and JavaScript.
//!
//! `documents/` holds their code verbatim; only host, port and token are put in.

mod program;

use anyhow::{Context, ensure};
use carillon_testkit::{Deployment, Gateway, JWT_SECRET, hs256, simple_jwt_claims, unique};
use serde_json::{Value, json};

use crate::{
    chat_rooms::enter,
    checks::{connect, has},
    conversations_chat::Talk,
    suite::{Suite, both},
};
pub(crate) use program::{Program, installed};

/// Where the documents say that the server is.
const HOST: &str = "localhost:8000";

pub(crate) fn register(suite: &mut Suite) {
    both!(
        suite,
        s2_09_the_python_client_of_document_1,
        s2_09_python_and_wscat_as_in_document_2,
        s2_08_curl_as_in_document_2,
        s2_08_a_page_sends_as_in_document_2,
        s1_02_the_javascript_client_of_document_1,
        s4_03_the_javascript_chat_client_of_document_4,
        s4_05_the_javascript_client_of_document_4,
        s0_01_the_headers_of_document_4,
    );
}

/// S2-09, S1-01, S1-04: it prints the greeting, and each notification as it comes.
async fn s2_09_the_python_client_of_document_1(deployment: &Deployment) -> anyhow::Result<()> {
    let user = deployment.user("alice").await?;
    let [gateway, _] = deployment.gateways();
    let code = at(gateway, include_str!("documents/1-client.py"));
    let code = replaced(&code, "your-jwt-token", &user.token)?;
    let mut client = Program::python(&code)?;
    let greeting = client.line("connection.established").await?;
    ensure!(greeting.contains("Connected to notifications") && greeting.contains(&user.id), "{greeting}");
    let title = unique("Hello");
    let body = json!({"user_id": user.id, "title": title, "body": "You have a new message"});
    deployment.admin().await?.notify(&body).await?;
    let received = client.line(&title).await?;
    ensure!(received.starts_with("Received: {'type': 'notification'"), "{received}");
    client.stop().await
}

/// S2-09, S2-01: the Python client hears what it says; wscat prints that, and what its user types.
async fn s2_09_python_and_wscat_as_in_document_2(deployment: &Deployment) -> anyhow::Result<()> {
    let [first, second] = deployment.gateways();
    let text = at(first, include_str!("documents/2-wscat.sh"));
    let mut lines = text.lines();
    let command = lines.find(|line| line.starts_with("wscat")).context("no command")?;
    let typed = lines.find(|line| line.starts_with('{')).context("nothing to type")?;
    let mut watcher = enter(second.socket("/ws/chat/general/")?).await?;
    let mut wscat = Program::shell(command)?;
    // What is typed before it is connected, wscat loses; and it is greeted by nobody.
    watcher.next_where("wscat", |frame| frame["event"] == "user_joined").await?;
    let welcome = unique("welcome");
    watcher.send_json(&json!({"type": "chat_message", "message": welcome})).await?;
    wscat.line(&welcome).await?;
    // What it prints is what came, to the letter (S1-05).
    for timestamp in
        ["1.50", "-0", "1e3", "12345678901234567890123", "\"2025-01-15T10:30:00Z\"", "\"\\u00e9 é\""]
    {
        wscat.type_line(&format!("{{\"type\":\"ping\",\"timestamp\":{timestamp}}}")).await?;
        wscat.line(&format!("{{\"type\":\"pong\",\"timestamp\":{timestamp}}}")).await?;
    }
    let mut python = Program::python(&at(second, include_str!("documents/2-chat.py")))?;
    let heard = python.line("Hello from Python").await?;
    ensure!(heard.contains("\"username\":\"PythonBot\""), "{heard}");
    python.ends().await?;
    wscat.line("Hello from Python").await?;
    wscat.line("user_left").await?;
    wscat.type_line(typed).await?;
    wscat.line("\"message\":\"Hello\",\"timestamp\"").await?;
    wscat.stop().await
}

/// S2-08: without a token and a recipient.
async fn s2_08_curl_as_in_document_2(deployment: &Deployment) -> anyhow::Result<()> {
    let mut listener = deployment.gateways()[0].socket("/ws/notifications/")?.open().await?;
    listener.next_json().await?;
    let mut client = Program::shell(&at(&deployment.gateways()[1], include_str!("documents/2-send.sh")))?;
    let reply: Value = serde_json::from_str(&client.line("status").await?)?;
    let data = json!({"title": "Test", "message": "Hello!", "priority": "high"});
    has(&reply, &json!({"status": "success", "message": "Notification sent", "data": data}))?;
    client.ends().await?;
    let id = &reply["id"];
    listener.next_where("what curl sent", |frame| frame["notification"]["id"] == *id).await.map(drop)
}

/// S2-08, S2-04: a page that listens, and one that sends with its CSRF header.
async fn s2_08_a_page_sends_as_in_document_2(deployment: &Deployment) -> anyhow::Result<()> {
    let [first, second] = deployment.gateways();
    let opened = "notifSocket.onopen = () => console.log('open');";
    let listening = at(first, include_str!("documents/2-notifications.js"));
    let mut listener = Program::javascript(&format!("{listening}\n{opened}"))?;
    listener.line("open").await?;
    // What a page has, and a program hasn't.
    let page = format!(
        "const beyond = fetch;
         globalThis.fetch = (path, options) => beyond('{}' + path, options);
         globalThis.getCookie = (name) => name + '-value';",
        second.http
    );
    let title = unique("New Alert");
    let code = replaced(include_str!("documents/2-send.js"), "New Alert", &title)?;
    let mut sender = Program::javascript(&format!("{page}\n{code}\nsendNotification();"))?;
    sender.line("status: 'success'").await?;
    sender.ends().await?;
    let shown = listener.line(&title).await?;
    ensure!(shown == format!("⚠️ {title}: Important update!"), "{shown}");
    listener.stop().await
}

/// S1-02, S1-04: notifications and organisation events; the document declares `ws` once for either.
async fn s1_02_the_javascript_client_of_document_1(deployment: &Deployment) -> anyhow::Result<()> {
    let user = deployment.user("alice").await?;
    let org = deployment.org(&[&user]).await?;
    let [gateway, _] = deployment.gateways();
    let code = at(gateway, include_str!("documents/1-client.js"));
    let code = replaced(&code, "123e4567-e89b-12d3-a456-426614174000", &org)?;
    let code = format!("const jwtToken = '{}';\n{code}", user.token);
    let without = |connection: &str| -> String {
        code.lines()
            .filter(|line| !(line.starts_with("const ws") && line.contains(connection)))
            .collect::<Vec<_>>()
            .join("\n")
    };
    let mut notifications = Program::javascript(&without("/ws/events/"))?;
    let mut events = Program::javascript(&without("/ws/notifications/"))?;
    for client in [&mut notifications, &mut events] {
        client.line("type: 'connection.established'").await?;
    }
    let (title, resource) = (unique("Hello"), unique("res"));
    let admin = deployment.admin().await?;
    admin.notify(&json!({"user_id": user.id, "title": title, "message": "It works"})).await?;
    admin
        .publish(&org, &json!({"event_type": "resource.created", "data": {"resource_id": resource}}))
        .await?;
    notifications.line(&title).await?;
    events.line(&resource).await?;
    notifications.stop().await?;
    events.stop().await
}

/// S4-02, S4-05, S4-06: it hands each notification on, and shows the code with which it is refused.
async fn s4_05_the_javascript_client_of_document_4(deployment: &Deployment) -> anyhow::Result<()> {
    let user = deployment.user("alice").await?;
    let [_, gateway] = deployment.gateways();
    let code = at(gateway, include_str!("documents/4-notifications.js"));
    let client = |token: &str| {
        let handle = "const handleNotification = (data) => console.log('handled', JSON.stringify(data));";
        let connect = format!("connectToNotificationsWebSocket({}, '{token}');", user.id);
        Program::javascript(&format!("{code}\n{handle}\n{connect}"))
    };
    let mut accepted = client(&user.token)?;
    accepted.line("Notifications WebSocket connected").await?;
    accepted.line("connection.established").await?;
    let title = unique("New Message");
    let body = json!({"user_id": user.id, "title": title, "message": "From John Doe", "notification_type": "message"});
    deployment.admin().await?.notify(&body).await?;
    let handled = accepted.line(&title).await?;
    ensure!(handled.starts_with("handled {\"type\":\"notification\",\""), "{handled}");
    let mut claims = simple_jwt_claims(&json!(user.id));
    let stranger = hs256(JWT_SECRET, &claims);
    claims["exp"] = json!(1);
    for (token, code) in
        [("nonsense", 4001), (&hs256(JWT_SECRET, &claims), 4002), ("", 4003), (&stranger, 4005)]
    {
        let mut refused = client(token)?;
        refused.line(&format!("Notifications WebSocket closed: {code}")).await?;
        refused.ends().await?;
    }
    accepted.stop().await
}

/// S4-03, S4-06: it hears what it sends, and what others do.
async fn s4_03_the_javascript_chat_client_of_document_4(deployment: &Deployment) -> anyhow::Result<()> {
    let [first, second] = deployment.gateways();
    let talk = Talk::start(deployment).await?;
    let code =
        at(second, &[include_str!("documents/4-chat.js"), include_str!("documents/4-send.js")].join("\n"));
    let client = |token: &str, text: &str| {
        let handle = format!(
            "const handleChatMessage = (data) => {{
                 console.log('handled', JSON.stringify(data));
                 if (data.type === 'conversation_joined') sendMessage(websocket, {{message: '{text}'}});
             }};
             const websocket = connectToChatWebSocket({}, '{token}');",
            talk.id
        );
        Program::javascript(&format!("{code}\n{handle}"))
    };
    let mut alice = connect(first, &talk.path(), &talk.alice.token).await?;
    let mut bob = client(&talk.bob.token, "Hello there!")?;
    bob.line("Chat WebSocket connected").await?;
    bob.line("Hello there!").await?;
    let heard = alice.next_of_type("chat_message").await?;
    has(&heard["message"], &json!({"content": "Hello there!", "message_type": "text"}))?;
    alice.send_json(&json!({"type": "typing_indicator", "is_typing": true})).await?;
    bob.line("\"is_typing\":true").await?;
    let mut refused = client("nonsense", "")?;
    refused.line("Chat WebSocket closed: 4001").await?;
    let stranger = deployment.user("carol").await?;
    let mut stranger = client(&stranger.token, "")?;
    stranger.line("Chat WebSocket closed: 4004").await?;
    for client in [refused, stranger] {
        client.ends().await?;
    }
    bob.stop().await
}

/// S0-01: document 4's second method, by a client that can set headers.
async fn s0_01_the_headers_of_document_4(deployment: &Deployment) -> anyhow::Result<()> {
    let user = deployment.user("alice").await?;
    let url = format!("{}/ws/notifications/{}/", deployment.gateways()[0].websocket, user.id);
    let given = format!("const wsUrl = '{url}', jwtToken = '{}';", user.token);
    let code = include_str!("documents/4-headers.js");
    let shown = "websocket.onmessage = (event) => console.log(event.data);";
    let mut client = Program::javascript(&format!("{given}\n{code}\n{shown}"))?;
    client.line("\"type\":\"connection.established\"").await?;
    client.stop().await
}

/// A document's code, for this gateway.
pub(crate) fn at(gateway: &Gateway, code: &str) -> String {
    code.replace(HOST, gateway.http.trim_start_matches("http://"))
}

fn replaced(code: &str, documented: &str, real: &str) -> anyhow::Result<String> {
    ensure!(code.contains(documented), "the document has no {documented:?}");
    Ok(code.replace(documented, real))
}
