//! `/v1/feed`: the revocation feed, for verifiers of any language. docs/feed.md tells the protocol.

use super::NO_STORE;
use crate::{
    app::{App, FeedQuestion, POLL_WAIT_MAX},
    http::{HttpError, serve::ShuttingDown, verifier::Verifier},
};
use axum::{
    Extension, Json,
    body::Body,
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use counterfoil_domain::{
    client::VerifierName,
    revocation::{Chain, Epoch, FeedPosition},
};
use counterfoil_wire::{FeedBody, FeedStateBody, Problem, SNAPSHOT_CONTENT_TYPE};
use futures_util::stream;
use serde::Deserialize;
use std::{convert::Infallible, time::Duration};

/// The largest answer that is copied together, in bytes.
const COPIED_BYTES_MAX: usize = 16 * 1024;

/// A poll. Everything may be left out.
#[derive(Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct PollQuery {
    /// The life of the store of the last entry that was applied.
    epoch: Option<i64>,
    /// The last entry that was applied: entries after it are answered. Without both, only where the feed stands.
    after: Option<i64>,
    /// The chain of that entry, in hexadecimal: another history is noticed by it.
    chain: Option<String>,
    /// How long the question may be held while there is nothing to say, such as `1s`; at most ten seconds.
    wait: Option<String>,
    /// What this verifier calls itself: 1 to 64 of `A-Za-z0-9._:-`. `epoch` and `after` are then its word that it has applied
    /// everything up to there, and sign-outs wait for it.
    verifier: Option<String>,
    /// How long it may go on accepting tokens without hearing from here, such as `10s`; by default, and at most, `65s`.
    accepts_for: Option<String>,
    /// `true` when it goes: sign-outs wait for it no more. The answer is not held.
    #[serde(default)]
    leaving: bool,
}

impl PollQuery {
    fn parse(self) -> Result<FeedQuestion, HttpError> {
        let invalid = |detail: &'static str| HttpError::new(StatusCode::BAD_REQUEST, "invalid_query", detail);
        let place = match (self.epoch, self.after) {
            (Some(epoch), Some(seq)) if seq >= 0 => Some(FeedPosition { epoch: Epoch(epoch), seq }),
            (None, None) => None,
            _ => return Err(invalid("`epoch` and `after` go together, and `after` is not negative")),
        };
        let duration = |text: Option<String>| {
            let parsed = text.map(|text| text.parse::<humantime::Duration>().map(Duration::from)).transpose();
            parsed.map_err(|_| invalid("`wait` and `accepts_for` are times, such as `1s` or `500ms`"))
        };
        let chain = self.chain.as_deref().map(|text| parse_chain(text).ok_or(())).transpose();
        let verifier = self.verifier.map(|name| name.parse::<VerifierName>()).transpose();
        Ok(FeedQuestion {
            place,
            chain: chain.map_err(|()| invalid("`chain` is 32 hexadecimal digits"))?,
            wait: duration(self.wait)?.unwrap_or_default().min(POLL_WAIT_MAX),
            verifier: verifier
                .map_err(|error| HttpError::new(StatusCode::BAD_REQUEST, "invalid_query", error.to_string()))?,
            accepts_for: duration(self.accepts_for)?,
            leaving: self.leaving,
        })
    }
}

fn parse_chain(text: &str) -> Option<Chain> {
    // Only what this can have written: lower-case digits.
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if text.len() != 32 || !text.bytes().all(is_digit) {
        return None;
    }
    u128::from_str_radix(text, 16).ok().map(|number| Chain(number.to_be_bytes()))
}

/// What was revoked after the place that a verifier has applied. Answered from memory, at once or as soon as there is
/// something new.
#[utoipa::path(get, path = "/v1/feed", tag = "verification", security(("client" = [])), params(PollQuery), responses(
    (status = 200, body = FeedBody),
    (status = 400, body = Problem, content_type = "application/problem+json", description = "`invalid_query`"),
    (status = 401, body = Problem, content_type = "application/problem+json", description = "`invalid_client`"),
    (status = 429, body = Problem, content_type = "application/problem+json", description = "`too_many_attempts`: ten wrong secrets a minute; try again after `Retry-After` seconds"),
    (status = 503, body = Problem, content_type = "application/problem+json", description = "Try again after `Retry-After` seconds"),
))]
pub(in crate::http) async fn poll(
    State(app): State<App>,
    verifier: Verifier,
    shutting_down: Option<Extension<ShuttingDown>>,
    query: Result<Query<PollQuery>, QueryRejection>,
) -> Result<Response, HttpError> {
    let Query(query) = query.map_err(|_| {
        let detail = "expected epoch, after, chain, wait, verifier, accepts_for and leaving after the question mark";
        HttpError::new(StatusCode::BAD_REQUEST, "invalid_query", detail)
    })?;
    let shutdown = async {
        match shutting_down {
            Some(Extension(shutting_down)) => shutting_down.begun().await,
            // Served by somebody else: their shutdown cuts it off, or waits some seconds.
            None => std::future::pending().await,
        }
    };
    let answer = app.answer_poll(query.parse()?, verifier.client.as_ref(), shutdown).await?;
    let content_type = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    Ok((NO_STORE, content_type, body_of(answer.into_json())).into_response())
}

/// Small answers are copied together; of a large one the entries are sent as they are, since they are in memory once for
/// all who ask for them.
fn body_of(pieces: [Bytes; 3]) -> Body {
    if pieces.iter().map(Bytes::len).sum::<usize>() <= COPIED_BYTES_MAX {
        return Body::from(pieces.concat());
    }
    Body::from_stream(stream::iter(pieces.map(Ok::<_, Infallible>)))
}

/// Every living entry, one a line, between a line that says where the feed stood and one that counts them. At most four are
/// written at a time.
#[utoipa::path(get, path = "/v1/feed/snapshot", tag = "verification", security(("client" = [])), responses(
    (status = 200, content_type = "application/x-ndjson", description = "`SnapshotBegin`, entries, `SnapshotEnd`; one without its end is worth nothing"),
    (status = 401, body = Problem, content_type = "application/problem+json", description = "`invalid_client`"),
    (status = 503, body = Problem, content_type = "application/problem+json", description = "`overloaded`, `store_unavailable`: try again after `Retry-After` seconds"),
))]
pub(in crate::http) async fn snapshot(State(app): State<App>, _: Verifier) -> Result<Response, HttpError> {
    let begun = app.begin_snapshot().await?;
    // Read when the one before has been sent: a slow reader holds a place for a while, and no memory.
    let pages = stream::try_unfold(begun, |mut snapshot| async move {
        let lines =
            snapshot.next().await.inspect_err(|error| tracing::warn!(%error, "a snapshot of the feed broke off"))?;
        Ok::<_, axum::BoxError>(lines.map(|lines| (lines, snapshot)))
    });
    let content_type = [(header::CONTENT_TYPE, HeaderValue::from_static(SNAPSHOT_CONTENT_TYPE))];
    Ok((NO_STORE, content_type, Body::from_stream(pages)).into_response())
}

/// Where the feed stands, and every verifier that could still accept a token.
#[utoipa::path(get, path = "/v1/feed/state", tag = "verification", security(("client" = [])), responses(
    (status = 200, body = FeedStateBody),
    (status = 401, body = Problem, content_type = "application/problem+json", description = "`invalid_client`"),
))]
pub(in crate::http) async fn state(State(app): State<App>, _: Verifier) -> impl IntoResponse {
    (NO_STORE, Json(app.feed_state()))
}
