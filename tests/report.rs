//! The case report: the worked example of the specification, its refusals, its languages and its pages.

use mingzhang::domain::vocabulary::{Basis, Category, PayeeClass, ReasonClass, Source, Use};
use mingzhang::report::document::{Block, share_text};
use mingzhang::report::model::case::{
    CampaignRow, CaseReport, CaseRow, CaseRows, CorrectionRow, CutRow, DayRow, FundRow, Line, LineKind,
    OrganisationRow, OtherFundingRow, ReportRow, SourceRow, SurplusRow, case_report,
};
use mingzhang::report::{Language, ReportError, pdf, text};
use mingzhang::values::amount::format_minor;
use mingzhang::values::{Day, Hash, Timestamp, Unit, Zone};
use std::process::Command;

fn day(text: &str) -> Day {
    Day::parse(text).expect(text)
}

/// The worked example: case C-2026-0031, all amounts invented.
fn example() -> CaseRows {
    let gift = |source, gifts, amount| SourceRow { source, gifts, amount };
    let on = |text, gifts, amount| DayRow { day: day(text), gifts, amount };
    let mut rows = CaseRows {
        organisation: OrganisationRow {
            name_zh: "吴中区爱心慈善协会（示例）".into(),
            name_en: "Wuzhong Love Charity Association (example)".into(),
            uscc: Some("51320506MJ0000000X".into()),
            code: "WLH".into(),
            origin: "mingzhang.example/wuzhong-love".into(),
            fundraising_certificate: Some("苏慈募 2025-0031".into()),
        },
        zone: Zone::shanghai(),
        unit: Unit::CNY,
        case: CaseRow {
            code: "C-2026-0031".into(),
            categories: vec![Category::Minor, Category::Health],
            region_city_zh: "江苏省苏州市".into(),
            region_city_en: "Suzhou, Jiangsu".into(),
            opened_on: day("2026-02-19"),
            closed_on: Some(day("2026-05-12")),
            approved_amount: Some(12_000_000),
        },
        campaign: Some(CampaignRow {
            code: "K-2026-0007".into(),
            filing_no: None,
            filed_on: Some(day("2026-02-20")),
            starts_on: day("2026-03-02"),
            ended_on: Some(day("2026-04-15")),
            planned_end: day("2026-04-15"),
        }),
        fund: FundRow {
            id: "case_c20260031".into(),
            name_zh: "小天乐救助专款".into(),
            name_en: "Aid for case C-2026-0031".into(),
            fund_type: "agency".into(),
        },
        cut: CutRow {
            tree_size: 21,
            at: Timestamp::parse("2026-05-12T08:30:00.000Z").expect("a time"),
            head: Hash::of(&[b"head"]),
            root: Hash::of(&[b"root"]),
            checkpoint_signature_line: "— mingzhang.example/wuzhong-love Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=".into(),
            key_id: "033de0ae".into(),
            first_seq: 1,
            last_seq: 21,
            entry_count: 21,
        },
        opening: 0,
        receipts_by_source: vec![
            gift(Source::Platform, 1286, 6_173_450),
            gift(Source::Enterprise, 3, 3_000_000),
            gift(Source::VillageCash, 214, 1_826_550),
            gift(Source::Members, 46, 2_200_000),
        ],
        receipts_by_day: vec![
            on("2026-03-03", 412, 2_011_800),
            on("2026-03-04", 1, 2_000_000),
            on("2026-03-06", 214, 1_826_550),
            on("2026-03-08", 46, 2_200_000),
            on("2026-03-10", 598, 2_736_650),
            on("2026-03-15", 2, 1_000_000),
            on("2026-03-20", 276, 1_425_000),
        ],
        other_income: 0,
        refund_out: 0,
        fees: 0,
        transfer_in: 0,
        transfer_out: 2_181_440,
        movements: Vec::new(),
        corrections: vec![
            CorrectionRow { target_seq: 13, seq: 14, amount: 100_000, reason: ReasonClass::Duplicate, on: day("2026-03-23") },
            CorrectionRow { target_seq: 17, seq: 19, amount: 432_000, reason: ReasonClass::ReturnedByPayee, on: day("2026-04-20") },
        ],
        surplus: vec![SurplusRow {
            destination_zh: "儿童白血病救助项目".into(),
            destination_en: "Children’s leukaemia relief project".into(),
            basis: Basis::Plan,
            amount: 2_181_440,
            on: day("2026-05-10"),
        }],
        other_funding: Vec::new(),
        ledger_balance: 0,
        report: ReportRow { number: "CASE-WLH-C20260031-20260512".into(), version: 1, item_id: "CZ-2026-000117".into() },
    };
    let mut line = |seq: u64, on: &str, kind, use_, payee, amount, balance_after| {
        rows.movements.push(Line {
            seq,
            on: day(on),
            kind,
            use_,
            payee,
            amount,
            balance_after,
            vouchers: 1,
            hash: Hash::of(&[&seq.to_be_bytes()]),
        });
    };
    use LineKind::{Paid, Returned, Reversal, TransferOut};
    let (hospital, nutrition) = (Some(Use::Hospital), Some(Use::Nutrition));
    let (clinic, guardian) = (Some(PayeeClass::Hospital), Some(PayeeClass::Guardian));
    line(5, "2026-03-05", Paid, hospital, clinic, -3_000_000, 1_011_800);
    line(9, "2026-03-12", Paid, hospital, clinic, -5_000_000, 2_775_000);
    line(12, "2026-03-22", Paid, nutrition, guardian, -300_000, 4_900_000);
    line(13, "2026-03-22", Paid, nutrition, guardian, -100_000, 4_800_000);
    line(14, "2026-03-23", Reversal, nutrition, guardian, 100_000, 4_900_000);
    line(15, "2026-03-28", Paid, Some(Use::Drugs), Some(PayeeClass::Pharmacy), -1_234_560, 3_665_440);
    line(16, "2026-04-02", Paid, Some(Use::LodgingTravel), guardian, -648_000, 3_017_440);
    line(17, "2026-04-10", Paid, hospital, clinic, -1_268_000, 1_749_440);
    line(19, "2026-04-20", Returned, hospital, clinic, 432_000, 2_181_440);
    line(20, "2026-05-10", TransferOut, None, None, -2_181_440, 0);
    rows
}

