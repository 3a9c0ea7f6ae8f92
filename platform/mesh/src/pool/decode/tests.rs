//! Bodies in one piece, byte by byte, cut short, and wrong.

use super::*;

/// All of the body's data, its trailers, and what was left over. `step` bytes come in at a time.
fn decode(
    mut decoder: Decoder,
    wire: &[u8],
    step: usize,
) -> io::Result<(Vec<u8>, Option<HeaderMap>, Vec<u8>)> {
    let (mut buffer, mut data, mut trailers) = (BytesMut::new(), Vec::new(), None);
    let mut pieces = wire.chunks(step);
    while !decoder.has_ended() {
        match decoder.next(&mut buffer)? {
            Some(frame) => match frame.into_data() {
                Ok(piece) => data.extend_from_slice(&piece),
                Err(frame) => trailers = frame.into_trailers().ok(),
            },
            None if decoder.has_ended() => {}
            None => match pieces.next() {
                Some(piece) => buffer.extend_from_slice(piece),
                None => decoder.end()?,
            },
        }
    }
    let mut left = buffer.to_vec();
    left.extend(pieces.flatten());
    Ok((data, trailers, left))
}

#[test]
fn a_body_is_the_same_however_it_comes_in() {
    let chunks = b"3;name=\"v\"\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n";
    for step in 1..=chunks.len() {
        let (data, trailers, left) = decode(Decoder::chunked(), chunks, step).unwrap();
        assert_eq!((&*data, left.len()), (&b"abc0123456789"[..], 0), "{step}");
        assert!(trailers.is_none());
        let (data, _, left) = decode(Decoder::length(4), b"abcdNEXT", step).unwrap();
        assert_eq!((&*data, &*left), (&b"abcd"[..], &b"NEXT"[..]), "{step}");
        let (data, ..) = decode(Decoder::until_end(), b"to the end", step).unwrap();
        assert_eq!(&*data, b"to the end", "{step}");
    }
}

#[test]
fn trailers_come_last() {
    let wire = b"1\r\na\r\n0\r\nx-sum: 7\r\nx-sum: 8\r\n\r\nNEXT";
    for step in 1..=wire.len() {
        let (data, trailers, left) = decode(Decoder::chunked(), wire, step).unwrap();
        assert_eq!((&*data, &*left), (&b"a"[..], &b"NEXT"[..]), "{step}");
        let sums = trailers.expect("trailers");
        assert_eq!(sums.get_all("x-sum").iter().collect::<Vec<_>>(), ["7", "8"]);
    }
}

#[test]
fn the_end_is_noticed_with_the_last_piece() {
    let mut buffer = BytesMut::from(&b"3\r\nabc\r\n0\r\n\r\n"[..]);
    let mut decoder = Decoder::chunked();
    let frame = decoder.next(&mut buffer).unwrap().unwrap();
    assert_eq!(frame.into_data().unwrap(), "abc");
    assert!(decoder.has_ended() && buffer.is_empty());
    assert!(Decoder::length(0).has_ended());
}

#[test]
fn a_body_that_breaks_off_is_an_error() {
    let chunks = b"3\r\nabc\r\n0\r\n\r\n";
    for cut in 0..chunks.len() {
        let error = decode(Decoder::chunked(), &chunks[..cut], 64).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof, "{cut}");
    }
    let error = decode(Decoder::length(4), b"abc", 64).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
}

#[test]
fn chunks_that_cannot_be_read_are_refused() {
    for wire in [
        &b"x\r\n"[..],
        b"\r\nabc",
        b" 1\r\na",
        b";e\r\n",
        b"1\na",
        b"-1\r\na",
        b"3\r\nabcd\r\n",
        b"3\r\nabc\n0\r\n\r\n",
        b"fffffffffffffffff\r\n",
        b"0\r\nno colon\r\n\r\n",
        b"0\r\nx : y\r\n\r\n",
    ] {
        for step in [1, 64] {
            let refused = decode(Decoder::chunked(), wire, step).unwrap_err();
            let wire = wire.escape_ascii();
            assert_eq!(refused.kind(), io::ErrorKind::InvalidData, "{wire}");
        }
    }
}

#[test]
fn lines_that_do_not_end_are_refused() {
    let extension = [b"1;", &vec![b'e'; LINES_BYTES_MAX][..]].concat();
    let trailer = [b"0\r\nx: ", &vec![b'e'; LINES_BYTES_MAX][..]].concat();
    let many = [
        b"0\r\n",
        "x: y\r\n".repeat(TRAILERS_MAX + 1).as_bytes(),
        b"\r\n",
    ]
    .concat();
    for wire in [extension, trailer, many] {
        let refused = decode(Decoder::chunked(), &wire, 1_000).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::InvalidData);
    }
}
