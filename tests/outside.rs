//! `verify` for whoever has only what is public of a log: an export, tiles, an address; and what somebody might have done to them.

use crate::books::Books;
use crate::served::Served;
use crate::tiles::give;
use ed25519_dalek::SigningKey;
use mingzhang::ledger::chain::leaf_hash;
use mingzhang::ledger::checkpoint::{Checkpoint, LogKey, VerifiedCheckpoint};
use mingzhang::ledger::cosignature;
use mingzhang::ledger::merkle;
use mingzhang::ledger::note::{KeyKind, Note, VerifierKey};
use mingzhang::values::{Hash, Origin};
use serde_json::{Value as Json, json};
use std::path::{Path, PathBuf};

/// Books with 600 gifts, exported both ways; the folder with `lines` and `tiles`.
fn exported(name: &str) -> (Books, PathBuf) {
    let books = Books::in_folder();
    books.json(&["init", "--origin", &format!("test.example/{name}"), "--name-zh", "测试", "--name-en", "Test"]);
    books.does("fund open --id general --type unrestricted --name-zh 日常 --name-en General");
    books.does("account open wallet/a --fund general");
    let token = books.does("user token admin")["token"].as_str().expect("a token").to_owned();
    let out = books.path.join("out");
    books.json(&["export", "--static", text(&out.join("tiles"))]);
    let site = Served::of(books);
    give(&site, &token, 0..600);
    let books = site.stop();
    books.json(&["export", text(&out.join("lines"))]);
    books.json(&["export", "--static", text(&out.join("tiles"))]);
    (books, out)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// What `verify` says of a place: its object, whether it holds or not.
fn verdict(books: &Books, arguments: &[&str]) -> Json {
    let output = books.run(&[&["verify"], arguments, &["--json"]].concat());
    let told: Json = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("{arguments:?}: {error}: {}", String::from_utf8_lossy(&output.stderr));
    });
    assert_eq!(output.status.code(), Some(i32::from(told["ok"] != true)), "{told}");
    told
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("made");
    for entry in std::fs::read_dir(from).expect("a folder").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("copied");
        }
    }
}

fn edit(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = std::fs::read(path).expect("there");
    change(&mut bytes);
    std::fs::write(path, bytes).expect("written");
}

/// Changes the lines of an export.
fn edit_lines(folder: &Path, change: impl FnOnce(&mut Vec<String>)) {
    edit(&folder.join("entries.jsonl"), |bytes| {
        let mut lines: Vec<String> = String::from_utf8_lossy(bytes).lines().map(str::to_owned).collect();
        change(&mut lines);
        *bytes = lines.iter().flat_map(|line| [line.as_bytes(), b"\n"].concat()).collect();
    });
}

