//! The same ledger in another place: copied between stores, backed up while it is in use, restored.

use crate::books::Books;
use crate::hammer::{check_told, hammer};
use crate::served::Served;
use serde_json::Value as Json;
use std::path::Path;
use std::process::Command;
use std::sync::RwLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// A ledger with some gifts of named donors.
fn given(books: Books) -> Books {
    let books = books.open();
    books.does("fund open --id general --type unrestricted --name-zh 日常 --name-en General");
    books.does("account open wallet/a --fund general");
    for number in 0..5 {
        books.does(&format!(
            "donation receive --fund general --amount 12.5{number} --order-no A-{number} --name 张{number}"
        ));
    }
    books
}

/// Everything that makes a ledger what it is, as its owner sees it.
fn seen(books: &Books) -> (String, Json, Json, Json) {
    let out = books.path.join("seen");
    books.json(&["export", text(&out)]);
    let log = std::fs::read_to_string(out.join("entries.jsonl")).expect("exported");
    std::fs::remove_dir_all(&out).expect("removed");
    (log, books.does("fund list"), books.does("user list"), books.does("trace --order-no A-3 --amount 12.53"))
}

fn copies(source: Books, target: Books) {
    let source = given(source);
    let token = source.does("user token admin")["token"].as_str().expect("a token").to_owned();
    let place = target.place();
    let first = source.does(&format!("copy --to {place}"));
    assert_eq!(first["entries"], first["fresh"], "{first}");
    if !target.is_a_file() {
        // A folder of its own for the keys.
        source.copy_keys_to(&target);
    }
    assert_eq!(seen(&source), seen(&target));
    assert_eq!(target.does("verify"), source.does("verify"));
    // The source goes on, and the copy follows.
    source.does("donation receive --fund general --amount 99 --order-no B-1");
    let second = source.does(&format!("copy --to {place}"));
    assert_eq!((&second["fresh"], &second["root"]), (&Json::from(1), &source.does("verify")["root"]));
    assert_eq!(seen(&source), seen(&target));
    assert_eq!(target.does("verify")["ok"], true);
    assert_eq!(source.does(&format!("copy --to {place}"))["fresh"], 0);
    // It is a ledger like any other: tokens, keys and numbers hold, and it goes on.
    let site = Served::of(target);
    let gift = |order_no: &str| serde_json::json!({"fund": "general", "amount": 9_900, "order_no": order_no});
    assert_eq!(site.post(&token, "/api/v1/donations", &gift("B-1")).status, 409);
    assert_eq!(site.post(&token, "/api/v1/donations", &gift("B-2")).status, 201);
    let target = site.stop();
    assert_eq!(target.does("verify")["ok"], true);
    // The copy has gone its own way: it is not written over.
    source.does("donation receive --fund general --amount 1 --order-no C-1");
    source.does("donation receive --fund general --amount 1 --order-no C-2");
    source.refused(&["copy", "--to", &place], 5, "another history");
    assert_eq!(target.does("verify")["ok"], true);
}

#[test]
fn a_folder_is_copied_to_a_folder() {
    copies(Books::in_folder(), Books::in_folder());
}

#[test]
fn a_folder_is_copied_to_a_server() {
    if let Some(target) = Books::on_server() {
        copies(Books::in_folder(), target);
    }
}

#[test]
fn a_server_is_copied_to_a_folder() {
    if let Some(source) = Books::on_server() {
        copies(source, Books::in_folder());
    }
}

