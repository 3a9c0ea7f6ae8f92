//! JSON in the bodies of requests and answers, as the internal listener takes and gives it.

use http::{HeaderValue, StatusCode, header};
use kernel::Code;
use serde::{Serialize, de::DeserializeOwned};
use web::{Body, ProblemReply, Request, Response};

const BODY_BYTES_MAX: usize = 64 * 1024;

/// `value` as a JSON answer.
pub(crate) fn json<T: Serialize>(status: StatusCode, value: &T) -> Response {
    match serde_json::to_vec(value) {
        Ok(text) => {
            let mut response = Response::new(Body::from(text));
            *response.status_mut() = status;
            let headers = response.headers_mut();
            headers.insert(
                header::CONTENT_TYPE,
                HeaderValue::from_static("application/json"),
            );
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            response
        }
        Err(error) => ProblemReply::new(Code::Internal, error.to_string()).into_web(),
    }
}

/// The JSON in the body of `request`.
pub(crate) async fn body<T: DeserializeOwned>(request: Request) -> Result<T, ProblemReply> {
    let bytes = web::read_body(request.into_body(), BODY_BYTES_MAX).await?;
    let mut reader = serde_json::Deserializer::from_slice(&bytes);
    serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let pointer = format!("/{}", error.path().to_string().replace('.', "/"));
        let detail = error.inner().to_string();
        let problem = kernel::Problem::new(Code::Invalid, format!("{pointer}: {detail}"));
        ProblemReply(Box::new(problem.with_field(pointer, detail)))
    })
}