#[test]
fn what_was_done_to_an_export_or_to_tiles_is_found() {
    let (books, out) = exported("one");
    let (other, others) = exported("two");
    let vkey = std::fs::read_to_string(out.join("lines/log.vkey")).expect("there").trim().to_owned();
    let whole = books.does("verify");
    for place in ["lines", "tiles"] {
        let told = verdict(&books, &[text(&out.join(place)), "--vkey", &vkey]);
        assert_eq!((&told["ok"], &told["entries"], &told["root"]), (&json!(true), &whole["entries"], &whole["root"]));
        assert_eq!(verdict(&books, &[text(&out.join(place))])["key_from_log"], true);
    }
    let check = |place: &str, name: &str, seq: u64, words: &str, change: &dyn Fn(&Path)| {
        let folder = out.join(format!("{place}-{}", name.replace(' ', "-")));
        copy(&out.join(place), &folder);
        change(&folder);
        let told = verdict(&books, &[text(&folder), "--vkey", &vkey]);
        let reason = told["first_bad"]["reason"].as_str().unwrap_or_default();
        assert!(told["first_bad"]["seq"] == seq && reason.contains(words), "{name}: {told}");
    };
    let lines = |name: &str, seq: u64, words: &str, change: &dyn Fn(&mut Vec<String>)| {
        check("lines", name, seq, words, &|folder| edit_lines(folder, change));
    };
    lines("a giver", 101, "prev", &|lines| lines[100] = lines[100].replacen("\"by\":\"", "\"by\":\"x", 1));
    lines("an amount", 100, "brings in", &|lines| {
        lines[100] = lines[100].replacen("\"amount\":100,", "\"amount\":101,", 1)
    });
    lines("a position", 100, "posting", &|lines| lines[100] = lines[100].replace("\"to\":", "\"to\":1"));
    lines("a prev", 100, "prev", &|lines| lines[100] = lines[100].replace("\"prev\":\"", "\"prev\":\"0"));
    lines("dropped", 50, "seq", &|lines| drop(lines.remove(50)));
    lines("doubled", 51, "seq", &|lines| lines.insert(50, lines[50].clone()));
    lines("swapped", 50, "seq", &|lines| lines.swap(50, 51));
    lines("cut", 500, "missing", &|lines| lines.truncate(500));
    lines("one more", whole["entries"].as_u64().expect("a number"), "behind the end", &|lines| {
        lines.push(lines[5].clone())
    });
    lines("noise", 7, "canonical", &|lines| lines[7] = "\u{fffd}\u{0}".repeat(99));
    lines("empty", 0, "missing", &Vec::clear);
    let foreign = std::fs::read_to_string(others.join("lines/entries.jsonl")).expect("there");
    let foreign: Vec<&str> = foreign.lines().collect();
    lines("another ledger's", 60, "belongs to the ledger", &|lines| lines[60] = foreign[60].into());
    let flip =
        |file: &'static str, place: usize| move |folder: &Path| edit(&folder.join(file), |bytes| bytes[place] ^= 1);
    check("lines", "a signature", 0, "does not hold", &|folder| {
        edit(&folder.join("checkpoint"), |bytes| {
            let place = bytes.len() - 10;
            bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
        })
    });
    check("lines", "another's checkpoint", 0, "not signed by", &|folder| {
        std::fs::copy(others.join("lines/checkpoint"), folder.join("checkpoint")).map(drop).expect("copied");
    });
    // Signed again with another key: not the one that the reader knows.
    check("lines", "another key", 0, "does not hold", &|folder| {
        let key = LogKey {
            origin: Origin::parse("test.example/one").expect("an origin"),
            key: SigningKey::from_bytes(&[7; 32]),
        };
        let said = Note::parse(&std::fs::read(folder.join("checkpoint")).expect("there")).expect("a note");
        let Checkpoint { size, root, .. } = Checkpoint::parse(&said.text).expect("a checkpoint");
        std::fs::write(folder.join("checkpoint"), key.checkpoint(size, root).to_string()).expect("written");
        std::fs::write(folder.join("log.vkey"), format!("{}\n", key.verifier())).expect("written");
    });
    check("tiles", "a tile", 255, "tile/0/000", &flip("tile/0/000", 77));
    check("tiles", "a tile above", 602, "tile/1/000.p/2", &flip("tile/1/000.p/2", 40));
    check("tiles", "a bundle", 256, "does not hold 256 entries", &flip("tile/entries/001", 0));
    check("tiles", "a byte of an entry", 257, "prev", &flip("tile/entries/001", 9));
    check("tiles", "no bundle", 256, "missing", &|folder| {
        std::fs::remove_file(folder.join("tile/entries/001")).expect("removed")
    });
    check("tiles", "an earlier checkpoint", 0, "earlier checkpoint", &|folder| {
        let earlier = std::fs::read_dir(folder.join("checkpoints")).expect("there").flatten().next().expect("one");
        edit(&earlier.path(), |bytes| bytes.truncate(bytes.len() - 9));
    });
    // An old checkpoint played back: whoever kept a newer one notices.
    let old = out.join("tiles-old");
    copy(&out.join("tiles"), &old);
    let mut sizes: Vec<u64> = std::fs::read_dir(old.join("checkpoints"))
        .expect("there")
        .flatten()
        .filter_map(|file| file.file_name().to_str()?.parse().ok())
        .collect();
    sizes.sort_unstable();
    std::fs::copy(old.join(format!("checkpoints/{}", sizes[0])), old.join("checkpoint")).expect("copied");
    let newest = out.join("tiles/checkpoint");
    let told = verdict(&books, &[text(&old), "--vkey", &vkey, "--since", text(&newest)]);
    assert_eq!((&told["ok"], &told["first_bad"]["seq"]), (&json!(false), &json!(sizes[0])), "{told}");
    let kept = out.join(format!("tiles/checkpoints/{}", sizes[0]));
    let told = verdict(&books, &[text(&out.join("lines")), "--vkey", &vkey, "--since", text(&kept)]);
    assert_eq!((&told["ok"], &told["since"]), (&json!(true), &json!(sizes[0])), "{told}");
    // Another history under the same key.
    let key = std::fs::read_to_string(books.data().join("keys/one.key")).expect("there");
    let seed = Hash::from_hex(key.trim()).expect("a seed").0;
    let log =
        LogKey { origin: Origin::parse("test.example/one").expect("an origin"), key: SigningKey::from_bytes(&seed) };
    let forked = out.join("forked");
    std::fs::write(&forked, log.checkpoint(300, Hash([9; 32])).to_string()).expect("written");
    let told = verdict(&books, &[text(&out.join("tiles")), "--vkey", &vkey, "--since", text(&forked)]);
    assert_eq!(told["first_bad"]["seq"], 299, "{told}");
    assert!(told["first_bad"]["reason"].as_str().is_some_and(|reason| reason.contains("replaced")), "{told}");
    drop(other);
}

