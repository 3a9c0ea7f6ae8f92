//! How a message becomes bytes: JSON, so that `curl` reads and writes it too. Unknown fields are
//! ignored, so a newer caller may talk to an older callee, unless the message says that it refuses them.

use bytes::Bytes;
use kernel::{Code, Retry};
use serde::{Serialize, de::DeserializeOwned};

use crate::MeshError;

/// The media type of a message.
pub(crate) const CONTENT_TYPE: &str = "application/json";
/// The largest message of a contract, in bytes.
pub const MESSAGE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Most messages fit into this without growing their buffer.
const MESSAGE_BYTES_USUAL: usize = 512;
/// So much of an error that is not known is shown.
const EXCERPT_BYTES_MAX: usize = 256;

/// Writes a message of `service`.
pub(crate) fn encode<T: Serialize>(service: &str, message: &T) -> Result<Bytes, MeshError> {
    let mut bytes = Vec::with_capacity(MESSAGE_BYTES_USUAL);
    match serde_json::to_writer(&mut bytes, message) {
        Ok(()) => written(service, bytes),
        Err(error) => Err(fault(service, "encode", &error)),
    }
}

/// Reads a message of `service`.
pub(crate) fn decode<T: DeserializeOwned>(service: &str, bytes: &[u8]) -> Result<T, MeshError> {
    check_size(service, bytes.len())?;
    match serde_json::from_slice(bytes) {
        Ok(message) => Ok(message),
        Err(error) => Err(fault(service, "decode", &error)),
    }
}

/// Reads an error of `service`. One that only a later version knows keeps the code and the retry
/// that came beside it.
pub(crate) fn decode_error<E: DeserializeOwned>(
    service: &str,
    bytes: &[u8],
    known: (Code, Retry),
) -> Result<E, MeshError> {
    match decode(service, bytes) {
        Ok(error) => Ok(error),
        Err(_) => Err(unknown_error(service, bytes, known)),
    }
}

fn unknown_error(service: &str, bytes: &[u8], (code, retry): (Code, Retry)) -> MeshError {
    let excerpt = String::from_utf8_lossy(&bytes[..bytes.len().min(EXCERPT_BYTES_MAX)]);
    let (service, said) = (service.to_owned(), excerpt.into_owned());
    MeshError::UnknownError {
        service,
        code,
        retry,
        said,
    }
}

fn written(service: &str, bytes: Vec<u8>) -> Result<Bytes, MeshError> {
    check_size(service, bytes.len())?;
    Ok(Bytes::from(bytes))
}

fn check_size(service: &str, bytes: usize) -> Result<(), MeshError> {
    if bytes <= MESSAGE_BYTES_MAX {
        return Ok(());
    }
    Err(MeshError::TooLarge {
        service: service.to_owned(),
        limit_bytes: MESSAGE_BYTES_MAX as u64,
    })
}

/// A value came where only bytes can pass.
pub(crate) fn not_written(service: &str) -> MeshError {
    MeshError::Codec {
        service: service.to_owned(),
        action: "encode".to_owned(),
        detail: "a call that travels as bytes holds a value".to_owned(),
    }
}

fn fault(service: &str, action: &str, error: &serde_json::Error) -> MeshError {
    MeshError::Codec {
        service: service.to_owned(),
        action: action.to_owned(),
        detail: error.to_string(),
    }
}
