//! How a message becomes bytes: JSON, so that `curl` reads and writes it too. Unknown fields are
//! ignored, so a newer caller may talk to an older callee, unless the message says that it refuses them.

use bytes::Bytes;
use kernel::{Code, Retry};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

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
    let outcome = message.serialize(&mut serde_json::Serializer::new(&mut bytes));
    written(service, bytes, outcome)
}

/// Reads a message of `service`.
pub(crate) fn decode<T: DeserializeOwned>(service: &str, bytes: &[u8]) -> Result<T, MeshError> {
    check_size(service, bytes.len())?;
    let mut json = serde_json::Deserializer::from_slice(bytes);
    match T::deserialize(&mut json) {
        Ok(message) => match json.end() {
            Ok(()) => Ok(message),
            Err(error) => Err(fault(service, "decode", &error)),
        },
        Err(error) => Err(fault(service, "decode", &error)),
    }
}

/// Reads an error of `service`. One that only a later version knows keeps the code and the retry
/// that came beside it. Errors are rare and have many forms, so they take the way that is slower and
/// cheaper to compile: over a [`Value`].
pub(crate) fn decode_error<E: DeserializeOwned>(
    service: &str,
    bytes: &[u8],
    known: (Code, Retry),
) -> Result<E, MeshError> {
    let value = decode::<Value>(service, bytes);
    match value.map(E::deserialize) {
        Ok(Ok(error)) => Ok(error),
        _ => Err(unknown_error(service, bytes, known)),
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

fn written(
    service: &str,
    bytes: Vec<u8>,
    outcome: serde_json::Result<()>,
) -> Result<Bytes, MeshError> {
    outcome.map_err(|error| fault(service, "encode", &error))?;
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