/// A case with `count` payments out of one large gift.
fn many_lines(count: u64) -> CaseRows {
    let mut rows = example();
    let uses = [Use::Hospital, Use::Nutrition, Use::Drugs, Use::LodgingTravel, Use::Rehabilitation];
    let payees =
        [PayeeClass::Hospital, PayeeClass::Guardian, PayeeClass::Pharmacy, PayeeClass::Person, PayeeClass::Shop];
    let gift = i64::try_from(count).expect("small") * 200_000;
    rows.receipts_by_source = vec![SourceRow { source: Source::Platform, gifts: count, amount: gift }];
    rows.receipts_by_day = vec![DayRow { day: day("2026-02-20"), gifts: count, amount: gift }];
    rows.movements.clear();
    rows.corrections.clear();
    rows.surplus.clear();
    rows.transfer_out = 0;
    let mut balance = gift;
    for n in 0..count {
        let place = usize::try_from(n % 5).expect("small");
        let amount = -(i64::try_from(n * 7919 % 199_000).expect("small") + 1);
        balance += amount;
        rows.movements.push(Line {
            seq: 3 + n * 2,
            on: day("2026-02-20").plus_days(i32::try_from(n * 80 / count).expect("small")).expect("a day"),
            kind: LineKind::Paid,
            use_: uses.get(place).copied(),
            payee: payees.get(place).copied(),
            amount,
            balance_after: balance,
            vouchers: n % 4,
            hash: Hash::of(&[&n.to_be_bytes()]),
        });
    }
    rows.ledger_balance = balance;
    rows
}

/// The example with amounts near the largest that a ledger holds.
fn large_amounts() -> CaseRows {
    let mut rows = example();
    let large = |minor: &mut i64| *minor *= 600_000_000;
    rows.receipts_by_source.iter_mut().for_each(|row| large(&mut row.amount));
    rows.receipts_by_day.iter_mut().for_each(|row| large(&mut row.amount));
    rows.movements
        .iter_mut()
        .for_each(|row| [&mut row.amount, &mut row.balance_after].map(large).into_iter().collect());
    rows.corrections.iter_mut().for_each(|row| large(&mut row.amount));
    rows.surplus.iter_mut().for_each(|row| large(&mut row.amount));
    large(&mut rows.transfer_out);
    rows
}

