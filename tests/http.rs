//! The service over HTTP, with the real program: gifts and payments by programs, pages for donors, and what is refused to whom.

use crate::books::Books;
use crate::hammer::{check_told, hammer};
use crate::served::Served;
use serde_json::{Value as Json, json};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

/// A ledger with a fund and an account, and tokens of the clerk, of the checker, and of a channel.
pub(crate) fn served() -> (Served, String, String, String) {
    served_of(Books::opened())
}

fn served_of(books: Books) -> (Served, String, String, String) {
    books.does("fund open --id general --type unrestricted --name-zh 日常 --name-en General");
    books.does("account open wallet/a --fund general");
    let token = |line: &str| books.does(line)["token"].as_str().expect("a token").to_owned();
    let clerk = token("user token admin");
    let checker = token("user token wang");
    let channel = token("user token admin --scope donations");
    (Served::of(books), clerk, checker, channel)
}

#[test]
fn a_gift_goes_from_a_program_to_the_donors_page() {
    let (site, clerk, checker, channel) = served();
    let gift = json!({"fund": "general", "amount": 50_000, "fee": 300, "order_no": "A-1", "name": "张三丰", "on": "2026-03-08"});
    let key = [("authorization", format!("Bearer {channel}")), ("idempotency-key", "k1".into())];
    let key: Vec<(&str, &str)> = key.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let first = site.send("POST", "/api/v1/donations", &key, &gift.to_string());
    assert_eq!(first.status, 201, "{}", first.body);
    let seq = first.json()["donation"].as_u64().expect("a number");
    let again = site.send("POST", "/api/v1/donations", &key, &gift.to_string());
    assert_eq!((again.status, again.json()["donation"].as_u64()), (200, Some(seq)), "the same key, the same answer");
    let other = site.send("POST", "/api/v1/donations", &key, &gift.to_string().replace("50000", "50001"));
    assert_eq!((other.status, other.json()["type"].as_str()), (409, Some("urn:mingzhang:problem:key_reused")));
    assert_eq!(site.post(&channel, "/api/v1/donations", &gift).status, 409, "the same order number");

    // A case under four eyes, all of it over HTTP.
    let case = json!({"case": "c_1", "fund": "f_1", "categories": ["health"], "region_zh": "吴忠市", "region_en": "Wuzhong", "on": "2026-03-01"});
    let opened = site.post(&clerk, "/api/v1/cases", &case);
    assert_eq!(opened.status, 201, "{}", opened.body);
    let family = opened.json()["family_code"].as_str().expect("a code").to_owned();
    let ok = |token: &str, path: &str, body: Json| {
        let answer = site.post(token, path, &body);
        assert_eq!(answer.status, 201, "{path}: {}", answer.body);
        answer.json()
    };
    ok(&clerk, "/api/v1/cases/c_1/assess", json!({"need": 60_000, "on": "2026-03-02"}));
    assert_eq!(site.post(&clerk, "/api/v1/cases/c_1/approve", &json!({})).status, 403, "its maker is no checker");
    ok(&checker, "/api/v1/cases/c_1/approve", json!({"limit": 60_000, "on": "2026-03-03"}));
    ok(&clerk, "/api/v1/funds/transfer", json!({"from": "general", "to": "f_1", "amount": 40_000, "on": "2026-03-09"}));
    ok(&clerk, "/api/v1/accounts", json!({"account": "bank/a", "funds": ["f_1"]}));
    ok(
        &clerk,
        "/api/v1/accounts/move",
        json!({"from": "wallet/a", "to": "bank/a", "amount": 40_000, "on": "2026-03-09"}),
    );
    let asked = json!({"case": "c_1", "amount": 30_000, "use": "hospital", "payee_class": "hospital", "vouchers": 1, "on": "2026-03-10"});
    let request = ok(&clerk, "/api/v1/disbursements", asked)["entry"].clone();
    ok(&checker, &format!("/api/v1/disbursements/{request}/approve"), json!({"on": "2026-03-10"}));
    assert_eq!(site.post(&checker, &format!("/api/v1/disbursements/{request}/pay"), &json!({})).status, 403);
    ok(&clerk, &format!("/api/v1/disbursements/{request}/pay"), json!({"on": "2026-03-11"}));
    let wrong =
        site.post(&clerk, &format!("/api/v1/disbursements/{request}/acknowledge"), &json!({"code": "nonsense"}));
    assert_eq!(wrong.status, 422);
    ok(&clerk, &format!("/api/v1/disbursements/{request}/acknowledge"), json!({"code": family, "on": "2026-03-12"}));

    // Totals at the size where the gift had just come, and at none that is not there.
    let then = site.get(&format!("/api/v1/totals?at={}", seq + 1)).json();
    let of_general = |totals: &Json| {
        let lines = totals["lines"].as_array().expect("a list").clone();
        lines.into_iter().find(|line| line["line"] == "general/CNY").expect("its line")
    };
    assert_eq!((of_general(&then)["free"].as_u64(), &then["tree_size"]), (Some(49_700), &json!(seq + 1)), "{then}");
    assert_eq!(site.get("/api/v1/totals?at=9999999").status, 422);

    let traced = site.get(&format!("/api/v1/entries/{seq}/trace")).json();
    assert_eq!(traced["uses"].as_array().map(Vec::len), Some(2), "{traced}");
    assert_eq!(traced["left"].as_array().map(Vec::len), Some(2), "{traced}");

    let code =
        ok(&clerk, &format!("/api/v1/donations/{seq}/code"), json!({}))["code"].as_str().expect("a code").to_owned();
    // The donor looks it up by order number and exact amount, in both languages.
    for (language, words, left) in [
        ("zh", "这笔捐款还有 197.00 元没有用", "住院费与预交金"),
        ("en", "197.00 yuan of this gift has not been used yet", "Hospital bills"),
    ] {
        let path = format!("/{language}/gift");
        let form = [("content-type", "application/x-www-form-urlencoded")];
        let page = site.send("POST", &path, &form, "order_no=A-1&amount=500.00");
        assert_eq!(page.status, 200, "{}", page.body);
        assert!(page.body.contains(words) && page.body.contains(left), "{}", page.body);
        assert!(page.body.contains("<svg") && page.body.contains("300.00") && page.body.contains("3.00"));
        assert!(page.head.contains("no-store") && page.head.contains("noindex"), "{}", page.head);
        assert!(!page.body.contains("张三丰"), "the name stays in the vault");
        assert!(!page.body.contains("general.fee"), "the line of fees has a name: {}", page.body);
        let by_code = site.get(&format!("/{language}/gift/{code}")).body;
        let other = if language == "zh" { "en" } else { "zh" };
        assert!(by_code.contains(&format!("href=\"/{other}/gift/{code}\"")), "the other language shows the same gift");
        let none = site.send("POST", &path, &form, "order_no=A-1&amount=500.01");
        assert_eq!(none.status, 422);
    }

    let books = site.stop();
    let verdict = books.does("verify");
    assert_eq!(verdict["ok"], true, "{verdict}");
}

