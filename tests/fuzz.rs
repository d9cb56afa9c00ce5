//! No bytes make a parser of what strangers send panic: any bytes, and good ones that were changed. A second for all of them; two minutes
//! each with `MINGZHANG_SLOW_TESTS=1`.

use mingzhang::ledger::canonical::Value;
use mingzhang::ledger::checkpoint::Checkpoint;
use mingzhang::ledger::entry::Entry;
use mingzhang::ledger::note::{Note, VerifierKey};
use mingzhang::ledger::policy::Policy;
use mingzhang::ledger::proof::Proof;
use mingzhang::ledger::receipt::Receipt;
use mingzhang::ledger::rotation;
use mingzhang::ledger::tile::{Tile, entries_of, hashes_of};
use mingzhang::ledger::witness::AddCheckpoint;
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value as Json;
use std::time::{Duration, Instant};

/// A change of good bytes.
#[derive(Clone, Debug)]
enum Change {
    Flip(usize, u8),
    Cut(usize),
    Remove(usize, usize),
    Repeat(usize, usize),
    Insert(usize, Vec<u8>),
}

fn change() -> impl Strategy<Value = Change> {
    let words = prop_oneof![
        Just(b"\n".to_vec()),
        Just(b"\n\n".to_vec()),
        Just(b"\"".to_vec()),
        Just("\u{2014} ".as_bytes().to_vec()),
        Just(b"18446744073709551616".to_vec()),
        Just(b"9007199254740993".to_vec()),
        Just(b"-1".to_vec()),
        Just(b"[[[[[[[[[[[[[[[[[[".to_vec()),
        vec(any::<u8>(), 1..9),
    ];
    prop_oneof![
        (any::<usize>(), any::<u8>()).prop_map(|(place, bits)| Change::Flip(place, bits)),
        any::<usize>().prop_map(Change::Cut),
        (any::<usize>(), 0..99_usize).prop_map(|(place, length)| Change::Remove(place, length)),
        (any::<usize>(), 0..99_usize).prop_map(|(place, length)| Change::Repeat(place, length)),
        (any::<usize>(), words).prop_map(|(place, word)| Change::Insert(place, word)),
    ]
}

fn changed(mut bytes: Vec<u8>, changes: Vec<Change>) -> Vec<u8> {
    for change in changes {
        let within = |place: usize| if bytes.is_empty() { 0 } else { place % bytes.len() };
        match change {
            Change::Flip(place, bits) => {
                let place = within(place);
                if let Some(byte) = bytes.get_mut(place) {
                    *byte ^= bits;
                }
            }
            Change::Cut(place) => bytes.truncate(within(place)),
            Change::Remove(place, length) => {
                let from = within(place);
                let to = (from + length).min(bytes.len());
                bytes.drain(from..to);
            }
            Change::Repeat(place, length) => {
                let from = within(place);
                let to = (from + length).min(bytes.len());
                let part = bytes[from..to].to_vec();
                bytes.splice(from..from, part);
            }
            Change::Insert(place, word) => {
                let place = within(place);
                bytes.splice(place..place, word);
            }
        }
    }
    bytes
}

/// Throws bytes at a parser until its time is over.
fn fuzz(samples: &[String], parse: impl Fn(&[u8])) {
    let slow = std::env::var_os("MINGZHANG_SLOW_TESTS").is_some();
    let time = if slow { Duration::from_secs(120) } else { Duration::from_millis(90) };
    let samples: Vec<Vec<u8>> = samples.iter().map(|sample| sample.clone().into_bytes()).collect();
    let strategy = prop_oneof![
        1 => vec(any::<u8>(), 0..300),
        6 => (0..samples.len(), vec(change(), 1..6)).prop_map(move |(place, changes)| changed(samples[place].clone(), changes)),
    ];
    let start = Instant::now();
    while start.elapsed() < time {
        let mut runner = TestRunner::new(Config { cases: 200, failure_persistence: None, ..Config::default() });
        let done = runner.run(&strategy, |bytes| {
            parse(&bytes);
            Ok(())
        });
        done.expect("no bytes make it panic");
    }
}

fn vectors() -> Json {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/ledger.json");
    serde_json::from_str(&std::fs::read_to_string(path).expect(path)).expect(path)
}

fn text(json: &Json) -> String {
    json.as_str().expect("a text").to_owned()
}