fn backs_up_under_load(books: Books) {
    let books = given(books);
    let token = books.does("user token admin")["token"].as_str().expect("a token").to_owned();
    let (backup, persons) = (books.path.join("backup"), books.path.join("persons"));
    let site = Served::of(books);
    let (address, stop) = (RwLock::new(site.address.clone()), AtomicBool::new(false));
    let mut made = Json::Null;
    let told: Vec<(String, u64)> = std::thread::scope(|scope| {
        let (address, stop, token) = (&address, &stop, token.as_str());
        let clients: Vec<_> = (0..8).map(|client| scope.spawn(move || hammer(address, token, stop, client))).collect();
        for _ in 0..2 {
            std::thread::sleep(Duration::from_millis(300));
            made = site.books.json(&["backup", text(&backup), "--person-keys", text(&persons)]);
        }
        stop.store(true, Ordering::Relaxed);
        clients.into_iter().flat_map(|client| client.join().expect("a client ends")).collect()
    });
    let books = site.stop();
    check_told(&books, &told);
    // The backup alone opens no record of a donor.
    let bytes = std::fs::read(backup.join("mingzhang.db")).expect("the file");
    let keys = std::fs::read_to_string(&persons).expect("the keys");
    let one = keys.lines().nth(2).and_then(|line| line.split_once(' ')).expect("a key").1;
    let wrapped = hex::decode(one).expect("hex");
    assert!(wrapped.len() > 20 && !bytes.windows(wrapped.len()).any(|part| part == wrapped));

    let restored = Books::in_folder();
    restored.refused(&["restore", text(&backup)], 4, "read");
    books.copy_keys_to(&restored);
    let told = restored.json(&["restore", text(&backup), "--person-keys", text(&persons)]);
    assert_eq!((&told["entries"], &told["root"]), (&made["entries"], &made["root"]));
    // What was signed since is missing, and said to be: nothing is posted, for that would be a second history.
    let signed = books.does("verify")["entries"].as_u64().expect("a number");
    assert_eq!(told["behind"].as_u64(), (made["entries"].as_u64() < Some(signed)).then_some(signed));
    if told["behind"].is_u64() {
        restored.refused(
            &["donation", "receive", "--fund", "general", "--amount", "1", "--order-no", "Z"],
            4,
            "signed",
        );
    }
    // It catches up from what is left of the original, and goes on.
    books.json(&["copy", "--to", &restored.place()]);
    assert_eq!(seen(&restored).0, seen(&books).0);
    restored.does("donation receive --fund general --amount 1 --order-no Z");
    assert_eq!(restored.does("verify")["ok"], true);
    restored.refused(&["restore", text(&backup)], 5, "already");
}

#[test]
fn a_backup_under_load_is_restored_and_catches_up() {
    backs_up_under_load(Books::in_folder());
}

#[test]
fn a_backup_of_a_server_under_load_is_restored_and_catches_up() {
    if let Some(books) = Books::on_server() {
        backs_up_under_load(books);
    }
}

#[test]
fn a_backup_is_restored_to_a_given_entry() {
    let books = given(Books::in_folder());
    let (backup, persons) = (books.path.join("backup"), books.path.join("persons"));
    books.json(&["backup", text(&backup), "--person-keys", text(&persons)]);
    let earlier = Books::in_folder();
    books.copy_keys_to(&earlier);
    std::fs::remove_file(earlier.data().join("keys/books.signed")).expect("the investigator does not go on from here");
    let told = earlier.json(&["restore", text(&backup), "--entries", "4", "--person-keys", text(&persons)]);
    let whole = books.does("verify")["entries"].clone();
    assert_eq!((&told["entries"], &told["behind"]), (&Json::from(4), &whole), "the backup knows what was signed");
    let post = ["fund", "open", "--type", "unrestricted", "--name-zh", "二", "--name-en", "Two"];
    earlier.refused(&post, 4, "older copy");
    std::fs::remove_file(earlier.data().join("keys/books.signed")).expect("the investigator only looks");
    assert_eq!(earlier.does("verify")["entries"], 4);
    // A checkpoint that is shown to it holds from then on.
    let held = Books::in_folder();
    books.copy_keys_to(&held);
    let signed = held.data().join("keys/books.signed");
    let shown = books.path.join("shown");
    std::fs::rename(&signed, &shown).expect("moved");
    held.json(&[
        "restore",
        text(&backup),
        "--entries",
        "4",
        "--checkpoint",
        text(&shown),
        "--person-keys",
        text(&persons),
    ]);
    assert_eq!(std::fs::read(&signed).ok(), std::fs::read(&shown).ok());
    held.refused(&post, 4, "older copy");
    // Without the persons' keys the records stay shut, and it is said so.
    let shut = Books::in_folder();
    books.copy_keys_to(&shut);
    shut.json(&["restore", text(&backup)]);
    assert_eq!(shut.does("fund list"), books.does("fund list"));
    let verdict = shut.does("verify");
    assert_eq!((&verdict["ok"], &verdict["shut"]), (&Json::Bool(true), &Json::from(5)), "{verdict}");
    let part = books.path.join("part");
    let keys = std::fs::read_to_string(&persons).expect("read");
    let (most, _) = keys.trim_end().rsplit_once('\n').expect("lines");
    std::fs::write(&part, most).expect("written");
    let fourth = Books::in_folder();
    books.copy_keys_to(&fourth);
    fourth.refused(&["restore", text(&backup), "--person-keys", text(&part)], 5, "not all of them");
    let other = books.path.join("other");
    std::fs::write(&other, "mingzhang persons' keys v1\nelse.example/x\n1 00\n").expect("written");
    let third = Books::in_folder();
    books.copy_keys_to(&third);
    third.refused(&["restore", text(&backup), "--person-keys", text(&other)], 5, "no persons' keys");
}

