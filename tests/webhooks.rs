//! Signed messages both ways: channels post gifts, subscribers are told of entries; repeated, late, reordered, forged, and through
//! kills of the server.

use crate::books::Books;
use crate::served::{Answer, Served};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value as Json, json};
use sha2::Sha256;
use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    i64::try_from(since.as_secs()).expect("a few centuries")
}

/// The signature, written here anew from the specification.
fn signature(secret: &str, id: &str, at: i64, body: &str) -> String {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").expect("a secret")).expect("base64");
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("any length");
    mac.update(format!("{id}.{at}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

fn push(site: &Served, channel: &str, secret: &str, at: i64, body: &Json) -> Answer {
    let (text, at_text) = (body.to_string(), at.to_string());
    let signed = signature(secret, "m1", at, &text);
    let headers = [("webhook-id", "m1"), ("webhook-timestamp", &at_text), ("webhook-signature", &signed)];
    site.send("POST", &format!("/api/v1/channels/{channel}/gifts"), &headers, &text)
}

fn with_fund() -> Books {
    let books = Books::opened();
    books.does("fund open --id general --type unrestricted --name-zh 日常 --name-en General");
    books.does("account open wallet/wechat --fund general");
    books
}

#[test]
fn a_channel_posts_gifts_however_its_messages_come() {
    let books = with_fund();
    let secret = |answer: &Json| answer["secret"].as_str().expect("a secret").to_owned();
    let ours = secret(&books.does("channel add wechat --fund general --account wallet/wechat"));
    let other = secret(&books.does("channel add alipay --fund general --account wallet/wechat"));
    books.will_not("channel add wechat --fund general --account wallet/wechat", "exists");
    books.will_not("channel add unionpay --fund none --account wallet/wechat", "no fund none");
    let gift = |number: u32, on: &str| json!({"order_no": format!("W-{number}"), "amount": 1_000 + number, "on": on, "name": "张三丰"});
    let site = Served::of(books);
    // The later gift comes first; both come again, also with a new timestamp, after the server has forgotten everything.
    let seq = |answer: &Answer| answer.json()["donation"].as_u64();
    let late = push(&site, "wechat", &ours, now(), &gift(2, "2026-03-09"));
    assert_eq!(late.status, 201, "{}", late.body);
    let early = push(&site, "wechat", &ours, now() - 299, &gift(1, "2026-03-08"));
    assert_eq!(early.status, 201, "{}", early.body);
    let site = Served::of(site.stop());
    for _ in 0..2 {
        let again = push(&site, "wechat", &ours, now(), &gift(2, "2026-03-09"));
        assert_eq!((again.status, seq(&again), &again.json()["repeated"]), (200, seq(&late), &json!(true)));
        assert_eq!(seq(&push(&site, "wechat", &ours, now() - 10, &gift(1, "2026-03-08"))), seq(&early));
    }
    let differs = push(&site, "wechat", &ours, now(), &json!({"order_no": "W-1", "amount": 5}));
    assert_eq!(
        (differs.status, differs.json()["type"].as_str()),
        (409, Some("urn:mingzhang:problem:reference_differs"))
    );

    // Too old, too new, of another secret, to another channel, changed, unsigned, unknown.
    let refused = |answer: Answer, code: &str| {
        assert_eq!(answer.status, 401, "{}", answer.body);
        assert_eq!(answer.json()["type"], format!("urn:mingzhang:problem:{code}"));
    };
    let fresh = gift(3, "2026-03-10");
    refused(push(&site, "wechat", &ours, now() - 310, &fresh), "too_late");
    refused(push(&site, "wechat", &ours, now() + 310, &fresh), "too_late");
    refused(push(&site, "wechat", &other, now(), &fresh), "signature_wrong");
    refused(push(&site, "alipay", &ours, now(), &fresh), "signature_wrong");
    refused(push(&site, "nobody", &ours, now(), &fresh), "signature_wrong");
    refused(site.send("POST", "/api/v1/channels/wechat/gifts", &[], &fresh.to_string()), "signature_wanted");
    assert_eq!(push(&site, "wechat", &ours, now(), &json!({"order_no": "W-9"})).status, 422, "no amount");
    let books = site.stop();
    let gifts = books.does("donation list --last 9")["donations"].as_array().expect("a list").len();
    assert_eq!(gifts, 2, "each gift once, and none of the refused");
    books.does("channel remove wechat");
    let site = Served::of(books);
    refused(push(&site, "wechat", &ours, now(), &fresh), "signature_wrong");
    let mut last = 0;
    for _ in 0..25 {
        last = push(&site, "wechat", &ours, now(), &fresh).status;
    }
    assert_eq!(last, 429, "secrets are not to be guessed");
    assert_eq!(site.stop().does("verify")["ok"], true);
}

/// A subscriber: what it was told, and what it answers.
struct Subscriber {
    url: String,
    told: mpsc::Receiver<(BTreeMap<String, String>, String)>,
}

impl Subscriber {
    /// Answers each message with the next of these statuses, and then with 200.
    fn listen(statuses: Vec<u16>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        let (sender, told) = mpsc::channel();
        std::thread::spawn(move || {
            let mut statuses = statuses.into_iter();
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { continue };
                let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
                let (head, body) = loop {
                    let count = stream.read(&mut buffer).unwrap_or(0);
                    bytes.extend_from_slice(&buffer[..count]);
                    let text = String::from_utf8_lossy(&bytes).into_owned();
                    if count == 0 {
                        break (String::new(), String::new());
                    }
                    let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
                    let length = head
                        .to_lowercase()
                        .lines()
                        .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
                    if body.len() >= length.unwrap_or(0) {
                        break (head.to_lowercase(), body.to_owned());
                    }
                };
                let pair = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned()));
                let status = statuses.next().unwrap_or(200);
                let original: BTreeMap<String, String> = head.lines().filter_map(pair).collect();
                // What was refused was not heard.
                if status == 200 && !body.is_empty() && sender.send((original, body)).is_err() {
                    return;
                }
                let _ = write!(stream, "HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            }
        });
        Self { url, told }
    }

    /// What it is told, until nothing came for a while.
    fn heard(&self, quiet: Duration) -> Vec<(BTreeMap<String, String>, String)> {
        let mut heard = Vec::new();
        while let Ok(message) = self.told.recv_timeout(quiet) {
            heard.push(message);
        }
        heard
    }
}

#[test]
fn a_subscriber_is_told_of_everything_in_order_through_failures_and_kills() {
    let books = with_fund();
    let all = Subscriber::listen(vec![500, 302]);
    let some = Subscriber::listen(vec![]);
    let gone = "http://127.0.0.1:1/hook";
    let added = books.does(&format!("subscription add {} --from 0", all.url));
    books.does(&format!("subscription add {} --kinds donation.received", some.url));
    books.does(&format!("subscription add {gone} --from 0"));
    books.refused(&["subscription", "add", "ftp://example.org"], 5, "https://host/path");
    let secret = added["secret"].as_str().expect("a secret").to_owned();
    let token = books.does("user token admin")["token"].as_str().expect("a token").to_owned();
    let mut site = Served::of(books);
    let mut heard = Vec::new();
    for round in 0..3 {
        for number in 0..20 {
            let gift =
                json!({"fund": "general", "amount": 100, "order_no": format!("{round}-{number}"), "on": "2026-03-08"});
            assert_eq!(site.post(&token, "/api/v1/donations", &gift).status, 201);
        }
        heard.extend(all.heard(Duration::from_millis(150)));
        // Killed while it is telling, and started again.
        site = Served::of(site.kill());
    }
    let end = Instant::now() + Duration::from_secs(30);
    let ids = |heard: &[(BTreeMap<String, String>, String)]| -> Vec<u64> {
        heard.iter().filter_map(|(head, _)| head["webhook-id"].rsplit('#').next()?.parse().ok()).collect()
    };
    let size = site.get("/api/v1/ledger").json()["size"].as_u64().expect("a size");
    while ids(&heard).iter().max() != Some(&(size - 1)) && Instant::now() < end {
        heard.extend(all.heard(Duration::from_millis(500)));
    }
    let told = ids(&heard);
    let mut first_times = told.clone();
    first_times.dedup();
    let mut once: Vec<u64> = Vec::new();
    first_times.iter().for_each(|seq| {
        if !once.contains(seq) {
            once.push(*seq)
        }
    });
    assert_eq!(once, (0..size).collect::<Vec<_>>(), "each entry, in order; {} messages", told.len());
    assert!(told.len() <= once.len() + 3, "a kill repeats at most the one under way: {told:?}");
    for (head, body) in &heard {
        let at: i64 = head["webhook-timestamp"].parse().expect("seconds");
        // Heads were folded to small letters; base64 was not meant to be.
        let expected = signature(&secret, &head["webhook-id"], at, body).to_lowercase();
        assert_eq!(head["webhook-signature"], expected);
        let message: Json = serde_json::from_str(body).expect("JSON");
        assert_eq!(message["type"], message["data"]["kind"]);
        assert!(!body.contains("张三丰"));
    }
    let of_gifts = some.heard(Duration::from_secs(1));
    let mut gifts = ids(&of_gifts);
    gifts.dedup();
    assert_eq!(gifts.len(), 60);
    let books = site.stop();
    let listed = books.does("subscription list");
    let at = |url: &str| {
        let known = listed["subscriptions"].as_array().into_iter().flatten().find(|known| known["url"] == url);
        known.cloned().expect("listed")
    };
    assert_eq!((&at(&all.url)["next"], &at(&all.url)["failures"]), (&json!(size), &json!(0)));
    assert!(at(gone)["failures"].as_u64() >= Some(1) && at(gone)["next"] == 0, "{}", at(gone));
    assert!(!at(gone)["trouble"].as_str().expect("a text").is_empty());
    let id = at(gone)["subscription"].as_str().expect("an id").to_owned();
    books.does(&format!("subscription remove {id}"));
    books.will_not(&format!("subscription remove {id}"), "no subscription");
}
