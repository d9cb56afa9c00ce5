//! The worked cases of an independent program: canonical, ledger, postings, cash, transfer, merkle_sum, commitment.

use ed25519_dalek::SigningKey;
use mingzhang::ledger::canonical::{Object, Value};
use mingzhang::ledger::checkpoint::{Checkpoint, VerifiedCheckpoint};
use mingzhang::ledger::entry::{Entry, RawCash, RawPost};
use mingzhang::ledger::follow::Follow;
use mingzhang::ledger::line::State;
use mingzhang::ledger::merkle::{self, Frontier};
use mingzhang::ledger::note::{KeyKind, Note, VerifierKey};
use mingzhang::ledger::posting::{Book, CashRule, Rule};
use mingzhang::ledger::proof::Proof;
use mingzhang::ledger::sum_tree::{self, Item, Side, Sum, Total};
use mingzhang::ledger::transfer::Placed;
use mingzhang::ledger::verify::Verifier;
use mingzhang::ledger::{chain, commitment, cosignature};
use mingzhang::values::{Hash, Span, Timestamp};
use serde_json::Value as Json;

fn vectors(name: &str) -> Json {
    let path = format!("{}/tests/vectors/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(&path).expect(&path)).expect(&path)
}

fn list<'a>(json: &'a Json, key: &str) -> &'a [Json] {
    json[key].as_array().expect(key)
}

fn text<'a>(json: &'a Json, key: &str) -> &'a str {
    json[key].as_str().expect(key)
}

fn hash(json: &Json) -> Hash {
    Hash::from_hex(json.as_str().expect("a hash")).expect("a hash")
}

fn hashes(json: &Json) -> Vec<Hash> {
    json.as_array().expect("hashes").iter().map(hash).collect()
}

/// JSON of a vector as a value of ours.
fn value(json: &Json) -> Value<'static> {
    match json {
        Json::Bool(b) => Value::Bool(*b),
        Json::Number(n) => Value::Integer(n.as_i64().expect("an integer")),
        Json::String(s) => Value::text(s.clone()),
        Json::Array(items) => Value::Array(items.iter().map(value).collect()),
        Json::Object(members) => Value::Object(object(members)),
        Json::Null => panic!("null is not part of the subset"),
    }
}

fn object(members: &serde_json::Map<String, Json>) -> Object<'static> {
    members.iter().fold(Object::new(), |object, (key, member)| object.with(key.clone(), value(member)))
}

#[test]
fn canonical_json_has_one_form() {
    let vectors = vectors("canonical");
    for case in list(&vectors, "canonical") {
        let expected = text(case, "text");
        let written = value(&case["value"]).to_bytes().expect(expected);
        assert_eq!(std::str::from_utf8(&written).expect("UTF-8"), expected);
        assert_eq!(Hash::of(&[&written]).to_hex(), text(case, "sha256"));
        assert_eq!(Value::parse(expected.as_bytes()).expect(expected), value(&case["value"]));
    }
    for case in list(&vectors, "rejected") {
        assert!(Value::parse(text(case, "text").as_bytes()).is_err(), "{}", text(case, "why"));
    }
    for case in list(&vectors, "rejected_hex") {
        let bytes = hex::decode(text(case, "hex")).expect("hex");
        assert!(Value::parse(&bytes).is_err(), "{}", text(case, "why"));
    }
    for case in list(&vectors, "refused_by_writer") {
        assert!(value(&case["value"]).to_bytes().is_err(), "{}", text(case, "why"));
    }
}

#[test]
fn commitments_open_to_their_record() {
    let vectors = vectors("commitment");
    for case in list(&vectors, "cases") {
        let salt = hash(&case["salt"]).0;
        let Value::Object(record) = value(&case["record"]) else { panic!("a record is an object") };
        assert_eq!(commitment::person(&salt, &record).expect("writable").to_hex(), text(case, "commitment"));
    }
    for case in list(&vectors, "blobs") {
        assert_eq!(
            commitment::blob(&hash(&case["salt"]).0, text(case, "text").as_bytes()).to_hex(),
            text(case, "hash")
        );
    }
}

