//! The writer by itself: what it forgets it reads again, and posts the same bytes.

use mingzhang::app::folder::{Folder, Opened};
use mingzhang::app::gift::{Gift, submission};
use mingzhang::app::writer::{self, ClockTrust, Submission};
use mingzhang::clock::Clock;
use mingzhang::domain::command::{OpenCase, OpenLedger, Order, RequestDisbursement};
use mingzhang::domain::vocabulary::{Category, FeeOnRefund, PayeeClass, ReasonClass, Source, Use};
use mingzhang::entropy::Entropy;
use mingzhang::ledger::chain::Head;
use mingzhang::store::Store;
use mingzhang::values::{AccountId, Amount, CaseId, Day, FundId, Hash, Origin, StaffId, Timestamp, Unit};

fn yuan(minor: i64) -> Amount {
    Amount::new(minor, Unit::CNY).expect("small")
}

/// Posts a year of a small fund with a writer that keeps so many rows in memory; gives where the log ends.
async fn post_all(memory: usize) -> (u64, Hash) {
    let path = std::env::temp_dir().join(format!("mingzhang-writer-{}-{memory}", std::process::id()));
    let folder = Folder::new(&path);
    folder.make().expect("a folder of our own");
    let lock = folder.lock().await.expect("nobody else writes");
    let store = Store::create(folder.path()).await.expect("a database");
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
    let handle = writer::start_with_memory(opened, lock, clock, ClockTrust::Accepted, memory).await.expect("it starts");
    let on = Day::parse("2026-02-01").expect("given");
    let (fund, account) = (FundId::parse("f").expect("given"), AccountId::parse("bank/1").expect("given"));
    let case = CaseId::parse("c").expect("given");
    let open = OpenLedger {
        name_zh: "测试".into(),
        name_en: "Test".into(),
        uscc: None,
        time_zone: "Asia/Shanghai".into(),
        vkey,
    };
    let open_case = OpenCase {
        case: case.clone(),
        fund: fund.clone(),
        categories: vec![Category::Health],
        region_zh: "测试市".into(),
        region_en: "Test".into(),
        on,
    };
    let post = async |by: &StaffId, order: Order| {
        let result = handle.post(vec![Submission::bare(by, order)]).await.expect("written").remove(0);
        result.expect("accepted").seq
    };
    post(&maker, Order::OpenLedger(open)).await;
    post(&maker, Order::OpenCase(open_case)).await;
    post(&maker, Order::OpenAccount { account: account.clone(), funds: vec![fund.clone()] }).await;
    post(&maker, Order::AssessCase { case: case.clone(), need: yuan(1), on }).await;
    post(&checker, Order::ApproveCase { case: case.clone(), limit: None, on }).await;
    let mut gifts = Vec::new();
    for number in 0..40 {
        let gift = Gift {
            fund: fund.clone(),
            account: account.clone(),
            gross: yuan(1_000 + number),
            fee: (number % 3 == 0).then(|| yuan(6)),
            source: Source::Wechat,
            gift_count: None,
            on,
            order_no: format!("N{number}"),
            name: Some("张小明".into()),
            contact: None,
            memo: None,
        };
        let made = submission(origin.as_str(), &maker, gift, &mut entropy).expect("canonical");
        gifts.push(handle.post(vec![made]).await.expect("written").remove(0).expect("accepted").seq);
        if number % 5 == 4 {
            let request = RequestDisbursement {
                case: case.clone(),
                fund: None,
                amount: yuan(3_000),
                purpose: Use::Hospital,
                payee_class: PayeeClass::Hospital,
                payee: None,
                vouchers: 1,
                on,
            };
            let request = post(&maker, Order::RequestDisbursement(request)).await;
            post(&checker, Order::ApproveDisbursement { request, on }).await;
            let paid = post(&maker, Order::PayDisbursement { request, account: account.clone(), on }).await;
            match number % 3 {
                0 => {
                    post(&maker, Order::ReturnDisbursement { request, amount: Some(yuan(700)), account: None, on })
                        .await;
                }
                1 => {
                    post(&maker, Order::Reverse { target: paid, reason: ReasonClass::Other, on }).await;
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
    post(&maker, refund).await;
    handle.finish().await.expect("signed");
    let row = folder.open(None).await.expect("it opens").row;
    let head: (u64, Hash) = (row.size, row.last);
    let verdict = mingzhang::app::verify::verify(&folder, None, |_, _| ()).await.expect("it reads");
    assert_eq!((verdict.first_bad, verdict.entries, verdict.opened), (None, head.0, 40));
    std::fs::remove_dir_all(&path).expect("removed");
    assert_ne!(Head::default().last, head.1);
    head
}

#[tokio::test]
async fn a_writer_that_forgets_after_each_batch_posts_the_same_bytes() {
    assert_eq!(post_all(0).await, post_all(usize::MAX).await);
}
