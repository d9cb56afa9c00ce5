//! Receipts that prove themselves: by the program, by a browser without a network, and refused by both when anything was changed.

use crate::books::Books;
use crate::browser::browser;
use crate::served::Served;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::SigningKey;
use mingzhang::ledger::canonical::{Object, Value};
use mingzhang::ledger::chain::leaf_hash;
use mingzhang::ledger::checkpoint::LogKey;
use mingzhang::ledger::claim::Claim;
use mingzhang::ledger::proof::Proof;
use mingzhang::ledger::receipt::{IN_PAGE, Receipt};
use mingzhang::ledger::{commitment, merkle};
use mingzhang::values::{Hash, Origin};
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Books with a case that may cost 1,000.00.
fn opened_case() -> Books {
    let books = Books::opened();
    for line in [
        "fund open --id general --type unrestricted --name-zh 日常 --name-en General",
        "account open wallet/a --fund general",
        "case open --id c_1 --fund f_1 --category health --on 2026-03-01 --region-zh 测试市 --region-en Test",
        "case assess c_1 --need 1000 --on 2026-03-02",
        "case approve c_1 --limit 1000 --on 2026-03-03 --as wang",
        "account open wallet/a --fund f_1",
    ] {
        books.does(line);
    }
    books
}

/// Pays so many bills of 20.00; of the first, 5.00 come back.
fn pay(books: &Books, payments: u32) {
    for number in 0..payments {
        let request =
            "disbursement request --case c_1 --amount 20 --use hospital --payee-class hospital --on 2026-03-10";
        let request = books.does(request)["disbursement"].to_string();
        books.does(&format!("disbursement approve {request} --as wang --on 2026-03-10"));
        books.does(&format!("disbursement pay {request} --account wallet/a --on 2026-03-11"));
        if number == 0 {
            books.does(&format!("disbursement return {request} --amount 5 --on 2026-03-12"));
        }
    }
}

/// A gift of 1,000.00 that pays so many bills of a case, out of another fund.
pub(crate) fn paid(payments: u32) -> (Books, u64) {
    let books = opened_case();
    books.does(
        "donation receive --fund general --amount 10 --account wallet/a --order-no B --name 李四 --on 2026-03-08",
    );
    let gift = "donation receive --fund general --amount 1000 --fee 6 --account wallet/a --order-no A --name 张三 --on 2026-03-08";
    let gift = books.does(gift)["donation"].as_u64().expect("a number");
    books.does("fund transfer general f_1 --amount 1004 --on 2026-03-09");
    pay(&books, payments);
    (books, gift)
}

/// The same with the gift for the case's own fund, and a report on it.
fn given_for_a_case(payments: u32) -> (Books, u64) {
    let books = opened_case();
    books.does("donation receive --fund f_1 --amount 20 --account wallet/a --order-no D --name 王五 --on 2026-03-08");
    let gift = "donation receive --fund f_1 --amount 1000 --account wallet/a --order-no C --name 张三 --on 2026-03-08";
    let gift = books.does(gift)["donation"].as_u64().expect("a number");
    books.does("donation receive --fund f_1 --amount 7 --account wallet/a --order-no E --on 2026-03-08");
    pay(&books, payments);
    books.does("report case c_1");
    (books, gift)
}

/// Issues the certificate of a gift; the folder with its files.
pub(crate) fn issue(books: &Books, gift: u64) -> (Json, PathBuf) {
    let out = books.path.join("receipts");
    let told = books.json(&["donation", "receipt", &gift.to_string(), "--out", out.to_str().expect("UTF-8")]);
    (told, out)
}

/// What each page says in a browser without a network; nothing where there is no browser.
pub(crate) fn opened(files: &[PathBuf], log: Option<&Served>) -> Option<Vec<Json>> {
    let (browser, folder) = browser()?;
    let mut command = Command::new("node");
    command.arg(folder.join("receipt.mjs")).arg(browser);
    if let Some(site) = log {
        command.arg("--log").arg(format!("http://{}", site.address));
    }
    if let Some(shots) = std::env::var_os("MINGZHANG_SHOTS") {
        command.arg("--shots").arg(shots);
    }
    let output = command.args(files).output().expect("node runs");
    let told: Vec<Json> = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    Some(told)
}

fn read(path: &Path) -> Receipt {
    Receipt::of_file(&std::fs::read(path).expect("a file")).expect("a receipt")
}

