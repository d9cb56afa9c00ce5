//! The log as tiles, over HTTP and as files: what a client that knows only C2SP's documents needs.

use crate::books::Books;
use crate::served::Served;
use mingzhang::ledger::chain::leaf_hash;
use mingzhang::ledger::checkpoint::VerifiedCheckpoint;
use mingzhang::ledger::merkle;
use mingzhang::ledger::note::VerifierKey;
use mingzhang::ledger::proof::Proof;
use mingzhang::ledger::tile::{self, Content};
use mingzhang::values::Hash;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// Reads a log by its paths alone: its size, when signature, hashes and entries belong together.
fn check(read: impl Fn(&str) -> Option<Vec<u8>>) -> u64 {
    let vkey = String::from_utf8(read("log.vkey").expect("there")).expect("text");
    let key = VerifierKey::parse(vkey.trim()).expect("a key");
    let note = read("checkpoint").expect("there");
    let signed = VerifiedCheckpoint::open(&note, &key).expect("signed").checkpoint().clone();
    let (mut leaves, mut entries) = (Vec::new(), Vec::new());
    for tile in tile::all(signed.size) {
        let bytes = read(&tile.to_string()).unwrap_or_else(|| panic!("{tile}"));
        match tile.content {
            Content::Hashes(0) => leaves.extend(tile::hashes_of(&bytes).expect("hashes")),
            Content::Hashes(_) => {
                let expected = leaves.chunks_exact(256).map(tile::root_of).collect::<Vec<Hash>>();
                assert_eq!(tile::hashes_of(&bytes), Some(expected), "{tile}");
            }
            Content::Entries => {
                entries.extend(tile::entries_of(&bytes).expect("entries").into_iter().map(leaf_hash));
            }
        }
    }
    assert_eq!(merkle::root(leaves.as_slice(), signed.size), Ok(signed.root));
    assert_eq!(leaves, entries);
    assert_eq!(read(&format!("checkpoints/{}", signed.size)), Some(note));
    signed.size
}

/// Books with so many gifts more.
pub(crate) fn give(site: &Served, token: &str, numbers: std::ops::Range<u32>) {
    let lines = numbers.fold(String::new(), |mut lines, number| {
        let _ = writeln!(lines, "{{\"fund\": \"general\", \"amount\": 100, \"order_no\": \"T-{number}\"}}");
        lines
    });
    let headers = [("authorization", format!("Bearer {token}")), ("content-type", "application/x-ndjson".into())];
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let answer = site.send("POST", "/api/v1/donations/bulk", &headers, &lines);
    assert_eq!(answer.status, 200, "{}", answer.body);
}

/// The checkpoint of the head is there within a second or so.
fn signed(site: &Served, token: &str, seen: u64) {
    let deadline = Instant::now() + Duration::from_secs(20);
    let mut number = 0;
    while check(|path| bytes(site, path)) < seen {
        assert!(Instant::now() < deadline, "the head is signed");
        std::thread::sleep(Duration::from_millis(300));
        number += 1;
        // A node signs at most once a second, with the batch that comes then.
        let body = serde_json::json!({"fund": "general", "amount": 1, "order_no": format!("S-{seen}-{number}")});
        assert_eq!(site.post(token, "/api/v1/donations", &body).status, 201);
    }
}

fn bytes(site: &Served, path: &str) -> Option<Vec<u8>> {
    let answer = site.get(&format!("/log/books/{path}"));
    (answer.status == 200).then_some(answer.bytes)
}

/// A program that nobody here wrote, built from a folder of `tests/interop`; nothing, and said so, where it cannot be.
pub(crate) fn foreign(name: &str, package: &str, folder: &Path) -> Option<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop").join(name);
    let program = folder.join(name);
    let path = format!("{}:/usr/local/go/bin", std::env::var("PATH").unwrap_or_default());
    let mut build = Command::new("go");
    build.env("PATH", path).args(["build", "-o"]).arg(&program).arg(package).current_dir(source);
    match build.output() {
        Ok(output) if output.status.success() => Some(program),
        Ok(output) => {
            eprintln!("skipped: {name} was not built: {}", String::from_utf8_lossy(&output.stderr));
            None
        }
        Err(error) => {
            eprintln!("skipped: there is no Go here to build {name}: {error}");
            None
        }
    }
}

#[test]
fn a_served_log_and_its_files_are_the_same_and_hold() {
    let books = Books::opened();
    books.does("fund open --id general --type unrestricted --name-zh 日常 --name-en General");
    books.does("account open wallet/a --fund general");
    let token = books.does("user token admin")["token"].as_str().expect("a token").to_owned();
    let target = books.path.join("static");
    let read = |path: &str| std::fs::read(target.join(path)).ok();
    books.json(&["export", "--static", target.to_str().expect("UTF-8")]);
    let before = check(read);
    let first = read("checkpoint").expect("there");
    let site = Served::of(books);
    give(&site, &token, 0..700);
    signed(&site, &token, before + 701);
    let head = |path: &str| site.get(path);
    let full = head("/log/books/tile/0/001").head;
    assert!(full.contains("immutable") && full.contains("access-control-allow-origin: *"), "{full}");
    assert!(head("/log/books/checkpoint").head.contains("max-age=1"));
    for path in ["tile/0/009", "tile/0/001.p/256", "tile/0/1", "tile/7/000", "tile/0/..%2f", "checkpoints/9999"] {
        assert_eq!(head(&format!("/log/books/{path}")).status, 404, "{path}");
    }
    assert_eq!(head("/log/other/checkpoint").status, 404);
    let signed = VerifierKey::parse(String::from_utf8(bytes(&site, "log.vkey").expect("there")).expect("text").trim());
    let signed = signed.expect("a key");
    for seq in [0, 255, 256, 500] {
        let proof = Proof::parse(&bytes(&site, &format!("proof/{seq}")).expect("there")).expect("a proof");
        let bundle = bytes(&site, &format!("tile/entries/{:03}", seq / 256)).expect("there");
        let entries = tile::entries_of(&bundle).expect("entries");
        assert!(proof.verify(leaf_hash(entries[seq % 256]), &signed).is_ok(), "{seq}");
        assert!(proof.verify(leaf_hash(entries[(seq + 1) % 256]), &signed).is_err(), "{seq}");
    }
    assert_eq!(head("/log/books/proof/99999").status, 404);
    assert!(head("/zh/entry/5").body.contains("/log/books/proof/5"));
    // Brought up to date beside the running server; the first checkpoint is still there.
    site.books.json(&["export", "--static", target.to_str().expect("UTF-8")]);
    let after = check(read);
    assert!(after > before + 700, "{after}");
    assert_eq!(read(&format!("checkpoints/{before}")), Some(first));
    for path in ["tile/0/000", "tile/0/001", "tile/1/000.p/2", "tile/entries/001"] {
        assert_eq!(bytes(&site, path), read(path), "{path}");
    }
    if let Some(client) = foreign("tlog", ".", &site.books.path) {
        let key = target.join("log.vkey");
        let holds = |place: &str| {
            let output = Command::new(&client).arg(place).arg(&key).output().expect("it runs");
            output.status.success()
        };
        let (url, files) = (format!("http://{}/log/books/", site.address), format!("file://{}", target.display()));
        assert!(holds(&url) && holds(&files));
        // And it is not one that finds everything right.
        let bundle = target.join("tile/entries/001");
        let mut changed = std::fs::read(&bundle).expect("there");
        changed[100] ^= 1;
        std::fs::write(&bundle, changed).expect("written");
        assert!(!holds(&files));
    }
    assert_eq!(site.stop().does("verify")["ok"], true);
}
