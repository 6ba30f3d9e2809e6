//! Only an address that was signed with our secret, as it was signed, in its time, gives any permission.

use carillon_blob::{BlobSecret, Denied, Grant, Key, Operation, PATH, Signer};
use proptest::prelude::*;

const NOW: i64 = 1_800_000_000;

fn signer(secret: &str) -> Signer {
    Signer::new(&BlobSecret::new(secret)).expect("a signer")
}

fn ours() -> Signer {
    signer("0123456789abcdef0123456789abcdef")
}

fn grant() -> Grant {
    Grant {
        operation: Operation::Upload,
        key: Key::random(),
        size: 5,
        content_type: "image/png".to_owned(),
        name: "Ä \"cat\"&size=9.png".to_owned(),
        user: "django:7".to_owned(),
        expires_at: NOW + 60,
    }
}

/// The key and query of an address.
fn parts(address: &str) -> (&str, &str) {
    address.strip_prefix(PATH).and_then(|rest| rest.split_once('?')).expect("an address")
}

fn verify(signer: &Signer, address: &str, now: i64) -> Result<Grant, Denied> {
    let (key, query) = parts(address);
    signer.verify(key, query, now)
}

#[test]
fn what_was_signed_comes_back() {
    let grant = grant();
    assert_eq!(verify(&ours(), &ours().sign(&grant), NOW), Ok(grant));
}

#[test]
fn a_grant_ends() {
    let address = ours().sign(&grant());
    assert!(verify(&ours(), &address, NOW + 59).is_ok());
    assert_eq!(verify(&ours(), &address, NOW + 60), Err(Denied::Expired));
}

#[test]
fn another_secret_signs_nothing_here() {
    let address = signer("another secret, which is as long as ours").sign(&grant());
    assert_eq!(verify(&ours(), &address, NOW), Err(Denied::Forged));
}

#[test]
fn what_is_missing_or_there_twice_is_refused() {
    let address = ours().sign(&grant());
    let (key, query) = parts(&address);
    for pair in query.split('&') {
        let without: Vec<_> = query.split('&').filter(|other| *other != pair).collect();
        assert_eq!(ours().verify(key, &without.join("&"), NOW), Err(Denied::Malformed), "{pair}");
        assert_eq!(ours().verify(key, &format!("{query}&{pair}"), NOW), Err(Denied::Malformed), "{pair}");
    }
    let cut = &query[..query.len() - 1];
    assert_eq!(ours().verify(key, cut, NOW), Err(Denied::Forged));
    for wrong in ["", "..", "../../etc/passwd", "%2e%2e", &key.to_uppercase(), &key[1..], &format!("{key}/")]
    {
        assert_eq!(ours().verify(wrong, query, NOW), Err(Denied::Malformed), "{wrong}");
    }
}

#[test]
fn short_secrets_are_refused_and_none_is_shown() {
    let secret = BlobSecret::new("0123456789abcdef0123456789abcde");
    let refused = Signer::new(&secret).expect_err("a refusal").to_string();
    assert!(refused.contains("31 bytes"), "{refused}");
    assert_eq!(format!("{secret:?} {:?}", ours()), "BlobSecret(…) Signer(…)");
}

fn grants() -> impl Strategy<Value = Grant> {
    let text = "[a-z0-9:/=&%+ .\\n\u{e9}]{0,12}";
    (any::<bool>(), any::<u128>(), any::<u64>(), text, text, text, NOW + 1..NOW + 1_000).prop_map(
        |(upload, key, size, content_type, name, user, expires_at)| Grant {
            operation: if upload { Operation::Upload } else { Operation::Download },
            key: format!("{key:032x}").parse().expect("a key"),
            size,
            content_type,
            name,
            user,
            expires_at,
        },
    )
}

/// The address of one grant with the signature of another.
fn forged(grant: &Grant, of: &Grant) -> String {
    let (address, signed) = (ours().sign(grant), ours().sign(of));
    let cut = |address: &str| address.rfind("&signature=").expect("a signature");
    format!("{}{}", &address[..cut(&address)], &signed[cut(&signed)..])
}

proptest! {
    #[test]
    fn whatever_was_signed_comes_back(grant in grants()) {
        prop_assert_eq!(verify(&ours(), &ours().sign(&grant), NOW), Ok(grant));
    }

    #[test]
    fn no_altered_field_verifies(signed in grants(), other in grants(), field in 0..7) {
        let mut altered = signed.clone();
        match field {
            0 => altered.operation = other.operation,
            1 => altered.key = other.key,
            2 => altered.size = other.size,
            3 => altered.content_type = other.content_type,
            4 => altered.name = other.name,
            5 => altered.user = other.user,
            _ => altered.expires_at = other.expires_at,
        }
        let verified = verify(&ours(), &forged(&altered, &signed), NOW);
        let expected = if altered == signed { Ok(signed) } else { Err(Denied::Forged) };
        prop_assert_eq!(verified, expected);
    }

    /// Text that moves from one field into its neighbour makes another grant.
    #[test]
    fn fields_do_not_run_together(mut signed in grants(), at in 0_usize..12) {
        let mut altered = signed.clone();
        let both = format!("{}{}", signed.name, signed.user);
        let at = both.floor_char_boundary(at.min(both.len()));
        (altered.name, altered.user) = (both[..at].to_owned(), both[at..].to_owned());
        signed.expires_at = altered.expires_at;
        let verified = verify(&ours(), &forged(&altered, &signed), NOW);
        prop_assert_eq!(verified.is_ok(), altered == signed);
    }

    #[test]
    fn no_other_text_is_a_key(text in "\\PC{0,40}|[0-9a-f]{31,33}|[0-9A-F./]{32}") {
        let is_key = text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        prop_assert_eq!(text.parse::<Key>().is_ok(), is_key);
    }
}
