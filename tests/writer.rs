//! The writer by itself: what it forgets it reads again, and posts the same bytes.

use mingzhang::app::folder::Folder;
use mingzhang::app::gift::{Gift, fresh, submission};
use mingzhang::app::opened::Opened;
use mingzhang::app::writer::{self, ClockTrust, Handle, Submission, WriteError};
use mingzhang::clock::Clock;
use mingzhang::domain::command::{OpenCase, OpenLedger, Order, RequestDisbursement};
use mingzhang::domain::vocabulary::{Category, FeeOnRefund, PayeeClass, ReasonClass, Source, Use};
use mingzhang::entropy::Entropy;
use mingzhang::ledger::chain::Head;
use mingzhang::store::Store;
use mingzhang::values::{AccountId, Amount, CaseId, Day, FundId, Hash, Origin, StaffId, Timestamp, Unit};
use std::path::PathBuf;
use std::time::Duration;
use tokio::task::JoinSet;

fn yuan(minor: i64) -> Amount {
    Amount::new(minor, Unit::CNY).expect("small")
}

/// A ledger of its own with a fund, an account and an approved case, and its writer.
struct Started {
    path: PathBuf,
    folder: Folder,
    handle: Handle,
    entropy: Entropy,
    origin: Origin,
    maker: StaffId,
    checker: StaffId,
    case: CaseId,
    on: Day,
}

impl Started {
    /// With a writer that keeps so many rows in memory.
    async fn new(name: &str, memory: usize) -> Self {
        let path = std::env::temp_dir().join(format!("mingzhang-writer-{}-{name}", std::process::id()));
        let folder = Folder::new(&path);
        folder.make().expect("a folder of our own");
        let lock = folder.lock().await.expect("nobody else writes");
        let store = Store::create(folder.place()).await.expect("a database");
        let origin = Origin::parse("test.example/books").expect("given");
        let mut entropy = Entropy::seeded(7);
        let keys = folder.make_keys(&origin, &mut entropy).expect("keys");
        let vkey = keys.log.verifier().to_string();
        let ledger_id = store.create_ledger(origin.as_str(), origin.slug()).await.expect("a ledger");
        let (maker, checker) = (StaffId::parse("maker").expect("given"), StaffId::parse("checker").expect("given"));
        for (staff, role) in [(&maker, "clerk"), (&maker, "admin"), (&checker, "checker")] {
            store.put_role(ledger_id, staff.as_str(), role).await.expect("a role");
        }
        let row = folder.find(&store, None).await.expect("it is there");
        let clock = Clock::fixed(Timestamp::from_millis(1_772_000_000_000).expect("a time"));
        let opened = Opened { folder: folder.clone(), store, row, keys };
        let handle = writer::start_with_memory(opened, lock, clock, ClockTrust::Accepted, memory).await;
        let handle = handle.expect("it starts");
        let on = Day::parse("2026-02-01").expect("given");
        let case = CaseId::parse("c").expect("given");
        let started = Self { path, folder, handle, entropy, origin, maker, checker, case, on };
        let open = OpenLedger {
            name_zh: "测试".into(),
            name_en: "Test".into(),
            uscc: None,
            time_zone: "Asia/Shanghai".into(),
            vkey,
            continues: None,
        };
        let open_case = OpenCase {
            case: started.case.clone(),
            fund: fund(),
            categories: vec![Category::Health],
            region_zh: "测试市".into(),
            region_en: "Test".into(),
            on,
        };
        started.post(&started.maker, Order::OpenLedger(open)).await;
        started.post(&started.maker, Order::OpenCase(open_case)).await;
        started.post(&started.maker, Order::OpenAccount { account: account(), funds: vec![fund()] }).await;
        started.post(&started.maker, Order::AssessCase { case: started.case.clone(), need: yuan(1), on }).await;
        started.post(&started.checker, Order::ApproveCase { case: started.case.clone(), limit: None, on }).await;
        started
    }

    async fn post(&self, by: &StaffId, order: Order) -> u64 {
        let result = self.handle.post(vec![Submission::bare(by, order)]).await.expect("written").remove(0);
        result.expect("accepted").seq
    }

    /// A gift with a number of its own.
    fn gift(&mut self, number: i64) -> Submission {
        let gift = Gift {
            fund: fund(),
            account: account(),
            gross: yuan(1_000 + number),
            fee: (number % 3 == 0).then(|| yuan(6)),
            source: Source::Wechat,
            gift_count: None,
            on: self.on,
            order_no: format!("N{number}"),
            name: Some("张小明".into()),
            contact: None,
            memo: None,
        };
        submission(self.origin.as_str(), &self.maker, gift, fresh(&mut self.entropy)).expect("canonical")
    }

    /// Ends the writer and verifies what it wrote; gives the head, and how many records of the vault opened.
    async fn finish(self) -> ((u64, Hash), u64) {
        self.handle.finish().await.expect("signed");
        let row = self.folder.open(None).await.expect("it opens").row;
        let verdict = mingzhang::app::verify::verify(&self.folder, None, |_, _| ()).await.expect("it reads");
        assert_eq!((verdict.first_bad, verdict.entries), (None, row.size));
        std::fs::remove_dir_all(&self.path).expect("removed");
        ((row.size, row.last), verdict.opened)
    }
}

fn fund() -> FundId {
    FundId::parse("f").expect("given")
}

fn account() -> AccountId {
    AccountId::parse("bank/1").expect("given")
}