#[test]
fn no_figure_is_cut_however_large() {
    let report = case_report(large_amounts()).expect("within what amounts can be");
    let Some(text) = extracted(&pdf_of(&report, Language::Zh)) else { return };
    for row in &report.by_use {
        for minor in [row.gross, row.net] {
            assert!(text.contains(&money(minor)), "{}", money(minor));
        }
    }
    for line in &report.rows.movements {
        assert!(text.contains(&money(line.amount.abs())) && text.contains(&money(line.balance_after)), "{}", line.seq);
    }
}

fn money(minor: i64) -> String {
    format_minor(minor, Unit::CNY)
}

#[test]
fn the_worked_example_comes_out_to_the_fen() {
    let report = case_report(example()).expect("the example is consistent");
    let shares =
        |shares: Vec<Option<i64>>| shares.into_iter().map(|bp| share_text(bp.expect("a share"))).collect::<Vec<_>>();
    assert_eq!(
        shares(report.by_source.iter().map(|row| row.share_bp).collect()),
        ["46.77%", "22.73%", "13.84%", "16.66%"]
    );
    let uses: Vec<[String; 4]> =
        report.by_use.iter().map(|row| [row.gross, row.reversed, row.returned, row.net].map(money)).collect();
    assert_eq!(
        uses,
        [
            ["92,680.00", "0.00", "4,320.00", "88,360.00"],
            ["4,000.00", "1,000.00", "0.00", "3,000.00"],
            ["12,345.60", "0.00", "0.00", "12,345.60"],
            ["6,480.00", "0.00", "0.00", "6,480.00"],
        ]
    );
    assert_eq!(shares(report.by_use.iter().map(|row| row.share_bp).collect()), ["80.19%", "2.72%", "11.21%", "5.88%"]);
    let base = report.base;
    let totals = [base.receipts, base.gross_disbursed, base.reversed, base.refund_in, base.net_disbursed, base.closing];
    assert_eq!(totals.map(money), ["132,000.00", "115,505.60", "1,000.00", "4,320.00", "110,185.60", "0.00"]);
    assert_eq!((base.gift_count, base.use_rate_bp, base.average_gift), (1549, Some(8347), Some(8522)));
    assert_eq!(report.cumulative_by_day.last(), Some(&13_200_000));
    let balances: Vec<String> = [5, 9, 13, 14, 17, 19, 20]
        .iter()
        .filter_map(|seq| report.rows.movements.iter().find(|line| line.seq == *seq))
        .map(|line| money(line.balance_after))
        .collect();
    assert_eq!(balances, ["10,118.00", "27,750.00", "48,000.00", "49,000.00", "17,494.40", "21,814.40", "0.00"]);
    let due: Vec<String> = report.duties.iter().filter_map(|duty| duty.due).map(|due| due.on.to_string()).collect();
    assert_eq!(due, ["2026-07-15", "2026-08-12", "2026-08-12"]);
}

#[test]
fn the_document_reads_as_expected() {
    let report = case_report(example()).expect("the example is consistent");
    insta::assert_snapshot!("case_zh", text::render(&report.document(Language::Zh)));
    insta::assert_snapshot!("case_en", text::render(&report.document(Language::En)));
}

#[test]
fn rows_that_contradict_the_ledger_or_each_other_make_no_report() {
    let check = |change: fn(&mut CaseRows), expected: &str| {
        let mut rows = example();
        change(&mut rows);
        assert_eq!(case_report(rows).expect_err(expected).to_string(), expected);
    };
    check(|rows| rows.ledger_balance = 1, "the report closes at 0 minor units, the ledger stands at 1");
    check(|rows| rows.fees = 5, "the report closes at -5 minor units, the ledger stands at 0");
    check(
        |rows| rows.receipts_by_day[0].gifts += 1,
        "gifts by source come to 13200000 minor units in 1549 gifts, by day to 13200000 in 1550",
    );
    check(
        |rows| rows.movements[0].amount = 3_000_000,
        "line 5 of kind paid has the amount 3000000, which has the wrong sign",
    );
    check(|rows| rows.movements[0].use_ = None, "line 5 of kind paid has no use, or one where none belongs");
    check(|rows| rows.receipts_by_day.reverse(), "day 2026-03-15 stands after a later one");
    check(|rows| rows.opening = i64::MAX, "a sum of the report is larger than an amount can be");
}