#[test]
fn a_policy_says_whose_signatures_are_enough() {
    let (books, out) = exported("one");
    let vkey = std::fs::read_to_string(out.join("lines/log.vkey")).expect("there").trim().to_owned();
    let log = VerifierKey::parse(&vkey).expect("a key");
    let witness = |number: u8| (format!("w{number}.example/w"), SigningKey::from_bytes(&[number; 32]));
    let mut policy = format!("log {vkey}\n");
    for number in 1..=3 {
        let (name, key) = witness(number);
        policy.push_str(&format!("witness w{number} {}\n", VerifierKey::of(&name, KeyKind::Witness, &key)));
    }
    policy.push_str("group two 2 w1 w2 w3\nquorum two\n");
    let file = out.join("policy");
    std::fs::write(&file, &policy).expect("written");
    let place = out.join("tiles");
    let cosign = |path: &Path, numbers: &[u8]| {
        let note = std::fs::read(path).expect("there");
        let opened = VerifiedCheckpoint::open(&note, &log).expect("signed").note().clone();
        let signed = numbers.iter().map(|number| {
            let (name, key) = witness(*number);
            cosignature::cosign(&opened.text, 1_767_225_600, &name, &key)
        });
        let signatures = opened.signatures.iter().cloned().chain(signed).collect();
        std::fs::write(path, Note { signatures, ..opened.clone() }.to_string()).expect("written");
    };
    let ask = || verdict(&books, &[text(&place), "--policy", text(&file)]);
    assert_eq!(ask()["ok"], false);
    cosign(&place.join("checkpoint"), &[1]);
    let told = ask();
    assert!(told["first_bad"]["reason"].as_str().is_some_and(|reason| reason.contains("1 witnesses")), "{told}");
    cosign(&place.join("checkpoint"), &[3]);
    let told = ask();
    let size = told["entries"].clone();
    assert_eq!(
        (&told["ok"], &told["unwitnessed_before"], told["witnesses"].as_array().map(Vec::len)),
        (&json!(true), &size, Some(2)),
        "{told}"
    );
    // An earlier one that was witnessed moves the border.
    let first = std::fs::read_dir(place.join("checkpoints"))
        .expect("there")
        .flatten()
        .min_by_key(|file| file.file_name().to_str().and_then(|name| name.parse::<u64>().ok()));
    let first = first.expect("one").path();
    cosign(&first, &[2, 3]);
    let told = ask();
    assert_eq!(
        told["unwitnessed_before"].to_string(),
        first.file_name().and_then(|name| name.to_str()).expect("a number")
    );
    // A cosignature that does not hold refuses the note.
    let note = std::fs::read_to_string(place.join("checkpoint")).expect("there");
    let (before, after) = note.split_once("— w3.example/w ").expect("there");
    std::fs::write(
        place.join("checkpoint"),
        format!("{before}— w3.example/w {}", after.replacen(after.get(20..22).expect("long"), "//", 1)),
    )
    .expect("written");
    assert_eq!(ask()["ok"], false);
    std::fs::write(&file, "log nonsense").expect("written");
    books.refused(&["verify", text(&place), "--policy", text(&file)], 5, "line 1");
}

#[test]
fn a_served_log_is_verified_by_its_address_and_goes_on_where_it_stopped() {
    let (books, out) = exported("one");
    let vkey = std::fs::read_to_string(out.join("lines/log.vkey")).expect("there").trim().to_owned();
    let site = Served::of(books);
    let base = format!("http://{}/log/one/", site.address);
    let keep = out.join("kept");
    let stranger = Books::in_folder();
    let told = verdict(&stranger, &[&base, "--vkey", &vkey, "--keep", text(&keep)]);
    assert_eq!(told["ok"], true, "{told}");
    // What was kept is read and not fetched again; so damage in it is found, and mended by taking it away.
    assert!(keep.join("tile/entries/001").is_file() && keep.join("checkpoint").is_file());
    edit(&keep.join("tile/entries/001"), |bytes| bytes[0] ^= 1);
    assert_eq!(verdict(&stranger, &[&base, "--vkey", &vkey, "--keep", text(&keep)])["first_bad"]["seq"], 256);
    std::fs::remove_file(keep.join("tile/entries/001")).expect("removed");
    assert_eq!(verdict(&stranger, &[&base, "--vkey", &vkey, "--keep", text(&keep)])["ok"], true);
    stranger.refused(&["verify", &format!("http://{}/", site.address)], 5, "no log");
    stranger.refused(&["verify", &format!("http://{}/log/other/", site.address)], 5, "no log");
    let data = site.books.data();
    stranger.refused(&["verify", text(&data)], 5, "--data");
}

