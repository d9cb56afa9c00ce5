//! Published statements, posted by the program and added up again by other means: what it says, what the database holds and what the
//! publisher states agree. The files lie beside the repository, not in it: where they are absent, these tests say so and pass.

use serde_json::Value as Json;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A published file, wherever a clone lies.
fn shared(path: &str) -> Option<PathBuf> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    let places = ["../shared/data", "../../shared/data"].map(|place| manifest.join(place).join(path));
    let found = places.into_iter().find(|place| place.is_file());
    if found.is_none() {
        eprintln!("not posted, since it is not here: {path}");
    }
    found
}

/// A ledger with one fund that was made for one statement.
struct Books {
    folder: PathBuf,
    statement: PathBuf,
}

impl Books {
    fn new(path: &str) -> Option<Self> {
        let original = shared(path)?;
        let name = path.replace('/', "-");
        let folder = std::env::temp_dir().join(format!("mingzhang-statements-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder of our own");
        // A copy: what is handed back is written beside the statement.
        let statement = folder.join(original.file_name().expect("a file"));
        std::fs::copy(original, &statement).expect("a copy");
        let books = Self { folder, statement };
        books.run(&["init", "--origin", "test.example/books", "--name-zh", "测试", "--name-en", "Test"]);
        books.run(&[
            "fund",
            "open",
            "--id",
            "f",
            "--type",
            "unrestricted",
            "--name-zh",
            "日常",
            "--name-en",
            "General",
        ]);
        Some(books)
    }

    fn run(&self, arguments: &[&str]) -> Json {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mingzhang"));
        let command = command.args(arguments).arg("--json").arg("--data").arg(&self.folder).env("LANG", "en");
        let output = command.output().expect("the program runs");
        let (told, complaint) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{arguments:?}: {told}{complaint}");
        serde_json::from_str(&told).expect("one JSON object")
    }

    fn import(&self) -> Json {
        self.run(&["import", self.statement.to_str().expect("a path in UTF-8"), "--fund", "f"])
    }

    /// A number from the database, asked with a program that is not ours.
    fn sql(&self, query: &str) -> Option<i64> {
        let output = Command::new("sqlite3").arg(self.folder.join("mingzhang.db")).arg(query).output().ok()?;
        String::from_utf8_lossy(&output.stdout).trim().parse().ok()
    }

    /// Gifts and their sum as the program says them, as its reading tells them and as the tables hold them.
    fn posted(&self, gifts: u64, minor: i64) -> Json {
        let (told, file) = (self.import(), self.statement.display());
        let total = told["totals"].as_object().and_then(|totals| totals.values().next()).and_then(Json::as_i64);
        assert_eq!((told["accepted"].as_u64(), total), (Some(gifts), Some(minor)), "{file}: {told}");
        let rows = ["accepted", "duplicates", "refunds", "other", "rejected"].map(|what| told[what].as_u64());
        assert_eq!(rows.into_iter().sum::<Option<u64>>(), told["rows"].as_u64(), "{file}: every row is accounted for");
        let holds = "select count(*) from entry where cast(bytes as text) like '%\"kind\":\"donation.received\"%'";
        if let Some(count) = self.sql(holds) {
            assert_eq!(u64::try_from(count), Ok(gifts), "{file}");
            let inflow = "select coalesce(sum(to_position - from_position), 0) from span where op = 0";
            let refunded = "select coalesce(sum(to_position - from_position), 0) from run where state = 2";
            assert_eq!(self.sql(inflow), Some(minor), "{file}");
            assert_eq!(self.sql(refunded), Some(0), "{file}");
        }
        told
    }

    /// Importing the same again adds nothing and finds every gift's twin.
    fn twice_adds_nothing(&self, gifts: u64) {
        let again = self.import();
        let file = self.statement.display();
        assert_eq!((again["accepted"].as_u64(), again["duplicates"].as_u64()), (Some(0), Some(gifts)), "{file}");
    }
}

impl Drop for Books {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.folder);
    }
}

fn lines(told: &Json, what: &str) -> Vec<u64> {
    told[what].as_array().into_iter().flatten().filter_map(|other| other["line"].as_u64()).collect()
}

fn expected(path: &str) -> Option<Json> {
    let text = std::fs::read_to_string(shared(path)?).expect("readable");
    Some(serde_json::from_str(&text).expect("JSON"))
}

#[test]
fn small_statements_are_posted_with_the_totals_of_their_expectation() {
    for name in [
        "agribank-120",
        "hubei-redcross-60",
        "vietcombank-200",
        "vietinbank-80",
        "wechat-merchant-fund-bill-doc-sample",
        "wuhan-qrpos-180",
    ] {
        let Some(expected) = expected(&format!("small/{name}.expected.json")) else { return };
        let file = expected["file"].as_str().expect("the file's name");
        let Some(books) = Books::new(&format!("small/{file}")) else { return };
        let donations = expected.get("donations").or_else(|| expected.get("donations_with_amount")).expect("totals");
        let gifts = donations["count"].as_u64().expect("a count");
        let told = books.posted(gifts, donations["sum_minor"].as_i64().expect("a sum"));
        let refunds = expected.get("refunds").and_then(|refunds| refunds["count"].as_u64()).unwrap_or(0);
        let fees = expected.get("bank_fees").and_then(|fees| fees["count"].as_u64()).unwrap_or(0);
        let amountless = expected.get("rows_without_amount").and_then(Json::as_array).map_or(0, Vec::len);
        assert_eq!(told["refunds"].as_u64(), Some(refunds), "{file}");
        assert_eq!(told["other"].as_u64(), Some(fees), "{file}");
        assert_eq!(told["rejected"].as_u64(), u64::try_from(amountless).ok(), "{file}");
        books.twice_adds_nothing(gifts);
        assert_eq!(books.run(&["verify"])["ok"].as_bool(), Some(true), "{file}");
    }
}

