//! The door to files, through real HTTP.

mod downloads;
mod uploads;

use std::path::Path;

use carillon_blob::{BlobSecret, Grant, Key, Operation, Signer};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    bed::{Bed, until, with_gateway},
    client::within,
};

const SECRET: &str = "the secret of addresses, long enough for a test";

/// A gateway with a store, and whoever signs addresses for it.
struct Files<'a> {
    bed: &'a Bed,
    directory: &'a Path,
    client: Client,
    signer: Signer,
}

fn with_files(options: &[&str], test: impl AsyncFnOnce(&Files)) {
    let directory = TempDir::new().expect("a directory");
    let store = directory.path().display().to_string();
    let own = ["--blob-store", &store, "--blob-secret", SECRET];
    let options: Vec<&str> = own.into_iter().chain(options.iter().copied()).collect();
    with_gateway(&options, async |bed| {
        let signer = Signer::new(&BlobSecret::new(SECRET)).expect("a signer");
        test(&Files { bed, directory: directory.path(), client: Client::new(), signer }).await;
    });
}

fn now() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a time");
    i64::try_from(now.as_secs()).expect("a time")
}

/// Permission to upload five bytes of text.
fn upload() -> Grant {
    Grant {
        operation: Operation::Upload,
        key: Key::random(),
        size: 5,
        content_type: "text/plain".to_owned(),
        name: "greeting \"für\" 世界.txt".to_owned(),
        user: "1".to_owned(),
        expires_at: now() + 60,
    }
}

fn download(upload: &Grant) -> Grant {
    Grant { operation: Operation::Download, ..upload.clone() }
}

impl Files<'_> {
    fn request(&self, method: Method, grant: &Grant) -> RequestBuilder {
        self.client.request(method, format!("http://{}{}", self.bed.address, self.signer.sign(grant)))
    }

    async fn put(&self, grant: &Grant, content: &'static str) -> Response {
        let request = self.request(Method::PUT, grant).header("content-type", &grant.content_type);
        within(request.body(content).send()).await.expect("an answer")
    }

    async fn get(&self, grant: &Grant) -> Response {
        within(self.request(Method::GET, grant).send()).await.expect("an answer")
    }

    /// The status of a request, and what its body says went wrong.
    async fn refused(&self, request: RequestBuilder) -> (u16, String) {
        problem(within(request.send()).await.expect("an answer")).await
    }

    /// Begins an upload by hand.
    async fn begin(&self, grant: &Grant, headers: &str) -> TcpStream {
        let mut socket = TcpStream::connect(self.bed.address).await.expect("a socket");
        let (address, content_type) = (self.signer.sign(grant), &grant.content_type);
        let head = format!(
            "PUT {address} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {content_type}\r\n{headers}\r\n\r\n"
        );
        socket.write_all(head.as_bytes()).await.expect("sent");
        socket
    }

    /// How many files the store has, half-written ones too.
    fn stored(&self) -> usize {
        count(self.directory)
    }
}

fn count(directory: &Path) -> usize {
    let entries = std::fs::read_dir(directory).expect("a directory").map(|entry| entry.expect("an entry"));
    entries.map(|entry| if entry.path().is_dir() { count(&entry.path()) } else { 1 }).sum()
}

async fn problem(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    assert_eq!(response.headers()["content-type"], "application/problem+json", "{status}");
    let body: Value = serde_json::from_slice(&response.bytes().await.expect("a body")).expect("JSON");
    assert_eq!(body["status"], status);
    (status, body["detail"].as_str().expect("a detail").to_owned())
}

/// The status line of an answer that is read by hand.
async fn status(socket: &mut TcpStream) -> String {
    let mut answer = vec![0; 1024];
    let length = within(socket.read(&mut answer)).await.expect("an answer");
    String::from_utf8_lossy(&answer[..length]).lines().next().unwrap_or_default().to_owned()
}

#[test]
fn without_a_store_there_are_no_files() {
    with_gateway(&[], async |bed| {
        let signer = Signer::new(&BlobSecret::new(SECRET)).expect("a signer");
        let url = format!("http://{}{}", bed.address, signer.sign(&download(&upload())));
        let answer = within(Client::new().get(url).send()).await.expect("an answer");
        let (status, detail) = problem(answer).await;
        assert_eq!(status, 404);
        assert!(detail.contains("--blob-store"), "{detail}");
    });
}

#[test]
fn an_address_permits_what_was_signed_and_nothing_else() {
    with_files(&[], async |files| {
        let grant = upload();
        let (up, down) = (files.signer.sign(&grant), files.signer.sign(&download(&grant)));
        let expired = files.signer.sign(&Grant { expires_at: now() - 1, ..grant.clone() });
        let foreign = Signer::new(&BlobSecret::new([1; 32])).expect("a signer").sign(&grant);
        let url = |path: &str| format!("http://{}{path}", files.bed.address);
        for (method, path, why) in [
            (Method::PUT, up.replace("size=5", "size=6"), "signature"),
            (Method::PUT, up.replace("user=1", "user=2"), "signature"),
            (Method::PUT, foreign, "signature"),
            (Method::PUT, expired, "expired"),
            (Method::PUT, down.clone(), "downloads only"),
            (Method::GET, up.clone(), "uploads only"),
            (Method::HEAD, up.clone(), ""),
            (Method::GET, format!("/blobs/{}", grant.key), "incomplete"),
            (Method::GET, "/blobs/".to_owned(), "incomplete"),
            (Method::GET, "/blobs/%2e%2e%2f%2e%2e%2fetc%2fpasswd".to_owned(), "incomplete"),
            (Method::PUT, down.replace("/blobs/", "/blobs/x/"), "incomplete"),
        ] {
            let request =
                files.client.request(method.clone(), url(&path)).header("content-type", "text/plain");
            let answer = within(request.body("hello").send()).await.expect("an answer");
            assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{method} {path}");
            if method != Method::HEAD {
                let (_, detail) = problem(answer).await;
                assert!(detail.contains(why), "{method} {path}: {detail}");
            }
        }
        let (status, _) = files.refused(files.client.post(url(&up)).body("hello")).await;
        assert_eq!(status, 405);
        let elsewhere = files.client.get(url(&down)).header("host", "elsewhere.example");
        assert_eq!(files.refused(elsewhere).await.0, 400);
        assert_eq!(files.stored(), 0);
        let refused = files.bed.metric("carillon_gateway_blob_transfers_total", "refused");
        assert!(refused >= 11.0, "{refused}");
    });
}

#[test]
fn pages_of_allowed_origins_may_upload() {
    with_files(&["--cors-origins", "https://app.example.com"], async |files| {
        let grant = upload();
        let preflight = files
            .request(Method::OPTIONS, &grant)
            .header("origin", "https://app.example.com")
            .header("access-control-request-method", "PUT")
            .header("access-control-request-headers", "content-type");
        let answer = within(preflight.send()).await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.headers()["access-control-allow-origin"], "https://app.example.com");
        assert!(answer.headers()["access-control-allow-methods"].to_str().expect("text").contains("PUT"));
        let put = files.request(Method::PUT, &grant).header("content-type", "text/plain");
        let put = put.header("origin", "https://app.example.com").body("hello");
        let answer = within(put.send()).await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::CREATED);
        assert_eq!(answer.headers()["access-control-allow-origin"], "https://app.example.com");
    });
}