#[test]
fn a_ledger_is_followed_entry_by_entry() {
    let vectors = vectors("ledger");
    let origin = text(&vectors, "origin");
    let mut verifier = Verifier::new(origin);
    let mut at_five = None;
    for (place, entry) in list(&vectors, "entries").iter().enumerate() {
        if place == 5 {
            at_five = Some(verifier.clone());
        }
        let bytes = entry.as_str().expect("text").as_bytes();
        let size = u64::try_from(place).expect("small");
        assert_eq!(verifier.head().frontier.root(), hash(&vectors["roots"][size.to_string()]), "root of {size}");
        let (parsed, leaf) = verifier.push(bytes).expect("a good entry");
        assert_eq!(parsed.to_bytes().expect("writable"), bytes, "written again");
        assert_eq!(leaf, hash(&vectors["leaf_hashes"][place]));
    }
    assert_eq!(verifier.head().frontier.root(), hash(&vectors["roots"]["33"]));
    for case in list(&vectors, "accepted_entries") {
        assert!(Entry::parse(text(case, "text").as_bytes()).is_ok(), "{}", text(case, "why"));
    }
    for case in list(&vectors, "rejected_entries") {
        assert!(Entry::parse(text(case, "text").as_bytes()).is_err(), "{}", text(case, "why"));
    }
    for case in list(&vectors, "rejected_next") {
        let mut verifier = at_five.clone().expect("five entries were followed");
        assert!(verifier.push(text(case, "text").as_bytes()).is_err(), "{}", text(case, "why"));
    }
    for case in list(&vectors, "trace") {
        let number = |key: &str| case[key].as_u64().expect("a number");
        let span = Span::new(number("from"), number("to")).expect("positions");
        let (mut free, mut spent) = (0, 0);
        for found in verifier.book().trace([Placed { line: 0, span }]) {
            match found.state {
                State::Free => free += found.amount,
                State::Spent { .. } => spent += found.amount,
                State::Held { .. } | State::Void { .. } => panic!("neither held nor void"),
            }
        }
        assert_eq!((free, spent), (number("free"), number("spent")));
    }
}

#[test]
fn proofs_of_the_tree_hold_and_only_they() {
    let vectors = vectors("ledger");
    let leaves = hashes(&vectors["leaf_hashes"]);
    let root_of = |size: u64| hash(&vectors["roots"][size.to_string()]);
    let number = |case: &Json, key: &str| case[key].as_u64().expect("a number");
    let at = |index: u64| leaves[usize::try_from(index).expect("small")];
    for case in list(&vectors, "inclusion") {
        let (index, size, path) = (number(case, "index"), number(case, "size"), hashes(&case["proof"]));
        assert_eq!(merkle::inclusion_proof(leaves.as_slice(), index, size), Ok(Some(path.clone())));
        assert!(merkle::verify_inclusion(at(index), index, size, &path, root_of(size)));
    }
    for case in list(&vectors, "consistency") {
        let (from, to, path) = (number(case, "from"), number(case, "to"), hashes(&case["proof"]));
        assert_eq!(merkle::consistency_proof(leaves.as_slice(), from, to), Ok(Some(path.clone())));
        assert!(merkle::verify_consistency(from, to, root_of(from), root_of(to), &path));
    }
    for case in list(&vectors["bad_proofs"], "inclusion") {
        let (index, size) = (number(case, "index"), number(case, "size"));
        for leaf in &leaves[..9] {
            assert!(
                !merkle::verify_inclusion(*leaf, index, size, &hashes(&case["proof"]), root_of(9)),
                "{}",
                text(case, "why")
            );
        }
    }
    for case in list(&vectors["bad_proofs"], "consistency") {
        let (from, to, old) = (number(case, "from"), number(case, "to"), hash(&case["old_root"]));
        let path = hashes(&case["proof"]);
        assert!(!merkle::verify_consistency(from, to, old, root_of(to), &path), "{}", text(case, "why"));
    }
}