#[test]
fn wrong_requests_are_told_all_that_is_wrong() {
    let (site, clerk, _, channel) = served();
    let answer = site.post(&channel, "/api/v1/donations", &json!({"fund": "A B", "amount": -5, "sum": 1}));
    assert_eq!(answer.status, 422);
    let errors = answer.json()["errors"].as_array().expect("a list").clone();
    let paths: Vec<&str> = errors.iter().filter_map(|error| error["path"].as_str()).collect();
    assert_eq!(paths, ["/fund", "/amount", "/order_no", "/sum"]);
    assert!(answer.head.contains("application/problem+json"));

    for (body, status) in [
        ("", 422),
        ("[]", 400),
        ("{", 400),
        ("{\"a\":\u{0}}", 400),
        (&"[".repeat(50_000), 400),
        ("{\"amount\":1,\"amount\":2}", 400),
    ] {
        let answer = site.send("POST", "/api/v1/donations", &[("authorization", &format!("Bearer {clerk}"))], body);
        assert_eq!(answer.status, status, "{body:.40}");
    }
    let key = format!("Bearer {clerk}");
    for path in ["/api/v1/donations", "/api/v1/cases", "/api/v1/lookups"] {
        let answer = site.send_bytes("POST", path, &[("authorization", &key)], b"{\"fund\":\"g\xffneral\"}");
        assert_eq!(answer.status, 400, "{path}: {}", answer.body);
    }
    let lines: &[&[u8]] = &[
        b"{\"fund\":\"general\",\"amount\":100,\"order_no\":\"u1\"}",
        b"{\"fund\":\"general\",\"amount\":100,\"order_no\":\"u\xff\"}",
        &[b'['; 5_000],
        b"{\"fund\":\"general\",\"amount\":100,\"order_no\":\"u2\"}",
    ];
    let answer = site.send_bytes("POST", "/api/v1/donations/bulk", &[("authorization", &key)], &lines.join(&b'\n'));
    let told: Vec<Json> = answer.body.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let posted: Vec<bool> = told.iter().map(|line| line["donation"].is_u64()).collect();
    assert_eq!((answer.status, posted), (200, vec![true, false, false, true]), "{}", answer.body);
    let form = [("content-type", "application/x-www-form-urlencoded")];
    for body in [b"order_no=%ff&amount=1".as_slice(), b"order_no=\xff\xfe&amount=\xff", b"\x00"] {
        let answer = site.send_bytes("POST", "/zh/gift", &form, body);
        assert_eq!(answer.status, 422, "{}", answer.body);
    }
    let twice = [("authorization", key.as_str()), ("idempotency-key", "a"), ("idempotency-key", "b")];
    let gift = json!({"fund": "general", "amount": 1, "order_no": "u3"}).to_string();
    assert_eq!(site.send("POST", "/api/v1/donations", &twice, &gift).status, 400, "which of the two keys?");
    let large = "x".repeat(70_000);
    let answer = site.send("POST", "/api/v1/donations", &[("authorization", &format!("Bearer {clerk}"))], &large);
    assert_eq!(answer.status, 413);

    for (method, path, status) in [
        ("GET", "/api/v1/entries/abc", 400),
        ("GET", "/api/v1/entries?from=-1", 422),
        ("GET", "/api/v1/entries?from=1&from=2", 400),
        ("DELETE", "/api/v1/donations", 405),
        ("GET", "/api/v1/entries/99999999999999999999/trace", 400),
    ] {
        let answer = site.send(method, path, &[], "");
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(answer.json()["status"], status, "{path}: {}", answer.body);
    }
    for path in
        ["/api/v1/nothing", "/nothing", "/zh/case/none", "/en/fund/none", "/zh/entry/99999999", "/zh/gift/nonsense"]
    {
        assert_eq!(site.get(path).status, 404, "{path}");
    }
    for (path, words) in
        [("/en/entries?before=x", "That did not work"), ("/zh/gift/%ff", "没有办成"), ("/zh/entry/x%1b", "没有")]
    {
        let page = site.get(path);
        assert!(
            page.status >= 400 && page.body.starts_with("<!doctype html>") && page.body.contains(words),
            "{path}: {}",
            page.body
        );
    }
    for path in
        ["/", "/zh", "/en", "/zh/entries", "/en/entry/0", "/zh/fund/general", "/healthz", "/readyz", "/api/v1/totals"]
    {
        let answer = site.get(path);
        assert!(answer.status == 200 || answer.status == 303, "{path}: {}", answer.status);
        for header in
            ["content-security-policy: default-src 'none'", "referrer-policy: no-referrer", "x-request-id: r_"]
        {
            assert!(answer.head.contains(header), "{path}: {}", answer.head);
        }
    }
}

