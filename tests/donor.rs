//! The donor's own page: what it says of a gift, and how it is found.

use crate::http::served;
use crate::served::Served;
use serde_json::{Value as Json, json};

const FORM: [(&str, &str); 1] = [("content-type", "application/x-www-form-urlencoded")];

/// What was done, which must have been possible.
fn done(site: &Served, token: &str, path: &str, body: Json) -> Json {
    let answer = site.post(token, path, &body);
    assert_eq!(answer.status, 201, "{path}: {}", answer.body);
    answer.json()
}

fn give(site: &Served, token: &str, order_no: &str, amount: u64, fee: u64) -> u64 {
    let gift = json!({"fund": "general", "account": "wallet/a", "amount": amount, "fee": fee, "order_no": order_no});
    done(site, token, "/api/v1/donations", gift)["donation"].as_u64().expect("a number")
}

/// The case of a sick child, approved.
fn with_case(site: &Served, clerk: &str, checker: &str) {
    let case = json!({"case": "c_1", "fund": "f_1", "categories": ["health", "minor"], "region_zh": "吴忠市", "region_en": "Wuzhong"});
    done(site, clerk, "/api/v1/cases", case);
    done(site, clerk, "/api/v1/cases/c_1/assess", json!({"need": 1_000_000}));
    done(site, checker, "/api/v1/cases/c_1/approve", json!({}));
}

/// A payment out of the general fund: approved, and paid where it is wanted.
fn pays(site: &Served, clerk: &str, checker: &str, amount: u64, is_paid: bool) {
    let asked =
        json!({"case": "c_1", "fund": "general", "amount": amount, "use": "hospital", "payee_class": "hospital"});
    let request = done(site, clerk, "/api/v1/disbursements", asked)["disbursement"].clone();
    done(site, checker, &format!("/api/v1/disbursements/{request}/approve"), json!({}));
    if is_paid {
        done(site, clerk, &format!("/api/v1/disbursements/{request}/pay"), json!({}));
    }
}

fn asked(site: &Served, language: &str, form: &str) -> (u16, String) {
    let answer = site.send("POST", &format!("/{language}/gift"), &FORM, form);
    (answer.status, answer.body)
}

fn told(site: &Served, language: &str, form: &str) -> String {
    let (status, page) = asked(site, language, form);
    assert_eq!(status, 200, "{page}");
    page
}

/// The figures of the table under the picture, in fen.
fn figures(page: &str) -> i64 {
    let cells = page.split("data-label=\"Amount\">").skip(1);
    let figures = cells.map(|rest| rest.split('<').next().unwrap_or_default().replace(['.', ','], ""));
    figures.map(|figure| figure.parse::<i64>().expect("a figure")).sum()
}

#[test]
fn a_fee_that_another_gifts_refund_left_is_told_as_a_fee() {
    let (site, clerk, checker, channel) = served();
    with_case(&site, &clerk, &checker);
    give(&site, &channel, "R-1", 8_800, 0);
    let refunded = give(&site, &channel, "R-2", 2_000, 60);
    pays(&site, &clerk, &checker, 2_000, true);
    done(&site, &clerk, &format!("/api/v1/donations/{refunded}/refund"), json!({"fee": "kept"}));

    let page = told(&site, "en", "order_no=R-1&amount=88.00");
    let sentence = "67.40 yuan of this gift has not been used yet; 20.00 yuan has been used for the treatment of this child; \
                    0.60 yuan paid the fee that the channel kept when another gift was given back.";
    assert!(page.contains(&format!("<p class=\"lead\">{sentence}</p>")), "{page}");
    assert!(!page.contains("20.60") && !page.contains("0.60 yuan was given back"), "{page}");
    assert_eq!(figures(&page), 8_800, "the parts are the gift: {page}");
    assert_eq!(page.matches("<path class=\"fee\"").count(), 1, "{page}");
    assert_eq!(page.matches("<path class=\"spent\"").count(), 1, "{page}");
    assert_eq!(page.matches("<path class=\"back\"").count(), 0, "{page}");
    let page = told(&site, "zh", "order_no=R-1&amount=88.00");
    let sentence = "这笔捐款还有 67.40 元没有用，已有 20.00 元用于这名孩子的治疗，另一笔捐款退还时渠道没有退手续费，这笔捐款承担了其中 0.60 元。";
    assert!(page.contains(sentence) && !page.contains("已退还"), "{page}");

    let other = told(&site, "en", "order_no=R-2&amount=20.00");
    assert!(other.contains(">20.00 yuan was given back.<"), "{other}");
    site.stop();
}

#[test]
fn what_does_not_fit_the_picture_is_folded_by_what_it_is() {
    let (site, clerk, checker, channel) = served();
    with_case(&site, &clerk, &checker);
    let seq = give(&site, &channel, "B-1", 10_000, 0);
    for _ in 0..8 {
        pays(&site, &clerk, &checker, 500, true);
    }
    for _ in 0..2 {
        pays(&site, &clerk, &checker, 700, false);
    }
    done(&site, &clerk, &format!("/api/v1/donations/{seq}/refund"), json!({"amount": 300}));
    let page = told(&site, "en", "order_no=B-1&amount=100.00");
    for (class, count) in [("spent", 5), ("held", 1), ("back", 1)] {
        assert_eq!(page.matches(&format!("<path class=\"{class}\"")).count(), count, "{class}: {page}");
    }
    let words = |text: &str| format!(">{text}</text>");
    for text in [
        "20.00 yuan",
        "and 4 more spent",
        "in the table",
        "14.00 yuan",
        "3.00 yuan",
        "and 2 more approved,",
        "given back to the donor",
    ] {
        assert!(page.contains(&words(text)), "{text}: {page}");
    }
    assert!(told(&site, "zh", "order_no=B-1&amount=100.00").contains(">另有\u{a0}2\u{a0}项已批准待支付</text>"));
    assert_eq!(figures(&page), 10_000);
    site.stop();
}

