//! A store with accounts and sessions in it, made by the library before the server starts: a sign-in through the API
//! would cost a password hash each.

use anyhow::Context;
use counterfoil::{
    Config,
    keys::open_keys,
    startup::open_store,
    system::{OsEntropy, SystemClock},
};
use counterfoil_domain::{
    account::Account,
    event::Occasion,
    policy::{Lifetimes, SessionPolicy},
    rotation::RefreshToken,
    scope::ScopeSet,
    session::{Device, OpenSession, open},
    store::{NewAccount, Store},
    time::Clock,
};
use std::{net::Ipv4Addr, path::Path, sync::Arc, time::Duration};
use tokio::task::JoinSet;

/// How many calls wait for the store at a time: they share its commits.
const CALLERS: usize = 128;
/// How long ago the sessions were opened: longer than any retry window.
const OPENED_BEFORE: Duration = Duration::from_mins(5);

/// Makes the data folder `data` with so many accounts, one session each. Returns the refresh token of each session.
pub(crate) fn fill(data: &Path, sessions: usize) -> anyhow::Result<Vec<String>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let config = Config { data: data.to_owned(), ..Config::default() };
    let store: Arc<dyn Store> = Arc::new(open_store(&config, Arc::new(SystemClock))?);
    runtime.block_on(async {
        let now = SystemClock.now();
        let (terms, entropy) = (config.key_terms(Duration::from_mins(32)), Arc::new(OsEntropy));
        let keys = open_keys(&*store, data, &config.signing, terms, now, entropy).await?;
        let mut callers = JoinSet::new();
        for caller in 0..CALLERS {
            callers.spawn(open_sessions(Arc::clone(&store), (caller..sessions).step_by(CALLERS)));
        }
        let mut refresh_tokens = Vec::with_capacity(sessions);
        while let Some(opened) = callers.join_next().await {
            refresh_tokens.extend(opened??.iter().map(|token| token.issue(keys.current().refresh())));
        }
        Ok(refresh_tokens)
    })
}

async fn open_sessions(
    store: Arc<dyn Store>,
    numbers: impl Iterator<Item = usize>,
) -> anyhow::Result<Vec<RefreshToken>> {
    let mut opened = Vec::new();
    for number in numbers {
        let now = SystemClock.now().minus(OPENED_BEFORE);
        let ip = Some(Ipv4Addr::LOCALHOST.into());
        let occasion = Occasion { now, ip, entropy: &OsEntropy };
        let email = format!("person{number}@example.com").parse().context("an address")?;
        let account = Account::new(email, None, now, &OsEntropy);
        let request = OpenSession {
            policy: SessionPolicy::Refresh,
            client_id: "counterfoil".to_owned(),
            scope: "account".parse::<ScopeSet>()?,
            device: Device { name: None, user_agent: None, ip },
            secret: None,
            replaces: None,
        };
        let (session, event) = open(request, &account, &Lifetimes::default(), &occasion);
        opened.push(RefreshToken { session: session.id, serial: session.rotation.child });
        let new = NewAccount { account, password_hash: None, session: Some(session), events: vec![event] };
        store.create_account(new).await?;
    }
    Ok(opened)
}
