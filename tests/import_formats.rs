//! Published statements, read to the last dong and fen. The files lie beside the repository, not in it: where they are absent,
//! these tests say so and pass.

use mingzhang::exchange::import::{
    Control, ControlKind, FormatName, Mapping, Options, OtherKind, Record, Reference, RejectReason, Statement,
};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

/// What a file gave, in one line.
#[derive(Default, Debug)]
struct Read {
    gifts: u64,
    minor: i64,
    refunds: Vec<(u64, i64)>,
    others: Vec<(u64, OtherKind)>,
    rejected: Vec<(u64, RejectReason)>,
    references: BTreeSet<String>,
    order_numbers: BTreeSet<String>,
    memos: u64,
    days: BTreeSet<String>,
    controls: Vec<Control>,
    format: Option<FormatName>,
}

fn read(path: &str) -> Option<Read> {
    read_with(path, Options::default())
}

fn read_with(path: &str, options: Options) -> Option<Read> {
    let full = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(path);
    // A clone may lie one folder deeper.
    let deeper = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data").join(path);
    let Ok(file) = File::open(&full).or_else(|_| File::open(&deeper)) else {
        eprintln!("not read, since it is not here: {path}");
        return None;
    };
    let file_name = full.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
    let mut statement = match Statement::open(BufReader::new(file), Options { file_name, ..options }) {
        Ok(statement) => statement,
        Err(error) => panic!("{path}: {error}"),
    };
    let mut read = Read { format: Some(statement.format()), ..Read::default() };
    let mut rows = 0;
    for record in statement.by_ref() {
        let record = record.unwrap_or_else(|error| panic!("{path}: {error}"));
        rows += 1;
        assert_eq!(record.row().number, rows, "{path}: every row of data is one record");
        match record {
            Record::Gift(gift) => {
                read.gifts += 1;
                read.minor += gift.amount.minor();
                read.memos += u64::from(gift.memo.is_some());
                read.days.insert(gift.on.to_string());
                read.order_numbers.insert(gift.order_no);
                match gift.reference {
                    Reference::Unique(id) | Reference::Composite(id) => {
                        read.references.insert(id);
                    }
                    Reference::None => {}
                }
            }
            Record::Refund(refund) => read.refunds.push((refund.row.line, refund.amount.minor())),
            Record::Other(other) => read.others.push((other.row.line, other.why)),
            Record::Rejected(rejected) => read.rejected.push((rejected.row.line, rejected.reason)),
        }
    }
    read.controls = statement.controls();
    Some(read)
}

/// Only gifts, so many and so much.
fn check(path: &str, format: FormatName, gifts: u64, minor: i64) -> Option<Read> {
    let read = read(path)?;
    assert_eq!((read.format, read.gifts, read.minor), (Some(format), gifts, minor), "{path}");
    assert_eq!((read.refunds.len(), read.rejected.as_slice()), (0, [].as_slice()), "{path}");
    Some(read)
}

fn disagreeing(read: &Read) -> Vec<(ControlKind, Option<i64>, i64)> {
    let disagreeing = read.controls.iter().filter(|control| !control.agrees);
    disagreeing.map(|control| (control.what, control.stated, control.found)).collect()
}

