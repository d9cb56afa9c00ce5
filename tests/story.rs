//! The worked example, end to end with the real program: totals, positions, traces and shares to the fen.

use crate::books::Books;
use mingzhang::ledger::entry::Entry;
use mingzhang::ledger::posting::{Book, CashRule};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

fn entries(folder: &Path) -> Vec<Json> {
    let text = std::fs::read_to_string(folder.join("entries.jsonl")).expect("an export");
    text.lines().map(|line| serde_json::from_str(line).expect("an entry")).collect()
}

#[test]
fn the_demo_meets_the_worked_example_to_the_fen() {
    let books = Books::new();
    let data = books.data();
    let demo = books.run(&["demo", "--no-serve", "--json", "--dir", data.to_str().expect("UTF-8")]);
    assert!(demo.status.success(), "{}", String::from_utf8_lossy(&demo.stderr));
    let told: Json = serde_json::from_slice(&demo.stdout).expect("one JSON object");
    assert_eq!(told["ok"], true);

    let report = std::fs::read(told["files"][2]["path"].as_str().expect("a path")).expect("the report's data");
    let text = String::from_utf8(report).expect("UTF-8");
    for figure in
        ["13200000", "11550560", "11018560", "2181440", "432000", "6173450", "1826550", "8836000", "1234560", "648000"]
    {
        assert!(text.contains(figure), "{figure} is not in the report's data");
    }

    let export = books.path.join("export");
    books.json(&["export", export.to_str().expect("UTF-8")]);
    let entries = entries(&export);
    let line = "f_3k9w/CNY";
    let posts = |kind: &str, op: &str| -> Vec<(u64, u64)> {
        let of_kind = entries.iter().filter(|entry| entry["kind"] == kind);
        let posts = of_kind.flat_map(|entry| entry["post"].as_array().into_iter().flatten());
        let wanted = posts.filter(|post| post["line"] == line && post["op"] == op);
        wanted
            .map(|post| (post["from"].as_u64().expect("a position"), post["to"].as_u64().expect("a position")))
            .collect()
    };
    assert_eq!(
        posts("disbursement.paid", "out"),
        [
            (0, 3_000_000),
            (3_000_000, 8_000_000),
            (8_000_000, 8_300_000),
            (8_300_000, 8_400_000),
            (8_300_000, 9_534_560),
            (9_534_560, 10_182_560),
            (10_182_560, 11_450_560),
        ]
    );
    assert_eq!(posts("entry.reversed", "free"), [(8_300_000, 8_400_000)]);
    assert_eq!(posts("disbursement.returned", "free"), [(11_018_560, 11_450_560)]);
    let moved = posts("fund.transferred", "out");
    assert_eq!(
        (moved.first().map(|span| span.0), moved.last().map(|span| span.1)),
        (Some(11_018_560), Some(13_200_000))
    );
    let gifts = posts("donation.received", "in");
    assert_eq!((gifts.len(), gifts.last().map(|span| span.1)), (1_549, Some(13_200_000)));

    // Every gift's trace adds up to the gift; three are those of the worked example.
    let use_of = |seq: u64| -> Vec<(String, i64)> {
        let traced = books.json(&["trace", &seq.to_string()]);
        let uses = traced["uses"].as_array().expect("uses");
        let spent: i64 = uses.iter().map(|found| found["amount"].as_i64().expect("an amount")).sum();
        let unspent = traced["unspent"]["CNY"].as_i64().expect("an amount");
        assert_eq!(spent + unspent, traced["donation"]["amount"].as_i64().expect("an amount"), "gift {seq}");
        let word = |found: &Json| found["use"].as_str().unwrap_or_default().to_owned();
        uses.iter().map(|found| (word(found), found["amount"].as_i64().expect("an amount"))).collect()
    };
    let seq_at = |from: u64| {
        let holds = |entry: &&Json| {
            entry["kind"] == "donation.received" && entry["post"][0]["line"] == line && entry["post"][0]["from"] == from
        };
        entries.iter().find(holds).and_then(|entry| entry["seq"].as_u64()).expect("a gift starts there")
    };
    assert_eq!(use_of(seq_at(0)), [("hospital".into(), 10_000)]);
    assert_eq!(use_of(seq_at(7_980_000)), [("hospital".into(), 20_000), ("nutrition".into(), 30_000)]);
    // The firm's second gift, from 11,000,000 on: 185.60 for the hospital, the rest moved to a similar project and still there.
    assert_eq!(use_of(seq_at(11_000_000)), [("hospital".into(), 18_560)]);

    let again = books.json(&["report", "case", told["case"].as_str().expect("a case")]);
    assert_eq!(again["repeated"], true);
    for place in 0..3 {
        assert_eq!(
            again["files"][place]["sha256"], told["files"][place]["sha256"],
            "the same ledger gives the same bytes"
        );
    }
    assert_eq!(books.json(&["verify"])["ok"], true);
}