/// An export of entries that a charity has signed: each a kind, a body, posts and cash.
fn signed(folder: &Path, entries: &[(&str, Json, Json, Json)]) {
    let origin = Origin::parse("test.example/forged").expect("an origin");
    let key = LogKey { origin, key: SigningKey::from_bytes(&[7; 32]) };
    let (mut lines, mut prev, mut leaves) = (String::new(), Hash::ZERO, Vec::new());
    for (seq, (kind, body, post, cash)) in (0..).zip(entries) {
        let mut entry = json!({
            "v": 1, "ledger": "test.example/forged", "seq": seq, "prev": prev.to_hex(), "at": "2026-03-01T00:00:00.000Z", "by": "u_1",
            "kind": kind, "body": body,
        });
        for (member, value) in [("post", post), ("cash", cash)] {
            if !value.is_null() {
                entry[member] = value.clone();
            }
        }
        prev = leaf_hash(entry.to_string().as_bytes());
        leaves.push(prev);
        lines.push_str(&format!("{entry}\n"));
    }
    let size = u64::try_from(leaves.len()).expect("few");
    let note = key.checkpoint(size, merkle::root(leaves.as_slice(), size).expect("all there"));
    std::fs::create_dir_all(folder).expect("made");
    for (name, text) in
        [("entries.jsonl", lines), ("checkpoint", note.to_string()), ("log.vkey", key.verifier().to_string())]
    {
        std::fs::write(folder.join(name), text).expect("written");
    }
}

#[test]
fn totals_that_a_charity_has_signed_are_rebuilt_from_its_entries() {
    let books = Books::in_folder();
    let folder = books.path.join("forged");
    let gift = |amount: i64| {
        let post = json!([{"op": "in", "line": "f_1/CNY", "from": 0, "to": 100}]);
        (
            "donation.received",
            json!({"amount": amount, "unit": "CNY"}),
            post,
            json!([{"account": "bank/1", "unit": "CNY", "amount": 100}]),
        )
    };
    let case = ("case.opened", json!({"case": "c_1", "fund": "f_1"}), Json::Null, Json::Null);
    let report = |terms: Json, size: u64| {
        ("report.published", json!({"case": "c_1", "size": size, "terms": terms}), Json::Null, Json::Null)
    };
    let term = |gift: &str, amount: u64| {
        let item = leaf_hash(gift.trim_end().as_bytes());
        let root = Hash::of(&[&[0x10], &amount.to_be_bytes(), &item.0]);
        json!([{"name": "receipts", "sign": 1, "count": 1, "sum": amount, "root": root.to_hex()}])
    };
    signed(&folder, &[case.clone(), gift(100)]);
    let lines = std::fs::read_to_string(folder.join("entries.jsonl")).expect("there");
    let line = lines.lines().nth(1).expect("the gift");
    let check = |report: (&'static str, Json, Json, Json), first: i64, words: &str| {
        signed(&folder, &[case.clone(), gift(first), report]);
        let told = verdict(&books, &[text(&folder)]);
        let reason = told["first_bad"]["reason"].as_str().unwrap_or_default();
        assert!(told["ok"] == words.is_empty() && reason.contains(words), "{told}");
    };
    check(report(term(line, 100), 2), 100, "");
    check(report(term(line, 1_000), 2), 100, "the totals that it publishes");
    check(report(json!([]), 2), 100, "the totals that it publishes");
    check(report(term(line, 100), 9), 100, "the totals that it publishes");
    // A size that no log has: nobody waits for tiles that are not there.
    let key = LogKey {
        origin: Origin::parse("test.example/forged").expect("an origin"),
        key: SigningKey::from_bytes(&[7; 32]),
    };
    let endless = books.path.join("endless");
    std::fs::create_dir_all(&endless).expect("made");
    std::fs::write(endless.join("checkpoint"), key.checkpoint(1 << 62, Hash::ZERO).to_string()).expect("written");
    std::fs::write(endless.join("log.vkey"), key.verifier().to_string()).expect("written");
    let told = verdict(&books, &[text(&endless)]);
    assert!(told["first_bad"]["reason"].as_str().is_some_and(|reason| reason.contains("missing")), "{told}");
    check(report(term(line, 100), 2), 1_000_000, "says another amount than it brings in");
}
