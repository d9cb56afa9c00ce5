//! Clients that post gifts and send the same again until they are told, and what must then be true of the log.

use crate::books::Books;
use serde_json::{Value as Json, json};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::RwLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// Clients that post gifts with keys over sixty-four connections and go on after a break with the key that was not answered; what
/// each was told, by key.
pub(crate) fn hammer(address: &RwLock<String>, token: &str, stop: &AtomicBool, client: u64) -> Vec<(String, u64)> {
    let mut told = Vec::new();
    let mut number = 0;
    while !stop.load(Ordering::Relaxed) {
        let key = format!("{client}-{number}");
        let body = json!({"fund": "general", "amount": 100, "order_no": key, "account": "wallet/a"}).to_string();
        let to = address.read().expect("no writer fails").clone();
        let answer = TcpStream::connect(&to).and_then(|mut stream| {
            stream.write_all(
                format!(
                    "POST /api/v1/donations HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {token}\r\nidempotency-key: {key}\r\ncontent-length: {}\r\n\r\n{body}",
                    body.len()
                )
                .as_bytes(),
            )?;
            let mut text = String::new();
            stream.read_to_string(&mut text)?;
            Ok(text)
        });
        let said = answer.ok().and_then(|text| {
            let (head, body) = text.split_once("\r\n\r\n")?;
            let is_done = head.starts_with("HTTP/1.1 201") || head.starts_with("HTTP/1.1 200");
            let body: Json = serde_json::from_str(body).ok()?;
            is_done.then(|| body["donation"].as_u64()).flatten()
        });
        match said {
            Some(seq) => {
                told.push((key, seq));
                number += 1;
            }
            None => std::thread::sleep(std::time::Duration::from_millis(20)),
        }
    }
    told
}

/// Nothing that was told is lost, nothing is doubled, and the ledger holds.
pub(crate) fn check_told(books: &Books, told: &[(String, u64)]) {
    assert_eq!(books.does("verify")["ok"], true);
    // Every key stands for one gift, and each has the number that was told.
    let mut seqs: Vec<u64> = told.iter().map(|(_, seq)| *seq).collect();
    seqs.sort_unstable();
    seqs.dedup();
    assert_eq!(seqs.len(), told.len(), "two keys were told one entry");
    let out = books.path.join("export");
    books.json(&["export", out.to_str().expect("UTF-8")]);
    let log = std::fs::read_to_string(out.join("entries.jsonl")).expect("exported");
    let gifts = log.lines().filter(|line| line.contains("\"kind\":\"donation.received\"")).count();
    // A client may have been cut off after its last gift was stored and before it was told.
    assert!((told.len()..=told.len() + 64).contains(&gifts), "{} were told, {gifts} are there", told.len());
    for seq in seqs {
        let line = log.lines().nth(usize::try_from(seq).expect("small")).expect("the entry is there");
        assert!(line.contains("donation.received"), "{seq}: {line}");
    }
}