#[test]
fn four_eyes_hold_and_restricted_money_keeps_its_purpose() {
    let books = Books::opened();
    books.json(&[
        "case",
        "open",
        "--id",
        "c_1",
        "--fund",
        "f_1",
        "--category",
        "minor,health",
        "--region-zh",
        "吴忠市",
    ]);
    let other =
        books.json(&["case", "open", "--id", "c_2", "--fund", "f_2", "--category", "poverty", "--region-zh", "吴忠市"]);
    books.json(&[
        "fund",
        "open",
        "--id",
        "poor",
        "--type",
        "restricted",
        "--name-zh",
        "扶贫",
        "--name-en",
        "Poor",
        "--purpose",
        "poverty",
    ]);
    books.json(&["account", "open", "bank/1", "--fund", "f_1,poor"]);
    books.json(&[
        "donation",
        "receive",
        "--fund",
        "f_1",
        "--amount",
        "100",
        "--fee",
        "0.60",
        "--order-no",
        "A1",
        "--source",
        "wechat",
    ]);
    books.json(&["donation", "receive", "--fund", "poor", "--amount", "50", "--order-no", "A2"]);
    books.refused(
        &["donation", "receive", "--fund", "f_1", "--amount", "100", "--order-no", "A1"],
        3,
        "recorded already",
    );
    books.refused(&["case", "approve", "c_1", "--as", "wang"], 3, "opened");
    books.json(&["case", "assess", "c_1", "--need", "1000"]);
    books.refused(&["case", "approve", "c_1"], 3, "checker");
    books.json(&["case", "approve", "c_1", "--as", "wang"]);
    books.refused(
        &[
            "disbursement",
            "request",
            "--case",
            "c_1",
            "--fund",
            "poor",
            "--amount",
            "5",
            "--use",
            "hospital",
            "--payee-class",
            "hospital",
        ],
        3,
        "poverty only",
    );
    // A limit of uses travels with the money, and agency money stays with whom it is for.
    for (fund, kind, more) in [("drugs", "restricted", &["--uses", "drugs"][..]), ("entrusted", "agency", &[])] {
        let open = ["fund", "open", "--id", fund, "--type", kind, "--name-zh", "专项", "--name-en", "Special"];
        books.json(&[open.as_slice(), more].concat());
        books.json(&["account", "open", "bank/1", "--fund", fund]);
        books.json(&["donation", "receive", "--fund", fund, "--amount", "9", "--order-no", fund]);
        books.refused(&["fund", "transfer", fund, "f_1", "--amount", "5"], 3, "f_1");
    }
    books.refused(&["case", "assess", "c_2", "--need", "0"], 3, "more than 0");
    books.refused(&["donation", "list", "--fund", "nope"], 3, "nope");
    books.refused(&["trace", "3", "--at", "9999"], 5, "entries");
    let request = books.json(&[
        "disbursement",
        "request",
        "--case",
        "c_1",
        "--amount",
        "60",
        "--use",
        "hospital",
        "--payee-class",
        "hospital",
    ]);
    let request = request["disbursement"].to_string();
    books.json(&["user", "role", "admin", "checker"]);
    books.refused(&["disbursement", "approve", &request], 3, "four eyes");
    books.json(&["disbursement", "approve", &request, "--as", "wang"]);
    books.json(&["user", "role", "wang", "payer"]);
    books.refused(&["disbursement", "pay", &request, "--as", "wang"], 3, "four eyes");
    books.json(&["disbursement", "pay", &request]);
    let wrong = other["family_code"].as_str().expect("a code").to_owned();
    books.refused(&["disbursement", "acknowledge", &request, "--code", &wrong], 3, "does not belong");
    books.json(&["disbursement", "return", &request, "--amount", "20"]);
    let too_much = books.json(&[
        "disbursement",
        "request",
        "--case",
        "c_1",
        "--amount",
        "500",
        "--use",
        "drugs",
        "--payee-class",
        "pharmacy",
    ]);
    let too_much = too_much["disbursement"].to_string();
    books.refused(&["disbursement", "approve", &too_much, "--as", "wang"], 3, "40.00 CNY spent by entry");
    books.refused(&["case", "close", "c_1"], 3, "not finished");
    books.json(&["disbursement", "reject", &too_much]);
    books.refused(&["case", "close", "c_1"], 3, "59.40 CNY");
    assert_eq!(books.json(&["verify"])["ok"], true);
    assert_eq!(books.json(&["rebuild"])["differed"], Json::Null);
}