#[test]
fn small_slices_give_what_is_expected_of_them() {
    check("small/hubei-redcross-60.csv", FormatName::HubeiRedcross, 60, 348_223_211).inspect(|read| {
        assert!(disagreeing(read).is_empty() && read.controls.len() == 1, "{:?}", read.controls);
        assert_eq!(read.days.first().map(String::as_str), Some("2020-01-22"));
        assert_eq!(read.days.last().map(String::as_str), Some("2020-01-25"));
    });
    check("small/wuhan-qrpos-180.gb18030.csv", FormatName::WuhanQrpos, 180, 3_111_137).inspect(|read| {
        assert_eq!((read.references.len(), read.memos), (180, 10));
    });
    check("small/vietcombank-200.csv", FormatName::Vietcombank, 199, 20_178_888).inspect(|read| {
        assert_eq!(read.others.iter().map(|other| other.1).collect::<Vec<_>>(), [OtherKind::BankFee]);
        assert_eq!(read.controls.len(), 7);
        assert_eq!(read.controls.first().map(|control| control.found), Some(10_847_182_843));
        assert!(disagreeing(read).is_empty());
        assert_eq!(read.references.len(), 199);
    });
    check("small/vietinbank-80.csv", FormatName::Vietinbank, 80, 41_620_222).inspect(|read| {
        assert_eq!(read.references.len(), 0);
    });
    if let Some(read) = read("small/agribank-120.csv") {
        assert_eq!((read.format, read.gifts, read.minor), (Some(FormatName::Agribank), 119, 55_235_373));
        let gap = Some((100_000, mingzhang::values::Unit::VND));
        assert_eq!(read.rejected, [(62, RejectReason::AmountMissing { gap })]);
        let opening = read.controls.iter().find(|control| control.what == ControlKind::OpeningBalance);
        assert_eq!(opening.map(|control| control.found), Some(5_559_178_215));
        let closing = read.controls.iter().find(|control| control.what == ControlKind::ClosingBalance).expect("stated");
        assert_eq!(
            (closing.stated, closing.difference(), closing.in_rejected),
            (Some(5_614_513_588), 100_000, 100_000)
        );
    }
}

#[test]
fn an_alipay_bill_is_read_row_by_row() {
    let Some(read) = read("small/alipay-10.gbk.csv") else { return };
    assert_eq!((read.format, read.gifts, read.minor), (Some(FormatName::Alipay), 1, 22_222_850));
    assert_eq!(read.refunds, [(28, 1603), (32, 5000)]);
    use OtherKind as K;
    let others = [(26, K::Expense), (27, K::Pending), (29, K::NotCounted), (31, K::Closed), (33, K::Closed)];
    assert_eq!(read.others, [others.as_slice(), &[(34, K::Expense), (35, K::Expense)]].concat());
    let found = |kind| read.controls.iter().find(|control| control.what == kind).map(|c| (c.stated, c.found));
    assert_eq!(found(ControlKind::RowCount), Some((Some(66), 10)));
    assert_eq!(found(ControlKind::IncomeTotal), Some((Some(2850), 22_222_850)));
    assert_eq!(found(ControlKind::ExpenseTotal), Some((Some(1654), 21_164)));
    assert_eq!(found(ControlKind::NeutralTotal), Some((Some(1637), 24_737)));
}

#[test]
fn wechat_bills_are_read_for_persons_and_for_merchants() {
    if let Some(read) = read("cn-bill-exports/wechat-utf8.csv") {
        assert_eq!((read.format, read.gifts, read.minor), (Some(FormatName::Wechat), 5, 2849));
        assert_eq!((read.refunds.len(), read.rejected.len()), (0, 0));
    }
    if let Some(read) = read("small/wechat-merchant-fund-bill-doc-sample.csv") {
        assert_eq!((read.format, read.gifts), (Some(FormatName::WechatMerchant), 0));
        assert_eq!(read.refunds, [(2, 2)]);
        let found = |kind| read.controls.iter().find(|control| control.what == kind).map(|c| (c.stated, c.found));
        assert_eq!(found(ControlKind::RowCount), Some((Some(20), 1)));
        assert_eq!(found(ControlKind::IncomeCount), Some((Some(17), 0)));
        assert_eq!(found(ControlKind::IncomeTotal), Some((Some(35), 0)));
        assert_eq!(found(ControlKind::ExpenseTotal), Some((Some(18), 2)));
    }
}