#[test]
fn gifts_of_one_order_number_at_two_accounts_are_all_named() {
    let (site, clerk, _, channel) = served();
    done(&site, &clerk, "/api/v1/accounts", json!({"account": "wallet/b", "funds": ["general"]}));
    let first = give(&site, &channel, "A-1", 50_000, 0);
    let gift = json!({"fund": "general", "account": "wallet/b", "amount": 50_000, "order_no": "A-1"});
    let second = done(&site, &clerk, "/api/v1/donations", gift)["donation"].as_u64().expect("a number");
    let other = give(&site, &channel, "A-2", 60_000, 0);

    let page = told(&site, "en", "order_no=A-1&amount=500");
    assert!(page.contains("2 gifts have this order number and amount"), "{page}");
    for seq in [first, second] {
        assert!(page.contains(&format!("name=\"gift\" value=\"{seq}\"")), "{page}");
        let chosen = told(&site, "en", &format!("order_no=A-1&amount=500&gift={seq}"));
        assert!(chosen.contains("<h1 class=\"amount\">500.00 yuan</h1>"), "{chosen}");
        assert!(chosen.contains(&format!("/en/entry/{seq}\"")), "{chosen}");
    }
    assert!(page.contains("General") && page.matches("500.00 yuan").count() == 2, "{page}");
    // The number of a gift opens nothing without what its donor has.
    let page = told(&site, "zh", &format!("order_no=A-1&amount=500&gift={other}"));
    assert!(page.contains("这个订单号和金额有 2 笔捐款") && !page.contains("600.00"), "{page}");
    assert_eq!(asked(&site, "zh", &format!("order_no=A-1&amount=501&gift={first}")).0, 422);

    let books = site.stop();
    let traced = books.does("trace --order-no A-1 --amount 500");
    let seqs: Vec<u64> =
        traced["traces"].as_array().into_iter().flatten().filter_map(|one| one["donation"]["seq"].as_u64()).collect();
    assert_eq!(seqs, [first, second], "{traced}");
    let said = books.run(&["trace", "--order-no", "A-1", "--amount", "500"]);
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.contains(&format!("2 gifts have this order number and amount: entries {first}, {second}")), "{said}");
}

#[test]
fn a_gift_in_another_unit_is_found_by_the_form() {
    let (site, clerk, ..) = served();
    let form = |site: &Served| site.get("/en/gift").body;
    assert!(form(&site).contains("Exact amount (yuan)"));
    let gift = json!({"fund": "general", "account": "wallet/a", "amount": 7_777, "unit": "USD", "order_no": "H-9"});
    done(&site, &clerk, "/api/v1/donations", gift);
    assert!(form(&site).contains("as 77.77 USD"), "{}", form(&site));
    for typed in ["77.77", "77.77 USD", "%2477.77", "usd 77.77", "77.77 美元"] {
        let page = told(&site, "en", &format!("order_no=H-9&amount={typed}"));
        assert!(page.contains("<h1 class=\"amount\">77.77"), "{page}");
    }
    for typed in ["77.77 CNY", "77.78", "USD"] {
        assert_eq!(asked(&site, "en", &format!("order_no=H-9&amount={typed}")).0, 422, "{typed}");
    }
    site.stop();
}

#[test]
fn what_a_chinese_keyboard_writes_is_understood() {
    let (site, clerk, _, channel) = served();
    let seq = give(&site, &channel, "A-1", 50_000, 0);
    give(&site, &channel, "Ｂ－１", 50_000, 0);
    let made = done(&site, &clerk, &format!("/api/v1/donations/{seq}/code"), json!({}));
    let code = made["code"].as_str().expect("a code").to_owned();
    let wide: String = code
        .chars()
        .map(|c| char::from_u32(u32::from(c) + 0xFEE0).expect("the full-width block mirrors ASCII"))
        .collect();

    let answer = site.send("POST", "/zh/gift", &FORM, &format!("code={wide}"));
    assert!(answer.head.contains(&format!("location: /zh/gift/{code}\r\n")), "{}", answer.head);
    let encoded: String = wide.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let answer = site.get(&format!("/g/{encoded}"));
    assert!(answer.head.contains(&format!("/gift/{code}\r\n")), "{}", answer.head);
    assert_eq!(site.get(&format!("/zh/gift/{encoded}")).status, 200);
    assert!(site.get("/g/%ef%bc%9f").head.contains("/gift/-\r\n"));
    let looked_up =
        |asked: Json| site.send("POST", "/api/v1/lookups", &[], &asked.to_string()).json()["donations"][0].clone();
    assert_eq!(looked_up(json!({"code": wide})), seq);
    assert_eq!(looked_up(json!({"order_no": "Ａ－１", "amount": 50_000})), seq);
    told(&site, "zh", "order_no=Ａ－１&amount=５００．００");
    told(&site, "zh", "order_no=A—1&amount=500");
    told(&site, "zh", "order_no=Ｂ－１&amount=500");

    for (language, words) in [("zh", "查询码由字母和数字组成"), ("en", "A code is made of letters and digits")]
    {
        for typed in ["？？", "查询码", "－－"] {
            let (status, page) = asked(&site, language, &format!("code={typed}"));
            assert!(status == 422 && page.contains(words) && page.contains("role=\"alert\""), "{status}: {page}");
        }
    }
    site.stop();
}
