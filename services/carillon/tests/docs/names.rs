//! The metrics that pages speak of are there.

use std::{collections::BTreeSet, fs};

use crate::{links::pages, page::root};

/// Where all of them are listed.
const LIST: &str = "docs/metrics.md";

/// What a histogram's and a recorded series' names end in.
const PARTS: [&str; 3] = ["_bucket", "_sum", "_count"];

#[test]
fn every_metric_that_is_spoken_of_is_there() {
    let list = fs::read_to_string(root().join(LIST)).expect("the list");
    let known: BTreeSet<&str> = names(&list).collect();
    let mut unknown = Vec::new();
    for page in pages() {
        let text = fs::read_to_string(&page).expect("a page");
        let missing = names(&text).filter(|name| !is_known(&known, name)).map(str::to_owned);
        unknown.extend(missing.map(|name| format!("{}: {name}", page.display())));
    }
    assert!(known.len() > 50, "the list has {} metrics", known.len());
    assert!(unknown.is_empty(), "{unknown:#?}");
}

/// Words that are written as metrics are.
fn names(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|character: char| !character.is_ascii_alphanumeric() && character != '_');
    words.filter(|word| word.strip_prefix("carillon_").is_some_and(|rest| rest.contains('_')))
}

fn is_known(known: &BTreeSet<&str>, name: &str) -> bool {
    known.contains(name)
        || PARTS.iter().any(|part| name.strip_suffix(part).is_some_and(|base| known.contains(base)))
}
