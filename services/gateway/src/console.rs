//! The console: a page that shows what Carillon does, embedded when the gateway was built (`clients/console`).
//! It is a client like any other: all that it knows it asks the API for.

mod encoding;
mod file;

use actix_web::{
    HttpRequest, HttpResponse, Scope,
    dev::HttpServiceFactory,
    http::{Method, StatusCode, header},
    web,
};
use carillon_service::http::Problem;

use crate::{
    edge::{check_address, check_host, response},
    gateway::Gateway,
};
use encoding::Encoding;
use file::File;

include!(concat!(env!("OUT_DIR"), "/console.rs"));

/// What the page may do: run and load what comes from here, and talk to here. A page of a laptop's may talk to
/// any port of it, so that what document 3 has people paste there works behind any proxy (its test 4).
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; \
    connect-src 'self' ws://localhost:* ws://127.0.0.1:*; worker-src 'self' blob:; manifest-src 'self'; \
    base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// For a year.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// What a gateway says that was built without it.
const NOT_BUILT: &str = "This is Carillon. Its console was not built into this gateway: `make console` and build \
    again,\nor start with `make run`. What there is beside it: /api/ and /ws/ (docs/protocol.md).\n";

/// What a gateway says of any path that it doesn't have.
const MISSING: &str = "there is no such path";

/// The page's own path, and those of the files that it consists of.
pub(crate) fn services() -> impl HttpServiceFactory {
    let files: Scope = web::scope("/assets").default_service(web::to(serve));
    (web::resource("/").to(serve), files)
}

async fn serve(gateway: web::Data<Gateway>, request: HttpRequest) -> HttpResponse {
    let answer = answer(&gateway, &request).unwrap_or_else(|problem| {
        let id = format!("{:032x}", rand::random::<u128>());
        response(problem.into_reply(), &id)
    });
    gateway.metrics.http_requests.with_label_values(&["console", answer.status().as_str()]).inc();
    answer
}

fn answer(gateway: &Gateway, request: &HttpRequest) -> Result<HttpResponse, Problem> {
    check_host(gateway, request)?;
    check_address(gateway, request)?;
    if !gateway.settings.console {
        return Err(Problem::not_found(MISSING));
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Err(Problem::method_not_allowed(&["GET", "HEAD"]));
    }
    found(FILES, request).ok_or_else(|| Problem::not_found(MISSING))
}

/// What is at a request's path, if anything is.
fn found(files: &'static [File], request: &HttpRequest) -> Option<HttpResponse> {
    match files.iter().find(|file| file.path == request.path()) {
        Some(file) => Some(served(file, request)),
        None if files.is_empty() && request.path() == "/" => Some(not_built()),
        None => None,
    }
}

fn not_built() -> HttpResponse {
    HttpResponse::NotFound()
        .insert_header((header::CONTENT_TYPE, "text/plain; charset=utf-8"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(NOT_BUILT)
}

/// A file, in the smallest encoding that the browser takes; or word that it has this one already.
fn served(file: &'static File, request: &HttpRequest) -> HttpResponse {
    let encoding = Encoding::of(request.headers(), file);
    let tag = format!("\"{}{}\"", file.tag, encoding.suffix());
    let is_known = file::is_named(request.headers(), &tag);
    let status = if is_known { StatusCode::NOT_MODIFIED } else { StatusCode::OK };
    let mut answer = HttpResponse::build(status);
    answer
        .insert_header((header::ETAG, tag))
        .insert_header((header::CACHE_CONTROL, if file.immutable { FOR_EVER } else { "no-cache" }))
        .insert_header((header::VARY, "Accept-Encoding"));
    if is_known {
        return answer.finish();
    }
    answer
        .insert_header((header::CONTENT_TYPE, file.content_type))
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .insert_header(("cross-origin-opener-policy", "same-origin"));
    if let Some(name) = encoding.name() {
        answer.insert_header((header::CONTENT_ENCODING, name));
    }
    answer.body(encoding.bytes(file))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    const PAGE: File = File {
        path: "/",
        content_type: "text/html; charset=utf-8",
        tag: "a1",
        immutable: false,
        plain: b"<!doctype html>",
        gzip: Some(b"gzip"),
        brotli: None,
    };
    const SCRIPT: File = File { path: "/assets/index-b2.js", tag: "b2", immutable: true, gzip: None, ..PAGE };
    static BUILT: [File; 2] = [PAGE, SCRIPT];

    fn header_of<'a>(response: &'a HttpResponse, name: &str) -> &'a str {
        response.headers().get(name).map_or("", |value| value.to_str().expect("text"))
    }

    #[test]
    fn the_page_is_asked_for_anew_and_its_files_are_kept() {
        let page = found(&BUILT, &TestRequest::with_uri("/?x=1").to_http_request()).expect("the page");
        assert_eq!((page.status(), header_of(&page, "cache-control")), (StatusCode::OK, "no-cache"));
        assert!(header_of(&page, "content-security-policy").contains("script-src 'self';"));
        assert_eq!((header_of(&page, "etag"), header_of(&page, "vary")), ("\"a1\"", "Accept-Encoding"));
        let script = TestRequest::with_uri("/assets/index-b2.js").to_http_request();
        let script = found(&BUILT, &script).expect("a script");
        assert_eq!(header_of(&script, "cache-control"), FOR_EVER);
        assert!(found(&BUILT, &TestRequest::with_uri("/index.html").to_http_request()).is_none());
    }

    #[test]
    fn a_browser_that_has_it_is_told_so() {
        let asked = |tag: &str| {
            let request = TestRequest::with_uri("/").insert_header((header::ACCEPT_ENCODING, "gzip, br"));
            let request = request.insert_header((header::IF_NONE_MATCH, tag)).to_http_request();
            found(&BUILT, &request).expect("the page")
        };
        let known = asked("\"a1-gz\"");
        assert_eq!((known.status(), header_of(&known, "etag")), (StatusCode::NOT_MODIFIED, "\"a1-gz\""));
        let other = asked("\"a1\"");
        assert_eq!((other.status(), header_of(&other, "content-encoding")), (StatusCode::OK, "gzip"));
    }

    #[test]
    fn without_it_the_gateway_says_how_to_build_it() {
        let page = found(&[], &TestRequest::with_uri("/").to_http_request()).expect("a word");
        assert_eq!(page.status(), StatusCode::NOT_FOUND);
        assert!(found(&[], &TestRequest::with_uri("/assets/index.js").to_http_request()).is_none());
    }
}
