//! JSON bodies, taken strictly: right content type, no unknown or repeated members, nothing after the value.

use super::HttpError;
use axum::{
    body::Bytes,
    extract::{FromRequest, Request, rejection::BytesRejection},
    http::{HeaderMap, StatusCode, header},
};
use serde::de::DeserializeOwned;

/// A request body of type `T`. `T` refuses unknown members (`deny_unknown_fields`); serde refuses repeated ones.
pub(super) struct StrictJson<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for StrictJson<T> {
    type Rejection = HttpError;

    async fn from_request(request: Request, state: &S) -> Result<Self, HttpError> {
        if !has_content_type(request.headers(), "application/json") {
            return Err(unsupported_media_type("application/json"));
        }
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| body_error(&rejection))?;
        serde_json::from_slice(&bytes).map(Self).map_err(|error| {
            if error.is_data() {
                HttpError::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_request", error.to_string())
            } else {
                HttpError::new(StatusCode::BAD_REQUEST, "invalid_json", format!("the body is not JSON: {error}"))
            }
        })
    }
}

/// Whether the request says that its body is `wanted`, whatever parameters follow.
pub(super) fn has_content_type(headers: &HeaderMap, wanted: &str) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    content_type.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(wanted)
}

pub(super) fn unsupported_media_type(wanted: &str) -> HttpError {
    let detail = format!("send the body as `Content-Type: {wanted}`");
    HttpError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail)
}

pub(super) fn body_error(rejection: &BytesRejection) -> HttpError {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        let detail = format!("the body is larger than {} KiB", super::BODY_BYTES_MAX / 1024);
        HttpError::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail)
    } else {
        HttpError::new(StatusCode::BAD_REQUEST, "body_incomplete", "the body broke off")
    }
}