#[test]
fn all_proofs_up_to_64_leaves_hold() {
    let leaves: Vec<Hash> = (0..64_u8).map(|n| chain::leaf_hash(&[n])).collect();
    let mut frontier = Frontier::default();
    for size in 1..=64_u64 {
        frontier.push(leaves[usize::try_from(size - 1).expect("small")]);
        let root = merkle::root(leaves.as_slice(), size).expect("in the tree");
        assert_eq!(frontier.root(), root);
        for (index, leaf) in (0..size).zip(&leaves) {
            let path =
                merkle::inclusion_proof(leaves.as_slice(), index, size).expect("in the tree").expect("in the tree");
            assert!(merkle::verify_inclusion(*leaf, index, size, &path, root));
            assert!(!merkle::verify_inclusion(Hash::ZERO, index, size, &path, root));
            if let Some((_, shorter)) = path.split_last() {
                assert!(!merkle::verify_inclusion(*leaf, index, size, shorter, root));
            }
        }
        for old in 1..=size {
            let path =
                merkle::consistency_proof(leaves.as_slice(), old, size).expect("in the tree").expect("in the tree");
            let old_root = merkle::root(leaves.as_slice(), old).expect("in the tree");
            assert!(merkle::verify_consistency(old, size, old_root, root, &path));
            assert!(!merkle::verify_consistency(old, size, Hash::ZERO, root, &path));
        }
    }
    assert_eq!(merkle::inclusion_proof(leaves.as_slice(), 3, 3), Ok(None));
    assert_eq!(merkle::consistency_proof(leaves.as_slice(), 0, 3), Ok(None));
    assert_eq!(merkle::root(leaves.as_slice(), 0), Ok(Hash::of(&[])));
}

