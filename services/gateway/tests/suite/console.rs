//! The console's page: for hosts that are allowed, where the deployment wants it, and in nobody's way. What it
//! is made of depends on whether it was built; `make test-browser` looks at that.

use reqwest::{Client, Method, Response, redirect::Policy};
use serde_json::Value;

use crate::bed::{Bed, with_gateway};

async fn ask(bed: &Bed, method: Method, path: &str, headers: &[(&str, &str)]) -> Response {
    let client = Client::builder().redirect(Policy::none()).build().expect("a client");
    let request = client.request(method, format!("http://{}{path}", bed.address));
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    request.send().await.expect("an answer")
}

async fn status(bed: &Bed, path: &str) -> u16 {
    ask(bed, Method::GET, path, &[]).await.status().as_u16()
}

/// Whether this is the page, or word that it was not built; else it is a problem's body.
fn is_console(response: &Response) -> bool {
    let kind = response.headers()["content-type"].to_str().expect("a type");
    let (page, word) = (kind.starts_with("text/html"), kind.starts_with("text/plain"));
    (page && response.status() == 200) || (word && response.status() == 404)
}

#[test]
fn the_mode_decides_unless_the_deployment_does() {
    for (options, served) in [
        (&["--mode", "development"][..], true),
        (&["--mode", "production"], false),
        (&["--mode", "production", "--console"], true),
        (&["--mode", "development", "--console=false"], false),
    ] {
        with_gateway(options, async |bed| {
            let page = ask(bed, Method::GET, "/", &[]).await;
            assert_eq!(is_console(&page), served, "{options:?}");
            assert_eq!(page.headers()["x-content-type-options"], "nosniff");
            if !served {
                let problem: Value = page.json().await.expect("a problem");
                assert_eq!(problem["detail"], "there is no such path");
            }
        });
    }
}

#[test]
fn it_is_for_allowed_hosts_and_for_reading() {
    with_gateway(&["--allowed-hosts", "app.example"], async |bed| {
        let allowed = ask(bed, Method::GET, "/", &[("host", "app.example")]).await;
        assert!(is_console(&allowed));
        for path in ["/", "/assets/index.js"] {
            assert_eq!(status(bed, path).await, 400, "{path}");
        }
        let posted = ask(bed, Method::POST, "/", &[("host", "app.example")]).await;
        assert_eq!(
            (posted.status().as_u16(), &posted.headers()["allow"]),
            (405, &"GET, HEAD".parse().expect("a value"))
        );
    });
}

#[test]
fn it_shadows_nothing() {
    with_gateway(&[], async |bed| {
        for path in [
            "/assets/",
            "/assets/nothing.js",
            "/assets/..%2f..%2fCargo.toml",
            "/index.html",
            "/api/",
            "/nothing",
        ] {
            let answer = ask(bed, Method::GET, path, &[]).await;
            assert_eq!(answer.status(), 404, "{path}");
            assert_eq!(answer.headers()["content-type"], "application/problem+json", "{path}");
        }
        assert_eq!(status(bed, "/api/auth/me/").await, 401);
        bed.listener().await;
    });
}