#[test]
fn sums_that_cannot_be_written_are_refused_and_the_writer_goes_on() {
    let (site, clerk, checker, channel) = served();
    let done = |token: &str, path: &str, body: Json| {
        let answer = site.post(token, path, &body);
        assert_eq!(answer.status, 201, "{path}: {}", answer.body);
        answer.json()
    };
    let refused = |token: &str, path: &str, body: Json| {
        let answer = site.post(token, path, &body);
        assert_eq!(
            (answer.status, answer.json()["errors"][0]["path"].as_str()),
            (422, Some("/amount")),
            "{}",
            answer.body
        );
    };
    let most = (1_i64 << 53) - 1;
    let fund = json!({"fund": "big", "type": "unrestricted", "name_zh": "大", "name_en": "Big"});
    done(&clerk, "/api/v1/funds", fund);
    done(&clerk, "/api/v1/accounts", json!({"account": "bank/big", "funds": ["big", "general"]}));
    let gift = |fund: &str, amount: i64, order_no: &str| json!({"fund": fund, "account": "bank/big", "amount": amount, "order_no": order_no, "unit": "USD"});
    done(&channel, "/api/v1/donations", gift("big", most, "B1"));
    refused(&channel, "/api/v1/donations", gift("general", 1, "B2"));
    let case =
        json!({"case": "c_x", "fund": "f_x", "categories": ["health"], "region_zh": "吴忠市", "region_en": "Wuzhong"});
    done(&clerk, "/api/v1/cases", case);
    done(&clerk, "/api/v1/cases/c_x/assess", json!({"need": 100}));
    done(&checker, "/api/v1/cases/c_x/approve", json!({}));
    let asked = json!({"case": "c_x", "amount": most, "use": "hospital", "payee_class": "hospital"});
    done(&clerk, "/api/v1/disbursements", asked.clone());
    refused(&clerk, "/api/v1/disbursements", asked);
    done(
        &channel,
        "/api/v1/donations",
        json!({"fund": "general", "account": "wallet/a", "amount": 1, "order_no": "B3"}),
    );
    assert_eq!((site.get("/healthz").status, site.get("/readyz").status), (200, 200));
    assert_eq!(site.stop().does("verify")["ok"], true);
}

