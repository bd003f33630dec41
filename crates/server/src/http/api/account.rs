//! `/v1/account`: the signed-in account.

use super::NO_STORE;
use crate::{
    app::{App, AppError, account_body},
    http::HttpError,
};
use axum::{Json, extract::State, response::IntoResponse};
use counterfoil_guard::{CurrentUser, Rejection};
use counterfoil_wire::{AccountBody, Problem};

/// The signed-in account.
#[utoipa::path(get, path = "/v1/account", tag = "accounts", security(("access_token" = [])), responses(
    (status = 200, body = AccountBody),
    (status = 401, body = Problem, content_type = "application/problem+json", description = "No access token, or not a good one"),
))]
pub(in crate::http) async fn show(State(app): State<App>, user: CurrentUser) -> Result<impl IntoResponse, HttpError> {
    // A token of an account that has gone is no longer good.
    let account = app.account(user.account()).await.map_err(|error| match error {
        AppError::AccountNotFound => AppError::Rejected(Rejection::Revoked),
        other => other,
    })?;
    Ok((NO_STORE, Json(account_body(&account))))
}