/// Neither a copy nor a backup onto itself takes anything away.
fn keeps_to_itself(books: Books) {
    let books = given(books);
    let before = seen(&books);
    let place = books.place();
    books.refused(&["copy", "--to", &place], 5, "the same ledger");
    if books.is_a_file() {
        let detour = format!("{}/../data", books.data().display());
        books.refused(&["copy", "--to", &detour], 5, "the same ledger");
        let persons = books.path.join("persons");
        books.refused(&["backup", text(&books.data()), "--person-keys", text(&persons)], 5, "the same ledger");
    }
    assert_eq!(seen(&books), before);
    books.refused(&["copy", "--to", "mysql://root:geheim@host/db"], 5, "postgres://");
}

#[test]
fn a_ledger_is_not_copied_onto_itself() {
    keeps_to_itself(Books::in_folder());
    if let Some(books) = Books::on_server() {
        keeps_to_itself(books);
    }
}

/// What a copy cannot do is said before anything is changed.
fn says_what_stands_in_the_way(target: Books) {
    let source = given(Books::in_folder());
    let place = target.place();
    source.does(&format!("copy --to {place}"));
    source.copy_keys_to(&target);
    // The copy is used: its users are its own from then on.
    target.does("user add Zhao --role checker --id zhao");
    assert_eq!(source.does(&format!("copy --to {place}"))["fresh"], 0);
    let users = target.does("user list").to_string();
    assert!(users.contains("zhao"), "{users}");
    target.does("donation receive --fund general --amount 1 --order-no Z-1");
    source.refused(&["copy", "--to", &place], 5, "the target is ahead");
    // Another charity's ledger of the same name.
    let other = Books::in_folder();
    other.json(&["init", "--origin", "else.example/books", "--name-zh", "别家", "--name-en", "Else"]);
    let before = seen(&target);
    other.refused(&["copy", "--to", &place], 5, "another ledger called books: test.example/books");
    assert_eq!(seen(&target), before);
    let persons = source.path.join("persons");
    let backup = source.path.join("backup");
    source.json(&["backup", text(&backup), "--person-keys", text(&persons)]);
    let fresh = Books::in_folder();
    source.copy_keys_to(&fresh);
    fresh.refused(&["restore", text(&backup), "--entries", "99"], 5, "entries, not 99");
    // A backup is as its source is, each time.
    source.does("user add Qian --role checker --id qian");
    source.json(&["backup", text(&backup), "--person-keys", text(&persons)]);
    fresh.json(&["restore", text(&backup), "--person-keys", text(&persons)]);
    let users = fresh.does("user list").to_string();
    assert!(users.contains("qian"), "{users}");
}

#[test]
fn a_copy_says_what_stands_in_its_way() {
    says_what_stands_in_the_way(Books::in_folder());
    if let Some(target) = Books::on_server() {
        says_what_stands_in_the_way(target);
    }
}