#[test]
fn a_repeated_key_gives_the_first_answer_and_nothing_is_doubled() {
    let books = Books::opened();
    books.json(&["fund", "open", "--id", "f", "--type", "unrestricted", "--name-zh", "日常", "--name-en", "General"]);
    books.json(&["account", "open", "bank/1", "--fund", "f"]);
    let gift = ["donation", "receive", "--fund", "f", "--amount", "12.5", "--order-no", "B1", "--key", "k1"];
    let first = books.json(&gift);
    let second = books.json(&gift);
    assert_eq!((&first["entry"], &second["repeated"]), (&second["entry"], &Json::Bool(true)));
    books.refused(
        &["donation", "receive", "--fund", "f", "--amount", "13", "--order-no", "B1", "--key", "k1"],
        3,
        "another command",
    );
    let seq = first["entry"].to_string();
    let code = books.json(&["donation", "code", &seq])["code"].as_str().expect("a code").to_owned();
    assert_eq!(books.json(&["trace", "--code", &code])["donation"]["seq"], first["entry"]);
    assert_eq!(books.json(&["trace", "--order-no", "B1", "--amount", "12.50"])["donation"]["seq"], first["entry"]);
    books.refused(&["trace", "--order-no", "B1", "--amount", "12.51"], 5, "No such gift");
    books.json(&["donation", "refund", &seq]);
    let traced = books.json(&["trace", &seq]);
    assert_eq!((&traced["uses"][0]["state"], &traced["unspent"]["CNY"]), (&Json::from("void"), &Json::from(0)));
    assert_eq!(books.json(&["trace", &seq, "--at", "4"])["unspent"]["CNY"], 1_250);
}

#[test]
fn an_older_copy_of_the_database_is_refused_and_named() {
    let books = Books::opened();
    if !books.is_a_file() {
        return;
    }
    books.json(&["fund", "open", "--id", "f", "--type", "unrestricted", "--name-zh", "日常", "--name-en", "General"]);
    let database = books.data().join("mingzhang.db");
    let copy = std::fs::read(&database).expect("the database");
    books.json(&["account", "open", "bank/1", "--fund", "f"]);
    for extension in ["db-wal", "db-shm"] {
        let _ = std::fs::remove_file(database.with_extension(extension));
    }
    std::fs::write(&database, copy).expect("writable");
    books.refused(&["account", "open", "bank/2", "--fund", "f"], 4, "older copy");
    let output = books.run(&["verify", "--json"]);
    let verdict: Json = serde_json::from_slice(&output.stdout).expect("one JSON object");
    assert_eq!((output.status.code(), &verdict["first_bad"]["seq"]), (Some(1), &Json::from(2)), "{verdict}");
}

