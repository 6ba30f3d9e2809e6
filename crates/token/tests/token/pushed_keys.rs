//! Keys that arrive over the bus, and the hook that asks for them. The clock is the tests'.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use carillon_token::{
    CarillonClaims, ConfigError, Issuer, KeyHook, Kind, SigningKey, Verifier, VerifyError, jwks,
};
use tokio::{sync::watch, task::yield_now, time::advance};

use crate::keys::{now, reason, refusal, verifier};

/// Auth at the other end of the bus.
#[derive(Clone, Default)]
struct Auth {
    keys: Arc<Mutex<Option<String>>>,
    asked: Arc<AtomicUsize>,
}

impl Auth {
    fn has(&self, keys: Option<String>) {
        *self.keys.lock().expect("a lock") = keys;
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn verifier(&self) -> Verifier {
        let auth = self.clone();
        verifier(vec![Issuer::carillon(KeyHook::new(move || {
            auth.asked.fetch_add(1, Ordering::SeqCst);
            let keys = auth.keys.lock().expect("a lock").clone();
            async move { keys.ok_or("no answer") }
        }))])
    }
}

fn key() -> SigningKey {
    SigningKey::generate().expect("a key")
}

fn token(key: &SigningKey) -> String {
    key.issue(&CarillonClaims::new(Kind::Access, "1", "t", now(), now() + 86_400)).expect("a token")
}

#[tokio::test(start_paused = true)]
async fn pushed_keys_replace_the_ones_before() {
    let (auth, old, new) = (Auth::default(), key(), key());
    let verifier = auth.verifier();
    verifier.set_keys("carillon", &jwks([&old])).expect("keys");
    assert!(verifier.verify(&token(&old)).await.is_ok());
    verifier.set_keys("carillon", &jwks([&old, &new])).expect("keys");
    assert!(verifier.verify(&token(&old)).await.is_ok() && verifier.verify(&token(&new)).await.is_ok());
    assert_eq!(auth.asked(), 0);
    verifier.set_keys("carillon", &jwks([&new])).expect("keys");
    auth.has(Some(jwks([&new])));
    assert_eq!(reason(&verifier, &token(&old)).await, "unknown key");
    assert!(matches!(verifier.set_keys("carillon", "nonsense"), Err(ConfigError::Jwks(_))));
    assert!(verifier.verify(&token(&new)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn an_unknown_key_is_asked_for_once_in_ten_seconds() {
    let (auth, old, new) = (Auth::default(), key(), key());
    let verifier = auth.verifier();
    assert_eq!(refusal(&verifier, &token(&old)).await, VerifyError::KeysUnavailable);
    auth.has(Some(jwks([&old])));
    assert_eq!(refusal(&verifier, &token(&old)).await, VerifyError::KeysUnavailable);
    assert_eq!(auth.asked(), 1);
    advance(Duration::from_secs(10)).await;
    assert!(verifier.verify(&token(&old)).await.is_ok());
    assert_eq!(auth.asked(), 2);

    auth.has(Some(jwks([&old, &new])));
    assert_eq!(reason(&verifier, &token(&new)).await, "unknown key");
    advance(Duration::from_millis(9_900)).await;
    assert_eq!(reason(&verifier, &token(&new)).await, "unknown key");
    assert_eq!(auth.asked(), 2);
    advance(Duration::from_millis(100)).await;
    assert!(verifier.verify(&token(&new)).await.is_ok());
    assert_eq!(auth.asked(), 3);
}

#[tokio::test(start_paused = true)]
async fn old_keys_are_renewed_in_the_background() {
    let (auth, old, new) = (Auth::default(), key(), key());
    let verifier = auth.verifier();
    auth.has(Some(jwks([&old])));
    assert!(verifier.verify(&token(&old)).await.is_ok());
    advance(Duration::from_secs(599)).await;
    auth.has(Some(jwks([&new])));
    assert!(verifier.verify(&token(&old)).await.is_ok());
    assert_eq!(auth.asked(), 1);
    advance(Duration::from_secs(2)).await;
    assert!(verifier.verify(&token(&old)).await.is_ok(), "nobody waits for the new keys");
    // The renewal was started, and needs nothing but its turn.
    yield_now().await;
    assert_eq!(auth.asked(), 2);
    assert_eq!(reason(&verifier, &token(&old)).await, "unknown key");
    assert!(verifier.verify(&token(&new)).await.is_ok());
    assert_eq!(auth.asked(), 2);
}

/// After a night without a token, the first one is not judged by last night's keys, if there are newer.
#[tokio::test(start_paused = true)]
async fn very_old_keys_are_renewed_first() {
    let (auth, old, new) = (Auth::default(), key(), key());
    let verifier = auth.verifier();
    auth.has(Some(jwks([&old])));
    assert!(verifier.verify(&token(&old)).await.is_ok());
    advance(Duration::from_secs(8 * 3_600)).await;
    auth.has(None);
    assert!(verifier.verify(&token(&old)).await.is_ok(), "auth is away, so the old keys count");
    advance(Duration::from_secs(10)).await;
    auth.has(Some(jwks([&new])));
    assert_eq!(reason(&verifier, &token(&old)).await, "unknown key");
}

/// What was asked for before a push is older than what was pushed.
#[tokio::test(start_paused = true)]
async fn a_slow_answer_does_not_undo_a_push() {
    let (old, new) = (key(), key());
    let (open, gate) = watch::channel(false);
    let answer = jwks([&old]);
    let verifier = verifier(vec![Issuer::carillon(KeyHook::new(move || {
        let (mut gate, answer) = (gate.clone(), answer.clone());
        async move {
            gate.wait_for(|open| *open).await?;
            Ok::<_, watch::error::RecvError>(answer)
        }
    }))]);
    let (waiting, old_token) = (verifier.clone(), token(&old));
    let waiting = tokio::spawn(async move { waiting.verify(&old_token).await });
    yield_now().await;
    verifier.set_keys("carillon", &jwks([&new])).expect("keys");
    open.send(true).expect("a hook");
    assert_eq!(waiting.await.expect("no panic"), Err(VerifyError::Invalid("unknown key")));
    assert!(verifier.verify(&token(&new)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_never_answers_is_given_up() {
    let hook = KeyHook::new(std::future::pending::<Result<String, &str>>);
    let verifier = verifier(vec![Issuer::carillon(hook)]);
    assert_eq!(refusal(&verifier, &token(&key())).await, VerifyError::KeysUnavailable);
}
