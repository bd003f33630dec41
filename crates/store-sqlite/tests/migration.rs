//! A file that the first release made is brought up to date when it is opened, and keeps everything.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a panic is the report"
)]

mod common;

use common::{Place, block_on, outsider, raise};
use counterfoil_domain::{
    account::{Account, AccountGeneration, Attributes},
    event::{Event, EventKind},
    id::{AccountId, EventId, FeedEntryId, SessionId},
    key::{KeyState, KeyUse, StoredKey},
    policy::SessionPolicy,
    revocation::{Chain, Epoch, FeedEntry, FeedHead, FeedPosition, Revocation, RevocationDraft},
    rotation::{Rotation, Serial},
    session::{Changes, Device, Session, SessionView},
    store::{FeedPage, Store},
    time::UnixMillis,
};
use refinery::{Migration, Runner};
use rusqlite::Connection;
use std::time::Duration;

const FIRST_TABLES: &str = include_str!("../migrations/V1__first_tables.sql");

/// One row in every table, and two where one says too little.
const ROWS: &str = "
    INSERT INTO accounts VALUES
        (x'00000000000000000000000000000001', 'Ann@example.com', 'ann@example.com', 1, 'Ann', '[\"admin\"]', 3, NULL,
            1000, '$argon2id$ann'),
        (x'00000000000000000000000000000002', 'bob@example.com', 'bob@example.com', 0, NULL, '[]', 0, 5000, 2000, NULL);
    INSERT INTO sessions VALUES
        (x'00000000000000000000000000000011', x'00000000000000000000000000000001', 3, 'refresh', 'app', 'read write',
            1, 2, 3, 4, 5, 'Kitchen', 'agent', '192.0.2.1', 1100, 1100, 1200, 9000000000000, 9000000000001, NULL),
        (x'00000000000000000000000000000012', x'00000000000000000000000000000001', 3, 'refresh', 'app', '',
            0, 1, 1, 1, -1, NULL, NULL, NULL, 1300, 1300, 1300, 9000000000000, 9000000000001, 1400);
    INSERT INTO events VALUES
        (x'00000000000000000000000000000001', 1400, x'00000000000000000000000000000021', 'signed_out',
            x'00000000000000000000000000000012', '192.0.2.1');
    INSERT INTO longest_token_lifetime VALUES (1, 3600000);
    INSERT INTO keys VALUES ('sign', 'kid', 'EdDSA', 'active', x'00ff', 900);
    INSERT INTO heartbeat VALUES (1, 1500);
";

fn id(last: u8) -> [u8; 16] {
    let mut id = [0; 16];
    id[15] = last;
    id
}

/// Makes the file as the first release did, with `ROWS` and an entry in its feed.
fn make_first_release(connection: &mut Connection) -> FeedPage {
    let runner = Runner::new(&[Migration::unapplied("V1__first_tables", FIRST_TABLES).unwrap()]);
    runner.set_grouped(true).run(connection).unwrap();
    connection.execute_batch(ROWS).unwrap();
    let begin = FeedHead { position: FeedPosition { epoch: Epoch(77), seq: 0 }, chain: Chain::default() };
    let draft = RevocationDraft {
        id: FeedEntryId::from_bytes(id(0x31)),
        at: UnixMillis::from_millis(1_400),
        drop_at: UnixMillis::from_millis(9_000_000_000_000),
        revocation: Revocation::Session(SessionId::from_bytes(id(0x12))),
    };
    let entry = FeedEntry::seal(&begin, draft);
    let FeedEntry { head, draft } = &entry;
    let (kind, key, argument) = draft.revocation.to_columns();
    let insert = "INSERT INTO feed VALUES (1, 77, ?, ?, ?, ?, ?, ?, ?)";
    let (at, drop_at) = (draft.at.as_millis(), draft.drop_at.as_millis());
    connection.execute(insert, (draft.id.as_bytes(), at, drop_at, kind, key, argument, head.chain.0)).unwrap();
    connection.execute("INSERT INTO feed_head VALUES (1, 77, 1, ?)", [head.chain.0]).unwrap();
    FeedPage { head: entry.head, entries: vec![entry] }
}

