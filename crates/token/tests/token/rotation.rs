//! Keys at an address, served by a real HTTP server.

use std::time::Duration;

use carillon_token::{Options, Verifier, VerifyError};
use jsonwebtoken::Algorithm;
use serde_json::json;
use tokio::{sync::watch, task::JoinSet, time::timeout};

use crate::{
    key_server::{Answer, KeyServer},
    keys::{
        OTHER_RSA, P256, RSA, django, django_claims, hs256, provider, provider_at, provider_claims, raw,
        reason, refusal, set, set_of, verifier, with,
    },
};

/// Long enough that nothing happens because time passed.
const LONG: Duration = Duration::from_secs(3_600);

fn follow(server: &KeyServer, min_interval: Duration) -> Verifier {
    let options = Options { keys_min_interval: min_interval, keys_max_age: LONG, ..Options::default() };
    Verifier::new(vec![provider_at(server.url.clone())], options).expect("a verifier")
}

#[tokio::test]
async fn keys_are_fetched_when_needed_and_kept() {
    let server = KeyServer::start(Answer::Body(set(&[&RSA]))).await;
    let verifier = follow(&server, LONG);
    assert_eq!(server.requests(), 0);
    for _ in 0..3 {
        assert!(verifier.verify(&RSA.token(&provider_claims())).await.is_ok());
    }
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn a_new_key_is_found_and_a_vanished_one_forgotten() {
    let server = KeyServer::start(Answer::Body(set(&[&RSA]))).await;
    let verifier = follow(&server, Duration::ZERO);
    let (old, new) = (RSA.token(&provider_claims()), OTHER_RSA.token(&provider_claims()));
    assert!(verifier.verify(&old).await.is_ok());
    assert_eq!(reason(&verifier, &new).await, "unknown key");

    server.answer(Answer::Body(set(&[&RSA, &OTHER_RSA])));
    assert!(verifier.verify(&new).await.is_ok());
    assert!(verifier.verify(&old).await.is_ok());
    assert_eq!(server.requests(), 3);

    server.answer(Answer::Body(set(&[&OTHER_RSA])));
    assert_eq!(reason(&verifier, &P256.token(&provider_claims())).await, "unknown key");
    assert_eq!(reason(&verifier, &old).await, "unknown key");
    assert!(verifier.verify(&new).await.is_ok());
}

#[tokio::test]
async fn unknown_keys_cannot_make_it_fetch_often() {
    let server = KeyServer::start(Answer::Body(set(&[&RSA]))).await;
    let verifier = follow(&server, LONG);
    for number in 0..50 {
        let header = json!({"alg": "RS256", "kid": format!("made-up-{number}")});
        let token = raw(&header, &provider_claims(), &RSA.key, Algorithm::RS256);
        assert_eq!(reason(&verifier, &token).await, "unknown key");
    }
    assert!(verifier.verify(&RSA.token(&provider_claims())).await.is_ok());
    assert_eq!(server.requests(), 1);
}

/// A token that no public key can have made is refused without asking for the keys.
#[tokio::test]
async fn an_hmac_fetches_nothing() {
    let server = KeyServer::start(Answer::Body(set(&[&RSA]))).await;
    let verifier = follow(&server, Duration::ZERO);
    let token = hs256(&provider_claims());
    assert_eq!(reason(&verifier, &token).await, "the algorithm is not the key's");
    assert_eq!(server.requests(), 0);
}

#[tokio::test]
async fn many_at_once_share_one_fetch() {
    let (open, gate) = watch::channel(false);
    let server = KeyServer::start(Answer::Gated(set(&[&RSA]), gate)).await;
    // Without a minimum interval, only sharing keeps the number of requests down.
    let verifier = follow(&server, Duration::ZERO);
    let token = RSA.token(&provider_claims());
    let mut waiting = JoinSet::new();
    for _ in 0..30 {
        let (verifier, token) = (verifier.clone(), token.clone());
        waiting.spawn(async move { verifier.verify(&token).await });
    }
    server.asked().await;
    open.send(true).expect("a server");
    while let Some(result) = waiting.join_next().await {
        assert!(result.expect("no panic").is_ok());
    }
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn an_abandoned_verification_does_not_abandon_the_fetch() {
    let (open, gate) = watch::channel(false);
    let server = KeyServer::start(Answer::Gated(set(&[&RSA]), gate)).await;
    let verifier = follow(&server, LONG);
    let token = RSA.token(&provider_claims());
    tokio::select! {
        biased;
        result = verifier.verify(&token) => panic!("{result:?}"),
        () = server.asked() => {}
    }
    open.send(true).expect("a server");
    assert!(verifier.verify(&token).await.is_ok());
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn without_keys_nothing_can_be_said() {
    let huge = |body: String| format!("{body}{}", " ".repeat(256 * 1024));
    let server = KeyServer::start(Answer::Status(500)).await;
    let verifier = follow(&server, Duration::ZERO);
    let token = RSA.token(&provider_claims());
    for answer in [
        Answer::Status(500),
        Answer::Status(404),
        Answer::Status(204),
        Answer::Redirect(server.url.clone()),
        Answer::Body(String::new()),
        Answer::Body("<html>".into()),
        Answer::Body("{}".into()),
        Answer::Body(set_of(vec![with(RSA.jwk(), "extra", json!(1)); 101])),
        Answer::Body(huge(set(&[&RSA]))),
        Answer::Chunked(huge(set(&[&RSA]))),
    ] {
        server.answer(answer);
        let before = server.requests();
        assert_eq!(refusal(&verifier, &token).await, VerifyError::KeysUnavailable);
        // Once for the first need; the token's key can't be looked for in nothing.
        assert_eq!(server.requests(), before + 1);
    }
    server.answer(Answer::Chunked(set(&[&RSA])));
    assert!(verifier.verify(&token).await.is_ok(), "and it recovers");
}

#[tokio::test]
async fn keys_outlive_a_failing_server() {
    let server = KeyServer::start(Answer::Body(set(&[&RSA]))).await;
    let verifier = follow(&server, Duration::ZERO);
    let (known, unknown) = (RSA.token(&provider_claims()), OTHER_RSA.token(&provider_claims()));
    assert!(verifier.verify(&known).await.is_ok());
    server.answer(Answer::Status(503));
    // The server may have this key by now, so it isn't called wrong.
    assert_eq!(refusal(&verifier, &unknown).await, VerifyError::KeysUnavailable);
    assert!(verifier.verify(&known).await.is_ok());
    server.answer(Answer::Body(set(&[&OTHER_RSA])));
    assert!(verifier.verify(&unknown).await.is_ok());
}

#[tokio::test]
async fn a_silent_server_is_given_up() {
    let server = KeyServer::start(Answer::Silence).await;
    let options =
        Options { keys_timeout: Duration::from_millis(50), keys_min_interval: LONG, ..Options::default() };
    let verifier = Verifier::new(vec![provider_at(server.url.clone())], options).expect("a verifier");
    let token = RSA.token(&provider_claims());
    let refused = timeout(Duration::from_secs(60), refusal(&verifier, &token)).await.expect("an answer");
    assert_eq!(refused, VerifyError::KeysUnavailable);
    // Until the interval is over, nobody waits again.
    let sent = server.requests();
    assert_eq!(refusal(&verifier, &token).await, VerifyError::KeysUnavailable);
    assert_eq!(server.requests(), sent);
}

#[tokio::test]
async fn nobody_listens() {
    let verifier = verifier(vec![provider()]);
    assert_eq!(refusal(&verifier, &RSA.token(&provider_claims())).await, VerifyError::KeysUnavailable);
    // One that cannot be right is refused without keys.
    assert_eq!(reason(&verifier, "a.b.c").await, "malformed header");
}

/// The keys of one issuer that answers slowly are not in the way of another's.
#[tokio::test]
async fn a_silent_server_holds_up_nobody_else() {
    let silent = KeyServer::start(Answer::Silence).await;
    let issuers = vec![provider_at(silent.url.clone()), django()];
    let options = Options { keys_timeout: LONG, ..Options::default() };
    let verifier = Verifier::new(issuers, options).expect("a verifier");
    let token = RSA.token(&provider_claims());
    tokio::select! {
        result = verifier.verify(&token) => panic!("{result:?}"),
        result = async {
            silent.asked().await;
            verifier.verify(&hs256(&django_claims())).await
        } => assert!(result.is_ok()),
    }
}
