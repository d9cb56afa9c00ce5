//! Several nodes of one ledger on one database: whoever is asked, the answer is the ledger's.

use crate::books::Books;
use crate::hammer::{check_told, hammer};
use crate::served::{Answer, Served};
use serde_json::{Value as Json, json};
use std::sync::RwLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A ledger with a fund and an account on two nodes, and a token of the clerk; nothing where there is no server.
fn two_nodes() -> Option<(Served, Served, String)> {
    let books = Books::on_server()?.open();
    books.does("fund open --id general --type unrestricted --name-zh 日常 --name-en General");
    books.does("account open wallet/a --fund general");
    let token = books.does("user token admin")["token"].as_str().expect("a token").to_owned();
    let node = books.node();
    Some((Served::of(books), Served::of(node), token))
}

fn gift(order_no: &str, amount: i64) -> Json {
    json!({"fund": "general", "amount": amount, "order_no": order_no})
}

fn keyed(site: &Served, token: &str, key: &str, body: &Json) -> Answer {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("idempotency-key", key)];
    site.send("POST", "/api/v1/donations", &headers, &body.to_string())
}

#[test]
fn what_one_node_posted_the_other_knows() {
    let Some((one, two, token)) = two_nodes() else { return };
    let first = keyed(&one, &token, "k-1", &gift("A-1", 5_000));
    assert_eq!(first.status, 201, "{}", first.body);
    let again = keyed(&two, &token, "k-1", &gift("A-1", 5_000));
    assert_eq!((again.status, &again.json()["donation"]), (200, &first.json()["donation"]), "the same key elsewhere");
    let repeated = two.post(&token, "/api/v1/donations", &gift("A-1", 5_000));
    assert_eq!((repeated.status, &repeated.json()["title"]), (409, &json!("reference repeated")));
    // Back and forth, each on what the other has just written.
    for round in 0..20 {
        let site = if round % 2 == 0 { &one } else { &two };
        assert_eq!(site.post(&token, "/api/v1/donations", &gift(&format!("B-{round}"), 100)).status, 201);
    }
    // A refusal is judged on what is there too: the case opened there takes money given here.
    let case =
        json!({"case": "c_1", "fund": "f_1", "categories": ["health"], "region_zh": "吴忠市", "region_en": "Wuzhong"});
    assert_eq!(two.post(&token, "/api/v1/cases", &case).status, 201);
    let transfer = |amount: i64| json!({"from": "general", "to": "f_1", "amount": amount});
    assert_eq!(one.post(&token, "/api/v1/funds/transfer", &transfer(6_000)).status, 201);
    let missing = two.post(&token, "/api/v1/funds/transfer", &transfer(2_000));
    assert_eq!((missing.status, &missing.json()["title"]), (422, &json!("not enough")), "{}", missing.body);
    assert_eq!(one.post(&token, "/api/v1/donations", &gift("C-1", 1_000)).status, 201);
    assert_eq!(two.post(&token, "/api/v1/funds/transfer", &transfer(2_000)).status, 201, "there is enough now");
    let asked = json!({"order_no": "C-1", "amount": 1_000}).to_string();
    assert_eq!(two.send("POST", "/api/v1/lookups", &[], &asked).status, 200, "a gift of the other node is found");
    assert_eq!(one.get("/api/v1/totals").json()["lines"], two.get("/api/v1/totals").json()["lines"]);
    let (books, _) = (one.stop(), two.stop());
    assert_eq!(books.does("verify")["ok"], true);
}

