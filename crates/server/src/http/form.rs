//! Form bodies of OAuth's endpoints (RFC 6749 §3.2): unknown parameters are ignored, empty ones are absent, repeated
//! ones are refused.

use super::{
    HttpError,
    body::{self, HeldBody},
    json::{has_content_type, unsupported_media_type},
};
use axum::{
    extract::{FromRequest, Request},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use std::collections::HashMap;

/// The parameters of an OAuth request.
pub(super) struct OauthForm {
    parameters: HashMap<String, String>,
    /// The memory that the body takes.
    _held: HeldBody,
}

impl OauthForm {
    /// Takes a parameter out.
    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        self.parameters.remove(name)
    }
}

/// A refusal in OAuth's own JSON.
pub(super) struct OauthRefusal(pub(super) HttpError);

impl<E: Into<HttpError>> From<E> for OauthRefusal {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for OauthRefusal {
    fn into_response(self) -> Response {
        self.0.into_oauth_response()
    }
}

impl<S: Send + Sync> FromRequest<S> for OauthForm {
    type Rejection = OauthRefusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, OauthRefusal> {
        if !has_content_type(request.headers(), "application/x-www-form-urlencoded") {
            return Err(unsupported_media_type("application/x-www-form-urlencoded").into());
        }
        let (bytes, held) = body::read(request).await?;
        let invalid = |detail: String| HttpError::new(StatusCode::BAD_REQUEST, "invalid_request", detail);
        let text = std::str::from_utf8(&bytes).map_err(|_| invalid("the body is not UTF-8".to_owned()))?;
        let mut parameters = HashMap::new();
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            if !value.is_empty() && parameters.insert(name.clone().into_owned(), value.into_owned()).is_some() {
                return Err(invalid(format!("the parameter `{name}` is repeated")).into());
            }
        }
        Ok(Self { parameters, _held: held })
    }
}