#[test]
fn both_languages_carry_one_data_hash_and_it_changes_with_any_figure() {
    let report = case_report(example()).expect("the example is consistent");
    let hashes: Vec<Hash> = Language::ALL.iter().map(|language| report.document(*language).data_hash).collect();
    assert_eq!(hashes, [report.data_hash(), report.data_hash()]);
    assert_eq!(report.data_hash(), Hash::of(&[report.data()]));
    let mut rows = example();
    rows.movements[3].vouchers = 2;
    assert_ne!(case_report(rows).expect("still consistent").data_hash(), report.data_hash());
    let parsed: serde_json::Value = serde_json::from_slice(report.data()).expect("JSON");
    assert_eq!(serde_json_canonicalizer::to_string(&parsed).expect("canonical").as_bytes(), report.data());
}

#[test]
fn one_report_is_one_file_also_twice_in_a_process() {
    let report = case_report(example()).expect("the example is consistent");
    for language in Language::ALL {
        let (first, second) = (pdf_of(&report, *language), pdf_of(&report, *language));
        assert!(first == second, "{language:?}");
        let has = |needle: &[u8]| first.windows(needle.len()).any(|window| window == needle);
        assert!(!has(b"GTS_PDFX") && !has(b"D:1970"), "nothing that chance or a default wrote is left");
    }
}

#[test]
fn a_character_without_a_glyph_makes_no_pdf() {
    let mut rows = example();
    rows.surplus[0].destination_zh = "儿童🙂项目".into();
    let report = case_report(rows).expect("the example is consistent");
    let error = pdf::render(&report.document(Language::Zh)).expect_err("no glyph");
    assert_eq!(error, ReportError::GlyphMissing { character: '🙂' });
    assert_eq!(error.to_string(), "the fonts of reports have no glyph for “🙂” (U+1F642)");
    pdf::render(&report.document(Language::En)).expect("the English name has glyphs");
}

#[test]
fn sections_without_rows_say_so() {
    let mut rows = example();
    rows.receipts_by_source.clear();
    rows.receipts_by_day.clear();
    rows.movements.clear();
    rows.corrections.clear();
    rows.surplus.clear();
    rows.campaign = None;
    rows.case.closed_on = None;
    rows.transfer_out = 0;
    rows.other_funding = vec![
        OtherFundingRow {
            kind_zh: "城乡居民医保".into(),
            kind_en: "Residents’ medical insurance".into(),
            amount: Some(3_210_050),
        },
        OtherFundingRow { kind_zh: "医疗救助".into(), kind_en: "Medical assistance".into(), amount: None },
    ];
    let report = case_report(rows).expect("an empty case is consistent");
    for language in Language::ALL {
        let document = report.document(*language);
        pdf::render(&document).expect("all glyphs are there");
        assert_eq!(document.blocks.iter().filter(|block| matches!(block, Block::Heading { level: 1, .. })).count(), 12);
    }
    insta::assert_snapshot!("case_empty_zh", text::render(&report.document(Language::Zh)));
}

#[test]
fn a_long_table_repeats_its_head_and_carries_its_totals() {
    let report = case_report(many_lines(300)).expect("consistent");
    let Some(text) = extracted(&pdf_of(&report, Language::Zh)) else { return };
    let pages: Vec<&str> = text.split('\u{c}').filter(|page| page.contains("收款方类别")).collect();
    assert!(pages.len() > 5, "{} pages of table", pages.len());
    for (place, page) in pages.iter().enumerate() {
        assert_eq!(page.contains("承前页"), place > 0, "page {place}");
        assert_eq!(page.contains("过次页"), place + 1 < pages.len(), "page {place}");
    }
    let row = |page: &str, label: &str| {
        let line = page.lines().find(|line| line.contains(label)).expect("the row is there");
        line.split_whitespace().skip(1).map(str::to_owned).collect::<Vec<_>>()
    };
    for (page, next) in pages.iter().zip(pages.iter().skip(1)) {
        assert_eq!(row(page, "过次页"), row(next, "承前页"));
    }
    assert!(text.contains(&money(report.base.closing)));
}