#[test]
fn each_node_signs_what_the_others_posted_and_what_is_left_when_nothing_comes() {
    let Some((one, two, token)) = two_nodes() else { return };
    for number in 0..5 {
        assert_eq!(one.post(&token, "/api/v1/donations", &gift(&format!("S-{number}"), 100)).status, 201);
    }
    let size = one.get("/api/v1/ledger").json()["size"].as_u64().expect("a size").to_string();
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    for site in [&one, &two] {
        let file = site.books.data().join("keys/books.signed");
        while !std::fs::read_to_string(&file).is_ok_and(|note| note.lines().nth(1) == Some(&size)) {
            assert!(std::time::Instant::now() < deadline, "{size} is signed at each node");
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

#[test]
fn whatever_two_nodes_do_in_turn_is_one_ledger() {
    let Some((one, two, token)) = two_nodes() else { return };
    let turn = std::cell::Cell::new(0_u32);
    // Each command at the node that has not done the one before, and now and then at the same.
    let post = |path: &str, body: Json| {
        turn.set(turn.get() + 1);
        let site = if turn.get().is_multiple_of(2) || turn.get().is_multiple_of(7) { &one } else { &two };
        let answer = site.post(&token, path, &body);
        assert!(answer.status == 201 || answer.status == 422, "{path} {body}: {}", answer.body);
        answer.json()
    };
    let mut gifts = Vec::new();
    for round in 0..12_i64 {
        let fund = format!("f_{}", round % 3);
        post("/api/v1/funds", json!({"fund": fund, "type": "unrestricted", "name_zh": "一", "name_en": "One"}));
        post("/api/v1/accounts", json!({"account": format!("bank/{}", round % 4), "funds": [fund, "general"]}));
        for number in 0..3 {
            let account = format!("bank/{}", round % 4);
            let gift = json!({"fund": "general", "amount": 1_000 + round, "fee": 3, "order_no": format!("R{round}-{number}"), "account": account});
            gifts.extend(post("/api/v1/donations", gift)["donation"].as_u64());
        }
        let transfer = json!({"from": "general", "to": fund, "amount": 500 + round});
        let moved = post("/api/v1/funds/transfer", transfer)["entry"].as_u64();
        let gift = gifts[usize::try_from(round).expect("small") * 2];
        post(&format!("/api/v1/donations/{gift}/refund"), json!({"amount": 10 + round}));
        post("/api/v1/accounts/move", json!({"from": format!("bank/{}", round % 4), "to": "wallet/a", "amount": 100}));
        if let Some(moved) = moved.filter(|_| round % 3 == 2) {
            post(&format!("/api/v1/entries/{moved}/reverse"), json!({"reason": "wrong_fund"}));
        }
    }
    assert_eq!(one.get("/api/v1/accounts").json()["accounts"], two.get("/api/v1/accounts").json()["accounts"]);
    assert_eq!(one.get("/api/v1/totals").json()["lines"], two.get("/api/v1/totals").json()["lines"]);
    drop(two.stop());
    assert_eq!(one.stop().does("verify")["ok"], true);
}

#[test]
fn a_node_with_other_keys_is_refused_and_one_that_differs_is_seen() {
    let Some((one, two, token)) = two_nodes() else { return };
    assert_eq!(one.post(&token, "/api/v1/donations", &gift("K-1", 100)).status, 201);
    let (one, two) = (one.stop(), two.stop());
    for extension in ["key", "vault"] {
        let wrong = one.node();
        let path = wrong.data().join(format!("keys/books.{extension}"));
        std::fs::remove_file(wrong.data().join("keys/books.signed")).expect("its checkpoint would not open either");
        std::fs::write(&path, format!("{}\n", "7".repeat(64))).expect("written");
        let words = format!("*.{extension}");
        wrong.refused(&["donation", "receive", "--fund", "general", "--amount", "1", "--order-no", "K-2"], 4, &words);
    }
    // A node of another version has said so, as it would after a careless upgrade.
    let database = one.database().expect("it has one");
    let later = "extract(epoch from now())::bigint * 1000 + 3600000";
    let insert = |ledger: &str| format!("insert into node values ({ledger}, 'n_old', '0.0.9', 'r', 'k', {later})");
    database.execute(&insert("(select min(ledger_id) from ledger)"));
    let site = Served::with(two, &["--metrics", "127.0.0.1:0"]);
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    while !site.metrics().contains("mingzhang_nodes_differing 1") {
        assert!(std::time::Instant::now() < deadline, "{}", site.metrics());
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn the_role_of_the_handbook_serves_and_cannot_change_what_was_written() {
    let Some(owner) = Books::on_server() else { return };
    let owner = owner.open();
    owner.does("fund open --id general --type unrestricted --name-zh 日常 --name-en General");
    owner.does("account open wallet/a --fund general");
    let token = owner.does("user token admin")["token"].as_str().expect("a token").to_owned();
    let handbook = include_str!("../docs/operations.md");
    let (_, rest) = handbook.split_once("```sql\n").expect("the statements stand there");
    let (statements, _) = rest.split_once("```").expect("they end");
    let role = format!("node_{}", std::process::id());
    let database = owner.database().expect("it has one");
    database.execute(&statements.replace("mingzhang_node", &role));
    let url = owner.place();
    let (scheme, at) = url.split_once("://").expect("a URL");
    let at = at.split_once('@').map_or(at, |(_, at)| at);
    let node = Books::at(format!("{scheme}://{role}@{at}"));
    owner.copy_keys_to(&node);
    let site = Served::of(node);
    assert_eq!(site.post(&token, "/api/v1/donations", &gift("D-1", 700)).status, 201);
    let case =
        json!({"case": "c_1", "fund": "f_1", "categories": ["health"], "region_zh": "吴忠市", "region_en": "Wuzhong"});
    assert_eq!(site.post(&token, "/api/v1/cases", &case).status, 201);
    let role_of = json!({"user": "wang", "role": "payer"});
    assert_eq!(site.post(&token, "/api/v1/users/role", &role_of).status, 200);
    let node = site.stop();
    assert_eq!(node.does("verify")["ok"], true);
    for statement in [
        "update entry set key_hash = 1",
        "delete from entry",
        "truncate entry",
        "alter table entry disable trigger all",
    ] {
        let refused = format!("set role {role}; {statement}");
        let refused = std::thread::scope(|scope| scope.spawn(|| database.execute(&refused)).join().is_err());
        assert!(refused, "{statement}");
    }
    database.execute(&format!("drop owned by {role}; drop role {role}"));
}

#[test]
fn a_row_within_a_row_is_not_taken_for_two_on_a_server() {
    let Some(books) = Books::on_server() else { return };
    let books = books.open();
    books.does("fund open --id general --type unrestricted --name-zh 日常 --name-en General");
    books.does("account open wallet/a --fund general");
    let gift = |order: &str| {
        books.does(&format!("donation receive --fund general --amount 5 --order-no {order}"))["entry"].clone()
    };
    let (one, two) = (gift("A"), gift("B"));
    assert_eq!(books.does("verify")["ok"], true);
    books.database().expect("it has one").execute(&format!(
        "alter table span alter of_seq type text;
         update span set of_seq = of_seq || (select concat_ws(' ', '', line_id, op, from_position, seq, place, to_position, of_seq)
           from span where seq = {two}) where seq = {one};
         delete from span where seq = {two}"
    ));
    books.refused(&["verify"], 4, "invalid input syntax for type bigint");
}

#[test]
fn two_nodes_write_one_ledger_and_one_is_killed() {
    let Some((one, mut two, token)) = two_nodes() else { return };
    let rounds = if std::env::var_os("MINGZHANG_SLOW_TESTS").is_some() { 20 } else { 3 };
    let addresses = [RwLock::new(one.address.clone()), RwLock::new(two.address.clone())];
    let stop = AtomicBool::new(false);
    let told: Vec<(String, u64)> = std::thread::scope(|scope| {
        let (addresses, stop, token) = (&addresses, &stop, token.as_str());
        let clients: Vec<_> = (0..32)
            .map(|client| {
                let address = &addresses[usize::from(client % 2 == 1)];
                scope.spawn(move || hammer(address, token, stop, client))
            })
            .collect();
        for round in 0..rounds {
            std::thread::sleep(Duration::from_millis(300 + 41 * (round % 5)));
            two.kill_and_serve();
            *addresses[1].write().expect("no reader fails") = two.address.clone();
        }
        std::thread::sleep(Duration::from_millis(300));
        stop.store(true, Ordering::Relaxed);
        clients.into_iter().flat_map(|client| client.join().expect("a client ends")).collect()
    });
    assert!(told.len() > 100, "only {} gifts were acknowledged", told.len());
    drop(two.stop());
    check_told(&one.stop(), &told);
}
