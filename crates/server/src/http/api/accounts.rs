//! `/v1/accounts`.

use super::NO_STORE;
use crate::{
    app::{App, NewPerson, RequestOrigin, SignInOptions},
    http::{
        HttpError,
        json::{Object, StrictJson},
    },
};
use axum::{Json, extract::State, http::StatusCode, response::IntoResponse};
use counterfoil_domain::secret::PasswordText;
use counterfoil_wire::{Problem, SignedUp};
use serde::Deserialize;

/// A new account.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, expecting = "a JSON object")]
pub(in crate::http) struct SignUpRequest {
    /// The address by which the person will sign in.
    #[schema(example = "minsu@example.com")]
    email: String,
    /// At least 15 characters unless configured otherwise; any Unicode; not one that everybody tries first.
    #[schema(value_type = String, format = Password, example = "correct horse battery staple")]
    password: PasswordText,
    /// What the person calls themselves.
    name: Option<String>,
    /// Give it, even empty, to be signed in at once.
    #[schema(value_type = Option<SignInRequestOptions>)]
    sign_in: Option<Object<SignInRequestOptions>>,
}

/// How a session is to be opened.
#[derive(Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, expecting = "a JSON object")]
pub(in crate::http) struct SignInRequestOptions {
    /// The session policy: `refresh`.
    #[schema(example = "refresh")]
    policy: Option<String>,
    /// How tokens travel: `body`.
    #[schema(example = "body")]
    transport: Option<String>,
    /// What the person calls the device.
    device_name: Option<String>,
}

impl From<SignInRequestOptions> for SignInOptions {
    fn from(options: SignInRequestOptions) -> Self {
        Self { policy: options.policy, transport: options.transport, device_name: options.device_name }
    }
}

/// Make an account, and sign in at once if asked.
#[utoipa::path(post, path = "/v1/accounts", tag = "accounts", request_body = SignUpRequest, responses(
    (status = 201, body = SignedUp, description = "The account, and tokens if a session was asked for"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "`email_taken`"),
    (status = 422, body = Problem, content_type = "application/problem+json", description = "`invalid_email`, `invalid_name`, `password_too_short`, `password_too_long`, `password_common`, `policy_not_allowed`, `transport_not_allowed`, `invalid_request`"),
    (status = 503, body = Problem, content_type = "application/problem+json", description = "Try again after `Retry-After` seconds"),
))]
pub(in crate::http) async fn sign_up(
    State(app): State<App>,
    origin: RequestOrigin,
    StrictJson(request, _held): StrictJson<SignUpRequest>,
) -> Result<impl IntoResponse, HttpError> {
    let SignUpRequest { email, password, name, sign_in } = request;
    let sign_in = sign_in.map(|Object(options)| options.into());
    let signed_up: SignedUp = app.sign_up(NewPerson { email, password, name }, sign_in, &origin).await?;
    Ok((StatusCode::CREATED, NO_STORE, Json(signed_up)))
}