#[test]
fn a_backup_of_another_history_is_not_restored() {
    let books = given(Books::in_folder());
    let fork = Books::in_folder();
    books.json(&["copy", "--to", &fork.place()]);
    books.does("donation receive --fund general --amount 1 --order-no X-1");
    for number in 0..3 {
        fork.does(&format!("donation receive --fund general --amount 2 --order-no Y-{number}"));
    }
    let (backup, persons) = (fork.path.join("backup"), fork.path.join("persons"));
    fork.json(&["backup", text(&backup), "--person-keys", text(&persons)]);
    // The folder knows a shorter history, which is not the beginning of the backup's; the backup's own checkpoint is longer.
    let target = Books::in_folder();
    books.copy_keys_to(&target);
    let signed = std::fs::read(target.data().join("keys/books.signed")).expect("a file");
    let restore = ["restore", text(&backup), "--person-keys", text(&persons)];
    target.refused(&restore, 5, "does not hold the history");
    assert_eq!(std::fs::read(target.data().join("keys/books.signed")).ok(), Some(signed));
    // The same where only the operator knows it.
    let signed = books.data().join("keys/books.signed");
    std::fs::remove_file(target.data().join("keys/books.signed")).expect("removed");
    target.refused(&[&restore[..], &["--checkpoint", text(&signed)]].concat(), 5, "does not hold the history");
    target.refused(&["restore", "nowhere"], 5, "no backup in nowhere");
}

#[test]
fn a_ledger_whose_keys_have_signed_is_not_opened_anew() {
    let books = Books::in_folder().open();
    let fresh = Books::in_folder();
    books.copy_keys_to(&fresh);
    fresh.refused(
        &["init", "--origin", "test.example/books", "--name-zh", "测试", "--name-en", "Test"],
        4,
        "second history",
    );
    fresh.refused(&["fund", "list"], 4, "no ledger");
}

#[test]
fn a_copy_that_is_not_whole_is_not_opened() {
    let books = given(Books::in_folder());
    let (backup, persons) = (books.path.join("backup"), books.path.join("persons"));
    books.json(&["backup", text(&backup), "--person-keys", text(&persons)]);
    // As an interrupted backup leaves it.
    let statement = "update ledger set slug = 'books.copying'";
    let half = Command::new("sqlite3").arg(backup.join("mingzhang.db")).arg(statement).status();
    if !half.is_ok_and(|status| status.success()) {
        eprintln!("skipped: there is no sqlite3 here");
        return;
    }
    let target = Books::in_folder();
    books.copy_keys_to(&target);
    target.refused(&["restore", text(&backup)], 4, "interrupted");
    // Asked for by its name it is better than nothing, and gets its own name back.
    target.json(&["restore", text(&backup), "--ledger", "books.copying", "--person-keys", text(&persons)]);
    assert_eq!(target.does("verify")["ok"], true);
    target.does("fund open --id two --type unrestricted --name-zh 二 --name-en Two");
}

#[test]
fn a_ledger_that_cannot_be_had_back_is_gone_on_from() {
    let source = given(Books::new());
    let old = source.does("verify");
    let file = source.data().join("keys/books.signed");
    let checkpoint = text(&file);
    let out = source.path.join("out");
    source.json(&["export", text(&out)]);
    let vkey = std::fs::read_to_string(out.join("log.vkey")).expect("exported").trim().to_owned();
    let fresh = Books::new();
    let init = [
        "init",
        "--origin",
        "test.example/books-2",
        "--name-zh",
        "测试",
        "--name-en",
        "Test",
        "--continues",
        checkpoint,
    ];
    // Whose checkpoint it is must be known, and that of another key is none of it.
    fresh.refused(&init, 4, "books.key");
    let other = "test.example/books+5f0cbb3b+AQAA";
    fresh.refused(&[&init[..], &["--continues-vkey", other]].concat(), 2, "vkey");
    fresh.refused(&[&init[..2], &["test.example/books"], &init[3..]].concat(), 5, "cannot go on from itself");
    fresh.json(&[&init[..], &["--continues-vkey", &vkey]].concat());
    let site = Served::of(fresh);
    let told = site.get("/api/v1/ledger").json()["continues"].clone();
    assert_eq!((&told["size"], &told["root"]), (&old["entries"], &old["root"]));
    assert_eq!(told["origin"], "test.example/books");
    for (page, words) in
        [("/zh/entries", "本账本接续 test.example/books"), ("/en/entries", "goes on from test.example/books")]
    {
        assert!(site.get(page).body.contains(words), "{page}");
    }
    assert_eq!(site.stop().does("verify")["ok"], true);
}