#[test]
fn three_banks_of_vietnam_are_read_to_the_dong() {
    check("vn-fatherland-front-2024/vietcombank-100k.csv.gz", FormatName::Vietcombank, 99_999, 78_245_343_549).inspect(
        |read| {
            assert_eq!(read.others.iter().map(|other| other.1).collect::<Vec<_>>(), [OtherKind::BankFee]);
            assert_eq!((read.controls.len(), disagreeing(read).len(), read.references.len()), (9, 0, 99_999));
            assert_eq!(read.controls.first().map(|control| control.found), Some(10_847_182_843));
        },
    );
    check("vn-fatherland-front-2024/vietinbank-30k.csv.gz", FormatName::Vietinbank, 30_000, 18_742_155_381);
    if let Some(read) = read("vn-fatherland-front-2024/agribank-30k.csv.gz") {
        assert_eq!((read.format, read.gifts, read.minor), (Some(FormatName::Agribank), 29_997, 17_498_018_314));
        let gap = |minor| RejectReason::AmountMissing { gap: Some((minor, mingzhang::values::Unit::VND)) };
        assert_eq!(read.rejected, [(10694, gap(100_000)), (21430, gap(100_000)), (26776, gap(200_000))]);
        let closing = read.controls.last().expect("a closing balance");
        assert_eq!(
            (closing.stated, closing.difference(), closing.in_rejected),
            (Some(17_498_443_014), 400_000, 400_000)
        );
    }
}

#[test]
fn lists_of_hubei_are_read_to_the_fen() {
    for (file, gifts, minor) in [
        ("donate01", 60, 348_223_211),
        ("donate02", 1633, 3_842_232_224),
        ("donate03", 1995, 15_396_731_614),
        ("donate04", 1995, 15_396_731_614),
        ("donate05", 6661, 8_051_659_300),
        ("donate07", 5161, 11_961_252_590),
        ("donate08", 2860, 2_976_311_798),
        ("donate10", 2025, 4_888_594_804),
        ("donate12", 2328, 3_501_097_750),
    ] {
        let read = check(&format!("cn-hubei-redcross-2020/{file}.csv"), FormatName::HubeiRedcross, gifts, minor);
        if let Some(read) = read {
            assert_eq!((read.controls.len(), disagreeing(&read).len()), (1, 0), "{file}");
        }
    }
    check("cn-hubei-redcross-2020/donate08.xlsx", FormatName::HubeiRedcross, 2860, 2_976_311_798);
}

#[test]
fn gifts_by_code_and_terminal_of_wuhan_are_read_with_their_moment() {
    for (file, gifts, minor, totals, days) in [
        ("2020-01-24", 1207, 21_078_319, 1, 1),
        ("2020-01-24-second-copy", 1207, 21_078_319, 0, 1),
        ("2020-01-25", 49_691, 476_102_868, 1, 1),
        ("2020-01-27", 18_893, 230_048_190, 1, 2),
        ("2020-02-01", 3775, 42_192_147, 1, 1),
        ("2020-02-11", 1688, 57_693_642, 0, 1),
        ("2020-02-13", 1648, 45_358_911, 0, 1),
    ] {
        let path = format!("cn-wuhan-redcross-2020/qrpos-{file}.xlsx");
        if let Some(read) = check(&path, FormatName::WuhanQrpos, gifts, minor) {
            assert_eq!((read.controls.len(), disagreeing(&read).len(), read.days.len()), (totals, 0, days), "{file}");
            assert_eq!(read.references.len(), usize::try_from(gifts).expect("small"), "{file}");
            let memos = [("2020-02-11", 140), ("2020-02-13", 115)];
            assert_eq!(read.memos, memos.iter().find(|memo| memo.0 == file).map_or(0, |memo| memo.1), "{file}");
        }
    }
}

