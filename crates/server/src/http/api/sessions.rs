//! `/v1/sessions`: sign in, list, sign out.

use super::{NO_STORE, gone_is_signed_out, signed_out_with};
use crate::{
    app::{App, AppError, RequestOrigin, SignInInput, SignOutOf, session_body},
    http::{
        HttpError,
        api::accounts::SignInRequestOptions,
        cookies::{self, Cookies, HeldKinds},
        json::StrictJson,
        person::Person,
        wait::{Wait, WaitQuery, parse_wait, receipt},
    },
};
use axum::{
    Json,
    extract::{
        Path, Query, State,
        rejection::{PathRejection, QueryRejection},
    },
    http::{HeaderMap, StatusCode},
    response::IntoResponse,
};
use counterfoil_domain::{id::SessionId, secret::PasswordText, session::EndOne};
use counterfoil_guard::{CookieKind, CurrentUser, Rejection};
use counterfoil_wire::{Problem, SessionList, SignedOut, TokenReply};
use serde::Deserialize;

/// A sign-in.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, expecting = "a JSON object")]
pub(in crate::http) struct SignInRequest {
    /// The address of the account.
    #[schema(example = "minsu@example.com")]
    email: String,
    /// Its password.
    #[schema(value_type = String, format = Password, example = "correct horse battery staple")]
    password: PasswordText,
    /// The session policy: `session`, `tracked`, `sliding` or `refresh`. By default the configured one.
    #[schema(example = "refresh")]
    policy: Option<String>,
    /// How secrets travel: `body` or `cookie`. By default `cookie` under the policy `session`, else `body`.
    #[schema(example = "body")]
    transport: Option<String>,
    /// Whether the access token is to be in a cookie too, for pages: policy `refresh`, transport `cookie`.
    access_cookie: Option<bool>,
    /// What the person calls the device.
    device_name: Option<String>,
    /// The scope asked for, separated by spaces. By default all that may be granted.
    #[schema(example = "account")]
    scope: Option<String>,
}

/// Sign in with e-mail address and password.
#[utoipa::path(post, path = "/v1/sessions", tag = "sessions", request_body = SignInRequest, responses(
    (status = 201, body = TokenReply),
    (status = 401, body = Problem, content_type = "application/problem+json", description = "`invalid_credentials`: the same for an unknown account and a wrong password"),
    (status = 422, body = Problem, content_type = "application/problem+json", description = "`policy_not_allowed`, `transport_not_allowed`, `access_cookie_not_allowed`, `scope_not_allowed`, `invalid_scope`, `invalid_name`, `invalid_request`"),
    (status = 503, body = Problem, content_type = "application/problem+json", description = "Try again after `Retry-After` seconds"),
))]
pub(in crate::http) async fn sign_in(
    State(app): State<App>,
    origin: RequestOrigin,
    cookies: Cookies,
    StrictJson(request, _held): StrictJson<SignInRequest>,
) -> Result<impl IntoResponse, HttpError> {
    let SignInRequest { email, password, policy, transport, access_cookie, device_name, scope } = request;
    cookies.refuse_foreign()?;
    let held = HeldKinds::of(&cookies);
    let options = SignInRequestOptions { policy, transport, access_cookie, device_name, scope };
    let options = options.with(cookies.into_held_before());
    let issued = app.sign_in(SignInInput { email, password, options }, &origin).await?;
    let set = cookies::set(&issued.cookies, &held, &app.settings().cookies)?;
    Ok((StatusCode::CREATED, NO_STORE, set, Json(issued.reply)))
}

/// The living sessions of the signed-in account, newest first.
#[utoipa::path(get, path = "/v1/sessions", tag = "sessions", security(("access_token" = []), ("cookie" = [])), responses(
    (status = 200, body = SessionList),
    (status = 401, body = Problem, content_type = "application/problem+json", description = "Not signed in"),
    (status = 403, body = Problem, content_type = "application/problem+json", description = "`insufficient_scope`, `person_only`, `cross_origin`"),
))]
pub(in crate::http) async fn list(
    State(app): State<App>,
    Person(user): Person,
) -> Result<impl IntoResponse, HttpError> {
    let sessions = app.living_sessions(user.account()).await?;
    let sessions = sessions.iter().map(|session| session_body(session, Some(user.session()))).collect();
    Ok((NO_STORE, Json(SessionList { sessions })))
}

