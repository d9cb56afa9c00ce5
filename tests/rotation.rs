//! A log's key takes the place of another: whoever knows the old one is led to the new one, and nobody else can lead them.

use crate::books::Books;
use crate::receipts::{issue, opened, paid};
use crate::served::Served;
use ed25519_dalek::SigningKey;
use mingzhang::ledger::checkpoint::{Checkpoint, LogKey, VerifiedCheckpoint};
use mingzhang::ledger::note::{Note, VerifierKey};
use mingzhang::ledger::proof::Proof;
use mingzhang::ledger::rotation;
use mingzhang::values::Origin;
use serde_json::{Value as Json, json};
use std::fs;
use std::path::{Path, PathBuf};

const GIFT: &str = "donation receive --fund general --amount 1 --account wallet/a --on 2026-03-20 --order-no";

fn books() -> Books {
    let books = Books::opened();
    books.does("fund open --id general --type unrestricted --name-zh 日常 --name-en General");
    books.does("account open wallet/a --fund general");
    books.does(&format!("{GIFT} A"));
    books
}

fn key_file(books: &Books, extension: &str) -> PathBuf {
    books.data().join(format!("keys/books.{extension}"))
}

fn key(text: &Json) -> VerifierKey {
    VerifierKey::parse(text.as_str().expect("a text")).expect("a key")
}

/// The last checkpoint that was signed.
fn signed(books: &Books) -> Vec<u8> {
    fs::read(key_file(books, "signed")).expect("there")
}

fn rotate(books: &Books) -> (VerifierKey, VerifierKey) {
    let old = key(&books.does("key list")["keys"].as_array().expect("a list").last().expect("one")["vkey"]);
    let prepared = books.does("key prepare");
    assert_eq!(books.does("key prepare"), prepared, "made once");
    let rotated = books.does("key rotate");
    assert_eq!(rotated["vkey"], prepared["next"]);
    (old, key(&rotated["vkey"]))
}

/// What `verify` says of a place with what is asked beside.
fn verdict(books: &Books, place: &str, asked: &[&str]) -> Json {
    let output = books.run(&[&["verify", place, "--json"], asked].concat());
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("{asked:?}: {error}: {}", String::from_utf8_lossy(&output.stderr));
    })
}

