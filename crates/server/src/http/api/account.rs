//! `/v1/account`: the signed-in account.

use super::{NO_STORE, gone_is_signed_out, signed_out, signed_out_with};
use crate::{
    app::{App, NewPasswordInput, ProfileInput, RequestOrigin, SignOutOf, StandingChange, account_body},
    http::{
        HttpError,
        cookies::{self, Cookies, HeldKinds},
        json::StrictJson,
        person::{AccountReader, Person, RecentPerson},
        wait::{Wait, WaitQuery, receipt},
    },
};
use axum::{Json, extract::State, response::IntoResponse};
use counterfoil_domain::{account::Change, secret::PasswordText};
use counterfoil_wire::{AccountBody, Problem, SignedOut};
use serde::{Deserialize, Deserializer};

/// The signed-in account.
#[utoipa::path(get, path = "/v1/account", tag = "accounts", security(("access_token" = []), ("cookie" = [])), responses(
    (status = 200, body = AccountBody),
    (status = 401, body = Problem, content_type = "application/problem+json", description = "Not signed in"),
    (status = 403, body = Problem, content_type = "application/problem+json", description = "`insufficient_scope`: needs `account`"),
))]
pub(in crate::http) async fn show(
    State(app): State<App>,
    AccountReader(user): AccountReader,
) -> Result<impl IntoResponse, HttpError> {
    let account = app.account(user.account()).await.map_err(gone_is_signed_out)?;
    Ok((NO_STORE, Json(account_body(&account))))
}

/// What is to change. What is left out stays.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, expecting = "a JSON object")]
pub(in crate::http) struct ProfileRequest {
    /// The new name; null takes it away.
    #[serde(default, deserialize_with = "null_removes")]
    #[schema(value_type = Option<String>)]
    name: Change<String>,
    /// The new address. Until the person shows that it is theirs it is not verified.
    #[schema(example = "minsu@example.com")]
    email: Option<String>,
}

/// Tells null from what was left out.
fn null_removes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Change<String>, D::Error> {
    Ok(Option::deserialize(deserializer)?.map_or(Change::Remove, Change::Set))
}

/// Change name or address. A new address needs a sign-in of the last ten minutes.
#[utoipa::path(patch, path = "/v1/account", tag = "accounts", request_body = ProfileRequest, security(("access_token" = []), ("cookie" = [])), responses(
    (status = 200, body = AccountBody),
    (status = 401, body = Problem, content_type = "application/problem+json", description = "Not signed in; `insufficient_user_authentication`: sign in again"),
    (status = 403, body = Problem, content_type = "application/problem+json", description = "`insufficient_scope`, `person_only`, `cross_origin`"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "`email_taken`"),
    (status = 422, body = Problem, content_type = "application/problem+json", description = "`invalid_email`, `invalid_name`, `invalid_request`"),
    (status = 429, body = Problem, content_type = "application/problem+json", description = "`too_many_requests`: ten new addresses an hour; try again after `Retry-After` seconds"),
))]
pub(in crate::http) async fn change(
    State(app): State<App>,
    Person(user): Person,
    origin: RequestOrigin,
    StrictJson(request, _held): StrictJson<ProfileRequest>,
) -> Result<impl IntoResponse, HttpError> {
    let ProfileRequest { name, email } = request;
    if email.is_some() {
        RecentPerson::demand(&user, &app)?;
    }
    let account = app.change_profile(&user, ProfileInput { name, email }, &origin).await?;
    Ok((NO_STORE, Json(account_body(&account))))
}

/// Delete the account and everything of it. Needs a sign-in of the last ten minutes.
#[utoipa::path(delete, path = "/v1/account", tag = "accounts", security(("access_token" = []), ("cookie" = [])), responses(
    (status = 200, body = SignedOut, description = "It is gone, and every token of it is refused"),
    (status = 401, body = Problem, content_type = "application/problem+json", description = "Not signed in; `insufficient_user_authentication`: sign in again"),
    (status = 403, body = Problem, content_type = "application/problem+json", description = "`insufficient_scope`, `person_only`, `cross_origin`"),
))]
pub(in crate::http) async fn delete(
    State(app): State<App>,
    RecentPerson(user): RecentPerson,
    origin: RequestOrigin,
    cookies: Cookies,
) -> Result<impl IntoResponse, HttpError> {
    let deleted = app.change_standing(user.account(), StandingChange::DeleteOwn(user.session()), &origin).await;
    let deleted = deleted.map_err(gone_is_signed_out)?;
    let forget = cookies::forget(&HeldKinds::of(&cookies), &app.settings().cookies);
    Ok((NO_STORE, forget, Json(signed_out(deleted.ended))))
}

/// A change of password.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, expecting = "a JSON object")]
pub(in crate::http) struct PasswordRequest {
    /// The current one.
    #[schema(value_type = String, format = Password, example = "correct horse battery staple")]
    current_password: PasswordText,
    /// The new one: at least 15 characters unless configured otherwise; any Unicode; not one that everybody tries first.
    #[schema(value_type = String, format = Password, example = "seven purple walruses at sea")]
    new_password: PasswordText,
}

/// Change the password. Every other sign-in is ended; personal tokens go on.
#[utoipa::path(put, path = "/v1/account/password", tag = "accounts", params(WaitQuery), request_body = PasswordRequest, security(("access_token" = []), ("cookie" = [])), responses(
    (status = 200, body = SignedOut, description = "How many other sign-ins were ended. A cookie session gets a new id"),
    (status = 400, body = Problem, content_type = "application/problem+json", description = "`invalid_query`, `invalid_json`"),
    (status = 401, body = Problem, content_type = "application/problem+json", description = "Not signed in"),
    (status = 403, body = Problem, content_type = "application/problem+json", description = "`wrong_password`, `insufficient_scope`, `person_only`, `cross_origin`"),
    (status = 422, body = Problem, content_type = "application/problem+json", description = "`password_too_short`, `password_too_long`, `password_common`, `invalid_request`"),
    (status = 503, body = Problem, content_type = "application/problem+json", description = "Try again after `Retry-After` seconds"),
))]
pub(in crate::http) async fn change_password(
    State(app): State<App>,
    Person(user): Person,
    origin: RequestOrigin,
    Wait(wait): Wait,
    StrictJson(request, _held): StrictJson<PasswordRequest>,
) -> Result<impl IntoResponse, HttpError> {
    let PasswordRequest { current_password: current, new_password: new } = request;
    let (ended, renewed) = app.change_password(&user, &NewPasswordInput { current, new }, &origin).await?;
    let renewed: Vec<_> = renewed.into_iter().collect();
    let set = cookies::set(&renewed, &HeldKinds::default(), &app.settings().cookies)?;
    let receipt = receipt(&app, SignOutOf::Account(user.account()), ended, wait, &origin).await;
    Ok((NO_STORE, set, Json(signed_out_with(ended, receipt))))
}