#[test]
fn a_record_taken_back_is_not_told_as_money_given_back() {
    let (site, clerk, _, channel) = served();
    let gift = json!({"fund": "general", "account": "wallet/a", "amount": 1_000, "order_no": "R-1"});
    let seq = site.post(&channel, "/api/v1/donations", &gift).json()["donation"].to_string();
    let other = json!({"fund": "general", "account": "wallet/a", "amount": 2_000, "order_no": "R-2"});
    let refunded = site.post(&channel, "/api/v1/donations", &other).json()["donation"].to_string();
    let done = site.post(&clerk, &format!("/api/v1/entries/{seq}/reverse"), &json!({"reason": "duplicate"}));
    assert_eq!(done.status, 201, "{}", done.body);
    let done = site.post(
        &clerk,
        &format!("/api/v1/donations/{refunded}/refund"),
        &json!({"amount": 400, "reason": "donor_request"}),
    );
    assert_eq!(done.status, 201, "{}", done.body);
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let told = |order_no: &str, amount: &str| {
        let page = site.send("POST", "/en/gift", &form, &format!("order_no={order_no}&amount={amount}"));
        assert_eq!(page.status, 200, "{}", page.body);
        page.body
    };
    let reversed = told("R-1", "10.00");
    assert!(
        reversed.contains("The record of 10.00 yuan was taken back") && !reversed.contains("given back"),
        "{reversed}"
    );
    assert!(told("R-2", "20.00").contains("4.00 yuan was given back"));
    site.stop();
}

