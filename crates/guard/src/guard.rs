//! The guard itself: from a request's headers to who is asking.

use crate::{
    CurrentUser, Rejection, Revocations, bearer,
    cookies::{
        CookieRules,
        same_origin::{self, Intent},
    },
    keys::{GuardKeys, KeysInUse},
    lookup::SessionLookup,
    min_seq::{self, MIN_SEQ_WAIT},
    scheme::{Credential, presented},
    stale::WhenStale,
    token_claims::to_token,
    upstream::Upstream,
    verified_cache::{VerifiedCache, VerifiedToken},
};
use counterfoil_domain::{
    opaque::SecretKind,
    policy::SessionPolicy,
    rotation,
    time::{Clock, UnixMillis},
};
use counterfoil_jwt::{KeySet, Policy, Verified, verify_borrowed};
use counterfoil_wire::AccessClaims;
use http::{HeaderMap, Method};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// Tells who a request is from. Cheap to clone: all clones are the same guard.
///
/// A guard from [`Guard::new`] takes signed access tokens in the `Authorization` header. [`GuardOptions`] make one that
/// takes what else there is: personal tokens, cookies, sessions that are looked up. With the feature `follow`,
/// `Guard::follow` makes one that keeps itself up to date over the network.
#[derive(Clone)]
pub struct Guard(pub(crate) Arc<Inner>, pub(crate) WhenStale);

pub(crate) struct Inner {
    /// For times; what else is asked of a token comes with the keys.
    policy: Policy,
    pub(crate) keys: KeysInUse,
    pub(crate) revocations: Arc<Revocations>,
    pub(crate) clock: Arc<dyn Clock>,
    verified: VerifiedCache,
    verifications: AtomicU64,
    cookies: Option<CookieRules>,
    pub(crate) lookup: Option<Arc<dyn SessionLookup>>,
    /// The server, for a guard that follows one.
    pub(crate) upstream: Option<Arc<dyn Upstream>>,
}

/// What a guard takes besides signed access tokens in the `Authorization` header.
pub struct GuardOptions {
    /// How many tokens are remembered that were accepted: as many as are in use at a time is right. Others are verified at
    /// each request. Each takes some 1.3 kB, and none more than 16.
    pub verified_tokens_max: usize,
    /// Which cookies are credentials. Without rules none is looked at.
    pub cookies: Option<CookieRules>,
    /// Where sessions are looked up. Without it, whatever needs that is refused.
    pub lookup: Option<Arc<dyn SessionLookup>>,
    /// What to do while it cannot be proven that every sign-out is known. A guard that follows no server over the network
    /// has nobody to ask: for it, [`StalePolicy::Check`](crate::StalePolicy::Check) is `Closed`.
    pub when_stale: WhenStale,
}

impl Default for GuardOptions {
    fn default() -> Self {
        let when_stale = WhenStale::default();
        Self { verified_tokens_max: Guard::VERIFIED_TOKENS_MAX, cookies: None, lookup: None, when_stale }
    }
}

impl Guard {
    /// How many verified tokens a guard remembers unless told otherwise.
    pub const VERIFIED_TOKENS_MAX: usize = 32_768;

    /// A guard with these rules, keys and revocations. It answers 503 until `revocations` has been loaded.
    pub fn new(policy: Policy, keys: KeySet, revocations: Arc<Revocations>, clock: Arc<dyn Clock>) -> Self {
        Self::with_options(policy, keys, revocations, clock, GuardOptions::default())
    }

    /// As [`Guard::new`], with more that is taken.
    pub fn with_options(
        policy: Policy,
        keys: KeySet,
        revocations: Arc<Revocations>,
        clock: Arc<dyn Clock>,
        options: GuardOptions,
    ) -> Self {
        Self::assemble(policy, keys, revocations, clock, options, None)
    }

    pub(crate) fn assemble(
        policy: Policy,
        keys: KeySet,
        revocations: Arc<Revocations>,
        clock: Arc<dyn Clock>,
        options: GuardOptions,
        upstream: Option<Arc<dyn Upstream>>,
    ) -> Self {
        let inner = Inner {
            keys: KeysInUse::new(GuardKeys { policy: policy.clone(), accepted: keys, former: KeySet::default() }),
            policy,
            revocations,
            clock,
            verified: VerifiedCache::new(options.verified_tokens_max),
            verifications: AtomicU64::new(0),
            cookies: options.cookies,
            lookup: options.lookup,
            upstream,
        };
        Self(Arc::new(inner), options.when_stale)
    }

