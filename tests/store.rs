//! What every store promises, on each: the same batches give the same rows, the head is the lock, and nothing is written in part.

use crate::database::Database;
use mingzhang::app::tree::Tree;
use mingzhang::ledger::line::State;
use mingzhang::ledger::merkle;
use mingzhang::ledger::tile::{self, Content, Tile};
use mingzhang::store::{
    Batch, ChannelRow, EntryRow, LedgerRow, Place, Projection, RunRow, SpanRow, Store, StoreError, SubjectRow,
    SubscriptionRow, VaultRow,
};
use mingzhang::values::{Hash, Span};
use std::path::PathBuf;

/// A store of its own, gone at the end.
struct Kept {
    store: Store,
    place: Place,
    folder: PathBuf,
    database: Option<Database>,
}

impl Kept {
    async fn in_folder(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("mingzhang-store-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let place = Place::Folder(folder.clone());
        Self { store: Store::create(&place).await.expect("made"), place, folder, database: None }
    }

    async fn on_server() -> Option<Self> {
        let database = Database::new()?;
        let place: Place = database.url().parse().expect("a URL");
        let store = Store::create(&place).await.expect("made");
        Some(Self { store, place, folder: PathBuf::new(), database: Some(database) })
    }

    async fn ledger(&self, slug: &str) -> LedgerRow {
        let id = self.store.create_ledger(&format!("test.example/{slug}"), slug).await.expect("made");
        self.store.ledger(id).await.expect("it is there")
    }

    async fn end(self) {
        self.store.close().await;
        if self.database.is_none() {
            std::fs::remove_dir_all(&self.folder).expect("removed");
        }
    }
}

/// Runs a test on each store.
macro_rules! on_each_store {
    ($($name:ident),+ $(,)?) => {
        mod in_a_folder {
            $(#[tokio::test]
            async fn $name() {
                let kept = super::Kept::in_folder(stringify!($name)).await;
                super::$name(&kept).await;
                kept.end().await;
            })+
        }

        mod on_a_server {
            $(#[tokio::test]
            async fn $name() {
                if let Some(kept) = super::Kept::on_server().await {
                    super::$name(&kept).await;
                    kept.end().await;
                }
            })+
        }
    };
}

on_each_store!(
    a_batch_is_there_whole_or_not_at_all,
    the_head_is_the_lock,
    ledgers_do_not_see_each_other,
    positions_are_found_by_their_span,
    what_is_derived_is_replaced_as_a_whole,
    tiles_are_those_of_the_leaves_filled_or_not,
    what_stands_beside_the_log_is_kept,
    entries_cannot_be_changed,
    a_store_is_opened_again_as_it_was,
);

fn hash(number: u64) -> Hash {
    Hash::of(&[&number.to_be_bytes()])
}

fn span(from: u64, to: u64) -> Span {
    Span::new(from, to).expect("an interval")
}

/// A batch of entries that each bring in ten positions of line 0.
fn batch(row: &LedgerRow, entries: u64) -> Batch {
    let numbers = row.size..row.size + entries;
    let entry = |seq: u64| EntryRow {
        seq,
        leaf: hash(seq),
        key_hash: 1_000 + i64::try_from(seq).expect("small"),
        payload_hash: 7,
        reference_hash: 2_000 + i64::try_from(seq).expect("small"),
        order_hash: 3_000,
        bytes: format!("entry {seq}").into_bytes(),
    };
    let brought =
        |seq: u64| SpanRow { line_id: 0, op: 0, span: span(seq * 10, seq * 10 + 10), seq, place: 0, of_seq: -1 };
    let end = row.size + entries;
    Batch {
        ledger_id: row.ledger_id,
        size_before: row.size,
        entries: numbers.clone().map(entry).collect(),
        spans: numbers.clone().map(brought).collect(),
        lines: if row.size == 0 { vec![(0, "f/CNY".into())] } else { Vec::new() },
        runs: vec![RunRow { line_id: 0, span: span(0, end * 10), state: State::Free }],
        subjects: vec![SubjectRow { area: "fund", id: "f".into(), doc: format!("{end}").into_bytes() }],
        vault: numbers.map(|seq| VaultRow { seq, person: seq + 1, sealed: vec![1, 2], wrapped: vec![3] }).collect(),
        codes: vec![("receipt", hash(end), end.to_string())],
        last_before: row.last,
        last: hash(end - 1),
        at_millis: 1_772_000_000_000,
        peaks: vec![hash(end)],
        ..Batch::default()
    }
}

async fn a_batch_is_there_whole_or_not_at_all(kept: &Kept) {
    let store = &kept.store;
    let row = kept.ledger("whole").await;
    store.commit(batch(&row, 300)).await.expect("written");
    let row = store.ledger(row.ledger_id).await.expect("read");
    assert_eq!((row.size, row.last, row.at_millis), (300, hash(299), Some(1_772_000_000_000)));
    assert_eq!(row.peaks, [hash(300)]);
    let id = row.ledger_id;
    let entries = store.entries(id, 298, 10).await.expect("read");
    assert_eq!(entries.iter().map(|entry| entry.bytes.as_slice()).collect::<Vec<_>>(), [b"entry 298", b"entry 299"]);
    assert_eq!(store.leaves(id, 1, 3).await.expect("read"), [hash(1), hash(2)]);
    assert_eq!(store.entry(id, 300).await.expect("read"), None);
    let keys = store.keys(id, 299, 5).await.expect("read");
    assert_eq!((keys.len(), keys[0].key_hash, keys[0].reference_hash), (1, 1_299, 2_299));
    assert_eq!(store.entries_by_order(id, 3_000).await.expect("read").len(), 300);
    assert_eq!(store.latest_person(id).await.expect("read"), 300);
    assert_eq!(store.code(id, "receipt", hash(300)).await.expect("read"), Some("300".into()));
    assert_eq!(store.subject(id, "fund", "f").await.expect("read"), Some(b"300".to_vec()));
    let page = store.log(id, 297, 100).await.expect("read");
    let rows: Vec<_> = page.rows().collect::<Result<_, _>>().expect("whole");
    assert_eq!((rows.len(), rows[2].bytes, rows[2].hashes), (3, &b"entry 299"[..], [1_299, 7, 2_299, 3_000]));
    assert_eq!(
        rows[2].sealed.map(|sealed| (sealed.person, sealed.sealed, sealed.wrapped)),
        Some((300, &[1, 2][..], &[3][..]))
    );
    // One bad row, and nothing of the batch is there.
    let mut bad = batch(&row, 5);
    bad.lines = vec![(0, "again/CNY".into())];
    assert!(store.commit(bad).await.is_err());
    let after = store.ledger(id).await.expect("read");
    assert_eq!((after.size, store.entry(id, 300).await.expect("read")), (300, None));
    assert_eq!(store.code(id, "receipt", hash(305)).await.expect("read"), None);
    store.commit(batch(&row, 5)).await.expect("the store works on");
}

async fn the_head_is_the_lock(kept: &Kept) {
    let store = &kept.store;
    let row = kept.ledger("lock").await;
    store.commit(batch(&row, 1)).await.expect("written");
    let late = store.commit(batch(&row, 2)).await;
    assert!(matches!(late, Err(StoreError::HeadMoved)), "{late:?}");
    let row = store.ledger(row.ledger_id).await.expect("read");
    // As long as another history, but not this one.
    let other = Batch { last_before: hash(99), ..batch(&row, 1) };
    assert!(matches!(store.commit(other).await, Err(StoreError::HeadMoved)));
    let held = store.hold(row.ledger_id, row.size, 10).await.expect("held");
    assert_eq!(held.row(), &row);
    held.commit(batch(&row, 3)).await.expect("written");
    let row = store.ledger(row.ledger_id).await.expect("read");
    assert_eq!(row.size, 4);
    drop(store.hold(row.ledger_id, row.size, 10).await.expect("held"));
    store.commit(batch(&row, 1)).await.expect("nobody holds it any more");
}

async fn ledgers_do_not_see_each_other(kept: &Kept) {
    let store = &kept.store;
    let (one, two) = (kept.ledger("one").await, kept.ledger("two").await);
    store.commit(batch(&one, 10)).await.expect("written");
    store.commit(batch(&two, 3)).await.expect("written");
    let sizes: Vec<u64> = store.ledgers().await.expect("read").iter().map(|row| row.size).collect();
    assert_eq!(sizes, [10, 3]);
    assert_eq!(store.entries(two.ledger_id, 0, 100).await.expect("read").len(), 3);
    assert_eq!(store.code(two.ledger_id, "receipt", hash(10)).await.expect("read"), None);
    assert_eq!(store.subject(two.ledger_id, "fund", "f").await.expect("read"), Some(b"3".to_vec()));
    assert_eq!(store.strays(two.ledger_id, 3).await.expect("read"), (0, 0, 1));
    assert!(store.create_ledger("test.example/one", "other").await.is_err(), "an origin is there once");
}

async fn positions_are_found_by_their_span(kept: &Kept) {
    let store = &kept.store;
    let row = kept.ledger("spans").await;
    let id = row.ledger_id;
    let mut first = batch(&row, 10);
    first.spans.push(SpanRow { line_id: 0, op: 2, span: span(15, 25), seq: 9, place: 1, of_seq: -1 });
    first.runs = vec![
        RunRow { line_id: 0, span: span(0, 15), state: State::Free },
        RunRow { line_id: 0, span: span(15, 25), state: State::Spent { by: 9 } },
        RunRow { line_id: 0, span: span(25, 100), state: State::Free },
    ];
    store.commit(first).await.expect("written");
    let runs = store.runs_in(id, 0, span(20, 26)).await.expect("read");
    assert_eq!(
        runs.iter().map(|run| (run.span, run.state)).collect::<Vec<_>>(),
        [(span(15, 25), State::Spent { by: 9 }), (span(25, 100), State::Free)]
    );
    let inflows: Vec<u64> =
        store.inflows_in(id, 0, span(19, 31)).await.expect("read").iter().map(|row| row.seq).collect();
    assert_eq!(inflows, [1, 2, 3]);
    assert_eq!(store.posts_until(id, 0, span(16, 17), 10).await.expect("read").len(), 2);
    assert_eq!(store.posts_until(id, 0, span(16, 17), 9).await.expect("read").len(), 1);
    // A run that is gone, and one that grew.
    let row = store.ledger(id).await.expect("read");
    let next = Batch {
        gone: vec![(0, 15), (0, 25)],
        runs: vec![RunRow { line_id: 0, span: span(0, 110), state: State::Free }],
        ..batch(&row, 1)
    };
    store.commit(next).await.expect("written");
    assert_eq!(store.runs(id, 0).await.expect("read").len(), 1);
    let page = store.spans(id, None, 5).await.expect("read");
    let rows: Vec<_> = page.rows().collect::<Result<_, _>>().expect("whole");
    assert_eq!(rows.len(), 5);
    let rest = store.spans(id, rows.last().copied(), 100).await.expect("read");
    assert_eq!(rest.rows().count(), 7);
    assert_eq!(store.entries_of_lines(id, (0, 1), 9, 11, 5).await.expect("read").len(), 2);
}

async fn what_is_derived_is_replaced_as_a_whole(kept: &Kept) {
    let store = &kept.store;
    let row = kept.ledger("derived").await;
    let id = row.ledger_id;
    store.commit(batch(&row, 4)).await.expect("written");
    let projection = Projection {
        lines: vec![(0, "g/CNY".into())],
        spans: vec![SpanRow { line_id: 0, op: 0, span: span(0, 40), seq: 0, place: 0, of_seq: -1 }],
        runs: vec![RunRow { line_id: 0, span: span(0, 40), state: State::Void { by: 0 } }],
        subjects: vec![SubjectRow { area: "case", id: "c".into(), doc: b"c".to_vec() }],
    };
    store.replace_projection(id, &projection).await.expect("replaced");
    assert_eq!(store.lines(id).await.expect("read"), [(0, "g/CNY".to_owned())]);
    assert_eq!(store.runs(id, 0).await.expect("read")[0].state, State::Void { by: 0 });
    assert_eq!(store.subject(id, "fund", "f").await.expect("read"), None);
    assert_eq!(store.subjects(id, "case").await.expect("read"), [("c".to_owned(), b"c".to_vec())]);
    let after = store.ledger(id).await.expect("read");
    assert_eq!((after.size, after.last), (4, hash(3)), "the log is as it was");
}

async fn tiles_are_those_of_the_leaves_filled_or_not(kept: &Kept) {
    let store = &kept.store;
    let id = kept.ledger("tiles").await.ledger_id;
    for (size, fills) in [(100, true), (700, false), (1_000, true), (66_000, false), (66_000, true), (66_500, true)] {
        let mut row = store.ledger(id).await.expect("read");
        while row.size < size {
            store.commit(batch(&row, (size - row.size).min(10_000))).await.expect("written");
            row = store.ledger(id).await.expect("read");
        }
        let leaves: Vec<Hash> = (0..size).map(hash).collect();
        let tree = Tree::of(store, id, size);
        if fills {
            assert_eq!(tree.fill().await.expect("filled"), size / 256 * 256);
        }
        for index in [0, 255, 256, size / 2, size - 1] {
            let expected = merkle::inclusion_proof(leaves.as_slice(), index, size).expect("in the tree");
            assert_eq!(tree.inclusion(index).await.expect("read"), expected, "{index} of {size}");
        }
        for old in [0, 1, 300, size, size + 1] {
            let expected = merkle::consistency_proof(leaves.as_slice(), old, size).expect("in the tree");
            assert_eq!(tree.consistency(old).await.expect("read"), expected, "{old} of {size}");
        }
        let parents: Vec<Hash> = leaves.chunks_exact(256).map(tile::root_of).collect();
        for (content, hashes) in [(Content::Hashes(0), &leaves), (Content::Hashes(1), &parents)] {
            for (tile, hashes) in content.tiles(size).zip(hashes.chunks(256)) {
                assert_eq!(tree.tile(tile).await.expect("read"), Some(tile::hashes_to_bytes(hashes)), "{tile}");
            }
        }
        let last = Content::Entries.tiles(size).last().expect("one at least");
        let bundle = tree.tile(last).await.expect("read").expect("there");
        let newest = format!("entry {}", size - 1).into_bytes();
        assert_eq!(tile::entries_of(&bundle).expect("whole").last(), Some(&newest.as_slice()));
        assert_eq!(tree.tile(Tile { index: last.index + 1, ..last }).await.expect("read"), None);
    }
    // What another node has filled meanwhile does no harm: each fills what follows from what it finds.
    let fresh = Tree::of(store, id, 66_560);
    let row = store.ledger(id).await.expect("read");
    store.commit(batch(&row, 60)).await.expect("written");
    let (one, two) = tokio::join!(fresh.fill(), fresh.fill());
    assert_eq!((one.expect("filled"), two.expect("filled")), (66_560, 66_560));
    let parents = store.tile(id, 1, 1).await.expect("read").expect("there");
    assert_eq!(parents.len(), 4);
}

async fn what_stands_beside_the_log_is_kept(kept: &Kept) {
    let store = &kept.store;
    let id = kept.ledger("beside").await.ledger_id;
    store.put_staff(id, "u_2", "Zhang").await.expect("kept");
    store.put_staff(id, "u_1", "李").await.expect("kept");
    let staff = store.staff(id).await.expect("read");
    assert_eq!(staff, [("u_2".to_owned(), "Zhang".to_owned()), ("u_1".to_owned(), "李".to_owned())]);
    store.put_role(id, "u_1", "clerk").await.expect("kept");
    store.put_role(id, "u_1", "clerk").await.expect("twice is once");
    assert_eq!(store.roles(id).await.expect("read").len(), 1);
    store.remove_role(id, "u_1", "clerk").await.expect("removed");
    assert!(store.roles(id).await.expect("read").is_empty());
    for (size, note) in [(9, "nine"), (100, "hundred"), (9, "nine")] {
        store.put_checkpoint(id, size, note).await.expect("kept");
    }
    assert_eq!(store.latest_checkpoint(id).await.expect("read"), Some((100, "hundred".into())));
    assert_eq!(store.checkpoints(id).await.expect("read").len(), 2);
    store.put_code(id, "token", hash(1), "u_1 all").await.expect("kept");
    store.put_code(id, "token", hash(2), "u_12 all").await.expect("kept");
    assert_eq!(store.remove_codes(id, "token", "u_1 ").await.expect("removed"), 1);
    assert_eq!(store.code(id, "token", hash(2)).await.expect("read"), Some("u_12 all".into()));
    let text = |text: &str| text.to_owned();
    let channel = ChannelRow {
        name: text("wechat"),
        secret_id: text("w_1"),
        staff_id: text("u_1"),
        account: text("wallet/a"),
        fund: text("f"),
    };
    store.put_channel(id, &channel).await.expect("kept");
    assert!(store.put_channel(id, &channel).await.is_err(), "a name is there once");
    assert_eq!(store.channels(id).await.expect("read"), [channel]);
    store.remove_channel(id, "wechat").await.expect("removed");
    assert!(store.channels(id).await.expect("read").is_empty());
    let mut row = SubscriptionRow {
        secret_id: text("s_1"),
        url: text("https://x.example/"),
        kinds: String::new(),
        next_seq: 0,
        failures: 0,
        try_at: 0,
        trouble: String::new(),
    };
    store.put_subscription(id, &row).await.expect("kept");
    row.next_seq = 5;
    store.move_subscription(id, &row).await.expect("moved");
    assert_eq!(store.subscriptions(id).await.expect("read")[0].next_seq, 5);
    store.remove_subscription(id, "s_1").await.expect("removed");
    store.move_subscription(id, &row).await.expect("nothing is there");
    assert!(store.subscriptions(id).await.expect("read").is_empty());
}

async fn entries_cannot_be_changed(kept: &Kept) {
    let row = kept.ledger("fixed").await;
    kept.store.commit(batch(&row, 2)).await.expect("written");
    for statement in ["update entry set bytes = leaf", "delete from entry"] {
        let refused = match &kept.database {
            Some(database) => std::thread::scope(|scope| scope.spawn(|| database.execute(statement)).join().is_err()),
            None => {
                let url = format!("sqlite://{}", kept.folder.join("mingzhang.db").display());
                let pool = sqlx::SqlitePool::connect(&url).await.expect("opened");
                sqlx::query(statement).execute(&pool).await.is_err()
            }
        };
        assert!(refused, "{statement}");
    }
    assert_eq!(kept.store.entries(row.ledger_id, 0, 9).await.expect("read").len(), 2);
}

async fn a_store_is_opened_again_as_it_was(kept: &Kept) {
    let row = kept.ledger("again").await;
    kept.store.commit(batch(&row, 7)).await.expect("written");
    let again = Store::open(&kept.place).await.expect("opened");
    assert_eq!(again.ledger(row.ledger_id).await.expect("read").size, 7);
    let reading = Store::open_for_reading(&kept.place).await.expect("opened");
    assert_eq!(reading.entries(row.ledger_id, 0, 100).await.expect("read").len(), 7);
    again.close().await;
    reading.close().await;
}

#[tokio::test]
async fn a_database_of_a_later_version_is_refused_and_left_as_it_is() {
    let Some(kept) = Kept::on_server().await else { return };
    let row = kept.ledger("later").await;
    kept.store.commit(batch(&row, 2)).await.expect("written");
    let database = kept.database.as_ref().expect("it has one");
    database.execute(
        "insert into _sqlx_migrations (version, description, installed_on, success, checksum, execution_time)
         values (9999, 'later', now(), true, '\\x00', 0)",
    );
    let opened = Store::open(&kept.place).await;
    assert!(matches!(opened, Err(StoreError::Migrate(_))), "{opened:?}");
    // It can still be looked at.
    let reading = Store::open_for_reading(&kept.place).await.expect("opened");
    assert_eq!(reading.entries(row.ledger_id, 0, 9).await.expect("read").len(), 2);
    reading.close().await;
    kept.end().await;
}
