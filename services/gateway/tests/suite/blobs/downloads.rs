//! What a browser gets is a file to save, never a page to run.

use super::*;

#[test]
fn a_file_comes_as_an_attachment() {
    with_files(&[], async |files| {
        let grant = Grant { content_type: "text/html".to_owned(), ..upload() };
        assert_eq!(files.put(&grant, "hello").await.status(), StatusCode::CREATED);
        for method in [Method::GET, Method::HEAD] {
            let answer = files.request(method.clone(), &download(&grant)).send();
            let answer = within(answer).await.expect("an answer");
            assert_eq!(answer.status(), StatusCode::OK);
            for (name, value) in [
                ("content-type", "text/html"),
                ("content-length", "5"),
                ("x-content-type-options", "nosniff"),
                ("content-security-policy", "sandbox; default-src 'none'"),
                ("accept-ranges", "bytes"),
                (
                    "content-disposition",
                    "attachment; filename=\"greeting _f_r_ __.txt\"; \
                     filename*=UTF-8''greeting%20%22f%C3%BCr%22%20%E4%B8%96%E7%95%8C.txt",
                ),
            ] {
                assert_eq!(answer.headers()[name], value, "{method} {name}");
            }
            let kept = answer.headers()["cache-control"].to_str().expect("text").to_owned();
            let age = kept.strip_prefix("private, max-age=").and_then(|age| age.parse::<u32>().ok());
            assert!(age.is_some_and(|age| age <= 60), "{kept}");
            let expected = if method == Method::GET { "hello" } else { "" };
            assert_eq!(answer.text().await.expect("text"), expected);
        }
        assert_eq!(files.bed.metric("carillon_gateway_blob_bytes_total", "download"), 5.0);
    });
}

#[test]
fn a_file_that_is_not_there_is_not_found() {
    with_files(&[], async |files| {
        assert_eq!(problem(files.get(&download(&upload())).await).await.0, 404);
        let head = within(files.request(Method::HEAD, &download(&upload())).send()).await.expect("an answer");
        assert_eq!(head.status(), StatusCode::NOT_FOUND);
    });
}

#[test]
fn a_part_of_a_file_can_be_had() {
    with_files(&[], async |files| {
        let grant = upload();
        assert_eq!(files.put(&grant, "hello").await.status(), StatusCode::CREATED);
        let part = async |range: &str| {
            let request = files.request(Method::GET, &download(&grant)).header("range", range);
            let answer = within(request.send()).await.expect("an answer");
            let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
            let span = headers.get("content-range").map(|span| span.to_str().expect("text").to_owned());
            (status, span.unwrap_or_default(), answer.text().await.expect("text"))
        };
        let expected = |status, span: &str, text: &str| (status, span.to_owned(), text.to_owned());
        assert_eq!(part("bytes=1-3").await, expected(206, "bytes 1-3/5", "ell"));
        assert_eq!(part("bytes=-2").await, expected(206, "bytes 3-4/5", "lo"));
        assert_eq!(part("bytes=4-9").await, expected(206, "bytes 4-4/5", "o"));
        assert_eq!(part("bytes=0-1,3-4").await, expected(200, "", "hello"));
        let (status, span, _) = part("bytes=5-").await;
        assert_eq!((status, span.as_str()), (416, "bytes */5"));
        let stale = files.request(Method::GET, &download(&grant)).header("range", "bytes=1-3");
        let answer = within(stale.header("if-range", "\"another\"").send()).await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK);
    });
}

/// A large file arrives whole, though it is far more than what waits for a client.
#[test]
fn a_large_file_streams() {
    with_files(&[], async |files| {
        let content: Vec<u8> = (0..5_000_000_u32).map(|index| (index % 251) as u8).collect();
        let grant = Grant { size: 5_000_000, content_type: "video/mp4".to_owned(), ..upload() };
        let put = files.request(Method::PUT, &grant).header("content-type", "video/mp4");
        let answer = within(put.body(content.clone()).send()).await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::CREATED);
        let read = within(files.get(&download(&grant)).await.bytes()).await.expect("a file");
        assert!(read == content);
    });
}

/// A client that reads nothing holds neither the file nor a place among the downloads.
#[test]
fn a_client_that_reads_nothing_is_given_up() {
    with_files(&["--write-timeout-seconds", "1"], async |files| {
        let grant = Grant { size: 30_000_000, content_type: "video/mp4".to_owned(), ..upload() };
        let put = files.request(Method::PUT, &grant).header("content-type", "video/mp4");
        let answer = within(put.body(vec![7; 30_000_000]).send()).await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::CREATED);
        let mut socket = TcpStream::connect(files.bed.address).await.expect("a socket");
        let head =
            format!("GET {} HTTP/1.1\r\nHost: localhost\r\n\r\n", files.signer.sign(&download(&grant)));
        socket.write_all(head.as_bytes()).await.expect("sent");
        let aborted = || files.bed.metric("carillon_gateway_blob_transfers_total", "aborted") == 1.0;
        until("the download is given up", aborted).await;
    });
}