#[test]
fn what_would_be_public_or_lost_for_ever_is_refused() {
    let (site, clerk, checker, channel) = served();
    let gift = json!({"fund": "general", "account": "wallet/a", "amount": 12_345, "order_no": "P-1", "name": "赵明德"});
    assert_eq!(site.post(&channel, "/api/v1/donations", &gift).status, 201);
    let campaign = |filing_no: &str| {
        let body = json!({"campaign": "k1", "fund": "general", "name_zh": "助医", "name_en": "Care", "filing_no": filing_no,
            "starts_on": "2026-03-01", "ends_on": "2026-04-01", "target": 100_000});
        site.post(&clerk, "/api/v1/campaigns", &body)
    };
    for filing_no in ["赵明德", "13912345678", "53\u{1b}[31m", "53\u{202e}"] {
        let answer = campaign(filing_no);
        assert!(answer.status == 422 && answer.body.contains("filing_no"), "{filing_no:?}: {}", answer.body);
    }
    let blank = json!({"fund": "general", "account": "wallet/a", "amount": 100, "order_no": "   "});
    assert_eq!(site.post(&channel, "/api/v1/donations", &blank).status, 422, "two such would be one gift");
    // Whoever may not post learns nothing of what was posted.
    let guess = json!({"fund": "general", "account": "wallet/a", "amount": 1, "order_no": "P-1"});
    let answer = site.post(&checker, "/api/v1/donations", &guess);
    assert!(answer.status == 403 && !answer.body.contains("123.45"), "{}", answer.body);
    for (user, name) in [("system", "sys"), ("u9", "red\u{1b}[31m"), ("u9", "a\nb")] {
        let body = json!({"user": user, "name": name, "roles": ["clerk"]});
        assert_eq!(site.post(&clerk, "/api/v1/users", &body).status, 422, "{user} {name:?}");
    }
    // A statement that breaks off leaves no names behind, nor one with an endless name.
    let import = |address: &str, name: &str, length: usize, body: &str| {
        let mut stream = TcpStream::connect(address).expect("it listens");
        let head =
            format!("POST /api/v1/imports?name={name}&fund=general HTTP/1.1\r\nhost: x\r\nconnection: close\r\n");
        stream
            .write_all(
                format!("{head}authorization: Bearer {clerk}\r\ncontent-length: {length}\r\n\r\n{body}").as_bytes(),
            )
            .expect("sent");
        if length > body.len() {
            stream.shutdown(std::net::Shutdown::Both).expect("closed");
            return String::new();
        }
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("answered");
        answer
    };
    import(&site.address, "donors.csv", 10_000, "钱学武,13912345678\n");
    let long = import(&site.address, &"%E5%BC%A0".repeat(190), 4, "a,b\n");
    assert!(long.starts_with("HTTP/1.1 422"), "{long}");
    std::thread::sleep(std::time::Duration::from_millis(300));
    let books = site.stop();
    let kept: Vec<_> = std::fs::read_dir(books.data().join("uploads")).expect("it was made").collect();
    assert!(kept.is_empty(), "{kept:?}");
    // What a kill left goes with an upload that comes long after it.
    let left = books.data().join("uploads/i_left");
    std::fs::create_dir(&left).expect("made");
    std::fs::write(left.join("donors.csv"), "钱学武").expect("written");
    let site = Served::of(books);
    import(&site.address, "second.csv", 4, "a,b\n");
    assert!(left.exists(), "it may still be on its way");
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(2 * 86_400);
    std::fs::File::open(&left).and_then(|folder| folder.set_modified(old)).expect("aged");
    import(&site.address, "third.csv", 4, "a,b\n");
    assert!(!left.exists());
}

#[test]
fn without_a_token_nothing_is_posted() {
    let (site, clerk, _, channel) = served();
    let routes = [
        "accounts",
        "accounts/move",
        "funds",
        "funds/transfer",
        "cases",
        "cases/c_1/assess",
        "disbursements",
        "disbursements/1/approve",
        "donations",
        "donations/bulk",
        "donations/1/refund",
        "entries/1/reverse",
    ];
    for route in routes {
        let path = format!("/api/v1/{route}");
        assert_eq!(site.send("POST", &path, &[], "{}").status, 401, "{route}");
        assert_eq!(site.post("mz-forged", &path, &json!({})).status, 401, "{route}");
        let with_channel = site.post(&channel, &path, &json!({})).status;
        let wanted: &[u16] = if route == "donations" || route == "donations/bulk" { &[422, 200] } else { &[403] };
        assert!(wanted.contains(&with_channel), "{route}: {with_channel}");
    }
    // A token of another ledger is none here.
    let (other, ..) = served();
    assert_eq!(other.post(&clerk, "/api/v1/funds", &json!({})).status, 401);
}

#[test]
fn tokens_end_when_they_are_revoked() {
    let (site, clerk, checker, _) = served();
    let body = json!({"fund": "general", "account": "wallet/a", "amount": 1, "order_no": "V-1"});
    assert_eq!(site.post(&checker, "/api/v1/donations", &body).status, 403, "it is known, and may not");
    assert_eq!(site.post(&checker, "/api/v1/users/revoke", &json!({"user": "admin"})).status, 403);
    let revoked = site.post(&clerk, "/api/v1/users/revoke", &json!({"user": "wang"}));
    assert_eq!((revoked.status, &revoked.json()["revoked"]), (200, &json!(1)), "{}", revoked.body);
    assert_eq!(site.post(&checker, "/api/v1/donations", &body).status, 401);
    assert_eq!(site.post(&clerk, "/api/v1/donations", &body).status, 201, "nobody else's end");
    site.stop();
}