/// Sign out one session of the signed-in account; `current` is the one that asks, whatever its scope. With a refresh cookie
/// alone, `current` is its session.
#[utoipa::path(delete, path = "/v1/sessions/{id}", tag = "sessions", security(("access_token" = []), ("cookie" = [])),
    params(("id" = String, Path, description = "The session's id, or `current`"), WaitQuery), responses(
    (status = 200, body = SignedOut),
    (status = 400, body = Problem, content_type = "application/problem+json", description = "`invalid_query`"),
    (status = 401, body = Problem, content_type = "application/problem+json", description = "Not signed in"),
    (status = 403, body = Problem, content_type = "application/problem+json", description = "`insufficient_scope`, `person_only`, `cross_origin`"),
    (status = 404, body = Problem, content_type = "application/problem+json", description = "`session_not_found`: none, or not yours"),
))]
pub(in crate::http) async fn end_one(
    State(app): State<App>,
    user: Result<CurrentUser, Rejection>,
    origin: RequestOrigin,
    cookies: Cookies,
    Wait(wait): Wait,
    id: Result<Path<String>, PathRejection>,
) -> Result<impl IntoResponse, HttpError> {
    // What is not even a text is no session's name either.
    let id = id.map(|Path(id)| id).unwrap_or_default();
    let user = match user {
        Ok(user) => user,
        // Its access token has ended, or never was in a cookie: the refresh token says as well whose session it is.
        Err(rejection) => {
            let refresh_token = cookies.get(CookieKind::Refresh).filter(|_| id == "current").ok_or(rejection)?;
            cookies.demand_same_origin()?;
            let (session, ended) = app.end_session_of_refresh_token(refresh_token, &origin).await?;
            let receipt = receipt(&app, SignOutOf::Session(session), ended, wait, &origin).await;
            return Ok((NO_STORE, forget_if(true, &cookies, &app), Json(signed_out_with(ended, receipt))));
        }
    };
    let target = if id == "current" { Ok(user.session()) } else { id.parse::<SessionId>() };
    // One's own session may be ended whatever one may do besides.
    let user = if target == Ok(user.session()) { Person::whatever_the_scope(user)? } else { Person::of(user)? };
    let target = target.map_err(|_| AppError::SessionNotFound)?;
    let ended = app.end_session(target, EndOne::Owner(user.account()), &origin).await?;
    let receipt = receipt(&app, SignOutOf::Session(target), ended, wait, &origin).await;
    Ok((NO_STORE, forget_if(target == user.session(), &cookies, &app), Json(signed_out_with(ended, receipt))))
}

/// Which sessions a sign-out everywhere spares.
#[derive(Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct EndAllQuery {
    /// `true` keeps the session that asks.
    #[serde(default)]
    keep_current: bool,
    /// Answer when every verifier that could still accept a token has applied this, or after so long, such as `1s` (at most
    /// `10s`); `receipt` then says who had.
    wait: Option<String>,
}

/// Sign out everywhere, or everywhere else.
#[utoipa::path(delete, path = "/v1/sessions", tag = "sessions", security(("access_token" = []), ("cookie" = [])), params(EndAllQuery), responses(
    (status = 200, body = SignedOut),
    (status = 400, body = Problem, content_type = "application/problem+json", description = "`invalid_query`"),
    (status = 401, body = Problem, content_type = "application/problem+json", description = "Not signed in"),
    (status = 403, body = Problem, content_type = "application/problem+json", description = "`insufficient_scope`, `person_only`, `cross_origin`"),
))]
pub(in crate::http) async fn end_all(
    State(app): State<App>,
    Person(user): Person,
    origin: RequestOrigin,
    cookies: Cookies,
    query: Result<Query<EndAllQuery>, QueryRejection>,
) -> Result<impl IntoResponse, HttpError> {
    let Query(query) = query.map_err(|_| {
        let detail = "expected nothing, `keep_current=true`, `keep_current=false` or `wait=1s` after the question mark";
        HttpError::new(StatusCode::BAD_REQUEST, "invalid_query", detail)
    })?;
    let wait = parse_wait(query.wait.as_deref())?;
    let keep = query.keep_current.then_some(user.session());
    let ended = app.end_sessions(user.account(), keep, &origin).await.map_err(gone_is_signed_out)?;
    let receipt = receipt(&app, SignOutOf::Account(user.account()), ended, wait, &origin).await;
    Ok((NO_STORE, forget_if(keep.is_none(), &cookies, &app), Json(signed_out_with(ended, receipt))))
}

/// What a browser is told when the session that asks is ended.
fn forget_if(is_ended: bool, cookies: &Cookies, app: &App) -> HeaderMap {
    if is_ended { cookies::forget(&HeldKinds::of(cookies), &app.settings().cookies) } else { HeaderMap::new() }
}