#[test]
fn whoever_knows_the_old_key_is_led_to_the_new_one() {
    let books = books();
    let (kept, kept_path) = (signed(&books), books.path.join("kept"));
    fs::write(&kept_path, &kept).expect("written");
    books.will_not("key rotate", "No key is prepared");
    books.will_not("key prepare --as wang", "is not an admin");
    let secret = fs::read(key_file(&books, "key")).expect("there");
    let (first, second) = rotate(&books);
    // The first checkpoint of the new key is signed by both; the old one is gone.
    let both = signed(&books);
    assert!(VerifiedCheckpoint::open(&both, &first).is_ok() && VerifiedCheckpoint::open(&both, &second).is_ok());
    assert_ne!(fs::read(key_file(&books, "key")).expect("there"), secret);
    assert!(!key_file(&books, "next").exists());
    books.does(&format!("{GIFT} B"));
    let newer = signed(&books);
    assert!(VerifiedCheckpoint::open(&newer, &first).is_err() && VerifiedCheckpoint::open(&newer, &second).is_ok());
    let (_, third) = rotate(&books);
    books.does(&format!("{GIFT} C"));
    assert_eq!(books.does("verify")["ok"], true);
    assert!(books.does("rebuild")["differed"].is_null());
    let listed = books.does("key list");
    let keys: Vec<VerifierKey> =
        listed["keys"].as_array().expect("a list").iter().map(|known| key(&known["vkey"])).collect();
    assert_eq!((keys, &listed["next"]), (vec![first.clone(), second.clone(), third.clone()], &Json::Null));

    let out = books.path.join("out");
    let text = |path: &Path| path.to_str().expect("UTF-8").to_owned();
    let (lines, tiles) = (text(&out.join("lines")), text(&out.join("tiles")));
    books.json(&["export", &lines]);
    books.json(&["export", "--static", &tiles]);
    let site = Served::of(books);
    let address = format!("http://{}/log/books/", site.address);
    for place in [&lines, &tiles, &address] {
        for (begun_with, told) in [(&first, true), (&second, true), (&third, false)] {
            let asked = ["--vkey", &begun_with.to_string(), "--since", &text(&kept_path)];
            let verdict = verdict(&site.books, place, &asked);
            assert_eq!((&verdict["ok"], &verdict["vkey"]), (&json!(true), &json!(third.to_string())), "{verdict}");
            assert_eq!(verdict["begun_with"] == json!(begun_with.to_string()), told, "{verdict}");
            assert_eq!(
                verdict["since"],
                Checkpoint::parse(&Note::parse(&kept).expect("a note").text).expect("one").size
            );
        }
        // Its own word leads to the key that signs now.
        assert_eq!(verdict(&site.books, place, &[])["vkey"], third.to_string());
    }
    // Over HTTP, where the server holds the keys.
    let books = site.stop();
    let token = books.does("user token admin")["token"].as_str().expect("a token").to_owned();
    let site = Served::of(books);
    let bearer = format!("Bearer {token}");
    let post = |path: &str| site.send("POST", path, &[("authorization", &bearer)], "{}");
    assert_eq!(post("/api/v1/keys/rotate").status, 422);
    let fourth = key(&post("/api/v1/keys/prepare").json()["next"]);
    assert_eq!(site.get("/api/v1/keys").json()["next"], fourth.to_string());
    assert_eq!(post("/api/v1/keys/rotate").status, 201);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while site.get("/log/books/log.vkey").body.trim() != fourth.to_string() {
        assert!(std::time::Instant::now() < deadline, "the new key signs");
    }
    let verdict = verdict(&site.books, &format!("http://{}/log/books/", site.address), &["--vkey", &first.to_string()]);
    assert_eq!((&verdict["ok"], &verdict["vkey"]), (&json!(true), &json!(fourth.to_string())), "{verdict}");
    let shown = format!("<code class=\"hash\">{first}</code>");
    let page = site.get("/en/verify").body;
    assert!(page.contains(&shown), "{page}");
    let books = site.stop();
    assert_eq!(books.does("verify")["ok"], true);
}

