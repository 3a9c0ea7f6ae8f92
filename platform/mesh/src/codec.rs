//! How a message becomes bytes: JSON by default (readable with curl), postcard where it pays.

use bytes::Bytes;
use kernel::{Code, Retry};
use serde::{Serialize, de::DeserializeOwned};

use crate::MeshError;

/// The largest message of a contract, in bytes.
pub const MESSAGE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Most messages fit into this without growing their buffer.
const MESSAGE_BYTES_USUAL: usize = 512;
/// So much of an error that is not known is shown.
const EXCERPT_BYTES_MAX: usize = 256;

/// The form of a message on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Codec {
    /// `application/json`. Unknown fields are ignored, so a newer caller may talk to an older callee,
    /// unless the message says that it refuses them.
    #[default]
    Json,
    /// `application/x-postcard`. Smaller and faster; both sides must have the same version.
    Postcard,
}

impl Codec {
    /// The media type.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Postcard => "application/x-postcard",
        }
    }

    /// The codec of a `content-type` header; JSON unless it says postcard.
    #[must_use]
    pub fn of_content_type(value: Option<&[u8]>) -> Self {
        match value {
            Some(v) if v.starts_with(b"application/x-postcard") => Self::Postcard,
            _ => Self::Json,
        }
    }

    /// Writes a message of `service`.
    pub fn encode<T: Serialize + ?Sized>(
        self,
        service: &str,
        message: &T,
    ) -> Result<Bytes, MeshError> {
        let written = match self {
            Self::Json => write_json(message),
            Self::Postcard => {
                let bytes = Vec::with_capacity(MESSAGE_BYTES_USUAL);
                postcard::to_extend(message, bytes).map_err(|e| e.to_string())
            }
        };
        let bytes = written.map_err(|detail| fault(service, "encode", detail))?;
        check_size(service, bytes.len())?;
        Ok(Bytes::from(bytes))
    }

    /// Reads a message of `service`.
    pub fn decode<T: DeserializeOwned>(self, service: &str, bytes: &[u8]) -> Result<T, MeshError> {
        check_size(service, bytes.len())?;
        let read = match self {
            Self::Json => serde_json::from_slice(bytes).map_err(|e| e.to_string()),
            Self::Postcard => postcard::from_bytes(bytes).map_err(|e| e.to_string()),
        };
        read.map_err(|detail| fault(service, "decode", detail))
    }

    /// Reads an error of `service`. One that only a later version knows keeps the code and the retry
    /// that came beside it.
    pub(crate) fn decode_error<E: DeserializeOwned>(
        self,
        service: &str,
        bytes: &[u8],
        (code, retry): (Code, Retry),
    ) -> Result<E, MeshError> {
        self.decode(service, bytes).map_err(|_| {
            let excerpt = match self {
                Self::Json => String::from_utf8_lossy(&bytes[..bytes.len().min(EXCERPT_BYTES_MAX)]),
                Self::Postcard => format!("{} bytes", bytes.len()).into(),
            };
            let (service, said) = (service.to_owned(), excerpt.into_owned());
            MeshError::UnknownError {
                service,
                code,
                retry,
                said,
            }
        })
    }
}

fn write_json<T: Serialize + ?Sized>(message: &T) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(MESSAGE_BYTES_USUAL);
    serde_json::to_writer(&mut bytes, message).map_err(|e| e.to_string())?;
    Ok(bytes)
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

fn fault(service: &str, action: &str, detail: String) -> MeshError {
    MeshError::Codec {
        service: service.to_owned(),
        action: action.to_owned(),
        detail,
    }
}