#[test]
fn a_bulk_answers_line_by_line() {
    let (site, _, _, channel) = served();
    let mut lines = String::new();
    for number in 0..300 {
        lines.push_str(&json!({"fund": "general", "amount": 100 + number, "order_no": format!("B-{number}"), "key": format!("b{number}")}).to_string());
        lines.push('\n');
    }
    lines.push_str("{\"fund\":\"nowhere\",\"amount\":5,\"order_no\":\"x\"}\nnonsense\n");
    let head = format!("Bearer {channel}");
    let post = || site.send("POST", "/api/v1/donations/bulk", &[("authorization", &head)], &lines);
    let told: Vec<Json> = post().body.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(told.len(), 302);
    assert!(told[..300].iter().all(|line| line["repeated"] == false), "{:?}", told[0]);
    assert!(told[300]["problem"]["status"] == 422 && told[301]["problem"]["status"] == 400, "{:?}", &told[300..]);
    let again: Vec<Json> = post().body.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert!(
        again[..300].iter().zip(&told).all(|(new, old)| new["repeated"] == true && new["donation"] == old["donation"])
    );
    assert_eq!(site.stop().does("verify")["ok"], true);
}

#[test]
fn a_report_is_downloaded_whole_in_parts_and_not_twice() {
    let (site, clerk, ..) = served();
    let case =
        json!({"case": "c_1", "fund": "f_1", "categories": ["health"], "region_zh": "吴忠市", "on": "2026-03-01"});
    assert_eq!(site.post(&clerk, "/api/v1/cases", &case).status, 201);
    let published = site.post(&clerk, "/api/v1/cases/c_1/reports", &json!({}));
    assert_eq!(published.status, 201, "{}", published.body);
    let files = published.json()["files"].as_array().expect("a list").clone();
    assert_eq!(files.len(), 3);
    for file in files {
        let path = format!("/api/v1{}", file["path"].as_str().expect("a path"));
        let whole = site.get(&path);
        let hash = file["sha256"].as_str().expect("a hash");
        assert_eq!(whole.status, 200, "{path}");
        assert!(
            whole.head.contains(&format!("etag: \"{hash}\"")) && whole.head.contains("immutable"),
            "{}",
            whole.head
        );
        let of = |headers: &[(&str, &str)]| site.send("GET", &path, headers, "");
        let part = of(&[("range", "bytes=0-3")]);
        assert_eq!((part.status, part.body.as_str()), (206, &whole.body[..4]));
        assert!(part.head.contains("content-range: bytes 0-3/"), "{}", part.head);
        assert_eq!(of(&[("range", "bytes=-2")]).status, 206);
        assert_eq!(of(&[("range", "bytes=999999999-")]).status, 416);
        assert_eq!(of(&[("range", "bytes=0-3"), ("if-range", "\"another\"")]).status, 200);
        assert_eq!(of(&[("if-none-match", &format!("\"{hash}\""))]).status, 304);
    }
    // The files may be lost: the same ledger gives the same bytes. One that was changed is not given.
    let books = site.stop();
    let seq = published.json()["entry"].to_string();
    let folder = books.data().join("reports");
    for file in std::fs::read_dir(&folder).expect("reports") {
        std::fs::write(file.expect("a file").path(), "changed").expect("written");
    }
    let site = Served::of(books);
    let known = site.get(&format!("/api/v1/reports/{seq}")).json();
    let path = known["files"][2].as_str().expect("a path").to_owned();
    let again = site.get(&format!("/api/v1{path}"));
    assert!(again.status == 200 && again.body.starts_with('{'), "{}", again.body);
}

#[test]
fn looking_up_gifts_has_a_limit() {
    let (site, ..) = served();
    let statuses: Vec<u16> = (0..25).map(|_| site.get("/zh/gift/none").status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 404).count(), 20, "{statuses:?}");
    let refused = site.get("/zh/gift/none");
    assert!(refused.status == 429 && refused.head.contains("retry-after:"), "{}", refused.head);
    // What a client says of its own address is not believed, unless a proxy of ours stands before.
    let look = |site: &Served, from: &str| site.send("GET", "/zh/gift/none", &[("x-forwarded-for", from)], "").status;
    assert_eq!(look(&site, "10.0.0.1"), 429);
    let site = Served::with(site.stop(), &["--behind-proxy"]);
    for number in 0..25 {
        assert_eq!(look(&site, &format!("10.0.0.9, 10.0.0.{number}")), 404, "{number}");
    }
    let same: Vec<u16> = (0..25).map(|number| look(&site, &format!("10.0.0.{number}, 10.9.9.9"))).collect();
    assert_eq!(same.last(), Some(&429), "only the last address counts: {same:?}");
}

