//! `/v1/accounts`.

use super::NO_STORE;
use crate::{
    app::{App, HeldBefore, NewPerson, RequestOrigin, SignInOptions},
    http::{
        HttpError,
        cookies::{self, Cookies, HeldKinds},
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
    /// The session policy: `session`, `tracked`, `sliding` or `refresh`. By default the configured one.
    #[schema(example = "refresh")]
    pub(super) policy: Option<String>,
    /// How secrets travel: `body` or `cookie`. By default `cookie` under the policy `session`, else `body`.
    #[schema(example = "body")]
    pub(super) transport: Option<String>,
    /// Whether the access token is to be in a cookie too, for pages: policy `refresh`, transport `cookie`.
    pub(super) access_cookie: Option<bool>,
    /// What the person calls the device.
    pub(super) device_name: Option<String>,
    /// The scope asked for, separated by spaces. By default all that may be granted.
    #[schema(example = "account")]
    pub(super) scope: Option<String>,
}

impl SignInRequestOptions {
    /// Joined with what the browser held before.
    pub(super) fn with(self, held_before: HeldBefore) -> SignInOptions {
        let Self { policy, transport, access_cookie, device_name, scope } = self;
        let access_cookie = access_cookie.unwrap_or_default();
        SignInOptions { policy, transport, access_cookie, device_name, scope, held_before }
    }
}

/// Make an account, and sign in at once if asked.
#[utoipa::path(post, path = "/v1/accounts", tag = "accounts", request_body = SignUpRequest, responses(
    (status = 201, body = SignedUp, description = "The account, and tokens if a session was asked for"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "`email_taken`"),
    (status = 422, body = Problem, content_type = "application/problem+json", description = "`invalid_email`, `invalid_name`, `password_too_short`, `password_too_long`, `password_common`, `policy_not_allowed`, `transport_not_allowed`, `access_cookie_not_allowed`, `scope_not_allowed`, `invalid_scope`, `invalid_request`"),
    (status = 503, body = Problem, content_type = "application/problem+json", description = "Try again after `Retry-After` seconds"),
))]
pub(in crate::http) async fn sign_up(
    State(app): State<App>,
    origin: RequestOrigin,
    cookies: Cookies,
    StrictJson(request, _held): StrictJson<SignUpRequest>,
) -> Result<impl IntoResponse, HttpError> {
    let SignUpRequest { email, password, name, sign_in } = request;
    cookies.refuse_foreign()?;
    // Who is not signed in by it keeps what they had.
    let held = if sign_in.is_some() { HeldKinds::of(&cookies) } else { HeldKinds::default() };
    let sign_in = sign_in.map(|Object(options)| options.with(cookies.into_held_before()));
    let signed_up = app.sign_up(NewPerson { email, password, name }, sign_in, &origin).await?;
    let set = cookies::set(&signed_up.cookies, &held, &app.settings().cookies)?;
    let reply: SignedUp = signed_up.reply;
    Ok((StatusCode::CREATED, NO_STORE, set, Json(reply)))
}