#[test]
fn lists_of_wuhan_are_read_and_their_contradictions_shown() {
    use ControlKind as K;
    type Differences<'a> = &'a [(ControlKind, Option<i64>, i64)];
    let cases: [(&str, u64, i64, usize, &str, Differences<'_>); 10] = [
        ("alipay-2020-01-22_28.xlsx", 48_740, 1_027_281_033, 2, "2020-01-28", &[]),
        ("alipay-2020-01-22_28.csv.gz", 48_740, 1_027_281_033, 2, "2020-01-28", &[]),
        ("bocom-2020-01-22_28.xlsx", 2855, 31_454_075_569, 2, "2020-01-28", &[(K::GiftCount, Some(2856), 2855)]),
        ("bocom-2020-01-22_28.csv.gz", 2855, 31_454_075_569, 2, "2020-01-28", &[(K::GiftCount, Some(2856), 2855)]),
        ("abc-2020-02-03.xlsx", 47, 125_539_040, 1, "2020-02-03", &[]),
        ("unionpay-2020-02-01.xlsx", 2151, 10_553_382, 1, "2020-02-01", &[]),
        ("unionpay-2020-02-07.xlsx", 999, 5_925_506, 1, "2020-02-07", &[]),
        ("unionpay-2020-02-11.xlsx", 568, 3_945_856, 0, "2020-02-11", &[]),
        (
            "large-2020-01-31.xlsx",
            101,
            8_272_955_010,
            1,
            "2020-01-31",
            &[(K::ListedOfDayTotal, Some(8_062_260_000), 8_272_955_010)],
        ),
        ("large-2020-02-01.xlsx", 101, 1_795_768_245, 2, "2020-02-01", &[]),
    ];
    for (file, gifts, minor, controls, day, differences) in cases {
        let read = check(&format!("cn-wuhan-redcross-2020/{file}"), FormatName::WuhanList, gifts, minor);
        if let Some(read) = read {
            assert_eq!(read.controls.len(), controls, "{file}: {:?}", read.controls);
            assert_eq!(disagreeing(&read), differences, "{file}");
            assert_eq!(read.days.iter().map(String::as_str).collect::<Vec<_>>(), [day], "{file}");
            assert_eq!(read.order_numbers.len(), usize::try_from(gifts).expect("small"), "{file}");
        }
    }
}

#[test]
fn what_is_no_statement_of_money_is_refused_in_words() {
    for (path, words) in [
        ("cn-wuhan-redcross-2020/goods-in-2020-01-22_28.csv", "list of goods"),
        ("cn-wuhan-redcross-2020/goods-in-2020-01-29.xlsx", "list of goods"),
        ("cn-wuhan-redcross-2020/goods-out-2020-01-30.csv", "list of goods"),
        ("cn-hubei-redcross-2020/inflow.csv", "list of goods"),
        ("cn-hubei-redcross-2020/outflow.csv", "list of goods"),
        ("cn-hubei-redcross-2020/donate01.xls", "old Excel file"),
        ("cn-bill-exports/jd-bom.csv", "--mapping"),
        ("cn-bill-exports/ccb.xls", "old Excel file"),
        ("small/camt053-two-statements.xml", "XML"),
        ("mt940/jejik-abnamro.sta", "--mapping"),
        ("mt940/self-provided-february_30.sta", "MT940"),
        ("open-collective/transactions-2024-2026.csv", "--mapping"),
    ] {
        let full = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(path);
        let deeper = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data").join(path);
        let Ok(file) = File::open(full).or_else(|_| File::open(deeper)) else {
            eprintln!("not read, since it is not here: {path}");
            continue;
        };
        let error = Statement::open(BufReader::new(file), Options::default()).expect_err(path).to_string();
        assert!(error.contains(words), "{path}: {error}");
    }
}

#[test]
fn other_banks_are_read_by_a_mapping() {
    let icbc = "
        unit = 'CNY'
        account = 'bank/icbc'
        [heading]
        holds = ['交易日期', '记账金额(收入)']
        [columns]
        day = '交易日期'
        credit = '记账金额(收入)'
        debit = '记账金额(支出)'
        name = '对方户名'
        memo = '摘要'
        [total]
        column = '交易日期'
        text = '人民币合计'";
    let cmb = "
        unit = 'CNY'
        account = 'bank/cmb'
        [columns]
        day = '记账日期'
        amount = '交易金额'
        name = '对手信息'
        memo = '客户摘要'";
    for (path, mapping, gifts, minor, others) in
        [("cn-bill-exports/icbc-debit.csv", icbc, 5, 284_174, 6), ("cn-bill-exports/cmb-debit.csv", cmb, 1, 123_400, 4)]
    {
        let mapping = Some(Mapping::parse(mapping).expect(path));
        let Some(read) = read_with(path, Options { mapping, ..Options::default() }) else { continue };
        assert_eq!(
            (read.gifts, read.minor, read.others.len(), read.rejected.len()),
            (gifts, minor, others, 0),
            "{path}"
        );
    }
}
