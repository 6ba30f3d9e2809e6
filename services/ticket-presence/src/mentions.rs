//! Who is mentioned in a text: `@bob`.

use std::collections::BTreeSet;

use carillon_contract::Person;

use crate::{access::Project, people};

/// The most names that a text mentions; of more, the rest is mere text.
const MAX_NAMES: usize = 50;

/// The longest username, in characters (Django's).
const MAX_LENGTH: usize = 150;

/// A member who is mentioned, by this name.
#[derive(Debug, Clone)]
pub(crate) struct Mention {
    name: String,
    pub(crate) person: Person,
}

/// The names that a text mentions, in lower case.
pub(crate) fn names(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut before = None;
    for (at, character) in text.char_indices() {
        // The domain of an address is no name.
        if character == '@' && !before.is_some_and(is_part) {
            let rest = &text[at + 1..];
            let end = rest.find(|character| !is_part(character)).unwrap_or(rest.len());
            // A full stop ends the sentence, not the name.
            let name = rest[..end].trim_end_matches(['.', '-', '+']);
            if !name.is_empty() && name.chars().count() <= MAX_LENGTH && names.len() < MAX_NAMES {
                names.insert(people::folded(name));
            }
        }
        before = Some(character);
    }
    names
}

/// The members among those whose names a text mentions. Users of two issuers may have the same one: then
/// each of them is.
pub(crate) fn members(project: &Project, names: &BTreeSet<String>) -> Vec<Mention> {
    let named = |name: &String| {
        let mention = |person: &Person| Mention { name: name.clone(), person: person.clone() };
        project.named(name).map(mention).collect::<Vec<_>>()
    };
    names.iter().flat_map(named).collect()
}

/// Those of the mentions that an earlier text did not have.
pub(crate) fn fresh<'a>(mentions: &'a [Mention], earlier: &str) -> impl Iterator<Item = &'a Person> {
    let earlier = names(earlier);
    mentions.iter().filter(move |mention| !earlier.contains(&mention.name)).map(|mention| &mention.person)
}

fn is_part(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '.' | '+' | '-')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(text: &str) -> Vec<String> {
        names(text).into_iter().collect()
    }

    #[test]
    fn names_are_found_where_people_write_them() {
        assert_eq!(of("@bob, see @Alice's and (@carol.d)."), ["alice", "bob", "carol.d"]);
        assert_eq!(of("ask @bob. Or @bob-"), ["bob"]);
        assert_eq!(of("@Ärzte"), ["ärzte"]);
    }

    #[test]
    fn addresses_are_not_mentions() {
        assert_eq!(of("bob@example.com, @ nobody, @@"), [] as [&str; 0]);
    }

    #[test]
    fn a_text_of_nothing_but_names_is_bounded() {
        let text: String = (0..1_000).map(|number| format!("@user{number} ")).collect();
        assert_eq!(names(&text).len(), MAX_NAMES);
        assert_eq!(of(&format!("@{}", "x".repeat(151))), [] as [&str; 0]);
    }

    proptest! {
        #[test]
        fn reading_holds_against_anything(text in any::<String>()) {
            let _ = names(&text);
        }
    }
}