#[test]
fn a_receipt_of_twenty_payments_proves_itself_here_and_in_a_browser() {
    let (books, gift) = paid(20);
    let (told, out) = issue(&books, gift);
    let year = told["on"].as_str().and_then(|on| on.get(..4)).expect("a day").to_owned();
    assert_eq!((&told["receipt"], &told["repeated"]), (&json!(format!("{year}-000001")), &json!(false)));
    // Once, however often it is asked for.
    assert_eq!(issue(&books, gift).0["repeated"], true);
    assert_eq!(books.does("verify")["ok"], true);
    assert!(books.does("rebuild")["differed"].is_null());
    let number = told["receipt"].as_str().expect("a number");
    let page = out.join(format!("{number}.en.html"));
    let receipt = read(&page);
    assert_eq!(receipt, read(&out.join(format!("{number}.json"))));
    let proven = receipt.verify(&receipt.vkey).expect("it holds");
    let spent = |fates: &[mingzhang::ledger::follow::Fate]| fates.iter().map(|fate| fate.amount).sum::<u64>();
    assert_eq!(spent(&proven.fates), 100_000, "{:?}", proven.fates);
    // The trace that the ledger gives says the same.
    let trace = books.does(&format!("trace {gift}"));
    let uses = trace["uses"].as_array().expect("a list").iter().map(|used| used["amount"].as_u64().expect("an amount"));
    let unspent = trace["unspent"]["CNY"].as_u64().expect("an amount");
    assert_eq!(uses.sum::<u64>() + unspent, 100_000);
    let free = proven.fates.iter().filter(|fate| fate.state == mingzhang::ledger::line::State::Free);
    assert_eq!(free.map(|fate| fate.amount).sum::<u64>(), unspent);
    let pdf = std::fs::read(out.join(format!("{number}.zh.pdf"))).expect("a file");
    assert!(pdf.starts_with(b"%PDF"));
    let site = Served::of(books);
    let Some(told) = opened(&[page], Some(&site)) else { return };
    let told = &told[0];
    assert_eq!((&told["verdict"], &told["wrong"]), (&json!("right"), &json!([])), "{told}");
    assert_eq!(told["total"], "1,000.00 yuan");
    assert_eq!(told["rows"].as_array().map(Vec::len), Some(22), "{told}");
    assert!(told["now"].as_str().is_some_and(|now| now.starts_with('✓')), "{told}");
    eprintln!("a receipt of 20 payments: {} ms in the browser", told["took"]);
}

type Change = Box<dyn Fn(&mut Receipt)>;

