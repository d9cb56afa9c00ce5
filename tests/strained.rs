//! A server of PostgreSQL that answers, but not as it should: it waits, gives up, is being upgraded, holds another history.

use crate::books::Books;
use crate::served::{Answer, Served};
use mingzhang::app::folder::Folder;
use mingzhang::app::writer::{self, ClockTrust, Handle, Submission};
use mingzhang::clock::Clock;
use mingzhang::domain::command::Order;
use mingzhang::values::{AccountId, FundId, StaffId, Timestamp};
use serde_json::json;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// A ledger with a fund and an account, served, and a token of the clerk.
fn served(books: Books) -> (Served, String) {
    let books = books.open();
    books.does("fund open --id general --type unrestricted --name-zh 日常 --name-en General");
    books.does("account open wallet/a --fund general");
    let token = books.does("user token admin")["token"].as_str().expect("a token").to_owned();
    (Served::of(books), token)
}

/// Posts the gift of a number, under a key of its own.
fn post(site: &Served, token: &str, number: u32) -> Answer {
    let (bearer, key) = (format!("Bearer {token}"), format!("k-{number}"));
    let body = json!({"fund": "general", "amount": 100, "order_no": format!("A-{number}")}).to_string();
    site.send("POST", "/api/v1/donations", &[("authorization", &bearer), ("idempotency-key", &key)], &body)
}

/// Has the database give up statements that write entries, as many as `times`, for the reason of an error code.
fn give_up(books: &Books, code: &str, times: u32) {
    books.database().expect("it has one").execute(&format!(
        "create sequence given_up;
         create function give_up() returns trigger language plpgsql as $$
         begin
           -- A sequence counts on where a transaction is given up.
           if nextval('given_up') <= {times} then raise exception 'given up' using errcode = '{code}'; end if;
           return null;
         end $$;
         create trigger give_up after insert on entry for each statement execute function give_up()"
    ));
}

/// The ledger is whole, and holds so many gifts.
fn check(books: &Books, gifts: usize) {
    let verdict = books.does("verify");
    assert_eq!(verdict["ok"], true, "{verdict}");
    assert_eq!(books.does("donation list --last 100")["donations"].as_array().map(Vec::len), Some(gifts));
}

#[test]
fn what_the_server_gave_up_for_another_s_sake_is_tried_again() {
    for code in ["40001", "40P01"] {
        let Some(books) = Books::on_server() else { return };
        let (site, token) = served(books);
        give_up(&site.books, code, 1);
        for number in 0..3 {
            let answer = post(&site, &token, number);
            assert_eq!(answer.status, 201, "{code}: {}", answer.body);
        }
        check(&site.stop(), 3);
    }
    // A server that gives up each time is told of, not asked for ever.
    let Some(books) = Books::on_server() else { return };
    let (site, token) = served(books);
    give_up(&site.books, "40P01", 1_000);
    assert_eq!(post(&site, &token, 0).status, 503);
    site.books.database().expect("it has one").execute("drop trigger give_up on entry");
    assert_eq!(post(&site, &token, 0).status, 201);
    check(&site.stop(), 1);
}

#[test]
fn a_full_disk_of_the_server_is_told_and_nothing_is_lost() {
    let Some(books) = Books::on_server() else { return };
    let (site, token) = served(books);
    assert_eq!(post(&site, &token, 0).status, 201);
    give_up(&site.books, "53100", 1);
    let full = post(&site, &token, 1);
    assert_eq!(full.status, 503, "{}", full.body);
    assert_eq!((post(&site, &token, 0).status, post(&site, &token, 1).status), (200, 201));
    check(&site.stop(), 2);
}

#[test]
fn a_statement_that_takes_too_long_is_given_up_and_the_retry_posts_once() {
    let Some(books) = Books::on_server_with("options[statement_timeout]=500ms") else { return };
    let (site, token) = served(books);
    assert_eq!(post(&site, &token, 0).status, 201);
    let stuck = site.books.database().expect("it has one").begin("lock table entry in access exclusive mode");
    let began = Instant::now();
    let answer = post(&site, &token, 1);
    assert_eq!(answer.status, 503, "{}", answer.body);
    assert!(began.elapsed() < Duration::from_secs(8), "the setting of the URL holds: {:?}", began.elapsed());
    drop(stuck);
    assert_eq!(post(&site, &token, 1).status, 201);
    assert_eq!((post(&site, &token, 1).status, post(&site, &token, 0).status), (200, 200));
    check(&site.stop(), 2);
}

