//! A session, as the server's introspection answer tells of it (RFC 7662 §2.2, with claims of our own).

use crate::FoundSession;
use counterfoil_domain::{account::AccountGeneration, time::UnixMillis};
use serde_json::{Map, Value};

/// The session behind an active token; `None` if the answer does not tell enough.
pub(crate) fn session(claims: &Map<String, Value>) -> Option<FoundSession> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let seconds = |name: &str| claims.get(name).and_then(Value::as_i64).map(UnixMillis::from_seconds);
    let texts = |name: &str| {
        let list = claims.get(name).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(|value| value.as_str().map(str::to_owned)).collect()
    };
    let created_at = seconds("iat").unwrap_or_default();
    Some(FoundSession {
        session: text("sid")?.parse().ok()?,
        account: text("sub")?.parse().ok()?,
        generation: AccountGeneration::from_raw(claims.get("gen").and_then(Value::as_i64).unwrap_or(0)),
        policy: text("policy")?.parse().ok()?,
        client_id: text("client_id").unwrap_or_default().to_owned(),
        scope: text("scope").unwrap_or_default().parse().ok()?,
        roles: texts("roles"),
        custom_claims: claims.clone(),
        authenticated_at: seconds("auth_time").unwrap_or(created_at),
        methods: texts("amr"),
        created_at,
        // A token without an end: it ends when it is deleted.
        ends_at: seconds("exp").unwrap_or(UnixMillis::NEVER),
    })
}