/// Something that somebody might do to a receipt, and the word that the refusal has.
fn changes(other: &Receipt) -> Vec<(&'static str, Change)> {
    fn flip(text: &mut String, place: usize) {
        let other = if text.as_bytes()[place] == b'A' { "B" } else { "A" };
        text.replace_range(place..=place, other);
    }
    fn entry(receipt: &mut Receipt, place: usize, from: &str, to: &str) {
        let text = String::from_utf8(receipt.entries[place].0.clone()).expect("UTF-8");
        assert!(text.contains(from), "{from} in {text}");
        receipt.entries[place].0 = text.replacen(from, to, 1).into_bytes();
    }
    let (record, salt, gift) = (other.record.clone(), other.salt, other.entries[0].clone());
    let foreign = other.vkey.clone();
    let strangers = (other.record.clone(), other.salt);
    vec![
        ("amount", Box::new(|receipt| entry(receipt, 0, "\"amount\":100000", "\"amount\":100001"))),
        ("prev", Box::new(|receipt| entry(receipt, 1, "\"prev\":\"", "\"prev\":\"0"))),
        ("post", Box::new(|receipt| entry(receipt, 1, "\"op\":\"hold\"", "\"op\":\"out\""))),
        ("blank", Box::new(|receipt| entry(receipt, 1, "{", "{ "))),
        (
            "proof line",
            Box::new(|receipt| {
                let place = receipt.entries[3].1.find("index").expect("there") + 12;
                flip(&mut receipt.entries[3].1, place);
            }),
        ),
        (
            "signature",
            Box::new(|receipt| {
                for (_, proof) in &mut receipt.entries {
                    let place = proof.len() - 10;
                    flip(proof, place);
                }
            }),
        ),
        ("index", Box::new(|receipt| receipt.entries[1].1 = receipt.entries[2].1.clone())),
        (
            "root",
            Box::new(|receipt| {
                for (_, proof) in &mut receipt.entries {
                    let place = proof.rfind("\n\n").expect("there") - 20;
                    flip(proof, place);
                }
            }),
        ),
        ("salt", Box::new(|receipt| receipt.salt[0] ^= 1)),
        (
            "record",
            Box::new(|receipt| {
                receipt.record = String::from_utf8_lossy(&receipt.record).replace("张三", "李四").into_bytes()
            }),
        ),
        ("another donor", Box::new(move |receipt| (receipt.record, receipt.salt) = strangers.clone())),
        ("another gift", Box::new(move |receipt| receipt.entries[0] = gift.clone())),
        (
            "a gift of another ledger",
            Box::new(move |receipt| {
                (receipt.vkey, receipt.record, receipt.salt) = (foreign.clone(), record.clone(), salt);
            }),
        ),
        ("dropped", Box::new(|receipt| drop(receipt.entries.remove(1)))),
        ("doubled", Box::new(|receipt| receipt.entries.insert(1, receipt.entries[1].clone()))),
        ("swapped", Box::new(|receipt| receipt.entries.swap(1, 2))),
        ("no total", Box::new(|receipt| receipt.totals[0].term = "refund_in".into())),
        ("another amount inside", Box::new(|receipt| receipt.totals[0].item.amount += 1)),
        ("a moved place", Box::new(|receipt| receipt.totals[0].index ^= 1)),
        ("a moved sum", Box::new(|receipt| receipt.totals[0].path[0].1.sum += 1)),
        ("a huge sum", Box::new(|receipt| receipt.totals[0].path[0].1.sum = (1 << 53) - 1)),
        ("another report", Box::new(|receipt| receipt.totals[0].report -= 1)),
        ("another count", Box::new(|receipt| receipt.totals[0].count += 1)),
        ("no gift", Box::new(|receipt| drop(receipt.entries.remove(0)))),
        (
            "sixty-five lines",
            Box::new(|receipt| {
                let line = format!("{}\n", STANDARD.encode([7; 32]));
                let proof = &mut receipt.entries[1].1;
                let place = proof.find("\n\n").expect("there") + 1;
                proof.insert_str(place, &line.repeat(65));
            }),
        ),
        ("extra", Box::new(|receipt| receipt.entries[1].1 = receipt.entries[1].1.replace("index", "extra !\nindex"))),
    ]
}

/// The page with another receipt in it.
fn page_with(page: &str, receipt: &[u8]) -> String {
    let (before, rest) = page.split_once(IN_PAGE).expect("there");
    let (_, after) = rest.split_once("</script>").expect("there");
    format!("{before}{IN_PAGE}{}</script>{after}", STANDARD.encode(receipt))
}

#[test]
fn a_receipt_that_was_changed_is_refused_here_and_in_a_browser_alike() {
    let (books, gift) = given_for_a_case(2);
    let (told, out) = issue(&books, gift);
    let number = told["receipt"].as_str().expect("a number");
    let page = std::fs::read_to_string(out.join(format!("{number}.en.html"))).expect("a file");
    let receipt = read(&out.join(format!("{number}.json")));
    let proven = receipt.verify(&receipt.vkey).expect("it holds");
    let (_, term, total) = proven.totals.first().expect("it is inside a total");
    assert_eq!((term.as_str(), total.count, total.root.sum), ("receipts", 3, 102_700));
    // The same in another ledger, made with other keys.
    let (elsewhere, other_gift) = paid(1);
    let (told, others) = issue(&elsewhere, other_gift);
    let other = read(&others.join(format!("{}.json", told["receipt"].as_str().expect("a number"))));
    let mut files = Vec::new();
    let mut write = |name: &str, bytes: &[u8]| {
        let file = out.join(format!("changed-{}.html", name.replace(' ', "-")));
        std::fs::write(&file, page_with(&page, bytes)).expect("written");
        files.push(file);
    };
    for (name, change) in changes(&other) {
        let mut changed = receipt.clone();
        change(&mut changed);
        let bytes = changed.to_bytes().expect("it can be written");
        let read = Receipt::parse(&bytes).and_then(|read| read.verify(&receipt.vkey).map(drop));
        assert!(read.is_err(), "{name}");
        // Wholly another ledger's: a browser that has only the file is told which key it is.
        if name != "a gift of another ledger" {
            write(name, &bytes);
        }
    }
    assert!(other.verify(&other.vkey).is_ok() && other.verify(&receipt.vkey).is_err());
    // What is no receipt at all, or not in its one form.
    let whole = receipt.to_bytes().expect("it can be written");
    let Value::Object(members) = Value::parse(&whole).expect("canonical") else { panic!("an object") };
    let without: Object<'_> = members
        .iter()
        .filter(|(key, _)| *key != "salt")
        .fold(Object::new(), |object, (key, value)| object.with(key.to_owned(), value.clone()));
    for (name, bytes) in [
        ("cut", whole[..whole.len() / 2].to_vec()),
        ("empty", Vec::new()),
        ("noise", vec![0xFF; 4_096]),
        ("spaced", [b"{ ", &whole[1..]].concat()),
        ("a member less", without.to_bytes().expect("it can be written")),
        ("a list", b"[]".to_vec()),
        ("another format", String::from_utf8_lossy(&whole).replace("receipt/v1", "receipt/v9").into_bytes()),
    ] {
        assert!(Receipt::parse(&bytes).is_err(), "{name}");
        write(name, &bytes);
    }
    let Some(told) = opened(&files, None) else { return };
    for told in told {
        assert_eq!((&told["verdict"], &told["rows"]), (&json!("wrong"), &json!([])), "{told}");
        assert!(
            told["text"].as_str().is_some_and(|text| text.contains("does not hold") && !text.contains("undefined")),
            "{told}"
        );
    }
}