#[test]
fn a_node_whose_connections_all_wait_answers_and_goes_on() {
    let Some(books) = Books::on_server() else { return };
    let (site, token) = served(books);
    assert_eq!(post(&site, &token, 0).status, 201);
    // Each reader waits for the table ten seconds long; the others wait for a connection.
    let stuck = site.books.database().expect("it has one").begin("lock table entry in access exclusive mode");
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..24).map(|_| scope.spawn(|| site.get("/api/v1/entries"))).collect();
        let writers: Vec<_> = (1..5)
            .map(|number| {
                let (site, token) = (&site, &token);
                scope.spawn(move || post(site, token, number))
            })
            .collect();
        std::thread::sleep(Duration::from_secs(1));
        let began = Instant::now();
        assert_eq!(site.get("/healthz").status, 200);
        assert!(began.elapsed() < Duration::from_secs(1), "who needs no database does not wait");
        for reader in readers {
            let answer = reader.join().expect("it answers");
            assert_eq!(answer.status, 503, "{}", answer.body);
        }
        drop(stuck);
        for writer in writers {
            let status = writer.join().expect("it answers").status;
            assert!([201, 503].contains(&status), "{status}");
        }
    });
    for number in 0..5 {
        let status = post(&site, &token, number).status;
        assert!([200, 201].contains(&status), "{status}");
    }
    check(&site.stop(), 5);
}

#[test]
fn a_connection_that_gave_up_waiting_for_the_lock_is_not_used_again() {
    let Some(books) = Books::on_server_with("options[lock_timeout]=300ms") else { return };
    let (site, token) = served(books);
    assert_eq!(post(&site, &token, 0).status, 201);
    for round in 1..4 {
        let underway = site.books.database().expect("it has one").begin("select 1 from ledger for update");
        assert_eq!(post(&site, &token, round).status, 503);
        drop(underway);
        let after = post(&site, &token, round);
        assert_eq!(after.status, 201, "round {round}: {}", after.body);
    }
    check(&site.stop(), 4);
}

#[test]
fn a_migration_that_was_killed_is_done_by_the_next_start() {
    let Some(books) = Books::on_server() else { return };
    // Somebody makes a table of the last migration, so the program waits in the middle of it.
    let underway = books.database().expect("it has one").begin("create table node (waits int)");
    let init = ["init", "--origin", "test.example/books", "--name-zh", "测试", "--name-en", "Test"];
    let mut child = books.command(&init).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it runs");
    std::thread::sleep(Duration::from_secs(2));
    assert!(child.try_wait().expect("asked").is_none(), "it waits");
    child.kill().expect("SIGKILL is sent");
    child.wait().expect("it has ended");
    drop(underway);
    let (site, token) = served(books);
    assert_eq!(post(&site, &token, 0).status, 201);
    check(&site.stop(), 1);
}

#[test]
fn a_running_node_posts_nothing_on_a_history_that_was_put_in_the_place_of_its_own() {
    let Some(books) = Books::on_server() else { return };
    let (site, token) = served(books);
    assert_eq!(post(&site, &token, 0).status, 201);
    let size = site.get("/api/v1/ledger").json()["size"].clone();
    let database = site.books.database().expect("it has one");
    // As long as its own, and another from the last entry on.
    let swap = "alter table entry disable trigger all;
         update entry set leaf = sha256(leaf) where seq = (select max(seq) from entry);
         update ledger set last_leaf = (select leaf from entry order by seq desc limit 1);
         alter table entry enable trigger all";
    database.execute(&format!("create table was as select * from entry; {swap}"));
    for number in 1..4 {
        let answer = post(&site, &token, number);
        assert_eq!(answer.status, 503, "{}", answer.body);
    }
    assert_eq!(site.get("/api/v1/ledger").json()["size"], size);
    database.execute(
        "alter table entry disable trigger all;
         update entry set leaf = (select leaf from was where was.seq = entry.seq);
         update ledger set last_leaf = (select leaf from entry order by seq desc limit 1);
         alter table entry enable trigger all; drop table was",
    );
    assert_eq!(post(&site, &token, 1).status, 201);
    check(&site.stop(), 2);
}

/// A writer on a node whose clock is off by so much.
async fn node(folder: Folder, clock_off: Duration) -> Handle {
    let now = Clock::new().now().millis() + i64::try_from(clock_off.as_millis()).expect("small");
    let clock = Clock::fixed(Timestamp::from_millis(now).expect("a time"));
    let opened = folder.open(None).await.expect("opened");
    let lock = folder.lock().await.expect("its own folder");
    writer::start(opened, lock, clock, ClockTrust::Checked).await.expect("it starts")
}

#[tokio::test]
async fn a_node_whose_clock_is_five_minutes_off_keeps_the_order_of_times() {
    let Some(books) = Books::on_server() else { return };
    let books = books.open();
    books.does("fund open --id general --type unrestricted --name-zh 日常 --name-en General");
    let user = books.does("user list")["users"][0]["user"].as_str().expect("an id").to_owned();
    let other = books.node();
    let right = node(books.as_folder(), Duration::ZERO).await;
    let ahead = node(other.as_folder(), Duration::from_secs(300)).await;
    let user = StaffId::parse(&user).expect("an id");
    for number in 0..6 {
        let handle = if number % 2 == 0 { &right } else { &ahead };
        let account = AccountId::parse(&format!("bank/{number}")).expect("an id");
        let funds = vec![FundId::parse("general").expect("an id")];
        let order = Order::OpenAccount { account, funds };
        let told = handle.post(vec![Submission::bare(&user, order)]).await.expect("written");
        assert!(told.iter().all(Result::is_ok), "{told:?}");
    }
    right.finish().await.expect("signed");
    ahead.finish().await.expect("signed");
    // Times that went back would be a bad entry.
    assert_eq!(books.does("verify")["ok"], true);
}
