//! Asking the server about one token (RFC 7662): few at a time, a second long, and each token once at a time.

use super::{
    error::{Failure, FailureKind},
    shared::Shared,
    telemetry,
};
use crate::{LookupError, upstream::Introspected};
use parking_lot::Mutex;
use serde_json::{Map, Value};
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::sync::{Semaphore, watch};

const INTROSPECTION_TIMEOUT: Duration = Duration::from_secs(1);
const INTROSPECTION_BYTES_MAX: usize = 64 * 1024;
/// More would only wait at the server, which may be in trouble already.
const AT_A_TIME_MAX: usize = 32;
/// Who comes when so many wait is refused at once.
const WAITING_MAX: usize = 1_024;

type Verdict = Option<Result<Introspected, LookupError>>;

/// The questions that are under way.
pub(crate) struct Introspection {
    permits: Semaphore,
    under_way: Mutex<HashMap<Box<str>, watch::Receiver<Verdict>>>,
}

impl Introspection {
    pub(crate) fn new() -> Self {
        Self { permits: Semaphore::new(AT_A_TIME_MAX), under_way: Mutex::default() }
    }

    /// What the server says of a token.
    ///
    /// # Errors
    /// [`LookupError`]: it could not be asked, which is logged.
    pub(crate) async fn ask(self: &Arc<Self>, shared: &Arc<Shared>, token: &str) -> Result<Introspected, LookupError> {
        let mut answer = {
            let mut under_way = self.under_way.lock();
            match under_way.get(token) {
                Some(answer) => answer.clone(),
                None if under_way.len() >= WAITING_MAX => return Err(LookupError),
                None => {
                    let (said, answer) = watch::channel(None);
                    under_way.insert(token.into(), answer.clone());
                    // In a task of its own: whoever asked first may go away while others wait.
                    tokio::spawn(Arc::clone(self).carry_out(Arc::clone(shared), token.into(), said));
                    answer
                }
            }
        };
        let verdict = answer.wait_for(Option::is_some).await;
        verdict.ok().and_then(|verdict| verdict.clone()).unwrap_or(Err(LookupError))
    }

    async fn carry_out(self: Arc<Self>, shared: Arc<Shared>, token: Box<str>, said: watch::Sender<Verdict>) {
        let asked = tokio::time::timeout(INTROSPECTION_TIMEOUT, self.question(&shared, &token)).await;
        let late = || Failure::Passing(FailureKind::TimedOut, "introspection took too long".to_owned());
        let verdict = asked.unwrap_or_else(|_| Err(late()));
        telemetry::introspection(match &verdict {
            Ok(Some(_)) => "active",
            Ok(None) => "inactive",
            Err(_) => "failed",
        });
        let verdict = verdict.map_err(|failure| {
            tracing::warn!(issuer = shared.target.issuer, %failure, "the server could not be asked about a token");
            LookupError
        });
        // First out of the list, then said: whoever comes later asks anew and is not told what was true before.
        self.under_way.lock().remove(&token);
        said.send_replace(Some(verdict));
    }

    async fn question(&self, shared: &Shared, token: &str) -> Result<Introspected, Failure> {
        let _permit = self.permits.acquire().await.map_err(Failure::unreadable)?;
        let endpoints = shared.endpoints();
        let url = endpoints.as_ref().and_then(|endpoints| endpoints.introspection.as_ref());
        let url = url.ok_or_else(|| Failure::unreadable("the server offers no introspection"))?;
        let form = [("token", token), ("token_type_hint", "access_token")];
        let answer = shared.http.post(url, &form, INTROSPECTION_TIMEOUT, INTROSPECTION_BYTES_MAX).await?;
        let said: Map<String, Value> = serde_json::from_slice(&answer.body).map_err(Failure::unreadable)?;
        match said.get("active").and_then(Value::as_bool) {
            Some(true) => Ok(Some(said)),
            Some(false) => Ok(None),
            None => Err(Failure::unreadable(
                "an introspection answer says whether the token is active (RFC 7662, section 2.2)",
            )),
        }
    }
}