#[test]
fn no_bytes_make_a_parser_of_notes_proofs_and_requests_panic() {
    let given = vectors();
    let (note, cosigned) = (text(&given["checkpoint"]), text(&given["cosigned_checkpoint"]));
    let (proof, log, witness) =
        (text(&given["proof_of_entry_5"]), text(&given["log_vkey"]), text(&given["witness_vkey"]));
    let key = VerifierKey::parse(&log).expect("a key");
    fuzz(&[note.clone(), cosigned], |bytes| {
        if let Ok(note) = Note::parse(bytes) {
            let _ = (note.verify(&key), Checkpoint::parse(&note.text));
            // What was read is what is written.
            assert_eq!(Note::parse(note.to_string().as_bytes()), Ok(note));
        }
    });
    fuzz(&[proof], |bytes| {
        if let Ok(proof) = Proof::parse(bytes) {
            assert_eq!(Proof::parse(proof.to_string().as_bytes()).as_ref(), Ok(&proof));
            let _ = proof.verify(mingzhang::values::Hash::ZERO, &key);
        }
    });
    fuzz(&[log.clone(), witness.clone()], |bytes| {
        if let Ok(key) = VerifierKey::parse(&String::from_utf8_lossy(bytes)) {
            let _ = key.to_string();
        }
    });
    fuzz(&[format!("old 5\n{}\n\n{note}", mingzhang::values::Hash::ZERO.to_base64())], |bytes| {
        if let Ok(request) = AddCheckpoint::parse(bytes) {
            assert_eq!(AddCheckpoint::parse(request.to_text().as_bytes()).as_ref(), Ok(&request));
            let _ = (request.judge(std::slice::from_ref(&key), None), request.origin());
        }
    });
    fuzz(
        &[format!("log {log} https://a.example/\nwitness w {witness} https://w.example\ngroup g 1 w\nquorum g\n")],
        |bytes| {
            if let Ok(policy) = Policy::parse(&String::from_utf8_lossy(bytes)) {
                let _ = policy.is_met_by(&[("w".into(), 1)]);
            }
        },
    );
}

#[test]
fn no_bytes_make_a_parser_of_entries_tiles_and_receipts_panic() {
    let given = vectors();
    let entries: Vec<String> = given["entries"].as_array().expect("a list").iter().map(text).collect();
    fuzz(&entries, |bytes| {
        if let Ok(value) = Value::parse(bytes) {
            // There is one form only.
            assert!(value.to_bytes().map_or(true, |written| written == bytes));
        }
        if let Ok(entry) = Entry::parse(bytes) {
            assert!(entry.to_bytes().map_or(true, |written| written == bytes));
        }
    });
    fuzz(&["0/x001/234".into(), "1/000.p/17".into(), "entries/x001/x234/067.p/1".into()], |bytes| {
        let text = String::from_utf8_lossy(bytes);
        if let Some(tile) = Tile::parse(&text) {
            assert_eq!(tile.to_string(), format!("tile/{text}"));
            let _ = (tile.from(), tile.is_of(u64::MAX));
        }
    });
    fuzz(&entries, |bytes| {
        let _ = (entries_of(bytes), hashes_of(bytes));
    });
    let receipt = mingzhang::ledger::canonical::Object::new()
        .text("format", "mingzhang-receipt/v1")
        .text("vkey", text(&given["log_vkey"]))
        .with("witnesses", Value::Array(vec![Value::text(text(&given["witness_vkey"]))]))
        .with(
            "entries",
            Value::Array(vec![Value::Object(
                mingzhang::ledger::canonical::Object::new()
                    .text("entry", entries[5].clone())
                    .text("proof", text(&given["proof_of_entry_5"])),
            )]),
        )
        .text("record", "{\"amount\":1}")
        .with("rotations", Value::Array(vec![Value::text(text(&given["proof_of_entry_5"]))]))
        .text("salt", "00".repeat(32))
        .with("totals", Value::Array(Vec::new()));
    let receipt = String::from_utf8(receipt.to_bytes().expect("canonical")).expect("UTF-8");
    assert!(Receipt::of_file(receipt.as_bytes()).is_ok());
    fuzz(&[receipt], |bytes| {
        if let Ok(receipt) = Receipt::of_file(bytes) {
            let _ = receipt.verify(&receipt.vkey);
            for proof in &receipt.rotations {
                let _ = rotation::after(proof.as_bytes(), &receipt.vkey);
            }
            assert_eq!(receipt.to_bytes().unwrap_or_else(|_| bytes.to_vec()), bytes);
        }
    });
}