#[test]
fn the_text_of_a_pdf_can_be_copied_out_of_it() {
    let report = case_report(example()).expect("the example is consistent");
    let Some(zh) = extracted(&pdf_of(&report, Language::Zh)) else { return };
    for expected in [
        "急难救助个案资金公开报告",
        "132,000.00",
        "110,185.60",
        "−21,814.40",
        "住院费与预交金",
        "陪护住宿与交通",
        "83.47%",
        "46.77%",
        "2026-07-15",
        "2026-08-12",
        "未成年人、重大疾病",
        "江苏省苏州市",
        "CASE-WLH-C20260031-20260512-v1",
    ] {
        assert!(zh.contains(expected), "{expected}");
    }
    assert!(zh.contains(&report.data_hash().to_hex()) && zh.contains(&report.document(Language::Zh).short_code));
    let en = extracted(&pdf_of(&report, Language::En)).expect("it was there a moment ago");
    for expected in ["Transparency Report", "132,000.00", "Lodging and travel", "22.73%", "under 18, serious illness"] {
        assert!(en.contains(expected), "{expected}");
    }
}

fn pdf_of(report: &CaseReport, language: Language) -> Vec<u8> {
    pdf::render(&report.document(language)).expect("all glyphs are there")
}

/// The text of a PDF by an independent reader; `None` with a notice where that is not installed.
fn extracted(pdf: &[u8]) -> Option<String> {
    let path = std::env::temp_dir().join(format!("mingzhang-{}-{}.pdf", std::process::id(), Hash::of(&[pdf]).short()));
    std::fs::write(&path, pdf).expect("the temporary directory can be written");
    let output = Command::new("pdftotext").arg("-layout").arg(&path).arg("-").output();
    std::fs::remove_file(&path).expect("it was just written");
    match output {
        Ok(output) if output.status.success() => Some(String::from_utf8(output.stdout).expect("UTF-8")),
        Ok(output) => panic!("pdftotext refused the file: {}", String::from_utf8_lossy(&output.stderr)),
        Err(_) => {
            eprintln!("not run: pdftotext (poppler-utils) is not installed");
            None
        }
    }
}

/// CPU time of a report beside that of SHA-256 over 100 MiB. Prints, and with MINGZHANG_REPORT_DIR writes the files, to be looked at.
#[test]
fn a_report_is_fast() {
    if std::env::var_os("MINGZHANG_SLOW_TESTS").is_none() {
        eprintln!("not run: the speed of reports is measured with MINGZHANG_SLOW_TESTS=1 in a release build");
        return;
    }
    let block = vec![7_u8; 100 << 20];
    let time = |work: &dyn Fn()| {
        let start = cpu_millis();
        (0..3).for_each(|_| work());
        (cpu_millis() - start) / 3
    };
    let hash = time(&|| assert_ne!(Hash::of(&[&block]), Hash::ZERO));
    let report = |rows: CaseRows| case_report(rows).expect("consistent");
    pdf_of(&report(example()), Language::Zh);
    let small = time(&|| drop(pdf_of(&report(example()), Language::Zh)));
    let large = time(&|| drop(pdf_of(&report(many_lines(5000)), Language::Zh)));
    eprintln!("CPU: SHA-256 over 100 MiB {hash} ms, example {small} ms, 5,000 lines {large} ms");
    if let Some(folder) = std::env::var_os("MINGZHANG_REPORT_DIR") {
        for (name, rows) in [
            ("example", example()),
            ("large", large_amounts()),
            ("lines300", many_lines(300)),
            ("lines5000", many_lines(5000)),
        ] {
            let report = report(rows);
            for language in Language::ALL {
                let path = std::path::Path::new(&folder).join(format!("{name}-{}.pdf", language.tag()));
                std::fs::write(path, pdf_of(&report, *language)).expect("the folder can be written");
            }
        }
    }
}

/// User and system time of this process, from the kernel.
fn cpu_millis() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    [11, 12].iter().filter_map(|place| fields.get(*place)?.parse::<u64>().ok()).sum::<u64>() * 10
}
