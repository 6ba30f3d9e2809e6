//! What the documentation links to: files of this repository, and their headings.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use crate::page::root;

/// Where documentation is, beside the root's own pages: in these directories, and in those in them.
const DIRECTORIES: [&str; 5] = ["docs", "clients", "deploy", "deploy/helm", "k8s"];

#[test]
fn every_relative_link_leads_somewhere() {
    let mut broken = Vec::new();
    let pages = pages();
    for page in &pages {
        let text = fs::read_to_string(page).expect("a page");
        for target in links(&text) {
            if let Err(why) = leads_somewhere(page, &target) {
                broken.push(format!("{}: ({target}) {why}", page.display()));
            }
        }
    }
    assert!(pages.len() > 25, "these are not all pages: {pages:?}");
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn links_and_headings_are_read_as_github_does() {
    let text = "# A *big* `--flag`: what?\n## A\n## A\n[x](a.md#b) ![i](c.svg)\n```\n# no heading [n](o.md)\n```\n`[c](d)` [t][r]";
    assert_eq!(links(text), ["a.md#b", "c.svg"]);
    assert_eq!(anchors(text), ["a-big---flag-what", "a", "a-1"]);
    assert!(leads_somewhere(&root().join("README.md"), "docs/metrics.md#gateway").is_ok());
    assert!(leads_somewhere(&root().join("README.md"), "docs/metrics.md#no-such-heading").is_err());
    assert!(leads_somewhere(&root().join("README.md"), "docs/no-such-page.md").is_err());
}

/// The root's pages, those of every directory of documentation, and of the directories in there.
pub(crate) fn pages() -> Vec<PathBuf> {
    let mut pages = markdown_in(&root());
    for directory in DIRECTORIES {
        let directory = root().join(directory);
        pages.extend(markdown_in(&directory));
        for entry in fs::read_dir(&directory).into_iter().flatten().flatten() {
            pages.extend(markdown_in(&entry.path()));
        }
    }
    pages.sort();
    pages.dedup();
    pages
}

fn markdown_in(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.filter(|path| path.extension().is_some_and(|extension| extension == "md")).collect()
}

fn leads_somewhere(page: &Path, target: &str) -> Result<(), String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return Ok(());
    }
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let file = if path.is_empty() { page.to_owned() } else { page.parent().expect("a directory").join(path) };
    if !file.exists() {
        return Err("is not there".to_owned());
    }
    if anchor.is_empty() {
        return Ok(());
    }
    let text = fs::read_to_string(&file).map_err(|error| error.to_string())?;
    if anchors(&text).iter().any(|known| known == anchor) {
        Ok(())
    } else {
        Err("has no such heading".to_owned())
    }
}

/// The text without what is code: blocks, and spans within lines.
fn prose(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut is_code = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        } else if !is_code {
            lines.push(line.to_owned());
        }
    }
    lines
}

fn links(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in prose(text) {
        // Every second part between back-quotes is code; a link's words may have such a part in them.
        let plain: String = line.split('`').step_by(2).collect();
        for part in plain.split("](").skip(1) {
            found.extend(part.split_once(')').map(|(target, _)| target.to_owned()));
        }
    }
    found
}

/// The names of a page's headings, as they stand in links.
fn anchors(text: &str) -> Vec<String> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut anchors = Vec::new();
    for line in prose(text) {
        let words = line.trim_start_matches('#');
        if words.len() == line.len() || !words.starts_with(' ') {
            continue;
        }
        let slug = slug(words.trim());
        let times = seen.entry(slug.clone()).or_default();
        anchors.push(if *times == 0 { slug } else { format!("{slug}-{times}") });
        *times += 1;
    }
    anchors
}

fn slug(heading: &str) -> String {
    let kept = |character: &char| character.is_alphanumeric() || matches!(character, '-' | '_' | ' ');
    heading
        .to_lowercase()
        .chars()
        .filter(kept)
        .map(|character| if character == ' ' { '-' } else { character })
        .collect()
}
