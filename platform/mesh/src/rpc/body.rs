//! Reads a message whole. A short one has come in one piece, and then nothing is gathered or copied.

use std::future::poll_fn;
use std::pin::Pin;

use bytes::{Bytes, BytesMut};
use http_body::Body;

use crate::pool::BoxError;

/// Why a message could not be read.
pub(crate) enum ReadError {
    /// It is larger than the limit.
    TooLarge,
    /// Its connection failed.
    Broken(String),
}

/// Reads `body` to its end, up to `bytes_max`.
pub(crate) async fn read_whole<B>(body: B, bytes_max: usize) -> Result<Bytes, ReadError>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    let mut body = std::pin::pin!(body);
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > bytes_max {
        return Err(ReadError::TooLarge);
    }
    let Some(first) = next(body.as_mut()).await? else {
        return Ok(Bytes::new());
    };
    if first.len() > bytes_max {
        return Err(ReadError::TooLarge);
    }
    if body.is_end_stream() {
        return Ok(first);
    }
    let Some(second) = next(body.as_mut()).await? else {
        return Ok(first);
    };
    let mut whole = BytesMut::with_capacity(announced.max(first.len() + second.len()));
    whole.extend_from_slice(&first);
    let mut piece = Some(second);
    while let Some(bytes) = piece {
        if whole.len() + bytes.len() > bytes_max {
            return Err(ReadError::TooLarge);
        }
        whole.extend_from_slice(&bytes);
        piece = next(body.as_mut()).await?;
    }
    Ok(whole.freeze())
}

/// The next piece of data; trailers are passed over.
async fn next<B>(mut body: Pin<&mut B>) -> Result<Option<Bytes>, ReadError>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    loop {
        match poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
            None => return Ok(None),
            Some(Err(error)) => return Err(ReadError::Broken(error.into().to_string())),
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
        }
    }
}