fn ann() -> Account {
    Account {
        id: AccountId::from_bytes(id(1)),
        email: "Ann@example.com".parse().unwrap(),
        email_verified: true,
        name: Some("Ann".to_owned()),
        roles: vec!["admin".to_owned()],
        attributes: Attributes::default(),
        generation: AccountGeneration::from_raw(3),
        password_changed_at: None,
        disabled_at: None,
        created_at: UnixMillis::from_millis(1_000),
    }
}

fn bob() -> Account {
    Account {
        id: AccountId::from_bytes(id(2)),
        email: "bob@example.com".parse().unwrap(),
        email_verified: false,
        name: None,
        roles: Vec::new(),
        generation: AccountGeneration::default(),
        disabled_at: Some(UnixMillis::from_millis(5_000)),
        created_at: UnixMillis::from_millis(2_000),
        ..ann()
    }
}

fn living() -> Session {
    Session {
        id: SessionId::from_bytes(id(0x11)),
        account: ann().id,
        account_generation: AccountGeneration::from_raw(3),
        policy: SessionPolicy::Refresh,
        client_id: "app".to_owned(),
        scope: "read write".parse().unwrap(),
        secret: None,
        rotation: Rotation {
            head: Serial::from_raw(1),
            head_at: Serial::from_raw(2),
            child: Serial::from_raw(3),
            given: UnixMillis::from_millis(4),
            prev: Serial::from_raw(5),
        },
        device: Device {
            name: Some("Kitchen".to_owned()),
            user_agent: Some("agent".to_owned()),
            ip: Some([192, 0, 2, 1].into()),
        },
        authenticated_at: UnixMillis::from_millis(1_100),
        created_at: UnixMillis::from_millis(1_100),
        last_seen_at: UnixMillis::from_millis(1_200),
        idle_until: UnixMillis::from_millis(9_000_000_000_000),
        absolute_until: UnixMillis::from_millis(9_000_000_000_001),
        revoked_at: None,
    }
}

fn ended() -> Session {
    Session {
        id: SessionId::from_bytes(id(0x12)),
        scope: "".parse().unwrap(),
        rotation: Rotation {
            head: Serial::from_raw(0),
            head_at: Serial::from_raw(1),
            child: Serial::from_raw(1),
            given: UnixMillis::from_millis(1),
            prev: Serial::from_raw(-1),
        },
        device: Device::default(),
        authenticated_at: UnixMillis::from_millis(1_300),
        created_at: UnixMillis::from_millis(1_300),
        last_seen_at: UnixMillis::from_millis(1_300),
        revoked_at: Some(UnixMillis::from_millis(1_400)),
        ..living()
    }
}