#[test]
fn what_was_acknowledged_survives_kills_under_load() {
    kills_under_load(Books::opened());
}

#[test]
fn what_was_acknowledged_survives_kills_under_load_on_a_server() {
    if let Some(books) = Books::on_server() {
        kills_under_load(books.open());
    }
}

fn kills_under_load(books: Books) {
    let rounds = if std::env::var_os("MINGZHANG_SLOW_TESTS").is_some() { 30 } else { 3 };
    let (mut site, _, _, channel) = served_of(books);
    let address = std::sync::RwLock::new(site.address.clone());
    let stop = std::sync::atomic::AtomicBool::new(false);
    let told: Vec<(String, u64)> = std::thread::scope(|scope| {
        let (address, stop, channel) = (&address, &stop, channel.as_str());
        let clients: Vec<_> =
            (0..64).map(|client| scope.spawn(move || hammer(address, channel, stop, client))).collect();
        for round in 0..rounds {
            std::thread::sleep(std::time::Duration::from_millis(150 + 37 * (round % 7)));
            site.kill_and_serve();
            *address.write().expect("no reader fails") = site.address.clone();
        }
        std::thread::sleep(std::time::Duration::from_millis(200));
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        clients.into_iter().flat_map(|client| client.join().expect("a client ends")).collect()
    });
    assert!(told.len() > 64, "only {} gifts were acknowledged", told.len());
    let books = site.stop();
    check_told(&books, &told);
}