/// A receipt of a log that a dishonest charity has signed: entries as they are given, each a kind, a body and posts, the first being the
/// gift. They are numbered 2, 3, …; what the gift commits to holds.
fn forged(entries: &[(&str, Json, &[Json])], totals: &[Json]) -> Receipt {
    let origin = Origin::parse("test.example/books").expect("an origin");
    let key = LogKey { origin, key: SigningKey::from_bytes(&[7; 32]) };
    let record = r#"{"amount":100,"ledger":"test.example/books","on":"2026-03-01","order_no":"A","unit":"CNY"}"#;
    let donor = commitment::person_bytes(&[5; 32], record.as_bytes()).to_hex();
    let mut texts = vec!["{}".to_owned(), "{}".to_owned()];
    for (seq, (kind, body, post)) in (2..).zip(entries) {
        let mut entry = json!({
            "v": 1, "ledger": "test.example/books", "seq": seq, "prev": "0".repeat(64), "at": "2026-03-01T00:00:00.000Z", "by": "u_1",
            "kind": kind, "body": body,
        });
        if seq == 2 {
            for (member, value) in [("donor", json!(donor)), ("unit", json!("CNY")), ("on", json!("2026-03-01"))] {
                entry["body"][member] = value;
            }
        }
        if !post.is_empty() {
            entry["post"] = json!(post);
        }
        // With keys that ascend and nothing but ASCII this is the canonical form.
        texts.push(entry.to_string());
    }
    let leaves: Vec<Hash> = texts.iter().map(|text| leaf_hash(text.as_bytes())).collect();
    let size = u64::try_from(leaves.len()).expect("few");
    let note = key.checkpoint(size, merkle::root(leaves.as_slice(), size).expect("all there")).to_string();
    let proof = |seq: u64| {
        let path = merkle::inclusion_proof(leaves.as_slice(), seq, size).expect("all there").expect("in it");
        Proof { extra: None, index: seq, path, checkpoint: note.clone() }.to_string()
    };
    let proven = (2..size).map(|seq| (texts[usize::try_from(seq).expect("few")].clone().into_bytes(), proof(seq)));
    let totals = totals.iter().map(|claim| {
        let mut claim = claim.clone();
        claim["item"] = leaves[2].to_hex().into();
        Claim::from_value(&Value::parse(claim.to_string().as_bytes()).expect("canonical")).expect("a claim")
    });
    Receipt {
        vkey: key.verifier(),
        witnesses: Vec::new(),
        entries: proven.collect(),
        rotations: Vec::new(),
        totals: totals.collect(),
        record: record.as_bytes().to_vec(),
        salt: [5; 32],
    }
}

