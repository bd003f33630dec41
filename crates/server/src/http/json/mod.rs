//! JSON bodies, taken strictly: right content type, no unknown or repeated members, nothing after the value.

mod explain;

use super::{
    HttpError,
    body::{self, HeldBody},
};
use axum::{
    body::HttpBody,
    extract::{FromRequest, Request},
    http::{HeaderMap, StatusCode, header},
};
use explain::explain;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, MapAccess, Visitor, value::MapAccessDeserializer},
};
use serde_json::error::Category;
use std::{fmt, marker::PhantomData};

/// A `T` that was sent as a JSON object.
///
/// serde's own structs can also be written as an array of their members in order, which no documentation of ours
/// mentions and no client should come to rely on.
pub(super) struct Object<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
            type Value = Object<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }
            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(members)).map(Object)
            }
        }
        deserializer.deserialize_map(Members(PhantomData))
    }
}

/// A request body of type `T`. `T` refuses unknown members (`deny_unknown_fields`); serde refuses repeated ones.
///
/// The second part is the memory that the body takes; it is held until the request is answered.
pub(super) struct StrictJson<T>(pub(super) T, pub(super) HeldBody);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for StrictJson<T> {
    type Rejection = HttpError;

    async fn from_request(request: Request, _: &S) -> Result<Self, HttpError> {
        if !has_content_type(request.headers(), "application/json") {
            return Err(unsupported_media_type("application/json"));
        }
        let (bytes, held) = body::read(request).await?;
        serde_json::from_slice(&bytes).map(|Object(value)| Self(value, held)).map_err(|error| {
            if error.is_data() {
                HttpError::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_request", explain::<Object<T>>(&bytes))
            } else {
                HttpError::new(StatusCode::BAD_REQUEST, "invalid_json", not_json(&error))
            }
        })
    }
}

/// The same where the whole body may be left out, content type and all.
pub(super) struct OptionalJson<T>(pub(super) Option<T>, pub(super) Option<HeldBody>);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for OptionalJson<T> {
    type Rejection = HttpError;

    async fn from_request(request: Request, state: &S) -> Result<Self, HttpError> {
        let is_empty = request.body().is_end_stream();
        if is_empty && !request.headers().contains_key(header::CONTENT_TYPE) {
            return Ok(Self(None, None));
        }
        StrictJson::from_request(request, state).await.map(|StrictJson(value, held)| Self(Some(value), Some(held)))
    }
}

fn not_json(error: &serde_json::Error) -> String {
    let (line, column) = (error.line(), error.column());
    match error.classify() {
        Category::Eof if column == 0 => "the body is empty: send a JSON object".to_owned(),
        Category::Eof => "the body ends before its JSON does: something is not closed, or was cut off".to_owned(),
        _ => format!("the body is not JSON in UTF-8: look at line {line}, column {column}"),
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