/// Posts a year of a small fund with a writer that keeps so many rows in memory; gives where the log ends.
async fn post_all(memory: usize) -> (u64, Hash) {
    let mut started = Started::new(&format!("{memory}"), memory).await;
    let on = started.on;
    let mut gifts = Vec::new();
    for number in 0..40 {
        let made = started.gift(number);
        gifts.push(started.handle.post(vec![made]).await.expect("written").remove(0).expect("accepted").seq);
        if number % 5 == 4 {
            let request = RequestDisbursement {
                case: started.case.clone(),
                fund: None,
                amount: yuan(3_000),
                purpose: Use::Hospital,
                payee_class: PayeeClass::Hospital,
                payee: None,
                vouchers: 1,
                on,
            };
            let request = started.post(&started.maker, Order::RequestDisbursement(request)).await;
            started.post(&started.checker, Order::ApproveDisbursement { request, on }).await;
            let paid = started.post(&started.maker, Order::PayDisbursement { request, account: account(), on }).await;
            match number % 3 {
                0 => {
                    started
                        .post(
                            &started.maker,
                            Order::ReturnDisbursement { request, amount: Some(yuan(700)), account: None, on },
                        )
                        .await;
                }
                1 => {
                    started.post(&started.maker, Order::Reverse { target: paid, reason: ReasonClass::Other, on }).await;
                }
                _ => {}
            }
        }
    }
    let refund = Order::RefundDonation {
        donation: *gifts.last().expect("forty"),
        amount: Some(yuan(9)),
        fee: FeeOnRefund::Returned,
        reason: ReasonClass::DonorRequest,
        on,
    };
    started.post(&started.maker, refund).await;
    let (head, opened) = started.finish().await;
    assert_eq!(opened, 40);
    assert_ne!(Head::default().last, head.1);
    head
}

#[tokio::test]
async fn a_writer_that_forgets_after_each_batch_posts_the_same_bytes() {
    assert_eq!(post_all(0).await, post_all(usize::MAX).await);
}

/// Posts gifts by their numbers, all at once; gives those that were not written.
async fn post_at_once(started: &mut Started, numbers: Vec<i64>) -> Vec<i64> {
    let mut posting = JoinSet::new();
    for number in numbers {
        let made = Submission { key: Some((format!("k{number}"), number.to_string())), ..started.gift(number) };
        let handle = started.handle.clone();
        posting.spawn(async move { (number, handle.post(vec![made]).await) });
    }
    let done = posting.join_all().await;
    let lost = done.into_iter().filter_map(|(number, result)| match result {
        Ok(results) => {
            assert!(results.iter().all(Result::is_ok), "{results:?}");
            None
        }
        Err(_) => Some(number),
    });
    lost.collect()
}

/// The database, past the writer.
async fn database_of(started: &Started) -> sqlx::SqlitePool {
    let url = format!("sqlite://{}", started.path.join("mingzhang.db").display());
    sqlx::SqlitePool::connect(&url).await.expect("it opens")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_decided_on_a_batch_that_is_lost_is_lost_with_it() {
    let mut started = Started::new("lost", usize::MAX).await;
    let database = database_of(&started).await;
    // The first gift with a key has the writer read all keys.
    assert_eq!(post_at_once(&mut started, vec![101]).await, Vec::<i64>::new());
    let before = started.handle.size();
    assert_eq!(before, 7);
    let fails = "create trigger fails before insert on entry when new.seq = 7 begin select raise(abort, 'test'); end";
    sqlx::query(fails).execute(&database).await.expect("made");
    // One gift waits for the database, which somebody else holds; a hundred more, longer than the whole log, are decided meanwhile.
    let held = database.begin_with("begin immediate").await.expect("held");
    let (made, handle) = (started.gift(0), started.handle.clone());
    let first = tokio::spawn(async move { handle.post(vec![made]).await });
    tokio::time::sleep(Duration::from_millis(200)).await;
    let letting_go = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(500)).await;
        held.rollback().await
    });
    let lost = post_at_once(&mut started, (1..=100).collect()).await;
    letting_go.await.expect("no panic").expect("let go");
    assert!(first.await.expect("no panic").is_err());
    assert_eq!(lost.len(), 100);
    sqlx::query("drop trigger fails").execute(&database).await.expect("dropped");
    assert_eq!(post_at_once(&mut started, lost).await, Vec::<i64>::new());
    assert_eq!(post_at_once(&mut started, (1..=100).collect()).await, Vec::<i64>::new(), "the same keys again");
    let ((size, _), opened) = started.finish().await;
    assert_eq!((size, opened), (before + 100, 101), "each gift once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_refuses_at_once_and_keeps_what_it_took() {
    let mut started = Started::new("full", usize::MAX).await;
    let database = database_of(&started).await;
    // Somebody else holds the database: one batch waits for it, another is decided, and the rest waits in the queue.
    let held = database.begin_with("begin immediate").await.expect("held");
    let count = 2 * i64::try_from(writer::QUEUE_MAX).expect("small") + 100;
    let mut posting = JoinSet::new();
    for number in 0..count {
        let (made, handle) = (started.gift(number), started.handle.clone());
        posting.spawn(async move { (number, handle.post_now(vec![made]).await) });
    }
    let (number, first) = posting.join_next().await.expect("some").expect("no panic");
    assert!(matches!(first, Err(WriteError::Full)), "{first:?}");
    held.rollback().await.expect("let go");
    let mut refused = vec![number];
    for (number, result) in posting.join_all().await {
        match result {
            Ok(results) => assert!(results.iter().all(Result::is_ok), "{results:?}"),
            Err(WriteError::Full) => refused.push(number),
            Err(error) => panic!("{error}"),
        }
    }
    assert!(refused.len() < 5_000, "what was taken in is kept: {} refused", refused.len());
    assert_eq!(post_at_once(&mut started, refused).await, Vec::<i64>::new());
    let (_, opened) = started.finish().await;
    assert_eq!(i64::try_from(opened).expect("small"), count, "each gift once");
}
