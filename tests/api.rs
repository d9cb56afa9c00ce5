//! What the interface for programs promises in small things: headers, parts of answers, numbers of lines, and words of refusals.

use crate::books::Books;
use crate::http::served;
use crate::served::Served;
use mingzhang::app::folder::Folder;
use mingzhang::app::token::{self, Scope};
use mingzhang::values::{StaffId, Timestamp};
use serde_json::{Value as Json, json};

fn give(site: &Served, token: &str, order_no: &str, amount: u64) -> u64 {
    let gift = json!({"fund": "general", "account": "wallet/a", "amount": amount, "order_no": order_no});
    site.post(token, "/api/v1/donations", &gift).json()["donation"].as_u64().expect("a number")
}

#[test]
fn a_part_of_an_entry_is_given_where_it_can_be() {
    let (site, ..) = served();
    let whole = site.get("/api/v1/entries/0").body;
    let of = |range: &str| site.send("GET", "/api/v1/entries/0", &[("range", range)], "");
    for (range, status, body) in [
        ("bytes=0-3", 206, &whole[..4]),
        ("bytes=-4", 206, &whole[whole.len() - 4..]),
        ("bytes=-99999", 206, &whole),
        ("bytes=5-2", 200, &whole),
        ("bytes=99999-5", 200, &whole),
        ("bytes=0-1,0-2", 200, &whole),
    ] {
        let answer = of(range);
        assert_eq!((answer.status, answer.body.as_str()), (status, body), "{range}");
    }
    let last = whole.len() - 1;
    assert!(of("bytes=-99999").head.contains(&format!("content-range: bytes 0-{last}/{}", whole.len())));
    assert_eq!(of("bytes=99999-").status, 416);
}

#[test]
fn who_has_no_valid_token_is_told_how_to_show_one() {
    let (site, clerk, ..) = served();
    let asked = |header: &[(&str, &str)]| site.send("GET", "/api/v1/users", header, "");
    for header in [&[][..], &[("authorization", "Bearer nonsense")], &[("authorization", "Basic YTpi")]] {
        let answer = asked(header);
        assert!(answer.status == 401 && answer.head.contains("www-authenticate: bearer\r\n"), "{}", answer.head);
    }
    for scheme in ["bearer", "BEARER", "Bearer "] {
        assert_eq!(asked(&[("authorization", &format!("{scheme} {clerk}"))]).status, 200, "{scheme}");
    }
    let unsigned = site.send("POST", "/api/v1/channels/none/gifts", &[], "{}");
    assert!(unsigned.status == 401 && unsigned.head.contains("www-authenticate: webhook-signature\r\n"));
}

#[test]
fn lines_of_a_bulk_are_numbered_as_they_were_sent() {
    let (site, _, _, channel) = served();
    let line = |order_no: &str| json!({"fund": "general", "account": "wallet/a", "amount": 100, "order_no": order_no});
    let body = format!("\n{}\n  \r\n{{}}\n\n{}\n\n", line("L-1"), line("L-2"));
    let key = format!("Bearer {channel}");
    let answer = site.send("POST", "/api/v1/donations/bulk", &[("authorization", &key)], &body);
    let told: Vec<Json> = answer.body.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let told: Vec<(u64, bool)> =
        told.iter().map(|told| (told["line"].as_u64().expect("a number"), told["donation"].is_u64())).collect();
    assert_eq!(told, [(2, true), (4, false), (6, true)], "{}", answer.body);
}

#[test]
fn a_trace_says_of_what_came_later_that_it_came_later() {
    let (site, _, _, channel) = served();
    let seq = give(&site, &channel, "T-1", 100);
    let early = site.get(&format!("/api/v1/entries/{seq}/trace?at={seq}"));
    assert_eq!((early.status, early.json()["type"].as_str()), (422, Some("urn:mingzhang:problem:no_trace")));
    let told = early.json();
    assert!(told["detail"].as_str().is_some_and(|text| text.contains("came later")), "{told}");
    assert!(told["detail_zh"].as_str().is_some_and(|text| text.contains("后来才登记")), "{told}");
    assert_eq!(site.get(&format!("/api/v1/entries/{seq}/trace?at={}", seq + 1)).status, 200);
    let other = site.get("/api/v1/entries/1/trace").json();
    assert!(other["detail"].as_str().is_some_and(|text| text.contains("neither a gift nor")), "{other}");
}