#[test]
fn a_problem_names_its_kind_and_only_what_was_sent() {
    let (site, clerk, ..) = served();
    let gift = |amount: i64| json!({"fund": "general", "amount": amount, "order_no": "P-1"});
    assert_eq!(site.post(&clerk, "/api/v1/donations", &gift(5_000)).status, 201);
    let (differs, reused) = (site.post(&clerk, "/api/v1/donations", &gift(6_000)), |key: &str, amount: i64| {
        let bearer = format!("Bearer {clerk}");
        let headers = [("authorization", bearer.as_str()), ("idempotency-key", key)];
        let body = json!({"fund": "general", "amount": amount, "order_no": format!("P-{key}")}).to_string();
        site.send("POST", "/api/v1/donations", &headers, &body)
    });
    let told = differs.json();
    assert_eq!(
        (differs.status, &told["title"], &told["errors"][0]["path"]),
        (409, &json!("reference differs"), &json!("/order_no"))
    );
    assert_eq!(reused("k", 100).status, 201);
    let again = reused("k", 101);
    // The key stands in a header: no field of the body is wrong.
    assert_eq!(
        (again.status, &again.json()["title"], &again.json()["errors"]),
        (409, &json!("key reused"), &Json::Null)
    );
    let bad = site.post(
        &clerk,
        "/api/v1/donations",
        &json!({"fund": "general", "amount": 1, "order_no": "P-2", "source": "x"}),
    );
    assert!(bad.json()["errors"][0]["detail_zh"].as_str().is_some_and(|text| text.contains("wechat")), "{}", bad.body);
    for (method, path) in [
        ("GET", "/api/v1/funds?nonsense=1"),
        ("POST", "/api/v1/donations?fund=other"),
        ("GET", "/api/v1/entries?nonsense=1"),
    ] {
        let answer = site.send(method, path, &[("authorization", &format!("Bearer {clerk}"))], "{}");
        assert!(matches!(answer.status, 400 | 422), "{path}: {}", answer.body);
    }
    let keyed = [("authorization", &*format!("Bearer {clerk}")), ("idempotency-key", "k-9")];
    let token = site.send("POST", "/api/v1/users/token", &keyed, r#"{"user": "nobody"}"#);
    assert_eq!((token.status, &token.json()["title"]), (400, &json!("key not heeded")));
    let kinds = |kind: &str| {
        let body = json!({"url": "https://charity.example/x", "kinds": [kind]});
        site.post(&clerk, "/api/v1/subscriptions", &body).status
    };
    assert_eq!((kinds("donation.recieved"), kinds("nonsense"), kinds("donation.received")), (422, 422, 201));
}

#[test]
fn one_order_number_at_two_accounts_opens_both_gifts() {
    let (site, clerk, ..) = served();
    let account = json!({"account": "wallet/second", "funds": ["general"]});
    assert_eq!(site.post(&clerk, "/api/v1/accounts", &account).status, 201);
    let accounts = site.get("/api/v1/accounts").json();
    let names: Vec<&str> =
        accounts["accounts"].as_array().expect("a list").iter().filter_map(|known| known["account"].as_str()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
    for account in &names {
        let gift = json!({"fund": "general", "amount": 7_700, "order_no": "T-1", "account": account});
        assert_eq!(site.post(&clerk, "/api/v1/donations", &gift).status, 201);
    }
    let asked = json!({"order_no": "T-1", "amount": 7_700}).to_string();
    let found = |site: &Served| site.send("POST", "/api/v1/lookups", &[], &asked).json()["donations"].clone();
    let both = found(&site);
    assert_eq!(both.as_array().map(Vec::len), Some(2), "{both}");
    // A writer that starts anew reads the same, and so does a ledger that nobody writes.
    let site = Served::of(site.stop());
    assert_eq!(found(&site), both);
    let gift = json!({"fund": "general", "amount": 1, "order_no": "T-2", "account": names[0]});
    assert_eq!(site.post(&clerk, "/api/v1/donations", &gift).status, 201);
    assert_eq!(found(&site), both);
}

#[test]
fn an_entry_is_told_in_words_and_a_fund_names_its_fees() {
    let (site, clerk, ..) = served();
    let gift = json!({"fund": "general", "amount": 10_000, "fee": 60, "order_no": "W-1", "source": "wechat", "on": "2026-03-08"});
    let made = site.post(&clerk, "/api/v1/donations", &gift).json()["donation"].clone();
    let page = site.get(&format!("/zh/entry/{made}")).body;
    for words in ["100.00 元", "微信支付", "手续费", "发生日期"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(site.get(&format!("/en/entry/{made}")).body.contains("100.00 yuan"));
    let fund = site.get("/en/fund/general").body;
    assert!(fund.contains("Kept by channels") && fund.contains(">0.60<"), "{fund}");
    for (typed, leads) in [("/zh/", "/zh"), ("/en/funds/", "/en/funds")] {
        let answer = site.get(typed);
        assert!(answer.status == 308 && answer.head.contains(&format!("location: {leads}\r\n")), "{}", answer.head);
    }
    assert_eq!((site.get("//charity.example/").status, site.get("/x/").status), (404, 404));
}

#[test]
fn a_gift_that_was_taken_back_is_recorded_anew_by_somebody_who_says_so() {
    let (site, clerk, ..) = served();
    let gift = |amount: i64, anew: bool| json!({"fund": "general", "amount": amount, "order_no": "W-9", "anew": anew});
    let post = |amount: i64, anew: bool| site.post(&clerk, "/api/v1/donations", &gift(amount, anew));
    let wrong = post(1_000, false).json()["donation"].clone();
    let reversed = site.post(&clerk, &format!("/api/v1/entries/{wrong}/reverse"), &json!({"reason": "wrong_amount"}));
    assert_eq!(reversed.status, 201, "{}", reversed.body);
    let refused = post(10_000, false);
    assert_eq!((refused.status, &refused.json()["title"]), (409, &json!("reference reversed")));
    assert_eq!(post(10_000, true).status, 201);
    // From now on the number stands at the new one.
    assert_eq!((post(10_000, true).status, post(10_000, false).status), (409, 409));
    let site = Served::of(site.stop());
    let again = site.post(&clerk, "/api/v1/donations", &gift(10_000, true));
    assert_eq!((again.status, &again.json()["title"]), (409, &json!("reference repeated")));
}

#[test]
fn a_role_taken_beside_a_server_holds_there_within_seconds() {
    let (site, clerk, ..) = served();
    let gift = |order_no: &str| json!({"fund": "general", "amount": 100, "order_no": order_no});
    assert_eq!(site.post(&clerk, "/api/v1/donations", &gift("R-1")).status, 201);
    site.books.does("user role admin clerk --remove");
    std::thread::sleep(std::time::Duration::from_millis(1_200));
    assert_eq!(site.post(&clerk, "/api/v1/donations", &gift("R-2")).status, 403);
}
