//! Updates as clients make them, and as nobody should.

use proptest::prelude::*;
use yrs::{
    Any, Array as _, GetString as _, Map as _, Text as _, WriteTxn as _, XmlElementPrelim, XmlFragment as _,
    updates::decoder::Decode as _,
};

use super::*;

/// What two people do to a document of every kind of content, a step at a time.
fn steps() -> Vec<Vec<u8>> {
    let documents = [1, 2].map(|client| {
        let client_id = ClientID::new(client);
        Doc::with_options(Options { client_id, offset_kind: OffsetKind::Utf16, ..Options::default() })
    });
    let mut updates = Vec::new();
    for step in 0..12_u32 {
        let [one, other] = [0, 1].map(|index| &documents[(step as usize + index) % 2]);
        let mut transaction = one.transact_mut();
        let text = transaction.get_or_insert_text("text");
        text.insert(&mut transaction, step / 2, "wörds 🙂 ");
        if step % 3 == 2 {
            text.remove_range(&mut transaction, 1, 3);
            text.format(&mut transaction, 0, 2, [("bold".into(), Any::from(true))].into());
        }
        let map = transaction.get_or_insert_map("map");
        map.insert(&mut transaction, "key", format!("value {step}"));
        let array = transaction.get_or_insert_array("array");
        let any = Any::from_json(r#"{"a":[1,2.5,null,{"b":"c"}]}"#).expect("JSON");
        array.insert_range(&mut transaction, 0, [any, Any::from(i64::from(step)), Any::Undefined]);
        let fragment = transaction.get_or_insert_xml_fragment("xml");
        fragment.push_back(&mut transaction, XmlElementPrelim::empty("p"));
        let update = transaction.encode_update_v1();
        drop(transaction);
        if step % 4 < 2 {
            let update = Update::decode_v1(&update).expect("an update");
            other.transact_mut().apply_update(update).expect("applied");
        }
        updates.push(update);
    }
    updates
}

fn slices(updates: &[Vec<u8>]) -> Vec<&[u8]> {
    updates.iter().map(Vec::as_slice).collect()
}

/// Everything that can be read of the document that these updates make.
fn document(updates: &[&[u8]]) -> (String, String, String, String) {
    let document = Doc::new();
    let mut transaction = document.transact_mut();
    for update in updates {
        transaction.apply_update(Update::decode_v1(update).expect("an update")).expect("applied");
    }
    let text = transaction.get_or_insert_text("text");
    let (map, array) = (transaction.get_or_insert_map("map"), transaction.get_or_insert_array("array"));
    let fragment = transaction.get_or_insert_xml_fragment("xml");
    (
        text.get_string(&transaction),
        map.get(&transaction, "key").expect("a value").to_string(&transaction),
        format!(
            "{:?}",
            array.iter(&transaction).map(|item| item.to_string(&transaction)).collect::<Vec<_>>()
        ),
        fragment.get_string(&transaction),
    )
}

#[test]
fn what_is_merged_or_tidied_is_the_same_document() {
    let updates = steps();
    let expected = document(&slices(&updates));
    let (merged, extent) = merge(&slices(&updates)).expect("merged");
    assert_eq!(document(&[&merged]), expected);
    let (tidied, also) = tidy(&slices(&updates)).expect("tidied");
    assert_eq!(document(&[&tidied]), expected);
    assert!(extent.is_in(&also) && tidied.len() < merged.len());
    let (halves, _) = updates.split_at(6);
    let (half, _) = tidy(&slices(halves)).expect("tidied");
    let rest = updates[6..].iter().map(Vec::as_slice);
    assert_eq!(document(&std::iter::once(half.as_slice()).chain(rest).collect::<Vec<_>>()), expected);
}

#[test]
fn what_is_lacking_completes_a_document_in_any_state() {
    let updates = steps();
    let all = slices(&updates);
    for known in 0..updates.len() {
        let (have, extent) = merge(&all[..known]).unwrap_or_default();
        let state = extent.state_vector();
        let lacking: Vec<Vec<u8>> =
            all.iter().map(|update| difference(update, &state).expect("an update")).collect();
        let mut both = vec![have.as_slice()];
        both.retain(|update| !update.is_empty());
        both.extend(lacking.iter().map(Vec::as_slice));
        assert_eq!(document(&both), document(&all), "{known}");
    }
    let (_, extent) = merge(&all).expect("merged");
    assert!(!extent.inserted.is_empty() && extent.exceeds(&StateVector::default()));
    assert!(Extent::of(Update::EMPTY_V1).expect("an update").is_empty());
}

/// Updates with bytes changed, taken away and put in: each is refused or can be told again.
fn changed() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let change = (any::<prop::sample::Index>(), any::<u8>(), 0..3_u8);
    let one = (prop::sample::select(steps()), prop::collection::vec(change, 0..5)).prop_map(
        |(mut update, changes)| {
            for (at, byte, kind) in changes {
                let at = at.index(update.len());
                match kind {
                    0 => update[at] = byte,
                    1 => update.insert(at, byte),
                    _ => drop(update.remove(at)),
                }
                if update.is_empty() {
                    break;
                }
            }
            update
        },
    );
    prop::collection::vec(one, 1..6)
}

proptest! {
    #[test]
    fn nothing_panics_or_is_lost(updates in changed()) {
        let readable: Vec<&[u8]> =
            updates.iter().map(Vec::as_slice).filter(|update| Extent::of(update).is_ok()).collect();
        let mut whole = Extent::default();
        for update in &readable {
            let extent = Extent::of(update).expect("an update");
            let state = extent.state_vector();
            prop_assert!(!extent.is_empty() || difference(update, &state).is_ok());
            let _ = difference(update, &StateVector::default()).expect("an update");
            whole.merge(extent);
        }
        for result in [merge(&readable), tidy(&readable)].into_iter().flatten() {
            prop_assert!(whole.is_in(&result.1));
            prop_assert_eq!(Extent::of(&result.0).expect("an update"), result.1);
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Extent::of(&bytes);
        let _ = Extent::decode(&bytes, &bytes);
    }
}