    /// Takes a new key set; requests on their way keep the old one.
    pub fn replace_keys(&self, keys: KeySet) {
        self.0.replace_keys(keys);
    }

    /// Takes new keys, perhaps of other algorithms; requests on their way keep the old ones.
    pub fn take_keys(&self, keys: GuardKeys) {
        self.0.take_keys(keys);
    }

    /// The same guard with another policy for when it is stale: for a route of its own.
    #[must_use]
    pub fn when_stale(&self, when_stale: WhenStale) -> Self {
        if let Some(upstream) = &self.0.upstream {
            upstream.may_accept_for(when_stale.open_for());
        }
        Self(Arc::clone(&self.0), when_stale)
    }

    /// The rules of the cookies that are credentials here, if any are.
    pub fn cookies(&self) -> Option<&CookieRules> {
        self.0.cookies.as_ref()
    }

    /// Who sends a request with this method and these headers. Waits for nothing but look-ups, and those only where the
    /// session's policy calls for one.
    ///
    /// # Errors
    /// [`Rejection`]: no credential, one that is not good, or nothing can be said now.
    pub async fn authenticate(&self, method: &Method, headers: &HeaderMap) -> Result<CurrentUser, Rejection> {
        self.authenticate_for(Intent::of(method), headers).await
    }

    /// As [`Guard::authenticate`], for a gateway that asks about a request of somebody else's. `method` is that of the
    /// request, where the gateway tells it.
    ///
    /// # Errors
    /// As [`Guard::authenticate`].
    pub async fn authenticate_for_gateway(
        &self,
        method: Option<&Method>,
        headers: &HeaderMap,
    ) -> Result<CurrentUser, Rejection> {
        self.authenticate_for(method.map_or(Intent::Unknown, Intent::of), headers).await
    }

    async fn authenticate_for(&self, intent: Intent, headers: &HeaderMap) -> Result<CurrentUser, Rejection> {
        let Some(place) = min_seq::wanted(headers)?.filter(|place| self.0.revocations.reached() < Some(*place)) else {
            return self.admit(intent, headers).await;
        };
        // Nobody waits who would not be let in anyway; whoever has waited is looked at with what is known by then.
        self.admit(intent, headers).await?;
        match tokio::time::timeout(MIN_SEQ_WAIT, self.0.revocations.reach(place)).await {
            Ok(()) => self.admit(intent, headers).await,
            Err(_) => Err(Rejection::FeedBehind),
        }
    }

    async fn admit(&self, intent: Intent, headers: &HeaderMap) -> Result<CurrentUser, Rejection> {
        let credential = self.credential(intent, headers)?;
        let (text, is_bearer) = match credential {
            Credential::SessionCookie(text) => return self.by_session_cookie(text).await,
            Credential::Bearer(text) => (text, true),
            Credential::AccessCookie(text) => (text, false),
        };
        // Once for everything that this request is held against.
        let (now, monotonic) = self.0.clock.read();
        // Asked before the ledger is: a proof that comes in between is none for what was looked up before it.
        let is_in_time = self.0.revocations.is_in_time(monotonic);
        let user = match self.remembered(text, now) {
            // Scripts cannot read the access cookie, and nobody puts a personal token there.
            Some(Ok(user)) if !is_bearer && user.policy() == SessionPolicy::Personal => {
                return Err(Rejection::session_ended());
            }
            Some(verdict) => verdict?,
            None if is_bearer => {
                let text = bearer::well_formed(text)?;
                if text.starts_with(SecretKind::PersonalToken.prefix()) {
                    return self.by_personal_token(text).await;
                }
                self.verify_with_newest_keys(text).await?
            }
            // What is no text is no token either: 401, as for any other cookie that is not good.
            None => self.verify_with_newest_keys(std::str::from_utf8(text).unwrap_or_default()).await?,
        };
        match user.policy() {
            SessionPolicy::Tracked => self.while_session_lives(user, text).await,
            _ if is_in_time => Ok(user),
            _ => self.while_stale(intent, text, user, monotonic).await,
        }
    }

