//! What a client holds of a session under each policy, and how it brings it along.

use super::{Client, PASSWORD, PUBLIC_URL, Reply, Server};
use counterfoil_domain::policy::SessionPolicy;
use reqwest::RequestBuilder;
use serde_json::{Value, json};

/// The names of the cookies of a server whose public URL is https.
pub(crate) const SESSION_COOKIE: &str = "__Host-counterfoil-session";
pub(crate) const REFRESH_COOKIE: &str = "__Host-counterfoil-refresh";
pub(crate) const ACCESS_COOKIE: &str = "__Host-counterfoil-access";

/// A credential as a client brings it.
#[derive(Clone, Debug)]
pub(crate) enum Carried {
    /// In the `Authorization` header.
    Bearer(String),
    /// As a `Cookie` header.
    Cookie(String),
}

/// What a client holds of a session.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) policy: SessionPolicy,
    pub(crate) carried: Carried,
    /// Under the policy `refresh`.
    pub(crate) refresh: Option<String>,
    /// The session's id; of a personal token, its own.
    pub(crate) id: String,
}

impl Carried {
    /// The request with this credential, as a page of the server's own would send it.
    pub(crate) fn with(&self, request: RequestBuilder) -> RequestBuilder {
        match self {
            Self::Bearer(token) => request.header("authorization", format!("Bearer {token}")),
            Self::Cookie(cookie) => request.header("cookie", cookie).header("origin", PUBLIC_URL),
        }
    }
}

impl Held {
    /// Sends a request with it.
    pub(crate) async fn send(&self, client: &Client, method: &str, path: &str, body: Option<Value>) -> Reply {
        let mut request = self.carried.with(client.request(method, path));
        if let Some(body) = body {
            request = request.json(&body);
        }
        client.send(request).await
    }

    /// Asks for the signed-in account.
    pub(crate) async fn ask(&self, client: &Client) -> Reply {
        self.send(client, "GET", "/v1/account", None).await
    }

    /// The code of what asking for the account is refused with; empty if it is answered.
    pub(crate) async fn code(&self, client: &Client) -> String {
        let reply = self.ask(client).await;
        if reply.status == 200 { String::new() } else { reply.code() }
    }

    /// Does what makes a session of this policy go on, where something does, and keeps what that gives. The code of the
    /// refusal, empty if there is none.
    pub(crate) async fn renew(&mut self, client: &Client) -> String {
        let reply = match (&self.policy, &self.refresh) {
            (SessionPolicy::Session, _) => self.ask(client).await,
            (_, Some(refresh)) => client.refresh(refresh).await,
            _ => self.send(client, "POST", "/v1/sessions/current/extend", None).await,
        };
        if reply.status != 200 {
            return reply.code();
        }
        let body = reply.json();
        if let Some(token) = body["access_token"].as_str() {
            self.carried = Carried::Bearer(token.to_owned());
            self.refresh = body["refresh_token"].as_str().map(str::to_owned);
        }
        String::new()
    }
}

impl Reply {
    /// The value of a cookie that it sets, as a client sends it back; none for one that it clears.
    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        let fields = self.headers.get_all("set-cookie").iter().map(|field| field.to_str().unwrap());
        let pairs = fields.filter_map(|field| field.split(';').next());
        let found = pairs.filter(|pair| pair.split('=').next() == Some(name)).collect::<Vec<_>>();
        assert!(found.len() <= 1, "{name} is set twice: {found:?}");
        found.first().filter(|pair| !pair.ends_with('=')).map(|pair| (*pair).to_owned())
    }
}

impl Server {
    /// Signs in under this policy; a personal token is made by a session that is ended then.
    pub(crate) async fn sign_in_with(&self, email: &str, policy: SessionPolicy) -> Held {
        if policy == SessionPolicy::Personal {
            let maker = Box::pin(self.sign_in_with(email, SessionPolicy::Refresh)).await;
            let held = self.personal_token(&maker, &json!({ "name": "backup", "scope": "account" })).await;
            maker.send(self, "DELETE", "/v1/sessions/current", None).await.expect(200);
            return held;
        }
        let body = json!({ "email": email, "password": PASSWORD, "policy": policy.as_str() });
        let reply = self.post_json("/v1/sessions", &body).await.expect(201);
        let body = reply.json();
        let text = |name: &str| body[name].as_str().map(str::to_owned);
        let cookie = || Carried::Cookie(reply.cookie(SESSION_COOKIE).expect("a session cookie"));
        Held {
            policy,
            carried: text("access_token").map_or_else(cookie, Carried::Bearer),
            refresh: text("refresh_token"),
            id: body["session"]["id"].as_str().unwrap().to_owned(),
        }
    }

    /// Makes a personal token.
    pub(crate) async fn personal_token(&self, maker: &Held, request: &Value) -> Held {
        let reply = maker.send(self, "POST", "/v1/personal-tokens", Some(request.clone())).await.expect(201);
        let body = reply.json();
        let text = |name: &str| body[name].as_str().unwrap().to_owned();
        Held { policy: SessionPolicy::Personal, carried: Carried::Bearer(text("token")), refresh: None, id: text("id") }
    }
}
