//! A monitor: a log that grows, one that shows another history, one whose totals are not those of its entries.

use crate::books::Books;
use crate::served::Served;
use mingzhang::ledger::checkpoint::Checkpoint;
use mingzhang::ledger::merkle::verify_consistency;
use mingzhang::ledger::note::Note;
use mingzhang::ledger::witness::AddCheckpoint;
use mingzhang::values::Hash;
use serde_json::{Value as Json, json};
use std::path::Path;
use std::process::Command;

fn books() -> Books {
    let books = Books::in_folder().open();
    books.does("fund open --id general --type unrestricted --name-zh 日常 --name-en General");
    books.does("account open wallet/a --fund general");
    books.does("donation receive --fund general --amount 10 --order-no A");
    books
}

/// What the monitor says of a log, and that its exit code says the same.
fn look(stranger: &Books, url: &str) -> Json {
    let dir = stranger.path.join("monitor");
    let output = stranger.run(&["monitor", url, "--dir", dir.to_str().expect("UTF-8"), "--json"]);
    let told: Json = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!(output.status.code(), Some(i32::from(told["ok"] != true)), "{told}");
    told
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

#[test]
fn a_log_that_grows_is_followed_and_another_history_is_kept_as_evidence() {
    let (books, stranger) = (books(), Books::in_folder());
    let folder = books.path.join("static");
    books.json(&["export", "--static", text(&folder)]);
    assert_eq!(look(&stranger, text(&folder))["size"], 4);
    // The same ledger in two places, which then go their own ways.
    let fork = Books::in_folder();
    books.json(&["copy", "--to", &fork.place()]);
    books.does("donation receive --fund general --amount 20 --order-no B");
    books.json(&["export", "--static", text(&folder)]);
    let told = look(&stranger, text(&folder));
    assert_eq!((&told["ok"], &told["size"]), (&json!(true), &json!(5)), "{told}");
    for order_no in ["C", "D"] {
        fork.does(&format!("donation receive --fund general --amount 30 --order-no {order_no}"));
    }
    std::fs::remove_dir_all(&folder).expect("removed");
    fork.json(&["export", "--static", text(&folder)]);
    let told = look(&stranger, text(&folder));
    assert!(told["found"][0]["what"].as_str().is_some_and(|what| what.contains("replaced")), "{told}");
    let evidence = std::fs::read_to_string(told["found"][0]["evidence"].as_str().expect("a file")).expect("kept");
    // Both signed notes: over five entries, and over six.
    assert!(evidence.contains("test.example/books\n5\n") && evidence.contains("test.example/books\n6\n"), "{evidence}");
    // And what proves that no honest log can have signed both.
    let (once, now) =
        evidence.split_once("\n\nThe root of the first 5 entries of what it signs now is ").expect("both");
    let once = once.split_once("\n\n").expect("a heading").1;
    let once = Checkpoint::parse(&Note::parse(once.as_bytes()).expect("a note").text).expect("one");
    let (root, request) = now.split_once(":\n\n").expect("a root and a proof");
    let (root, request) =
        (Hash::from_base64(root).expect("a hash"), AddCheckpoint::parse(request.as_bytes()).expect("one"));
    let now = Checkpoint::parse(&Note::parse(request.note.as_bytes()).expect("a note").text).expect("one");
    assert!(root != once.root && verify_consistency(once.size, now.size, root, now.root, &request.path), "{evidence}");
    // Signed with another key than when it was first seen.
    let other = self::books();
    std::fs::remove_dir_all(&folder).expect("removed");
    other.json(&["export", "--static", text(&folder)]);
    let told = look(&stranger, text(&folder));
    assert!(told["found"][0]["what"].as_str().is_some_and(|what| what.contains("not signed by")), "{told}");
}

#[test]
fn totals_that_the_entries_do_not_add_up_to_are_reported() {
    let (books, stranger) = (books(), Books::in_folder());
    let site = Served::of(books);
    let url = |site: &Served| format!("http://{}/log/books/", site.address);
    assert_eq!(look(&stranger, &url(&site))["ok"], true);
    let books = site.stop();
    // A server that flatters itself.
    let more = "update span set to_position = to_position + 500 where op = 0";
    let changed = Command::new("sqlite3").arg(books.data().join("mingzhang.db")).arg(more).status();
    if !changed.is_ok_and(|status| status.success()) {
        eprintln!("skipped: there is no sqlite3 here");
        return;
    }
    let site = Served::of(books);
    let told = look(&stranger, &url(&site));
    assert!(told["found"][0]["what"].as_str().is_some_and(|what| what.contains("totals of general/CNY")), "{told}");
    let evidence = std::fs::read_to_string(told["found"][0]["evidence"].as_str().expect("a file")).expect("kept");
    assert!(evidence.contains("\"end\":1500") && evidence.contains("— test.example/books "), "{evidence}");
    stranger.refused(&["monitor", "http://127.0.0.1:9/log/x/"], 5, "does not answer");
}
