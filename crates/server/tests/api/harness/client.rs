//! A thin client: it sends what it is told and judges nothing.

use counterfoil_jwt::UnverifiedToken;
use reqwest::{
    ClientBuilder, Method, RequestBuilder,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap},
};
use serde_json::{Value, json};
use std::net::IpAddr;

/// The password of every account that the harness makes.
pub(crate) const PASSWORD: &str = "plum tin walrus 41 harbour";

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// What a sign-in or a refresh gave.
#[derive(Clone, Debug)]
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
    /// The whole body.
    pub(crate) body: Value,
}

#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    base_url: String,
}

/// The names of an object's members, sorted.
#[track_caller]
pub(crate) fn members(value: &Value) -> Vec<&str> {
    let mut names: Vec<_> = value.as_object().expect("an object").keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

impl Reply {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("an answer in UTF-8")
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The text of a header; empty where there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("a header in ASCII"))
    }

    /// The stable code of a refusal, of the API or of OAuth; empty where there is none.
    pub(crate) fn code(&self) -> String {
        let body: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        let code = body.get("code").or_else(|| body.get("error")).and_then(Value::as_str);
        code.unwrap_or_default().to_owned()
    }

    /// Fails the test unless the status is this one.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        self
    }

    /// Fails the test unless it is a refusal with this status and code, in the form of its kind.
    #[track_caller]
    pub(crate) fn expect_refusal(self, status: u16, code: &str) -> Self {
        assert_eq!((self.status, self.code().as_str()), (status, code), "{}", String::from_utf8_lossy(&self.body));
        let body = self.json();
        if body.get("error").is_some() {
            assert_eq!(members(&body), ["error", "error_description"]);
            assert_eq!(self.header("content-type"), "application/json");
        } else {
            assert_eq!(members(&body), ["code", "detail", "status", "title", "type"]);
            assert_eq!(body["status"], status);
            assert_eq!(self.header("content-type"), "application/problem+json");
        }
        assert_eq!(self.header("cache-control"), "no-store");
        let is_challenged = ["authorization_malformed", "credentials_ambiguous", "insufficient_scope"].contains(&code);
        assert_eq!(self.headers.contains_key("www-authenticate"), status == 401 || is_challenged);
        assert_eq!(self.headers.contains_key("retry-after"), status == 503);
        self
    }

    /// The tokens in it.
    #[track_caller]
    pub(crate) fn tokens(self) -> Tokens {
        let body = self.json();
        let member = |name: &str| body[name].as_str().unwrap_or_else(|| panic!("no {name}: {body}")).to_owned();
        Tokens { access: member("access_token"), refresh: member("refresh_token"), body }
    }
}

impl Tokens {
    /// The claims of the access token, read without believing them.
    pub(crate) fn claims(&self) -> Value {
        let token = UnverifiedToken::decode(&self.access).unwrap();
        serde_json::from_str(token.claims_json().unwrap()).unwrap()
    }

    /// The header of the access token.
    pub(crate) fn token_header(&self) -> Value {
        serde_json::from_str(UnverifiedToken::decode(&self.access).unwrap().header_json()).unwrap()
    }

    pub(crate) fn session(&self) -> String {
        self.claims()["sid"].as_str().unwrap().to_owned()
    }

    pub(crate) fn account(&self) -> String {
        self.claims()["sub"].as_str().unwrap().to_owned()
    }
}

impl Client {
    pub(crate) fn new(base_url: &str) -> Self {
        Self::build(base_url, |http| http)
    }

    /// A client at this address of the machine.
    pub(crate) fn from_address(base_url: &str, address: &str) -> Self {
        let address: IpAddr = address.parse().unwrap();
        Self::build(base_url, |http| http.local_address(address))
    }

    /// A client that says, as a proxy would, for whom it asks.
    pub(crate) fn forwarded_for(base_url: &str, claim: &str) -> Self {
        let headers = HeaderMap::from_iter([("x-forwarded-for".parse().unwrap(), claim.parse().unwrap())]);
        Self::build(base_url, |http| http.default_headers(headers))
    }

    fn build(base_url: &str, change: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Self {
        let http = change(reqwest::Client::builder().no_proxy().user_agent("tests")).build().unwrap();
        Self { http, base_url: base_url.to_owned() }
    }

    pub(crate) fn base_url(&self) -> &str {
        &self.base_url
    }

    /// A request without anything.
    pub(crate) fn request(&self, method: &str, path: &str) -> RequestBuilder {
        self.http.request(Method::from_bytes(method.as_bytes()).unwrap(), format!("{}{path}", self.base_url))
    }

    pub(crate) async fn try_send(&self, request: RequestBuilder) -> reqwest::Result<Reply> {
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Reply { status, headers, body: response.bytes().await?.to_vec() })
    }

    pub(crate) async fn send(&self, request: RequestBuilder) -> Reply {
        self.try_send(request).await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(self.request("GET", path)).await
    }

    /// A request with an access token.
    pub(crate) async fn with_token(&self, method: &str, path: &str, token: &str) -> Reply {
        self.send(self.request(method, path).header(AUTHORIZATION, format!("Bearer {token}"))).await
    }

    pub(crate) async fn post_json(&self, path: &str, body: &Value) -> Reply {
        self.send(self.request("POST", path).json(body)).await
    }

    /// A body as it is, said to be JSON.
    pub(crate) async fn post_text(&self, path: &str, body: impl Into<reqwest::Body>) -> Reply {
        self.send(self.request("POST", path).header(CONTENT_TYPE, "application/json").body(body)).await
    }

    pub(crate) async fn post_form(&self, path: &str, form: &[(&str, &str)]) -> Reply {
        self.send(self.request("POST", path).form(form)).await
    }

    /// Makes an account that is signed in at once.
    pub(crate) async fn sign_up(&self, email: &str) -> Tokens {
        let body = json!({ "email": email, "password": PASSWORD, "sign_in": {} });
        self.post_json("/v1/accounts", &body).await.expect(201).tokens()
    }

    /// Signs in with [`PASSWORD`].
    pub(crate) async fn sign_in(&self, email: &str) -> Tokens {
        self.try_sign_in(email, PASSWORD).await.expect(201).tokens()
    }

    pub(crate) async fn try_sign_in(&self, email: &str, password: &str) -> Reply {
        self.post_json("/v1/sessions", &json!({ "email": email, "password": password })).await
    }

    pub(crate) async fn refresh(&self, refresh_token: &str) -> Reply {
        self.post_json("/v1/sessions/current/refresh", &json!({ "refresh_token": refresh_token })).await
    }

    /// Asks for the signed-in account.
    pub(crate) async fn account(&self, access_token: &str) -> Reply {
        self.with_token("GET", "/v1/account", access_token).await
    }

    /// The list of sessions.
    pub(crate) async fn sessions(&self, access_token: &str) -> Vec<Value> {
        let body = self.with_token("GET", "/v1/sessions", access_token).await.expect(200).json();
        body["sessions"].as_array().unwrap().clone()
    }
}