#[test]
fn nobody_else_can_name_the_next_key() {
    let books = books();
    let (first, second) = rotate(&books);
    books.does(&format!("{GIFT} B"));
    let out = books.path.join("out");
    let text = |path: &Path| path.to_str().expect("UTF-8").to_owned();
    let lines = text(&out);
    books.json(&["export", &lines]);
    let proof = fs::read(out.join("rotations/0")).expect("there");
    assert_eq!(rotation::after(&proof, &first), Ok(second.clone()));
    assert_eq!(rotation::after(&proof, &second), Ok(second.clone()));
    // A stranger's key, with a proof that the stranger made.
    let origin = Origin::parse("test.example/books").expect("an origin");
    let stranger = LogKey { origin, key: SigningKey::from_bytes(&[7; 32]) };
    assert_eq!(rotation::after(&proof, &stranger.verifier()), Ok(stranger.verifier()), "no part of theirs");
    let parsed = Proof::parse(&proof).expect("a proof");
    let entry = String::from_utf8(parsed.extra.clone().expect("an entry")).expect("UTF-8");
    let theirs = entry.replace(&second.to_string(), &stranger.verifier().to_string());
    let checkpoint = Checkpoint::parse(&Note::parse(parsed.checkpoint.as_bytes()).expect("a note").text).expect("one");
    let by_stranger = stranger.checkpoint(checkpoint.size, checkpoint.root).to_string();
    let old_only: String =
        parsed.checkpoint.lines().filter(|line| !is_by(line, &second)).map(|line| format!("{line}\n")).collect();
    for (what, changed, words) in [
        ("another entry", Proof { extra: Some(theirs.into_bytes()), ..parsed.clone() }, "not in the signed tree"),
        ("no entry", Proof { extra: None, ..parsed.clone() }, "does not hold the entry"),
        ("another place", Proof { index: parsed.index - 1, ..parsed.clone() }, "not in the signed tree"),
        ("only the old key", Proof { checkpoint: old_only, ..parsed.clone() }, "new key has not signed"),
        ("another entry of the log", gift_instead(&books, &parsed), "names no key"),
    ] {
        let refused = rotation::after(changed.to_string().as_bytes(), &first).expect_err(what);
        assert!(refused.to_string().contains(words), "{what}: {refused}");
        fs::write(out.join("rotations/0"), changed.to_string()).expect("written");
        let verdict = verdict(&books, &lines, &["--vkey", &first.to_string()]);
        let reason = verdict["first_bad"]["reason"].as_str().unwrap_or_default();
        assert!(reason.contains("a change of its key") && reason.contains(words), "{what}: {verdict}");
    }
    // Signed again by a stranger: to whoever knows the key it is a stranger's, to others not what its own entries say.
    fs::write(out.join("rotations/0"), Proof { checkpoint: by_stranger, ..parsed }.to_string()).expect("written");
    let newest = Note::parse(&fs::read(out.join("checkpoint")).expect("there")).expect("a note");
    let newest = Checkpoint::parse(&newest.text).expect("one");
    fs::write(out.join("checkpoint"), stranger.checkpoint(newest.size, newest.root).to_string()).expect("written");
    fs::write(out.join("log.vkey"), stranger.verifier().to_string()).expect("written");
    for asked in [vec!["--vkey".to_owned(), first.to_string()], Vec::new()] {
        let asked: Vec<&str> = asked.iter().map(String::as_str).collect();
        assert_eq!(verdict(&books, &lines, &asked)["ok"], false);
    }
}

/// Whether a line of a note is a signature by a key.
fn is_by(line: &str, key: &VerifierKey) -> bool {
    let note = Note::parse(format!("x\n\n{line}\n").as_bytes());
    note.is_ok_and(|note| note.signatures[0].key_id == key.id())
}

/// The proof of a gift where that of the change should be.
fn gift_instead(books: &Books, known: &Proof) -> Proof {
    let entry = books.run(&["export", books.path.join("again").to_str().expect("UTF-8")]);
    assert!(entry.status.success());
    let lines = fs::read_to_string(books.path.join("again/entries.jsonl")).expect("there");
    let leaves: Vec<_> = lines.lines().map(|line| mingzhang::ledger::chain::leaf_hash(line.as_bytes())).collect();
    let size = known.index + 1;
    let path = mingzhang::ledger::merkle::inclusion_proof(leaves.as_slice(), 1, size).expect("in it").expect("a path");
    let extra = lines.lines().nth(1).map(|line| line.as_bytes().to_vec());
    Proof { extra, index: 1, path, checkpoint: known.checkpoint.clone() }
}

