//! `/v1/forward-auth`: verification for gateways (nginx `auth_request`, Traefik and Caddy forward auth, Envoy `ext_authz`).

use crate::{
    app::{App, RequestOrigin, Transport},
    http::{
        HttpError,
        cookies::{self, HeldKinds},
    },
};
use axum::{
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode},
};
use counterfoil_domain::{policy::SessionPolicy, scope::ScopeSet};
use counterfoil_guard::{CurrentUser, EXTENDED_AFTER, EXTENDED_TOKEN, Rejection};
use counterfoil_wire::Problem;
use serde::Deserialize;

const EMAIL_VERIFIED: HeaderName = HeaderName::from_static("x-auth-email-verified");
const EMAIL: HeaderName = HeaderName::from_static("x-auth-email");

/// In which header gateways tell the method of the request they ask about.
const ORIGINAL_METHOD: [HeaderName; 2] =
    [HeaderName::from_static("x-forwarded-method"), HeaderName::from_static("x-original-method")];

/// What the gateway demands at this place.
#[derive(Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct ForwardAuthQuery {
    /// Scopes that are needed here, separated by spaces; without them the answer is 403.
    scope: Option<String>,
    /// `true` where requests count as use of a sliding session: once the token at hand is a minute old, the answer brings
    /// one with a later end, in `Set-Cookie` or in `Counterfoil-Access-Token`, for the gateway to pass on.
    #[serde(default)]
    extend: bool,
}

/// Whether the request behind a gateway is signed in, and as whom. Any method will do. No store is asked, but for sessions
/// whose policy calls for it.
#[utoipa::path(get, path = "/v1/forward-auth", tag = "verification", security(("access_token" = []), ("cookie" = [])), params(ForwardAuthQuery), responses(
    (status = 200, description = "Signed in", headers(
        ("X-Auth-Subject" = String, description = "The account's id"),
        ("X-Auth-Session" = String, description = "The session's id"),
        ("X-Auth-Scope" = String, description = "What the token may do"),
        ("X-Auth-Email" = String, description = "The account's address, where it is known. No identity: see X-Auth-Email-Verified"),
        ("X-Auth-Email-Verified" = String, description = "`true` once the person has shown that the address is theirs"),
    )),
    (status = 401, body = Problem, content_type = "application/problem+json", description = "No credential, or not a good one"),
    (status = 403, body = Problem, content_type = "application/problem+json", description = "`insufficient_scope`, `cross_origin`"),
))]
pub(in crate::http) async fn forward_auth(
    State(app): State<App>,
    origin: RequestOrigin,
    headers: HeaderMap,
    query: Result<Query<ForwardAuthQuery>, QueryRejection>,
) -> Result<HeaderMap, HttpError> {
    let Query(demands) = query.map_err(|_| {
        let detail = "expected nothing, `scope=…` or `extend=true` after the question mark";
        HttpError::new(StatusCode::BAD_REQUEST, "invalid_query", detail)
    })?;
    let user = app.guard().authenticate_for_gateway(original_method(&headers).as_ref(), &headers).await;
    let user = user.map_err(as_gateways_know)?;
    if let Some(scope) = demands.scope {
        demand_scope(&user, &scope)?;
    }
    let email = app.email_of(user.account()).await;
    let mut answer = user.identity_headers().clone();
    if let Some(email) = email {
        answer.insert(EMAIL_VERIFIED, HeaderValue::from_static(if email.is_verified { "true" } else { "false" }));
        // An address may hold any Unicode letter: UTF-8 bytes are opaque to HTTP (RFC 9110 §5.5), and nothing that could
        // end a header line gets past the rules for addresses.
        answer.extend(HeaderValue::from_maybe_shared(email.address).ok().map(|address| (EMAIL, address)));
    }
    let is_due = || app.now().since(user.issued_at()) >= EXTENDED_AFTER;
    if demands.extend && user.policy() == SessionPolicy::Sliding && is_due() {
        answer.extend(extended(&app, &user, &headers, &origin).await?);
    }
    Ok(answer)
}

/// The method of the request that the gateway asks about, if it tells one. Gateways pass on what a client sent under the
/// name that they do not set themselves: where two are told, or what is none, the request may change something.
fn original_method(headers: &HeaderMap) -> Option<Method> {
    let names = ORIGINAL_METHOD;
    let mut told = names.iter().flat_map(|name| headers.get_all(name));
    let first = told.next()?;
    let is_one = told.all(|other| other == first);
    Some(Method::from_bytes(first.as_bytes()).ok().filter(|_| is_one).unwrap_or(Method::POST))
}

/// Gateways know 2xx, 401 and 403; nginx turns anything else into a 500. A header that is no credential is none.
fn as_gateways_know(rejection: Rejection) -> Rejection {
    match rejection {
        Rejection::Malformed(what) => Rejection::Refused { code: "authorization_malformed", detail: what.to_owned() },
        Rejection::Ambiguous | Rejection::CookieRepeated | Rejection::CookieTooLarge => {
            Rejection::Refused { code: rejection.code(), detail: rejection.detail().into_owned() }
        }
        other => other,
    }
}

fn demand_scope(user: &CurrentUser, scope: &str) -> Result<(), HttpError> {
    let needed = scope
        .parse::<ScopeSet>()
        .map_err(|error| HttpError::new(StatusCode::BAD_REQUEST, "invalid_query", format!("`scope`: {error}")))?;
    if needed.is_within(user.scope()) { Ok(()) } else { Err(Rejection::InsufficientScope(needed.to_string()).into()) }
}

/// A token with a later end, as the presented one came.
async fn extended(
    app: &App,
    user: &CurrentUser,
    headers: &HeaderMap,
    origin: &RequestOrigin,
) -> Result<HeaderMap, HttpError> {
    let is_cookie = app.guard().is_from_cookie(headers);
    let transport = if is_cookie { Transport::Cookie { with_access_token: false } } else { Transport::Body };
    let issued = app.extend(user, transport, origin).await?;
    let mut set = cookies::set(&issued.cookies, &HeldKinds::default(), &app.settings().cookies)?;
    let token = issued.reply.access_token.and_then(|token| HeaderValue::try_from(token).ok());
    set.extend(token.map(|token| (EXTENDED_TOKEN, token)));
    Ok(set)
}