    /// The one credential of a request, if it comes from where such a one may come.
    fn credential<'h>(&self, intent: Intent, headers: &'h HeaderMap) -> Result<Credential<'h>, Rejection> {
        let rules = self.0.cookies.as_ref();
        let credential = presented(headers, rules)?;
        if let Some(rules) = rules.filter(|_| credential.is_cookie()) {
            same_origin::check(intent, headers, rules)?;
        }
        Ok(credential)
    }

    /// Whether the credential of a request came as a cookie. What takes its place goes back as one: scripts could read it
    /// anywhere else. (An `Authorization` header of another scheme, such as `Basic`, is none of ours.)
    pub fn is_from_cookie(&self, headers: &HeaderMap) -> bool {
        presented(headers, self.0.cookies.as_ref()).is_ok_and(|credential| credential.is_cookie())
    }

    /// Who sends a request with a signed token that needs no look-up, and whether it came as a cookie. Somebody with
    /// another credential is not told here: others look those up, and once is enough.
    pub(crate) fn without_lookup(&self, method: &Method, headers: &HeaderMap) -> Option<(CurrentUser, bool)> {
        let credential = self.credential(Intent::of(method), headers).ok()?;
        let (Credential::Bearer(text) | Credential::AccessCookie(text)) = credential else { return None };
        let user = self.token_of(Intent::of(method), std::str::from_utf8(text).ok()?).ok()?;
        Some((user, credential.is_cookie()))
    }

    /// Whose signed access token this is. Nothing is looked up and nobody is asked, so a token whose policy calls for that
    /// is refused. While the guard is stale, what holds is what holds for methods that may change something.
    ///
    /// # Errors
    /// [`Rejection`]: the token is not good, or nothing can be said now.
    pub fn authenticate_token(&self, token: &str) -> Result<CurrentUser, Rejection> {
        self.token_of(Intent::Unknown, token)
    }

    fn token_of(&self, intent: Intent, token: &str) -> Result<CurrentUser, Rejection> {
        let (now, monotonic) = self.0.clock.read();
        let goes_on = self.0.revocations.is_in_time(monotonic) || self.goes_on_while_stale(intent, monotonic);
        let user = self.remembered(token.as_bytes(), now).unwrap_or_else(|| self.verify_and_remember(token))?;
        if user.policy().is_looked_up() {
            return Err(Rejection::lookup_needed());
        }
        if goes_on { Ok(user) } else { Err(Rejection::RevocationsStale) }
    }

    /// Whose access token this is or was: an ended one is taken as well, and one whose session has ended. For telling which
    /// session a request is about, never for letting it in.
    ///
    /// # Errors
    /// [`Rejection`]: the token was never good.
    pub fn recognize_token(&self, token: &str) -> Result<CurrentUser, Rejection> {
        let inner = &*self.0;
        let (mut buffer, keys) = (Vec::with_capacity(CLAIMS_BYTES_USUAL), inner.keys.current());
        let (policy, set) = &keys.recognizing;
        let verified = self.verify(token, set, policy, &mut buffer)?;
        Ok(CurrentUser::counted(Arc::new(to_token(token, keys.number, &verified, 0)?)))
    }

    /// How many tokens were verified in full, and not found among those verified before.
    pub fn verifications(&self) -> u64 {
        self.0.verifications.load(Ordering::Relaxed)
    }

    /// What is to be said of a token that was accepted before with today's keys.
    pub(crate) fn remembered(&self, token: &[u8], now: UnixMillis) -> Option<Result<CurrentUser, Rejection>> {
        let inner = &*self.0;
        let known = inner.verified.find(token, inner.keys.generation())?;
        // The leeway is for tokens that others minted by their clocks; what was looked up ends by ours.
        if known.is_to_be_looked_up_again && known.user.expires_at <= now {
            return None;
        }
        let times = inner.policy.validate_times(known.expires_at, known.not_before, unix_seconds(now));
        let verdict = times.map_err(refused).and_then(|()| {
            let not_revoked = known
                .is_still_good(inner.revocations.changes(), |presented| inner.revocations.refusal(presented).is_none());
            if not_revoked { Ok(()) } else { Err(Rejection::Revoked) }
        });
        match verdict {
            Ok(()) => Some(Ok(CurrentUser::cached(known))),
            // What was looked up once is looked up again: the store knows better than memory does.
            Err(_) if known.is_to_be_looked_up_again => None,
            Err(rejection) => Some(Err(rejection)),
        }
    }

    /// Verifies a token; where its key is not known, once more with a key set that is newer than the question.
    async fn verify_with_newest_keys(&self, token: &str) -> Result<CurrentUser, Rejection> {
        let generation = self.key_generation();
        match (self.verify_and_remember(token), &self.0.upstream) {
            (Err(rejection), Some(upstream)) if rejection.code() == counterfoil_jwt::Error::UnknownKey.code() => {
                // Another set may have come while this one was looked at.
                let is_newer = upstream.load_unknown_key().await || self.key_generation() != generation;
                if is_newer { self.verify_and_remember(token) } else { Err(rejection) }
            }
            (verdict, _) => verdict,
        }
    }

    pub(crate) fn verify_and_remember(&self, token: &str) -> Result<CurrentUser, Rejection> {
        let inner = &*self.0;
        if !inner.revocations.is_loaded() {
            return Err(Rejection::NotReady);
        }
        let (mut buffer, keys) = (Vec::with_capacity(CLAIMS_BYTES_USUAL), inner.keys.current());
        let verified = self.verify(token, &keys.set, &keys.policy, &mut buffer)?;
        // Counted before it is looked up: what is revoked in between is looked up again.
        let changes = inner.revocations.changes().count();
        let entry = Arc::new(to_token(token, keys.number, &verified, changes)?);
        if !self.remember(&entry) {
            return Err(Rejection::Revoked);
        }
        Ok(CurrentUser::counted(entry))
    }

    /// Keeps a token that was found good, unless the feed says otherwise; whether it did not.
    pub(crate) fn remember(&self, entry: &Arc<VerifiedToken>) -> bool {
        let inner = &*self.0;
        if inner.revocations.refusal(&entry.presented()).is_some() {
            return false;
        }
        inner.verified.insert(Arc::clone(entry), &inner.policy, self.now_unix_seconds());
        true
    }

    /// The number of the keys in use.
    pub(crate) fn key_generation(&self) -> u64 {
        self.0.keys.generation()
    }

    pub(crate) fn now(&self) -> UnixMillis {
        self.0.clock.now()
    }

    fn verify<'b>(
        &self,
        token: &str,
        keys: &KeySet,
        policy: &Policy,
        buffer: &'b mut Vec<u8>,
    ) -> Result<Verified<AccessClaims<'b>>, Rejection> {
        // The mistakes that everybody makes once deserve a plain word.
        if token.starts_with(rotation::TOKEN_PREFIX) {
            let detail = "this is a refresh token: trade it for an access token and send that one".to_owned();
            return Err(Rejection::Refused { code: "refresh_token_presented", detail });
        }
        if token.starts_with(SecretKind::SessionId.prefix()) {
            return Err(Rejection::session_id_presented());
        }
        self.0.verifications.fetch_add(1, Ordering::Relaxed);
        verify_borrowed(token, keys, policy, self.now_unix_seconds(), buffer).map_err(refused)
    }

    fn now_unix_seconds(&self) -> u64 {
        unix_seconds(self.0.clock.now())
    }
}

impl Inner {
    pub(crate) fn replace_keys(&self, keys: KeySet) {
        let policy = self.keys.current().policy.clone();
        self.take_keys(GuardKeys { policy, accepted: keys, former: KeySet::default() });
    }

    fn take_keys(&self, keys: GuardKeys) {
        self.keys.replace(keys);
        self.verified.clear();
    }
}

fn unix_seconds(at: UnixMillis) -> u64 {
    u64::try_from(at.as_seconds()).unwrap_or(0)
}

/// Claims of this server are some 400 bytes; more grow the buffer.
const CLAIMS_BYTES_USUAL: usize = 512;

fn refused(error: counterfoil_jwt::Error) -> Rejection {
    Rejection::Refused { code: error.code(), detail: error.to_string() }
}
