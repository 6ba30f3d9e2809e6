//! The options, on their own and where two services have them in one parser.

use carillon_blob::BlobArgs;
use clap::Parser;

#[derive(Debug, Parser)]
struct CommandLine {
    #[command(flatten)]
    blobs: BlobArgs,
}

fn parse(arguments: &[&str]) -> BlobArgs {
    let arguments = ["test"].into_iter().chain(arguments.iter().copied());
    CommandLine::try_parse_from(arguments).expect("arguments").blobs
}

#[test]
fn without_a_store_there_are_no_blobs() {
    assert!(parse(&[]).open().expect("no blobs").is_none());
    assert!(parse(&["--blob-secret", "short"]).open().expect("no blobs").is_none());
}

#[test]
fn a_store_needs_a_secret_that_cannot_be_guessed() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = directory.path().join("blobs").display().to_string();
    let url = format!("file://{store}");
    let long = "0123456789abcdef0123456789abcdef";
    let refused = |arguments: &[&str]| format!("{:#}", parse(arguments).open().expect_err("a refusal"));
    assert!(refused(&["--blob-store", &store]).contains("--blob-secret"));
    let short = refused(&["--blob-store", &store, "--blob-secret", "a short secret"]);
    assert!(short.contains("14 bytes") && !short.contains("a short secret"), "{short}");
    assert!(refused(&["--blob-store", "ftp://host/x", "--blob-secret", long]).contains("ftp"));
    for store in [&store, &url] {
        assert!(parse(&["--blob-store", store, "--blob-secret", long]).open().expect("blobs").is_some());
    }
    let file = directory.path().join("secret");
    std::fs::write(&file, format!("{long}\n")).expect("written");
    let file = file.display().to_string();
    assert!(parse(&["--blob-store", &store, "--blob-secret-file", &file]).open().expect("blobs").is_some());
    let shown = format!("{:?}", parse(&["--blob-store", &store, "--blob-secret", long]));
    assert!(!shown.contains(long), "{shown}");
}
