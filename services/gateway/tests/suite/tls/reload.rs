//! Certificates whose files change.

use std::{fs, os::unix::fs::symlink, path::Path};

use carillon_contract::Channel;
use carillon_testkit::Authority;

use super::{Files, Secure, issue, with_tls};
use crate::bed::{Bed, until};

/// The certificate that a new connection is shown.
async fn shown(secure: &Secure<'_>) -> Vec<u8> {
    let stream = secure.stream().await;
    stream.get_ref().1.peer_certificates().expect("a certificate")[0].to_vec()
}

fn reloads(bed: &Bed, outcome: &str) -> f64 {
    bed.metric("carillon_gateway_tls_reloads_total", outcome)
}

fn expiry(bed: &Bed) -> f64 {
    bed.metric("carillon_gateway_tls_certificate_expiry_timestamp_seconds", "")
}

#[test]
fn s4_09_a_certificate_is_reloaded_and_connections_stay() {
    with_tls(&[], async |secure| {
        let (bed, files) = (secure.bed, secure.files);
        let (first, first_expiry) = (shown(secure).await, expiry(bed));
        let mut listener = secure.listener().await;
        issue(&files.authority, 200).write(files.directory.path()).expect("files");
        until("it is loaded", || reloads(bed, "loaded") == 1.0).await;
        let second = shown(secure).await;
        assert_ne!(first, second);
        let later = (expiry(bed) - first_expiry) / 86_400.0;
        assert!((109.9..110.1).contains(&later), "{later} days");
        bed.services.emit(&Channel::everyone(), "{}").await;
        assert_eq!(listener.offset().await, 1);
    });
}

#[test]
fn s4_09_files_that_can_not_be_used_leave_the_certificate_as_it_was() {
    with_tls(&[], async |secure| {
        let (bed, files) = (secure.bed, secure.files);
        let is_rejected = || bed.metric("carillon_gateway_tls_certificate_rejected", "") == 1.0;
        let (first, first_expiry) = (shown(secure).await, expiry(bed));
        let of_another = issue(&Authority::new().expect("an authority"), 10);
        let whole = fs::read_to_string(&files.certificate).expect("a file");
        let half = whole[..whole.len() / 2].to_owned();
        for (number, broken) in [&half, "", "nonsense", &of_another.certificate].into_iter().enumerate() {
            fs::write(&files.certificate, broken).expect("written");
            until("it is rejected", || reloads(bed, "rejected") == number as f64 + 1.0).await;
            assert!(is_rejected());
            assert_eq!((shown(secure).await, expiry(bed)), (first.clone(), first_expiry), "{broken}");
        }
        fs::remove_file(&files.certificate).expect("removed");
        until("it is missed", || reloads(bed, "rejected") == 5.0).await;
        assert_eq!(shown(secure).await, first);
        issue(&files.authority, 200).write(files.directory.path()).expect("files");
        until("it is loaded", || reloads(bed, "loaded") == 1.0).await;
        assert!(!is_rejected() && expiry(bed) > first_expiry);
        assert_ne!(shown(secure).await, first);
    });
}

/// As a mounted secret of Kubernetes changes: both files at once, by a link that leads elsewhere.
#[test]
fn s4_09_a_mounted_secret_is_reloaded_when_its_link_changes() {
    let files = Files::new();
    let directory = files.directory.path();
    let version = |name: &str, days: u64| {
        fs::create_dir(directory.join(name)).expect("a directory");
        issue(&files.authority, days).write(&directory.join(name)).expect("files");
    };
    let lead_to = |name: &str| {
        symlink(name, directory.join("..next")).expect("a link");
        fs::rename(directory.join("..next"), directory.join("..data")).expect("renamed");
    };
    version("..v1", 30);
    lead_to("..v1");
    for (file, path) in [("tls.crt", &files.certificate), ("tls.key", &files.key)] {
        fs::remove_file(path).expect("removed");
        symlink(Path::new("..data").join(file), path).expect("a link");
    }
    crate::bed::with_gateway(&files.options(), async |bed| {
        let trust = files.authority.trust().expect("a client's configuration");
        let secure = Secure { bed, files: &files, trust };
        let first = shown(&secure).await;
        version("..v2", 60);
        lead_to("..v2");
        until("it is loaded", || reloads(bed, "loaded") == 1.0).await;
        assert_ne!(shown(&secure).await, first);
        assert_eq!(reloads(bed, "rejected"), 0.0);
    });
}
