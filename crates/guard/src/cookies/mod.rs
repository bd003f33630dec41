//! Cookies that carry a session: their names, how they are read and written, and from where a request with one may come.

mod read;
pub(crate) mod same_origin;
mod write;

pub(crate) use read::find;

use crate::Rejection;
use http::HeaderMap;

/// The names of the cookies of a server, and the origin that they belong to.
///
/// Over https every name begins with `__Host-`: a browser takes such a cookie only with `Secure`, `Path=/` and without
/// `Domain`, so no other host, also none below, can put one in its place (6265bis §4.1.3.2). On plain http, which
/// configuration allows on loopback only, browsers take no such cookie; there the names go without.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CookieRules {
    /// The public URL; where it is loopback, that under each of its names.
    origins: Vec<String>,
    is_secure: bool,
    names: [String; 3],
}

/// What a cookie carries.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum CookieKind {
    /// The opaque id of a session, under the policy `session`.
    Session,
    /// A refresh token, with `transport: cookie`.
    Refresh,
    /// An access token.
    Access,
}

impl CookieKind {
    /// Every kind there is.
    pub const ALL: [Self; 3] = [Self::Session, Self::Refresh, Self::Access];

    const fn base_name(self) -> &'static str {
        match self {
            Self::Session => "counterfoil-session",
            Self::Refresh => "counterfoil-refresh",
            Self::Access => "counterfoil-access",
        }
    }
}

impl CookieRules {
    /// The rules of the server at `public_url`: scheme and host, such as `https://auth.example.com`.
    pub fn new(public_url: &str) -> Self {
        let is_secure = public_url.starts_with("https://");
        let prefix = if is_secure { "__Host-" } else { "" };
        let names = CookieKind::ALL.map(|kind| format!("{prefix}{}", kind.base_name()));
        Self { origins: origins(public_url), is_secure, names }
    }

    /// Whether the cookies travel over https only.
    pub const fn is_secure(&self) -> bool {
        self.is_secure
    }

    /// The value of a cookie in these headers. One that is no text is as good as none.
    ///
    /// # Errors
    /// [`Rejection::CookieRepeated`], [`Rejection::CookieTooLarge`].
    pub fn read(&self, headers: &HeaderMap, kind: CookieKind) -> Result<Option<String>, Rejection> {
        let value = find(headers, self, kind)?;
        Ok(value.and_then(|value| std::str::from_utf8(value).ok()).map(str::to_owned))
    }

    /// Whether a request with these headers says that it comes from one of the server's own pages; `None` if it says
    /// nothing, as programs do that are no browsers.
    pub fn is_same_origin(&self, headers: &HeaderMap) -> Option<bool> {
        same_origin::is_same_origin(headers, self)
    }

    /// The name of a cookie.
    pub const fn name(&self, kind: CookieKind) -> &str {
        let [session, refresh, access] = &self.names;
        match kind {
            CookieKind::Session => session.as_str(),
            CookieKind::Refresh => refresh.as_str(),
            CookieKind::Access => access.as_str(),
        }
    }
}

/// Under which origins a browser may know the server. Never what a request says of its own `Host`: a name that was bent to
/// this machine for a moment says the same.
fn origins(public_url: &str) -> Vec<String> {
    const LOOPBACK: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];
    let Some((scheme, authority)) = public_url.split_once("://") else { return vec![public_url.to_owned()] };
    let port_of = |name: &str| authority.strip_prefix(name).filter(|port| port.is_empty() || port.starts_with(':'));
    match LOOPBACK.iter().find_map(|name| port_of(name)) {
        Some(port) => LOOPBACK.iter().map(|name| format!("{scheme}://{name}{port}")).collect(),
        None => vec![public_url.to_owned()],
    }
}