#[test]
fn an_alipay_bill_is_posted_row_by_row() {
    let Some(expected) = expected("small/alipay-10.expected.json") else { return };
    let Some(books) = Books::new("small/alipay-10.gbk.csv") else { return };
    let income = &expected["by_direction"]["收入"];
    let gifts = income["count"].as_u64().expect("a count");
    let told = books.posted(gifts, income["sum_minor"].as_i64().expect("a sum"));
    let numbers = |what: &str| expected[what].as_array().into_iter().flatten().filter_map(Json::as_u64).collect();
    let refunds: Vec<u64> = numbers("refund_rows");
    assert_eq!(told["refunds"].as_u64(), u64::try_from(refunds.len()).ok());
    let all: Vec<u64> =
        expected["rows"].as_array().into_iter().flatten().filter_map(|row| row["line"].as_u64()).collect();
    let income_lines: Vec<u64> = (expected["rows"].as_array().into_iter().flatten())
        .filter(|row| row["direction"] == "收入")
        .filter_map(|row| row["line"].as_u64())
        .collect();
    let others: Vec<u64> =
        all.iter().copied().filter(|line| !refunds.contains(line) && !income_lines.contains(line)).collect();
    assert_eq!(lines(&told, "others"), others);
    let agrees = told["controls"].as_array().into_iter().flatten().all(|control| control["agrees"] == true);
    assert_eq!(Some(agrees), expected["preamble_agrees"].as_bool());
    books.twice_adds_nothing(gifts);
}

#[test]
fn the_lists_of_hubei_are_posted_to_the_fen() {
    for (file, gifts, minor) in [
        ("donate02", 1633, 3_842_232_224),
        ("donate03", 1995, 15_396_731_614),
        ("donate05", 6661, 8_051_659_300),
        ("donate07", 5161, 11_961_252_590),
        ("donate08", 2860, 2_976_311_798),
        ("donate10", 2025, 4_888_594_804),
        ("donate12", 2328, 3_501_097_750),
    ] {
        let Some(books) = Books::new(&format!("cn-hubei-redcross-2020/{file}.csv")) else { return };
        books.posted(gifts, minor);
    }
}

#[test]
fn the_lists_of_wuhan_are_posted_to_the_fen() {
    for (file, gifts, minor) in [
        ("qrpos-2020-01-24.xlsx", 1207, 21_078_319),
        ("qrpos-2020-01-25.xlsx", 49_691, 476_102_868),
        ("qrpos-2020-01-27.xlsx", 18_893, 230_048_190),
        ("qrpos-2020-02-01.xlsx", 3775, 42_192_147),
        ("qrpos-2020-02-11.xlsx", 1688, 57_693_642),
        ("qrpos-2020-02-13.xlsx", 1648, 45_358_911),
        ("alipay-2020-01-22_28.csv.gz", 48_740, 1_027_281_033),
        ("bocom-2020-01-22_28.xlsx", 2855, 31_454_075_569),
        ("abc-2020-02-03.xlsx", 47, 125_539_040),
        ("unionpay-2020-02-01.xlsx", 2151, 10_553_382),
        ("unionpay-2020-02-07.xlsx", 999, 5_925_506),
        ("unionpay-2020-02-11.xlsx", 568, 3_945_856),
        ("large-2020-01-31.xlsx", 101, 8_272_955_010),
        ("large-2020-02-01.xlsx", 101, 1_795_768_245),
    ] {
        let Some(books) = Books::new(&format!("cn-wuhan-redcross-2020/{file}")) else { return };
        books.posted(gifts, minor);
        if let ("qrpos-2020-01-24.xlsx", Some(copy)) =
            (file, shared("cn-wuhan-redcross-2020/qrpos-2020-01-24-second-copy.xlsx"))
        {
            // The same gifts in other bytes.
            std::fs::copy(copy, &books.statement).expect("a copy");
            books.twice_adds_nothing(gifts);
        }
    }
}

#[test]
fn a_hundred_thousand_lines_of_a_bank_are_posted_to_the_dong() {
    for (file, gifts, minor) in [
        ("vietcombank-100k.csv.gz", 99_999, 78_245_343_549),
        ("vietinbank-30k.csv.gz", 30_000, 18_742_155_381),
        ("agribank-30k.csv.gz", 29_997, 17_498_018_314),
    ] {
        let Some(books) = Books::new(&format!("vn-fatherland-front-2024/{file}")) else { return };
        books.posted(gifts, minor);
    }
}