#[test]
fn a_crash_in_between_leaves_a_key_that_is_signed_with_again() {
    let books = books();
    let old = fs::read(key_file(&books, "key")).expect("there");
    let (first, second) = rotate(&books);
    // As it was before the old key was deleted.
    fs::rename(key_file(&books, "key"), key_file(&books, "next")).expect("moved");
    fs::write(key_file(&books, "key"), old).expect("written");
    assert_eq!(books.does("verify")["ok"], true);
    books.does(&format!("{GIFT} B"));
    let both = signed(&books);
    assert!(VerifiedCheckpoint::open(&both, &first).is_ok() && VerifiedCheckpoint::open(&both, &second).is_ok());
    assert!(!key_file(&books, "next").exists());
    // Or before the database heard of what both have signed: it is told, or nobody could follow the change.
    let dropped = "delete from checkpoint where size = (select max(size) from checkpoint)";
    let dropped = std::process::Command::new("sqlite3").arg(books.data().join("mingzhang.db")).arg(dropped).status();
    if books.is_a_file() && dropped.is_ok_and(|status| status.success()) {
        books.does(&format!("{GIFT} C"));
        assert_eq!(books.does("verify")["ok"], true);
    }
    // The key of before alone signs nothing any more.
    let new = fs::read(key_file(&books, "key")).expect("there");
    fs::write(key_file(&books, "key"), format!("{}\n", "07".repeat(32))).expect("written");
    books.refused(&format!("{GIFT} D").split_whitespace().collect::<Vec<_>>(), 4, "keys");
    fs::write(key_file(&books, "key"), new).expect("written");
    assert_eq!(books.does("verify")["ok"], true);
}

#[test]
fn a_receipt_from_before_is_checked_against_what_the_new_key_signs() {
    let (books, gift) = paid(1);
    let (told, out) = issue(&books, gift);
    let page = out.join(format!("{}.en.html", told["receipt"].as_str().expect("a number")));
    let (first, second) = rotate(&books);
    books.does(&format!("{GIFT} Z"));
    let again = books.path.join("again");
    books.json(&["donation", "receipt", &gift.to_string(), "--out", again.to_str().expect("UTF-8")]);
    let fresh = again.join(page.file_name().expect("a name"));
    let check =
        |file: &Path, key: &VerifierKey| verdict(&books, file.to_str().expect("UTF-8"), &["--vkey", &key.to_string()]);
    assert_eq!((&check(&page, &first)["ok"], &check(&fresh, &second)["ok"]), (&json!(true), &json!(true)));
    // The new one leads there from the old key; the old one cannot know of the new.
    assert_eq!(check(&fresh, &first)["ok"], true);
    let refused = check(&page, &second);
    assert!(refused["reason"].as_str().is_some_and(|reason| reason.contains("from before a change")), "{refused}");
    let site = Served::of(books);
    let Some(seen) = opened(&[page, fresh], Some(&site)) else { return };
    for told in &seen {
        assert_eq!((&told["verdict"], &told["wrong"]), (&json!("right"), &json!([])), "{told}");
        assert!(told["now"].as_str().is_some_and(|now| now.starts_with('✓')), "{told}");
    }
}

#[test]
fn a_node_without_the_new_key_writes_nothing_until_it_has_it() {
    let Some(books) = Books::on_server() else { return eprintln!("no server: this test did not run") };
    let books = books.open();
    books.does("fund open --id general --type unrestricted --name-zh 日常 --name-en General");
    books.does("account open wallet/a --fund general");
    let without = Served::of(books.node());
    books.does("key prepare");
    let with = Served::of(books.node());
    let token = books.does("user token admin")["token"].as_str().expect("a token").to_owned();
    let bearer = format!("Bearer {token}");
    let give = |site: &Served, order: &str| {
        let body = json!({"fund": "general", "account": "wallet/a", "amount": 100, "order_no": order}).to_string();
        site.send("POST", "/api/v1/donations", &[("authorization", &bearer)], &body).status
    };
    assert_eq!((give(&without, "A"), give(&with, "B")), (201, 201));
    books.does("key rotate");
    assert_eq!(give(&with, "C"), 201);
    assert!(give(&without, "D") >= 500);
    // Its key is handed to it: it need not be started again.
    fs::copy(key_file(&books, "key"), key_file(&without.books, "key")).expect("copied");
    assert_eq!(give(&without, "E"), 201);
    drop((without.stop(), with.stop()));
    let verified = books.does("verify");
    assert_eq!((&verified["ok"], &verified["entries"]), (&json!(true), &json!(8)), "{verified}");
}