async fn assert_all_is_kept(store: &(dyn Store + 'static), feed: &FeedPage) {
    assert_eq!(store.accounts(None, 10).await.unwrap(), [ann(), bob()]);
    let found = store.account_by_email(&"ANN@example.com".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!((found.account, found.password_hash.unwrap().expose()), (ann(), "$argon2id$ann"));
    assert!(store.account_with_password(bob().id).await.unwrap().unwrap().password_hash.is_none());
    assert_eq!(store.sessions_of_account(ann().id).await.unwrap(), [living()]);
    for session in [living(), ended()] {
        assert_eq!(store.session(session.id).await.unwrap(), Some(SessionView { session, account: ann() }));
    }
    let event = Event {
        id: EventId::from_bytes(id(0x21)),
        at: UnixMillis::from_millis(1_400),
        kind: EventKind::SignedOut,
        account: ann().id,
        session: Some(ended().id),
        ip: Some([192, 0, 2, 1].into()),
        detail: None,
    };
    assert_eq!(store.events_of_account(ann().id, 10).await.unwrap(), [event]);
    assert_eq!(store.feed_after(0, 10).await.unwrap(), *feed);
    let key = StoredKey {
        kid: "kid".to_owned(),
        key_use: KeyUse::Sign,
        algorithm: "EdDSA".to_owned(),
        state: KeyState::Active,
        // Not written down by the first release: since it was made, and the rest is not known.
        state_since: UnixMillis::from_millis(900),
        sealed: vec![0, 255],
        sealed_public: Vec::new(),
        created_at: UnixMillis::from_millis(900),
        announced: None,
        token_lifetime: None,
        cache_lifetime: None,
    };
    assert!(store.keys().await.unwrap() == [key]);
    let longest = store.raise_longest_token_lifetime(Duration::ZERO).await.unwrap();
    assert_eq!(longest, Duration::from_hours(1));
}

#[test]
fn a_file_of_the_first_release_is_brought_up_to_date_and_keeps_everything() {
    let place = Place::new();
    let path = place.options().path;
    let feed = make_first_release(&mut Connection::open(&path).unwrap());
    block_on(async {
        // Twice: brought up to date, and then as it is.
        for _ in 0..2 {
            assert_all_is_kept(&*place.open(), &feed).await;
        }
        let file = outsider(&path);
        let number = |sql| file.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(number("PRAGMA user_version"), 4, "the first release, which knows 1, refuses it");
        assert_eq!(number("SELECT count(*) FROM refinery_schema_history"), 4);
        assert_eq!(number("SELECT count(*) FROM pragma_foreign_key_check"), 0);
        let verdict: String = file.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(verdict, "ok");
        drop(file);

        // What is new works on what is old.
        let store = place.open();
        let bench = place.bench(&store);
        raise(&*store, living().id).await.unwrap();
        let found = bench.sign_in_under(SessionPolicy::Session, &bob()).await;
        let view = store.session_by_secret(found.secret.unwrap()).await.unwrap();
        assert_eq!(view, Some(SessionView { session: found, account: bob() }));
        let mut described = ann();
        described.attributes.set("department", "sales".into()).unwrap();
        let changes = Changes { account: Some(described.clone()), ..Changes::default() };
        bench.change(ann().id, changes).await.unwrap();
        assert_eq!(store.account(ann().id).await.unwrap(), Some(described));
        bench.change(ann().id, Changes { deleted_account: Some(ann().id), ..Changes::default() }).await.unwrap();
        assert!(bench.look_at(ended().id).await.is_none());
        assert_eq!(store.accounts(None, 10).await.unwrap(), [bob()]);
    });
}

/// While somebody upgrades, servers of the release before go on writing to the file with the statements they know.
#[test]
fn the_statements_of_the_first_release_still_write_to_it() {
    let place = Place::new();
    block_on(async {
        let store = place.open();
        let file = outsider(&place.path());
        file.pragma_update(None, "foreign_keys", true).unwrap();
        let insert = "
            INSERT INTO accounts (id, email, email_canonical, email_verified, name, roles, generation, disabled_at,
                created_at, password_hash)
            VALUES (x'00000000000000000000000000000002', 'bob@example.com', 'bob@example.com', 0, NULL, '[]', 0, 5000,
                2000, NULL);
            INSERT INTO sessions (id, account, account_generation, policy, client_id, scope, head, head_at, child, given,
                prev, authenticated_at, created_at, last_seen_at, idle_until, absolute_until)
            VALUES (x'00000000000000000000000000000011', x'00000000000000000000000000000002', 0, 'refresh', 'app', '',
                1, 2, 3, 4, 5, 6, 7, 8, 9, 10)";
        file.execute_batch(insert).unwrap();
        assert_eq!(store.accounts(None, 10).await.unwrap(), [bob()]);
        let session = store.session(SessionId::from_bytes(id(0x11))).await.unwrap().unwrap().session;
        assert_eq!((session.secret, session.revoked_at), (None, None));
    });
}