#[test]
fn known_roots_of_rfc_6962_are_met() {
    let mut frontier = Frontier::default();
    let roots: Vec<String> = ["a", "b", "c", "d", "e"]
        .iter()
        .map(|leaf| {
            frontier.push(chain::leaf_hash(leaf.as_bytes()));
            frontier.root().to_hex()
        })
        .collect();
    assert_eq!(Frontier::default().root().to_hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_eq!(roots[0], "022a6979e6dab7aa5ae4c3e5e45f7e977112a7e63593820dbec1ec738a24f93c");
    assert_eq!(roots[1], "b137985ff484fb600db93107c77b0365c80d78f5b429ded0fd97361d077999eb");
    assert_eq!(roots[2], "36642e73c2540ab121e3a6bf9545b0a24982cd830eb13d3cd19de3ce6c021ec1");
    assert_eq!(roots[4], "fe14a5426fbd70c0fa73f52342afed0da0bd23c4838662ccf6b88a3070ead97b");
}

#[test]
fn notes_checkpoints_cosignatures_and_proofs_are_those_of_c2sp() {
    let vectors = vectors("ledger");
    let key_of = |key: &str| SigningKey::from_bytes(&hash(&vectors[key]).0);
    let (log_key, witness_key) = (key_of("log_seed_hex"), key_of("witness_seed_hex"));
    let log = VerifierKey::parse(text(&vectors, "log_vkey")).expect("a key");
    let witness = VerifierKey::parse(text(&vectors, "witness_vkey")).expect("a key");
    let origin = text(&vectors, "origin");
    assert_eq!(log, VerifierKey::of(origin, KeyKind::Log, &log_key));
    assert_eq!(log.to_string(), text(&vectors, "log_vkey"));
    assert_eq!(witness, VerifierKey::of("witness.example/w1", KeyKind::Witness, &witness_key));
    for bad in list(&vectors, "bad_vkeys") {
        assert!(VerifierKey::parse(bad.as_str().expect("text")).is_err(), "{bad}");
    }

    let root = hash(&vectors["roots"]["33"]);
    let checkpoint = Checkpoint { origin: origin.into(), size: 33, root };
    assert_eq!(checkpoint.sign(&log_key).to_string(), text(&vectors, "checkpoint"));
    let opened = VerifiedCheckpoint::open(text(&vectors, "cosigned_checkpoint").as_bytes(), &log).expect("signed");
    assert_eq!(*opened.checkpoint(), checkpoint);
    let time = vectors["cosignature_time"].as_u64().expect("a time");
    assert_eq!(cosignature::verify(opened.note(), &witness), Ok(time));
    let mut note = checkpoint.sign(&log_key);
    note.signatures.push(cosignature::cosign(&note.text, time, witness.name(), &witness_key));
    assert_eq!(note.to_string(), text(&vectors, "cosigned_checkpoint"));
    let mut forged = note.clone();
    forged.signatures[1].signature[0] ^= 1;
    assert!(cosignature::verify(&forged, &witness).is_err());
    assert!(
        cosignature::verify(&Note::parse(text(&vectors, "checkpoint").as_bytes()).expect("a note"), &witness).is_err()
    );

    for case in list(&vectors, "good_notes") {
        assert!(VerifiedCheckpoint::open(text(case, "note").as_bytes(), &log).is_ok(), "{}", text(case, "why"));
    }
    for case in list(&vectors, "bad_notes") {
        assert!(VerifiedCheckpoint::open(text(case, "note").as_bytes(), &log).is_err(), "{}", text(case, "why"));
    }

    let proof = Proof::parse(text(&vectors, "proof_of_entry_5").as_bytes()).expect("a proof");
    assert_eq!(proof.to_string(), text(&vectors, "proof_of_entry_5"));
    let leaves = hashes(&vectors["leaf_hashes"]);
    let included = proof.verify(leaves[5], &log).expect("included");
    assert_eq!(included.checkpoint().size, 33);
    assert!(proof.verify(leaves[6], &log).is_err());
    assert_eq!(merkle::inclusion_proof(leaves.as_slice(), 5, 33), Ok(Some(proof.path)));
}

#[test]
fn published_totals_prove_themselves() {
    let vectors = vectors("merkle_sum");
    let number = |json: &Json, key: &str| json[key].as_u64().expect("a number");
    let item = |json: &Json| Item { item: hash(&json["item"]), amount: number(json, "amount") };
    let path = |json: &Json| -> Vec<(Side, Sum)> {
        let step = |step: &Json| {
            let side = if text(step, "side") == "left" { Side::Left } else { Side::Right };
            (side, Sum { hash: hash(&step["hash"]), sum: number(step, "sum") })
        };
        json.as_array().expect("a path").iter().map(step).collect()
    };
    let mut of_eight = None;
    for case in list(&vectors, "cases") {
        let items: Vec<Item> = list(case, "items").iter().map(item).collect();
        let total = Sum { hash: hash(&case["root"]), sum: number(case, "sum") };
        let count = u64::try_from(items.len()).expect("small");
        let total = Total { count, root: total };
        assert_eq!(sum_tree::total(&items), Ok(total));
        for (place, expected) in list(case, "proofs").iter().enumerate() {
            assert_eq!(sum_tree::proof(&items, place), Ok(Some(path(expected))));
            let index = u64::try_from(place).expect("small");
            assert!(sum_tree::verify(items[place], index, count, &path(expected), total));
            assert!(!sum_tree::verify(items[place], index + 1, count, &path(expected), total));
        }
        if count == 8 {
            of_eight = Some(total);
        }
    }
    for case in list(&vectors, "bad_proofs_of_8") {
        let proves = sum_tree::verify(
            item(case),
            number(case, "index"),
            number(case, "count"),
            &path(&case["proof"]),
            of_eight.expect("a case of 8"),
        );
        assert!(!proves, "{}", text(case, "why"));
    }
    let huge = [Item { item: Hash::ZERO, amount: u64::MAX }, Item { item: Hash::ZERO, amount: 1 }];
    assert!(sum_tree::root(&huge).is_err());
}

fn posts(json: &Json) -> Vec<RawPost<'_>> {
    let post = |post: &'_ Json| -> RawPost<'static> {
        RawPost {
            op: text(post, "op").to_owned().into(),
            line: text(post, "line").to_owned().into(),
            from: post["from"].as_i64().expect("an integer"),
            to: post["to"].as_i64().expect("an integer"),
            of: post.get("of").map(|of| of.as_i64().expect("an integer")),
        }
    };
    json.as_array().expect("posts").iter().map(post).collect()
}

