//! What is uploaded is what was granted, whole, once.

use super::*;

#[test]
fn a_file_is_uploaded_once() {
    with_files(&[], async |files| {
        let grant = upload();
        assert_eq!(files.put(&grant, "hello").await.status(), StatusCode::CREATED);
        let (status, detail) = problem(files.put(&grant, "HELLO").await).await;
        assert_eq!((status, detail.as_str()), (409, "this file was uploaded before"));
        assert_eq!(files.get(&download(&grant)).await.text().await.expect("text"), "hello");
        assert_eq!(files.bed.metric("carillon_gateway_blob_bytes_total", "upload"), 5.0);
    });
}

#[test]
fn the_type_and_the_size_are_those_granted() {
    with_files(&[], async |files| {
        let grant = upload();
        let put = || files.request(Method::PUT, &grant);
        assert_eq!(files.refused(put().body("hello")).await.0, 415);
        assert_eq!(files.refused(put().header("content-type", "text/html").body("hello")).await.0, 415);
        let typed = || put().header("content-type", "Text/Plain; charset=utf-8");
        assert_eq!(files.refused(typed().body("hello!")).await.0, 413);
        assert_eq!(files.refused(typed().body("hell")).await.0, 400);
        assert_eq!(files.stored(), 0);
        let answer = within(typed().body("hello").send()).await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::CREATED);
    });
}

#[test]
fn a_body_in_chunks_has_the_same_limit() {
    with_files(&[], async |files| {
        for (chunks, expected) in [
            ("5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n", "HTTP/1.1 413 Payload Too Large"),
            ("4\r\nhell\r\n0\r\n\r\n", "HTTP/1.1 400 Bad Request"),
            ("4\r\nhell\r\n1\r\no\r\n0\r\n\r\n", "HTTP/1.1 201 Created"),
        ] {
            let mut socket = files.begin(&upload(), "Transfer-Encoding: chunked").await;
            socket.write_all(chunks.as_bytes()).await.expect("sent");
            assert_eq!(status(&mut socket).await, expected);
        }
        until("one file is stored", || files.stored() == 1).await;
    });
}

/// A million bytes are more than what is written at a time, so that half a file is on its way already.
#[test]
fn an_upload_that_is_cut_off_leaves_nothing_and_can_be_repeated() {
    with_files(&[], async |files| {
        let grant = Grant { size: 1_000_000, content_type: "video/mp4".to_owned(), ..upload() };
        let mut socket = files.begin(&grant, "Content-Length: 1000000").await;
        socket.write_all(&vec![7; 600_000]).await.expect("sent");
        until("half of it is written", || files.stored() == 1).await;
        assert_eq!(problem(files.get(&download(&grant)).await).await.0, 404);
        drop(socket);
        until("nothing is left", || files.stored() == 0).await;
        let put = files.request(Method::PUT, &grant).header("content-type", "video/mp4");
        let answer = within(put.body(vec![7; 1_000_000]).send()).await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::CREATED);
        let read = files.get(&download(&grant)).await.bytes().await.expect("a file");
        assert!(read == vec![7; 1_000_000]);
        assert_eq!(files.stored(), 1);
    });
}

#[test]
fn a_client_that_sends_nothing_is_not_waited_for() {
    with_files(&["--request-timeout-seconds", "1"], async |files| {
        let mut socket = files.begin(&upload(), "Content-Length: 5").await;
        socket.write_all(b"hel").await.expect("sent");
        assert_eq!(status(&mut socket).await, "HTTP/1.1 408 Request Timeout");
        assert_eq!(files.stored(), 0);
    });
}

/// However lively it is: an address that expires while the file comes stores nothing.
#[test]
fn an_upload_ends_with_its_address() {
    with_files(&[], async |files| {
        let grant = Grant { expires_at: now() + 2, ..upload() };
        let mut socket = files.begin(&grant, "Content-Length: 5").await;
        socket.write_all(b"hel").await.expect("sent");
        assert_eq!(status(&mut socket).await, "HTTP/1.1 408 Request Timeout");
        assert_eq!(files.stored(), 0);
    });
}
