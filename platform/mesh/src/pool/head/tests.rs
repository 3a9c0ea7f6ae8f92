//! Heads as servers send them, good and bad, in one piece and in many.

use super::*;

fn take_all(text: &str, to_head: bool) -> Result<(Head, String), HeadError> {
    let mut buffer = BytesMut::from(text);
    let head = take(&mut buffer, to_head)?.expect("a whole head");
    Ok((head, String::from_utf8(buffer.to_vec()).unwrap()))
}

fn refused(text: &str) -> HeadError {
    take_all(text, false).err().expect(text)
}

#[test]
fn a_head_is_taken_when_its_last_byte_is_there() {
    let text = "HTTP/1.1 404 No such thing\r\nETag: \"a\"\r\nx-two: 1\r\nx-two: 2\r\ncontent-length: 3\r\n\r\n";
    let mut buffer = BytesMut::new();
    for byte in text.as_bytes() {
        assert!(take(&mut buffer, false).unwrap().is_none());
        buffer.extend_from_slice(&[*byte]);
    }
    buffer.extend_from_slice(b"abc");
    let head = take(&mut buffer, false).unwrap().unwrap();
    assert_eq!(head.parts.status, StatusCode::NOT_FOUND);
    assert_eq!(head.parts.headers["etag"], "\"a\"");
    let two: Vec<_> = head.parts.headers.get_all("x-two").iter().collect();
    assert_eq!(two, ["1", "2"]);
    assert!(head.keeps_alive);
    assert_eq!(
        (head.decoder, &buffer[..]),
        (Decoder::length(3), &b"abc"[..])
    );
}

#[test]
fn interim_answers_are_passed_over() {
    let text = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    let (head, rest) = take_all(text, false).unwrap();
    assert_eq!((head.parts.status, &*rest), (StatusCode::OK, ""));
    assert!(head.parts.headers.get("link").is_none() && head.decoder.has_ended());
}

#[test]
fn the_framing_is_as_rfc_9112_says() {
    let decoder = |lines: &str, to_head| {
        let head = take_all(&format!("HTTP/1.1 {lines}\r\n\r\n"), to_head)
            .expect(lines)
            .0;
        (head.decoder, head.keeps_alive)
    };
    let long = "200 OK\r\ncontent-length: 5";
    assert_eq!(decoder(long, false), (Decoder::length(5), true));
    assert_eq!(decoder(long, true), (Decoder::empty(), true), "to HEAD");
    for status in ["204 No Content", "304 Not Modified"] {
        let lines = format!("{status}\r\ncontent-length: 5");
        assert_eq!(decoder(&lines, false), (Decoder::empty(), true), "{status}");
    }
    let same = "200 OK\r\ncontent-length: 5\r\ncontent-length: 5";
    assert_eq!(decoder(same, false), (Decoder::length(5), true));
    let chunked = "200 OK\r\nTransfer-Encoding: gzip, Chunked";
    assert_eq!(decoder(chunked, false), (Decoder::chunked(), true));
    let coded = "200 OK\r\ntransfer-encoding: gzip";
    assert_eq!(decoder(coded, false), (Decoder::until_end(), false));
    assert_eq!(decoder("200 OK", false), (Decoder::until_end(), false));
    let close = "200 OK\r\ncontent-length: 5\r\nconnection: x, Close";
    assert_eq!(decoder(close, false), (Decoder::length(5), false));
    let upgrade = "101 Switching Protocols\r\nupgrade: x";
    assert_eq!(decoder(upgrade, false), (Decoder::empty(), false));
}

#[test]
fn of_two_lengths_the_chunks_count_and_the_other_is_gone() {
    let text = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n";
    let (head, _) = take_all(text, false).unwrap();
    assert_eq!(head.decoder, Decoder::chunked());
    assert!(!head.parts.headers.contains_key("content-length"));
}

#[test]
fn an_old_server_keeps_a_connection_only_when_it_says_so() {
    let keeps = |lines: &str| {
        take_all(&format!("HTTP/1.0 {lines}\r\n\r\n"), false)
            .unwrap()
            .0
    };
    let head = keeps("200 OK\r\ncontent-length: 1");
    assert!(!head.keeps_alive && head.parts.version == Version::HTTP_10);
    assert!(keeps("200 OK\r\ncontent-length: 1\r\nconnection: Keep-Alive").keeps_alive);
}

#[test]
fn what_cannot_be_trusted_is_refused() {
    for lengths in [
        "5\r\ncontent-length: 6",
        "+5",
        "5, 5",
        "",
        "-1",
        "0x5",
        "99999999999999999999",
    ] {
        let text = format!("HTTP/1.1 200 OK\r\ncontent-length: {lengths}\r\n\r\n");
        assert_eq!(refused(&text), HeadError::Framing, "{lengths}");
    }
    let old = "HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    assert_eq!(refused(old), HeadError::Framing);
    for text in [
        "HTTP/2 200 OK\r\n\r\n",
        "SSH-2.0-OpenSSH_9.2\r\n",
        "HTTP/1.1 abc\r\n\r\n",
        "HTTP/1.1 099 Low\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\nspace : x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nfolded: a\r\n b\r\n\r\n",
        "HTTP/1.1 200 OK\r\nx: a\0b\r\n\r\n",
    ] {
        assert_eq!(refused(text), HeadError::Malformed, "{text:?}");
    }
}

#[test]
fn a_head_has_a_bound() {
    let many = "x: y\r\n".repeat(HEADERS_MAX + 1);
    let text = format!("HTTP/1.1 200 OK\r\n{many}\r\n");
    assert_eq!(refused(&text), HeadError::TooLarge);
    let mut endless = BytesMut::from("HTTP/1.1 200 OK\r\nx: ");
    endless.extend_from_slice(&vec![b'y'; HEAD_BYTES_MAX]);
    assert_eq!(take(&mut endless, false).err(), Some(HeadError::TooLarge));
}
