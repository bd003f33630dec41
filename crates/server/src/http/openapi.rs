//! The OpenAPI document, made from the handlers. A test compares it with the copy in the repository.

use super::{api, health, oauth};
use axum::{
    http::{HeaderValue, header},
    response::IntoResponse,
};
use counterfoil_guard::{CookieKind, CookieRules};
use utoipa::{
    Modify, OpenApi,
    openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme},
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Counterfoil",
        description = "Accounts, sessions, access tokens and rotating refresh tokens. Errors under /v1 are RFC 9457 problems with a stable `code`; errors under /oauth are OAuth's own JSON.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    paths(
        api::accounts::sign_up,
        api::account::show,
        api::account::change,
        api::account::delete,
        api::account::change_password,
        api::sessions::sign_in,
        api::sessions::list,
        api::sessions::end_one,
        api::sessions::end_all,
        api::refresh::refresh,
        api::extend::extend,
        api::personal_tokens::create,
        api::personal_tokens::list,
        api::personal_tokens::delete,
        api::personal_tokens::delete_all,
        api::forward_auth::forward_auth,
        oauth::token::token,
        oauth::revoke::revoke,
        oauth::introspect::introspect,
        api::feed::poll,
        api::feed::snapshot,
        api::feed::state,
        oauth::jwks::jwks,
        oauth::metadata::metadata,
        oauth::metadata::openid_configuration,
        super::metrics::metrics,
        health::live,
        health::ready,
        serve_document,
    ),
    modifiers(&AccessToken),
)]
struct Document;

struct AccessToken;

impl Modify for AccessToken {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let mut bearer = Http::new(HttpAuthScheme::Bearer);
        bearer.bearer_format = Some("JWT".to_owned());
        let components = document.components.get_or_insert_with(Default::default);
        bearer.description = Some("A signed access token, or a personal token (`cfp_…`).".to_owned());
        components.add_security_scheme("access_token", SecurityScheme::Http(bearer));
        let mut client = Http::new(HttpAuthScheme::Basic);
        client.description = Some(
            "A client of kind `verifier` (`counterfoil client create`): its name and its secret (`cfk_…`). None is needed where \
             the server serves its own machine alone."
                .to_owned(),
        );
        components.add_security_scheme("client", SecurityScheme::Http(client));
        let session = CookieRules::new("https://");
        let name = session.name(CookieKind::Session);
        let about = "The session cookie, or the access cookie `__Host-counterfoil-access`. What may change something must \
            come from the server's own pages.";
        let cookie = ApiKey::Cookie(ApiKeyValue::with_description(name, about));
        components.add_security_scheme("cookie", SecurityScheme::ApiKey(cookie));
    }
}

/// The methods of a route, in words: the document knows every path. `None` for one that is not ours.
pub(super) fn methods_at(route: &str) -> Option<String> {
    let paths = Document::openapi().paths.paths;
    // In somebody's app our paths may lie below one of theirs.
    let (_, item) = paths.into_iter().find(|(path, _)| route.ends_with(path.as_str()))?;
    let methods =
        [("DELETE", item.delete), ("GET", item.get), ("PATCH", item.patch), ("POST", item.post), ("PUT", item.put)];
    let methods: Vec<_> = methods.into_iter().filter_map(|(name, operation)| operation.map(|_| name)).collect();
    Some(methods.join(" or "))
}

/// The OpenAPI document as pretty JSON.
pub fn openapi_document() -> String {
    let mut json = Document::openapi().to_pretty_json().unwrap_or_default();
    json.push('\n');
    json
}

/// This document.
#[utoipa::path(get, path = "/v1/openapi.json", tag = "health", responses(
    (status = 200, content_type = "application/json", description = "OpenAPI 3.1"),
))]
pub(super) async fn serve_document() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], openapi_document())
}
