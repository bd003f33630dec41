//! Calling the server: every call ends, every body is bounded, and nobody is followed elsewhere.

use super::error::{Failure, FailureKind, FollowError};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header::LOCATION};
use reqwest::{Client, RequestBuilder, Response, Url, redirect};
use std::{error::Error, time::Duration};
use zeroize::Zeroizing;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const USER_AGENT: &str = concat!("counterfoil-guard/", env!("CARGO_PKG_VERSION"));

/// Who asks (RFC 6749 §2.3.1). No `Debug`: one half is a secret.
pub(crate) struct Credentials {
    pub(crate) client: String,
    pub(crate) secret: Zeroizing<String>,
}

/// The HTTP client.
pub(crate) struct Http {
    client: Client,
    credentials: Option<Credentials>,
}

/// A whole answer with status 200.
pub(crate) struct Answer {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Http {
    /// # Errors
    /// [`FollowError::Client`]: this machine has no certificates, say.
    pub(crate) fn new(credentials: Option<Credentials>) -> Result<Self, FollowError> {
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .user_agent(USER_AGENT)
            .build()
            .map_err(|error| FollowError::Client(chain(&error)))?;
        Ok(Self { client, credentials })
    }

    /// What anybody may read.
    pub(crate) async fn get_public(&self, url: &Url, within: Duration, bytes_max: usize) -> Result<Answer, Failure> {
        self.whole(self.client.get(url.clone()), within, bytes_max).await
    }

    /// What a verifier may read.
    pub(crate) async fn get(&self, url: &Url, within: Duration, bytes_max: usize) -> Result<Answer, Failure> {
        let answer = self.whole(self.signed(self.client.get(url.clone())), within, bytes_max).await;
        answer.map_err(|failure| self.as_verifier(failure))
    }

    /// As [`Self::get`], and the body comes in pieces. `within` is the time until it begins.
    pub(crate) async fn open(&self, url: &Url, within: Duration) -> Result<Body, Failure> {
        let begun = tokio::time::timeout(within, self.begin(self.signed(self.client.get(url.clone()))));
        let begun = begun.await.map_err(|_| timed_out(within))?;
        begun.map(Body).map_err(|failure| self.as_verifier(failure))
    }

    /// Sends a form as a verifier.
    pub(crate) async fn post(
        &self,
        url: &Url,
        form: &[(&str, &str)],
        within: Duration,
        bytes_max: usize,
    ) -> Result<Answer, Failure> {
        let answer = self.whole(self.signed(self.client.post(url.clone())).form(form), within, bytes_max).await;
        answer.map_err(|failure| self.as_verifier(failure))
    }

    /// The name of the client that asks; empty without one.
    pub(crate) fn client_name(&self) -> &str {
        self.credentials.as_ref().map_or("", |credentials| &credentials.client)
    }

    fn signed(&self, request: RequestBuilder) -> RequestBuilder {
        let Some(Credentials { client, secret }) = &self.credentials else { return request };
        // Both are encoded as in a form before they are joined by a colon.
        let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        request.basic_auth(encoded(client), Some(&*Zeroizing::new(encoded(secret))))
    }

    async fn whole(&self, request: RequestBuilder, within: Duration, bytes_max: usize) -> Result<Answer, Failure> {
        let whole = async {
            let mut response = self.begin(request).await?;
            let headers = std::mem::take(response.headers_mut());
            let mut body = Vec::new();
            while let Some(piece) = response.chunk().await.map_err(broke_off)? {
                if body.len() + piece.len() > bytes_max {
                    let detail = format!("the answer has more than {bytes_max} bytes");
                    return Err(Failure::Passing(FailureKind::TooLarge, detail));
                }
                body.extend_from_slice(&piece);
            }
            Ok(Answer { headers, body: body.into() })
        };
        tokio::time::timeout(within, whole).await.map_err(|_| timed_out(within))?
    }

    async fn begin(&self, request: RequestBuilder) -> Result<Response, Failure> {
        let response = request.send().await.map_err(not_reached)?;
        let (status, url) = (response.status(), without_query(response.url()));
        if status == StatusCode::OK {
            Ok(response)
        } else if status.is_redirection() && response.headers().contains_key(LOCATION) {
            let detail = format!("{url} answers {status}: nobody is followed elsewhere; name the final address");
            Err(Failure::Passing(FailureKind::Redirected, detail))
        } else {
            Err(Failure::Status { status: status.as_u16(), url })
        }
    }

    /// What a refusal of what only verifiers may read is: a fault of the set-up.
    fn as_verifier(&self, failure: Failure) -> Failure {
        let client = self.client_name().to_owned();
        match failure {
            Failure::Status { status: 401, url } => FollowError::SecretRefused { client, url }.into(),
            Failure::Status { status: 403, url } => FollowError::NotAVerifier { client, url }.into(),
            other => other,
        }
    }
}

/// A body that comes in pieces.
pub(crate) struct Body(Response);

impl Body {
    /// The next piece, unless it keeps us waiting.
    pub(crate) async fn piece(&mut self, within: Duration) -> Result<Option<Bytes>, Failure> {
        let piece = tokio::time::timeout(within, self.0.chunk()).await;
        piece.map_err(|_| timed_out(within))?.map_err(broke_off)
    }
}

fn without_query(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.into()
}

fn timed_out(within: Duration) -> Failure {
    Failure::Passing(FailureKind::TimedOut, format!("no whole answer within {within:?}"))
}

fn not_reached(error: reqwest::Error) -> Failure {
    let kind = if error.is_timeout() { FailureKind::TimedOut } else { FailureKind::Unreachable };
    // Without the address: that of the feed is long, and the same each time.
    Failure::Passing(kind, chain(&error.without_url()))
}

fn broke_off(error: reqwest::Error) -> Failure {
    Failure::Passing(FailureKind::CutOff, chain(&error.without_url()))
}

/// An error with what led to it: reqwest's own sentence only says which call it was.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