#[tokio::test]
async fn a_token_lasts_a_day_at_least_and_then_ends() {
    let books = Books::opened();
    books.refused(&["user", "token", "wang", "--days", "0"], 5, "1 to 3660");
    books.does("user token wang --days 1");
    let opened = Folder::new(books.data()).open(None).await.expect("it opens");
    let at = |millis| Timestamp::from_millis(millis).expect("a time");
    let wang = StaffId::parse("wang").expect("given");
    token::keep(&opened, "mz-1", &wang, Scope::All, at(1_000)).await.expect("kept");
    let hash = opened.keys.vault.code_hash("mz-1");
    for (now, is_valid) in [(999, true), (1_000, false)] {
        let found = token::find(&opened, hash, at(now)).await.expect("it is read");
        assert_eq!(found.is_some(), is_valid, "{now}");
    }
}

#[test]
fn the_document_says_what_downloads_answer() {
    let (site, ..) = served();
    let document = site.get("/api/v1/openapi.json").json();
    let file = &document["paths"]["/reports/{seq}/{file}"]["get"];
    let kinds = |status: &str| -> Vec<&String> {
        file["responses"][status]["content"].as_object().into_iter().flat_map(|kinds| kinds.keys()).collect()
    };
    for status in ["200", "206"] {
        assert_eq!(kinds(status), ["application/json", "application/pdf"], "{status}");
    }
    for path in ["/reports/{seq}/{file}", "/entries/{seq}"] {
        let operation = &document["paths"][path]["get"];
        let responses = operation["responses"].as_object().expect("responses");
        assert!(["200", "206", "304", "416"].iter().all(|status| responses.contains_key(*status)), "{operation}");
        let headers = operation["parameters"].as_array().into_iter().flatten().filter(|one| one["in"] == "header");
        let names: Vec<&str> = headers.filter_map(|one| one["name"].as_str()).collect();
        assert_eq!(names, ["Range", "If-Range", "If-None-Match"], "{path}");
    }
    assert_eq!(
        document["paths"]["/users/token"]["post"]["requestBody"]["content"]["application/json"]["schema"]["properties"]
            ["days"]["minimum"],
        1
    );
}

#[test]
fn refusals_are_sentences_in_their_language() {
    let (site, clerk, checker, channel) = served();
    let refused = |token: &str, path: &str, body: Json| {
        let answer = site.post(token, path, &body);
        assert!(answer.status >= 400, "{path}: {}", answer.body);
        let text = |member: &str| answer.json()[member].as_str().unwrap_or_default().to_owned();
        (text("detail"), text("detail_zh"))
    };
    let done = |token: &str, path: &str, body: Json| assert_eq!(site.post(token, path, &body).status, 201, "{path}");
    let (en, _) = refused(&checker, "/api/v1/users/token", json!({"user": "wang"}));
    assert!(en.starts_with("wang is not an admin;"), "{en}");

    for case in ["c_1", "c_3"] {
        let fund = case.replace('c', "f");
        let body = json!({"case": case, "fund": fund, "categories": ["minor", "health"], "region_zh": "吴忠市", "region_en": "Wuzhong"});
        done(&clerk, "/api/v1/cases", body);
        done(&clerk, &format!("/api/v1/cases/{case}/assess"), json!({"need": 1_000}));
        done(&checker, &format!("/api/v1/cases/{case}/approve"), json!({}));
    }
    let seq = give(&site, &channel, "W-1", 1_000);
    done(&clerk, "/api/v1/funds/transfer", json!({"from": "general", "to": "f_3", "amount": 900}));
    let (en, zh) = refused(&clerk, "/api/v1/funds/transfer", json!({"from": "f_3", "to": "general", "amount": 100}));
    assert_eq!(en, "fund f_3 is for case c_3 only; this is for fund general");
    assert_eq!(zh, "基金 f_3 只能用于个案 c_3，而这笔是用于基金 general。专款专用，请换一个基金。");
    let asked = json!({"case": "c_1", "fund": "f_3", "amount": 100, "use": "hospital", "payee_class": "hospital"});
    let (_, zh) = refused(&clerk, "/api/v1/disbursements", asked);
    assert_eq!(
        zh,
        "基金 f_3 只能用于个案 c_3，而这笔是用于个案 c_1（未成年人、重大疾病）的住院费与预交金。专款专用，请换一个基金。"
    );
    let (en, zh) = refused(&clerk, &format!("/api/v1/donations/{seq}/refund"), json!({"amount": 500}));
    assert!(en.starts_with(&format!("fund general (of gift {seq}) has 1.00 CNY free, 5.00 CNY are asked")), "{en}");
    assert!(zh.starts_with(&format!("基金 general 里属于捐赠 {seq} 的钱可用 1.00 CNY，需要 5.00 CNY")), "{zh}");
    assert!(!zh.contains("gift"), "{zh}");
}