#[test]
fn what_a_dishonest_charity_signs_is_refused_where_it_contradicts_itself_here_and_in_a_browser() {
    let post = |op: &str, line: &str, from: i64, to: i64| json!({"op": op, "line": line, "from": from, "to": to});
    let of = |op: &str, line: &str, from: i64, to: i64, of: i64| json!({"op": op, "line": line, "from": from, "to": to, "of": of});
    let gift = json!({"amount": 100});
    let brought = [post("in", "f_1/CNY", 0, 100)];
    let (kind, paid) = ("donation.received", json!({"use": "hospital"}));
    let hundred = |name: &str, sign: i64| {
        let mut item = Vec::new();
        item.extend([0x10]);
        item.extend(100_u64.to_be_bytes());
        (name.to_owned(), sign, item)
    };
    // One item alone is its own root; which entry it is, is known when the log is.
    let with_total = |name: &str, sign: i64| {
        let (name, sign, mut item) = hundred(name, sign);
        let alone = forged(&[(kind, gift.clone(), &brought)], &[]);
        item.extend(leaf_hash(&alone.entries[0].0).0);
        let term = json!({"name": name, "sign": sign, "count": 1, "sum": 100, "root": Hash::of(&[&item]).to_hex()});
        let claim = json!({"report": 3, "term": name, "index": 0, "count": 1, "item": "", "amount": 100, "path": []});
        forged(&[(kind, gift.clone(), &brought), ("report.published", json!({"terms": [term]}), &[])], &[claim])
    };
    let certificate = |gift: i64| ("receipt.issued", json!({"donation": gift, "receipt": "2026-000001"}), &[][..]);
    let good = [
        ("nothing more", forged(&[(kind, gift.clone(), &brought)], &[])),
        ("its certificate", forged(&[(kind, gift.clone(), &brought), certificate(2)], &[])),
        (
            "paid",
            forged(
                &[
                    (kind, gift.clone(), &brought),
                    ("disbursement.paid", paid.clone(), &[post("out", "f_1/CNY", 0, 40)]),
                ],
                &[],
            ),
        ),
        ("inside", with_total("receipts", 1)),
    ];
    let moved = |to: i64| [post("out", "f_1/CNY", 0, 100), post("in", "f_2/CNY", 0, to)];
    let (more, less) = (moved(100_000), moved(1));
    let then = |kind: &'static str, post: &[Json]| {
        forged(&[("donation.received", gift.clone(), &brought), (kind, paid.clone(), post)], &[])
    };
    let bad = [
        ("another's certificate", "nothing to do", forged(&[(kind, gift.clone(), &brought), certificate(1)], &[])),
        ("another gift between", "nothing to do", then("donation.received", &[post("in", "f_1/CNY", 100, 200)])),
        (
            "more than it says",
            "brings in",
            forged(&[(kind, json!({"amount": 100}), &[post("in", "f_1/CNY", 0, 1)])], &[]),
        ),
        ("an amount in words", "brings in", forged(&[(kind, json!({"amount": "100"}), &brought)], &[])),
        ("of another unit", "brings in", forged(&[(kind, gift.clone(), &[post("in", "f_1/USD", 0, 100)])], &[])),
        ("grown on the way", "than it takes", then("fund.transferred", &more)),
        ("shrunk on the way", "than it takes", then("fund.transferred", &less)),
        (
            "the same positions twice",
            "",
            forged(&[(kind, gift.clone(), &[post("in", "f_1/CNY", 0, 50), post("in", "f_1/CNY", 0, 50)])], &[]),
        ),
        ("an inflow of another", "", then("donation.received", &[of("in", "f_1/CNY", 100, 200, 1)])),
        ("freed of nobody", "", then("disbursement.returned", &[post("free", "f_1/CNY", 0, 40)])),
        ("a gross total shown as income", "", with_total("gross_disbursed", -1)),
        ("income that is taken off", "", with_total("receipts", -1)),
    ];
    let books = paid_page();
    let (page, out) = (&books.0, &books.1);
    let mut files = Vec::new();
    for (name, receipt) in &good {
        receipt.verify(&receipt.vkey).map(drop).unwrap_or_else(|error| panic!("{name}: {error}"));
        let file = out.join(format!("forged-{}.html", name.replace(' ', "-")));
        std::fs::write(&file, page_with(page, &receipt.to_bytes().expect("it can be written"))).expect("written");
        files.push(file);
    }
    for (name, words, receipt) in &bad {
        let refused = receipt.verify(&receipt.vkey).map(drop).expect_err(name).to_string();
        assert!(refused.contains(words), "{name}: {refused}");
        let file = out.join(format!("forged-{}.html", name.replace(' ', "-")));
        std::fs::write(&file, page_with(page, &receipt.to_bytes().expect("it can be written"))).expect("written");
        files.push(file);
    }
    let Some(told) = opened(&files, None) else { return };
    for (place, told) in told.iter().enumerate() {
        let wanted = if place < good.len() { "right" } else { "wrong" };
        assert_eq!(told["verdict"], wanted, "{told}");
    }
}