#[test]
fn a_payment_for_a_case_out_of_another_fund_is_told_in_its_report() {
    let books = Books::opened();
    books.json(&["fund", "open", "--id", "g", "--type", "unrestricted", "--name-zh", "日常", "--name-en", "General"]);
    books.json(&["case", "open", "--id", "c_1", "--fund", "f_1", "--category", "health", "--region-zh", "吴忠市"]);
    books.json(&["account", "open", "bank/1", "--fund", "f_1,g"]);
    for (fund, amount, order) in [("f_1", "100", "A1"), ("g", "70", "A2")] {
        books.json(&["donation", "receive", "--fund", fund, "--amount", amount, "--order-no", order]);
    }
    books.json(&["case", "assess", "c_1", "--need", "1000"]);
    books.json(&["case", "approve", "c_1", "--as", "wang"]);
    for (fund, amount) in [("f_1", "60"), ("g", "50")] {
        let request = books.json(&[
            "disbursement",
            "request",
            "--case",
            "c_1",
            "--fund",
            fund,
            "--amount",
            amount,
            "--use",
            "hospital",
            "--payee-class",
            "hospital",
        ]);
        let request = request["disbursement"].to_string();
        books.json(&["disbursement", "approve", &request, "--as", "wang"]);
        books.json(&["disbursement", "pay", &request]);
        if fund == "g" {
            books.json(&["disbursement", "return", &request, "--amount", "8"]);
        }
    }
    let moved = books.json(&["fund", "transfer", "g", "f_1", "--amount", "1"])["entry"].to_string();
    books.refused(&["trace", &moved], 5, "no payment");
    let published = books.json(&["report", "case", "c_1"]);
    let data = std::fs::read(published["files"][2]["path"].as_str().expect("a path")).expect("the report's data");
    let data: Json = serde_json::from_slice(&data).expect("JSON");
    let text = data.to_string();
    assert!(text.contains("\"kind_en\":\"Another fund of this organisation: General\""), "{text}");
    assert!(text.contains("\"amount\":4200"), "50 yuan, of which 8 came back: {text}");
    let listed = books.json(&["donation", "list"]);
    let orders = |what: &str| -> Vec<Json> {
        listed["donations"].as_array().into_iter().flatten().map(|gift| gift[what].clone()).collect()
    };
    assert_eq!((orders("fund"), orders("amount")), (vec!["g".into(), "f_1".into()], vec![7_000.into(), 10_000.into()]));
    assert_eq!(books.json(&["donation", "list", "--fund", "f_1"])["donations"].as_array().map(Vec::len), Some(1));
    assert_eq!(books.json(&["donation", "list", "--last", "1"])["donations"].as_array().map(Vec::len), Some(1));
}

#[test]
fn public_text_names_no_donor() {
    let books = Books::opened();
    books.json(&["fund", "open", "--id", "f", "--type", "unrestricted", "--name-zh", "日常", "--name-en", "General"]);
    books.json(&["account", "open", "bank/1", "--fund", "f"]);
    books.json(&["donation", "receive", "--fund", "f", "--amount", "1", "--order-no", "A1", "--name", "张小明"]);
    let named = ["fund", "open", "--type", "unrestricted", "--name-zh", "感谢张小明的基金", "--name-en", "Thanks"];
    books.refused(&named, 3, "the name of a donor");
    let zh = books.run(&[named.as_slice(), &["--lang", "zh"]].concat());
    let told = String::from_utf8_lossy(&zh.stderr).into_owned();
    assert!(told.contains("捐赠人的姓名") && !told.contains("张小明"), "{told}");
}

#[test]
fn a_file_read_anew_with_a_better_mapping_is_an_import_of_its_own() {
    let books = Books::opened();
    books.json(&["fund", "open", "--id", "f", "--type", "unrestricted", "--name-zh", "日常", "--name-en", "General"]);
    let (file, narrow, wide) = (books.path.join("s.csv"), books.path.join("narrow.toml"), books.path.join("wide.toml"));
    std::fs::write(&file, "day,money,no,state\n2026-03-01,5.00,a1,捐款\n2026-03-02,7.00,a2,捐赠\n").expect("writable");
    let mapping = |accepted: &str| {
        format!(
            "unit = 'CNY'\naccount = 'bank/own'\n[columns]\nday = 'day'\namount = 'money'\nreference = 'no'\nstatus = 'state'\n[status]\naccepted = [{accepted}]\n"
        )
    };
    std::fs::write(&narrow, mapping("'捐款'")).expect("writable");
    std::fs::write(&wide, mapping("'捐款', '捐赠'")).expect("writable");
    let import = |mapping: &Path| {
        let (file, mapping) = (file.to_str().expect("UTF-8"), mapping.to_str().expect("UTF-8"));
        books.json(&["import", file, "--fund", "f", "--mapping", mapping])
    };
    let first = import(&narrow);
    assert_eq!((&first["accepted"], &first["rejected"]), (&1.into(), &1.into()), "{first}");
    let second = import(&wide);
    assert_eq!((&second["accepted"], &second["duplicates"]), (&1.into(), &1.into()), "{second}");
    assert!(second["entry"].as_u64() > first["entry"].as_u64(), "it is told in the ledger: {second}");
    let third = import(&wide);
    assert_eq!((&third["accepted"], &third["entry"]), (&0.into(), &Json::Null), "{third}");
}