fn told(result: Result<(), mingzhang::ledger::posting::Broken>) -> String {
    result.map_or_else(|broken| format!("refused: {}", broken.rule.code()), |()| "ok".into())
}

#[test]
fn posts_follow_the_algebra() {
    let vectors = vectors("postings");
    let codes: Vec<&str> = list(&vectors, "codes").iter().map(|code| code.as_str().expect("text")).collect();
    let mut ours: Vec<&str> =
        Rule::ALL.iter().map(|rule| rule.code()).filter(|code| !code.starts_with("cash")).collect();
    ours.sort_unstable();
    assert_eq!(ours, codes);
    for case in list(&vectors, "cases") {
        let name = text(case, "name");
        let mut book = Book::default();
        for ((seq, step), expected) in (0..).zip(list(case, "steps")).zip(list(case, "results")) {
            let result = book.apply(seq, &posts(step), &[], CashRule::Ignored);
            assert_eq!(told(result), expected.as_str().expect("text"), "{name}, step {seq}");
        }
        let last = case["final"].as_object().expect("lines");
        assert_eq!(book.lines().len(), last.len(), "{name}: lines");
        for (line, expected) in last {
            let line = book.line(line).expect(name);
            let runs: Vec<Json> = line
                .runs()
                .map(|(span, state)| {
                    let (word, by) = match state {
                        State::Free => ("free", None),
                        State::Held { by } => ("held", Some(by)),
                        State::Spent { by } => ("spent", Some(by)),
                        State::Void { by } => ("void", Some(by)),
                    };
                    let mut run = serde_json::json!({"from": span.from, "to": span.to, "state": word});
                    if let Some(by) = by {
                        run["by"] = by.into();
                    }
                    run
                })
                .collect();
            assert_eq!(Json::Array(runs), expected["runs"], "{name}: runs of {}", line.name());
            let totals = line.totals();
            let totals = serde_json::json!({"free": totals.free, "held": totals.held, "spent": totals.spent, "void": totals.void});
            assert_eq!(totals, expected["totals"], "{name}: totals of {}", line.name());
        }
    }
}

#[test]
fn cash_changes_by_what_the_posts_say() {
    for case in list(&vectors("cash"), "cases") {
        let mut book = Book::default();
        for ((seq, step), expected) in (0..).zip(list(case, "steps")).zip(list(case, "results")) {
            let row = |row: &Json| RawCash {
                account: text(row, "account").to_owned().into(),
                unit: text(row, "unit").to_owned().into(),
                amount: row["amount"].as_i64().expect("an integer"),
            };
            let cash: Vec<RawCash<'_>> = list(step, "cash").iter().map(row).collect();
            let result = book.apply(seq, &posts(&step["post"]), &cash, CashRule::Judged);
            assert_eq!(told(result), expected.as_str().expect("text"), "{}, step {seq}", text(case, "name"));
        }
    }
}