/// A receipt's page, and a folder.
fn paid_page() -> (String, PathBuf) {
    let (books, gift) = paid(1);
    let (told, out) = issue(&books, gift);
    let number = told["receipt"].as_str().expect("a number");
    let page = std::fs::read_to_string(out.join(format!("{number}.en.html"))).expect("a file");
    let folder = std::env::temp_dir().join(format!("mingzhang-forged-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("made");
    (page, folder)
}

#[test]
fn numbers_have_no_gap_however_many_ask_at_once() {
    let books = Books::opened();
    books.does("fund open --id general --type unrestricted --name-zh 日常 --name-en General");
    books.does("account open wallet/a --fund general");
    let gift = |number: u32| format!("donation receive --fund general --amount {number} --order-no A-{number}");
    let gifts: Vec<u64> =
        (1..=6).map(|number| books.does(&gift(number))["donation"].as_u64().expect("a number")).collect();
    books.does(&format!("donation refund {}", gifts[5]));
    let token = books.does("user token admin")["token"].as_str().expect("a token").to_owned();
    let site = Served::of(books);
    let (site, token) = (&site, token.as_str());
    let ask = |gift: u64| site.post(token, &format!("/api/v1/donations/{gift}/receipt"), &json!({}));
    let numbers: Vec<String> = std::thread::scope(|scope| {
        let asking: Vec<_> = gifts[..5].iter().chain(&gifts[..5]).map(|gift| scope.spawn(move || ask(*gift))).collect();
        let told = asking.into_iter().map(|asking| asking.join().expect("it ends").json());
        told.map(|told| told["receipt"].as_str().unwrap_or_else(|| panic!("{told}")).to_owned()).collect()
    });
    let distinct: BTreeSet<&str> =
        numbers.iter().filter_map(|number| number.split_once('-')).map(|(_, place)| place).collect();
    assert_eq!(distinct, BTreeSet::from(["000001", "000002", "000003", "000004", "000005"]));
    // What went back has none, and what is no gift neither.
    assert_eq!((ask(gifts[5]).status, ask(0).status, ask(9_999).status), (422, 422, 422));
    // Files hold personal data: they are for staff, and only what was issued is there.
    let file = format!("/api/v1/donations/{}/receipt/json", gifts[0]);
    let authorized = [("authorization", format!("Bearer {token}"))];
    let authorized: Vec<(&str, &str)> = authorized.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(site.get(&file).status, 401);
    assert_eq!(site.send("GET", &file, &authorized, "").status, 200);
    for path in
        [format!("/api/v1/donations/{}/receipt/json", gifts[5]), format!("{file}x"), file.replace("json", "fr.pdf")]
    {
        assert_eq!(site.send("GET", &path, &authorized, "").status, 404, "{path}");
    }
}

#[test]
fn a_donor_takes_the_receipt_from_their_own_page() {
    let (books, gift) = paid(1);
    let code = books.does(&format!("donation code {gift}"))["code"].as_str().expect("a code").to_owned();
    let site = Served::of(books);
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let post = |body: &str| site.send("POST", "/zh/gift", &form, body);
    assert!(site.get(&format!("/zh/gift/{code}")).body.contains("下载自证凭证"));
    let page = post(&format!("code={code}&file=html"));
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(page.head.contains("attachment; filename=") && page.head.contains("no-store"), "{}", page.head);
    let receipt = Receipt::of_file(page.body.as_bytes()).expect("a receipt");
    assert!(receipt.verify(&receipt.vkey).is_ok());
    // By order number and amount it is the same certificate.
    let printed = post("order_no=A&amount=1000&file=pdf");
    assert_eq!(printed.status, 200);
    assert!(printed.bytes.starts_with(b"%PDF"), "{}", printed.head);
    let again = post(&format!("code={code}&file=json"));
    let again = Receipt::of_file(again.body.as_bytes()).expect("a receipt");
    assert_eq!(again.entries.len(), receipt.entries.len());
    assert_eq!(post("code=aaaa-bbbb&file=html").status, 404);
    assert_eq!(post("order_no=A&amount=999&file=html").status, 422);
    let books = site.stop();
    let issued = books.does(&format!("donation receipt {gift}"))["receipt"].clone();
    assert!(issued.as_str().is_some_and(|number| number.ends_with("-000001")), "{issued}");
    assert_eq!(books.does("verify")["ok"], true);
}