#[test]
fn the_sums_of_the_report_are_those_of_an_independent_query() {
    if ["sqlite3", "pdftotext"].iter().any(|program| Command::new(program).arg("-version").output().is_err()) {
        eprintln!("not compared: sqlite3 or pdftotext is not here");
        return;
    }
    let books = Books::new();
    if !books.is_a_file() {
        return;
    }
    let data = books.data();
    let demo = books.run(&["demo", "--no-serve", "--json", "--dir", data.to_str().expect("UTF-8")]);
    let told: Json = serde_json::from_slice(&demo.stdout).expect("one JSON object");
    let sum = |kind: &str, op: &str| -> i64 {
        let query = format!(
            "select coalesce(sum(post.value ->> 'to') - sum(post.value ->> 'from'), 0)
             from entry, json_each(cast(bytes as text), '$.post') as post
             where cast(bytes as text) ->> 'kind' = '{kind}' and post.value ->> 'op' = '{op}'
               and post.value ->> 'line' = 'f_3k9w/CNY'"
        );
        let output = Command::new("sqlite3").arg(data.join("mingzhang.db")).arg(query).output().expect("it runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.trim().parse().unwrap_or_else(|_| panic!("{text}{}", String::from_utf8_lossy(&output.stderr)))
    };
    let (receipts, gross) = (sum("donation.received", "in"), sum("disbursement.paid", "out"));
    let (reversed, returned) = (sum("entry.reversed", "free"), sum("disbursement.returned", "free"));
    let moved = sum("fund.transferred", "out");
    let net = gross - reversed - returned;
    let yuan = |fen: i64| {
        let whole = (fen / 100).to_string();
        let mut grouped = String::new();
        for (place, digit) in whole.chars().enumerate() {
            if place > 0 && (whole.len() - place).is_multiple_of(3) {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        format!("{grouped}.{:02}", fen % 100)
    };
    assert!(receipts > 0 && net > 0 && moved > 0);
    for place in [0, 1] {
        let path = told["files"][place]["path"].as_str().expect("a path");
        let output = Command::new("pdftotext").args(["-layout", path, "-"]).output().expect("it runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        for (what, fen) in [
            ("receipts", receipts),
            ("gross", gross),
            ("reversed", reversed),
            ("returned", returned),
            ("net", net),
            ("transferred", moved),
            ("closing", receipts - net - moved),
        ] {
            assert!(text.contains(&yuan(fen)), "{what} {} is not in {path}", yuan(fen));
        }
    }
}

#[tokio::test]
async fn totals_at_a_size_are_those_of_a_replay_up_to_it() {
    let books = Books::new();
    let data = books.data();
    let demo = books.run(&["demo", "--no-serve", "--json", "--dir", data.to_str().expect("UTF-8")]);
    assert!(demo.status.success(), "{}", String::from_utf8_lossy(&demo.stderr));
    let opened = books.as_folder().open(None).await.expect("it opens");
    let (size, mut book) = (opened.row.size, Book::default());
    for seq in 0..size {
        let bytes = opened.store.entry(opened.row.ledger_id, seq).await.expect("it reads").expect("it is there");
        let entry = Entry::parse(&bytes).expect("an entry");
        book.apply(seq, &entry.post, &entry.cash, CashRule::Judged).expect("it was accepted");
        // All sizes of the busy weeks would take a minute.
        if seq % 97 == 0 || seq + 40 > size {
            let told = opened.line_totals_at(seq + 1).await.expect("it reads");
            let told: BTreeMap<_, _> = told.into_iter().map(|line| (line.name, line.totals)).collect();
            let replayed = book.lines().iter().map(|line| (line.name().clone(), line.totals()));
            assert_eq!(told, replayed.collect(), "at {}", seq + 1);
        }
    }
    let now = opened.line_totals().await.expect("it reads");
    assert!(now.iter().any(|line| line.moved_on > 0));
    assert_eq!(opened.line_totals_at(size).await.expect("it reads"), now);
}