/// The same traces from the entries alone, as a receipt has them: positions that one entry brought in, and what came after.
fn follows(case: &Json) {
    let name = text(case, "name");
    let entry = |seq: usize, posts: &Json| {
        let posts = posts.as_array().expect("posts").iter().map(|post| RawPost {
            op: text(post, "op").to_owned().into(),
            line: text(post, "line").to_owned().into(),
            from: post["from"].as_i64().expect("a position"),
            to: post["to"].as_i64().expect("a position"),
            of: post.get("of").and_then(Json::as_i64),
        });
        Entry {
            ledger: "a.example/b".into(),
            seq: u64::try_from(seq).expect("small"),
            prev: Hash::ZERO,
            at: Timestamp::from_millis(0).expect("a time"),
            by: "system".into(),
            kind: "a.b".into(),
            body: Object::new(),
            post: posts.collect(),
            cash: Vec::new(),
        }
    };
    for trace in list(case, "traces") {
        let (from, to) = (trace["from"].as_i64(), trace["to"].as_i64());
        let brings = |step: &Json| {
            step.as_array().expect("posts").iter().any(|post| {
                post["op"] == "in"
                    && post["line"] == trace["line"]
                    && post["from"].as_i64() <= from
                    && to <= post["to"].as_i64()
            })
        };
        let steps = list(case, "steps");
        let Some(gift) = steps.iter().position(brings) else { continue };
        let own = serde_json::json!([{"op": "in", "line": trace["line"], "from": from, "to": to}]);
        let mut follow = Follow::begin(&entry(gift, &own)).expect(name);
        for (seq, step) in steps.iter().enumerate().skip(gift + 1) {
            follow.step(&entry(seq, step)).expect(name);
        }
        let mut found: Vec<String> =
            follow.fates().into_iter().map(|fate| format!("{:?} {} {}", fate.state, fate.line, fate.amount)).collect();
        let told = |used: &Json| {
            let by = used.get("by").and_then(Json::as_u64);
            let state = match (text(used, "state"), by) {
                ("held", Some(by)) => State::Held { by },
                ("spent", Some(by)) => State::Spent { by },
                ("void", Some(by)) => State::Void { by },
                _ => State::Free,
            };
            format!("{state:?} {} {}", text(used, "line"), used["amount"])
        };
        let mut expected: Vec<String> = list(trace, "uses").iter().map(told).collect();
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected, "{name}: {trace}");
    }
}

#[test]
fn traces_and_their_transpose_agree_through_transfers() {
    for case in list(&vectors("transfer"), "cases") {
        let name = text(case, "name");
        let mut book = Book::default();
        for (seq, step) in (0..).zip(list(case, "steps")) {
            book.apply(seq, &posts(step), &[], CashRule::Ignored).expect(name);
        }
        let place = |line: &str| book.lines().iter().position(|known| known.name().to_string() == line).expect(name);
        for trace in list(case, "traces") {
            let number = |key: &str| trace[key].as_u64().expect("a number");
            let span = Span::new(number("from"), number("to")).expect("positions");
            let mut uses: Vec<String> = book
                .trace([Placed { line: place(text(trace, "line")), span }])
                .into_iter()
                .map(|found| {
                    let (word, by) = match found.state {
                        State::Free => ("free", None),
                        State::Held { by } => ("held", Some(by)),
                        State::Spent { by } => ("spent", Some(by)),
                        State::Void { by } => ("void", Some(by)),
                    };
                    format!("{word} {by:?} {} {}", book.lines()[found.line].name(), found.amount)
                })
                .collect();
            let told = |found: &Json| {
                format!(
                    "{} {:?} {} {}",
                    text(found, "state"),
                    found.get("by").map(|by| by.as_u64().expect("a seq")),
                    text(found, "line"),
                    found["amount"]
                )
            };
            let mut expected: Vec<String> = list(trace, "uses").iter().map(told).collect();
            uses.sort_unstable();
            expected.sort_unstable();
            assert_eq!(uses, expected, "{name}: {trace}");
        }
        follows(case);
        for payment in list(case, "payers") {
            let payers: Vec<Json> = book
                .payers(payment["by"].as_u64().expect("a seq"))
                .into_iter()
                .map(|payer| serde_json::json!({"inflow": payer.inflow, "line": book.lines()[payer.line].name().to_string(), "amount": payer.amount}))
                .collect();
            assert_eq!(Json::Array(payers), payment["from"], "{name}: {payment}");
        }
    }
}
