//! One small sample per format, with invented people and amounts, and what becomes of each row; then files that mean harm.

use super::*;
use crate::values::amount::format_minor;
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use std::io::{Cursor, Read, Seek, SeekFrom, Write};
use zip::write::SimpleFileOptions;

const WECHAT: &str = "\u{feff}微信支付账单明细,,,,,,,,,,\r\n\
共5笔记录,,,,,,,,,,\r\n\
收入：2笔 123.00元,,,,,,,,,,\r\n\
支出：1笔 8.00元,,,,,,,,,,\r\n\
中性交易：1笔 50.10元,,,,,,,,,,\r\n\
----------------------微信支付账单明细列表--------------------,,,,,,,,,,\r\n\
交易时间,交易类型,交易对方,商品,收/支,金额(元),支付方式,当前状态,交易单号,商户单号,备注\r\n\
2026-03-05 10:11:12,二维码收款,\"山,雨\",收款方备注:义卖,收入,¥23.00,零钱,已收钱,10001\t,/\t,/\r\n\
2026-03-05 10:12:00,转账,云朵,/,收入,¥100.00,/,已存入零钱,10002\t,/\t,\"服务费¥0.10\"\r\n\
2026-03-05 11:00:00,商户消费,面馆,/,支出,¥8.00,零钱,支付成功,10003\t,/\t,/\r\n\
2026-03-05 12:00:00,零钱提现,银行,/,/,¥50.10,银行,提现已到账,10004\t,/\t,/\r\n\
2026-03-05 13:00:00,转账,星,/,收入,¥1.00,/,未知状态,10005\t,/\t,/\r\n";

const WECHAT_MERCHANT: &str = "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额（元）,账户结余（元）,资金变更提交申请人,备注,业务凭证号\n\
`2026-03-05 08:00:00,`4200001,`19001,`交易,`交易,`收入,`100.00,`150.00,`system,`,`V1\n\
`2026-03-05 08:00:01,`4200001,`19002,`扣除交易手续费,`扣除交易手续费,`支出,`0.60,`149.40,`system,`,`V1\n\
`2026-03-05 09:00:00,`5000001,`19003,`退款,`退款,`支出,`20.00,`129.40,`system,`捐错,`REF4200001\n\
资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额\n\
`3.0,`1.0,`100.00,`2.0,`20.60\n";

const ALIPAY: &str = "导出信息：\n共4笔记录\n收入：1笔 66.00元\n\n\
交易时间   ,交易分类,交易对方,对方账号,商品说明,收/支,金额   ,收/付款方式,交易状态,交易订单号     ,商家订单号,备注     ,\n\
2026-03-05 10:17:29 ,转账红包,林间,a***@b.c,转账,收入,66.00 ,余额,交易成功 ,20260001\t,\t,  ,\n\
2026-03-05 10:18:00,退款,小店,/,退款-杯子,不计收支,5.00,余额,退款成功,20260002_77\t,\t,,\n\
2026-03-05 10:19:00,购物,小店,/,杯子,不计收支,9.00,,交易关闭,20260003\t,\t,,\n\
2026-02-30 10:19:00,转账红包,海,/,转账,收入,1.00,余额,交易成功,20260004\t,\t,,\n";

const ALIPAY_MERCHANT: &str = "#支付宝账务明细查询\n#账号：[20880000]\n#起始日期：[2026年03月05日]   终止日期：[2026年03月06日]\n\
#-----------------------------------------账务明细列表----------------------------------------\n\
账务流水号,业务流水号,商户订单号,商品名称,发生时间,对方账号,收入金额（+元）,支出金额（-元）,账户余额（元）,交易渠道,业务类型,备注\n\
1001\t,20260305A\t,D1\t,捐款,2026-03-05 10:00:00,x***@y.z,500.00,,1500.00,支付宝,在线支付,助学\n\
1002\t,20260305A\t,D1\t,服务费,2026-03-05 10:00:00,alipay,,-3.00,1497.00,支付宝,收费,\n\
1003\t,20260305A\t,D1\t,捐款,2026-03-05 11:00:00,x***@y.z,,-100.00,1397.00,支付宝,交易退款,\n\
#-----------------------------------------账务明细列表结束------------------------------------\n\
#支出合计：2笔，共-103.00元\n#收入合计：1笔，共500.00元\n#导出时间：[2026年03月06日 08:00:00]\n";

const VIETCOMBANK: &str = "PageId,TNXDate,DocNo,Debit,Credit,Balance,TransactionDetails\n\
1,01/09/2026,5213.45,,50.000,,ung ho\n\
1,01/09/2026,5213.45,,50.000,1.100.000,ung ho\n\
1,02/09/2026,9915.1,55.000,,,THU PHI DICH VU SMS\n\
1,02/09/2026,5214.90,,1.000.000,2.045.000,\"dong, bao\"\n\
1,31/09/2026,5214.91,,1.000,,x\n";

const AGRIBANK: &str = "PageId,Date,Time,DocumentNumber,ReferenceNumber,TransactionDetails,DebitAmount,CreditAmount,Balance,OffsetAccount\n\
1,10/09/2026,,,701,mot,,\"200,000\",\"1,200,000\",\n\
1,10/09/2026,,,702,\"hai100,000 ba\",,,\"1,300,000\",\n\
1,10/09/2026,,,703,bon,,\"5,000\",\"1,305,000\",\n";

const VIETINBANK: &str = "PageId,Date,Time,DocumentNumber,ReferenceNumber,TransactionDetails,DebitAmount,CreditAmount,Balance,OffsetAccount\n\
1,10/09/2026,12:01:29,,,\"chuyen\ntien\",,\"300,000\",,SAO MAI – A/C\n\
1,10/09/2026,25:01:29,,,mot,,\"1,000\",,SAO MAI – A/C\n";

const HUBEI: &str = ",捐款信息,,,\n,,,,单位：元\n序号,捐赠日期,捐赠(单位/姓名）个人 ,捐赠金额（元）,备注\n\
1,2026.03.05,松\t,100.1,定向：口罩\n2,2026.03.05,柏,0.2,\n3,2026.03.05,竹,-5,\n4,2026.03.05,梅,1.005,\n5,2026.03.05,兰\n\
,合计,,100.30000000000001,\n";

const QRPOS: &str = "交易单号,,交易金额,付款附言\r\n\
0303202603051012130000000001        ,,28.8,加油\r\n\
0102202603051012140000000002        ,,0.01,,28.81000000006\r\n\
,,,\r\n\
010220260305101214000000000,,1,\r\n";

const LIST: &str = "某市红十字会接收社会捐赠明细（支付宝账户）,\n3月1日 --  3月5日,\n姓名（姓氏隐去),金额\n*一,10\n*一,10\n　某某公司　,5.5\n*二,\n共计4人次,总金额25.5\n";

/// What a file gives, a line per record, notice and control.
fn told(bytes: impl Into<Vec<u8>>, file_name: &str, mapping: Option<&str>) -> String {
    let mapping = mapping.map(|text| Mapping::parse(text).expect("a good mapping"));
    let options = Options { file_name: file_name.into(), mapping, ..Options::default() };
    let mut statement = match Statement::open(Cursor::new(bytes.into()), options) {
        Ok(statement) => statement,
        Err(error) => {
            assert!(error.zh().ends_with(['。', '.']) || matches!(error, ImportError::Mapping(_)), "{}", error.zh());
            return error.to_string();
        }
    };
    let unit = statement.unit();
    let mut lines = vec![format!("{} {}", statement.format(), statement.account())];
    for record in statement.by_ref() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                lines.push(error.to_string());
                break;
            }
        };
        let line = record.row().line;
        lines.push(match record {
            Record::Gift(gift) => {
                let time = gift.time.map(|time| format!(" {time}")).unwrap_or_default();
                let fee = gift.fee.map(|fee| format!(" fee {}", fee.minor())).unwrap_or_default();
                let (name, memo) = (gift.name.unwrap_or_default(), gift.memo.unwrap_or_default());
                let reference = match gift.reference {
                    Reference::Unique(id) => format!("unique {id}"),
                    Reference::Composite(id) => format!("composite {id}"),
                    Reference::None => "none".into(),
                };
                format!(
                    "{line} gift {}{time} {}{fee} | {reference} | {} | {name} | {memo} | {}",
                    gift.on,
                    gift.amount.minor(),
                    gift.order_no,
                    gift.source
                )
            }
            Record::Refund(refund) => {
                let (original, reason) = (refund.original.unwrap_or_default(), refund.reason.unwrap_or_default());
                format!("{line} refund {} {} | {original} | {reason}", refund.on, refund.amount.minor())
            }
            Record::Other(other) => format!("{line} {} {}", other.why.code(), other.minor.unwrap_or_default()),
            Record::Rejected(rejected) => format!("{line} rejected {} {}", rejected.field, rejected.reason.code()),
        });
    }
    for control in statement.controls() {
        let figure = |n: i64| control.unit.map_or(n.to_string(), |_| format_minor(n, unit));
        let stated = control.stated.map_or("-".into(), figure);
        let mark = if control.agrees { "=" } else { "≠" };
        lines.push(format!("{}: {} {stated} {mark} {}", control.line, control.what, figure(control.found)));
    }
    lines.join("\n")
}

fn check(text: &str, expected: &[&str]) {
    assert_eq!(told(text, "", None).lines().collect::<Vec<_>>(), expected);
}

#[test]
fn a_wechat_bill() {
    check(
        WECHAT,
        &[
            "wechat wallet/wechat",
            "8 gift 2026-03-05 10:11:12 2300 | unique 10001 | 10001 | 山,雨 | 收款方备注:义卖 | wechat",
            "9 gift 2026-03-05 10:12:00 10000 fee 10 | unique 10002 | 10002 | 云朵 | 服务费¥0.10 | wechat",
            "10 expense -800",
            "11 not_counted 5010",
            "12 rejected 当前状态 status_unknown",
            "2: rows 5 = 5",
            "3: money in, rows 2 = 2",
            "3: money in, total 123.00 = 123.00",
            "4: money out, rows 1 = 1",
            "4: money out, total 8.00 = 8.00",
            "5: not counted, rows 1 = 1",
            "5: not counted, total 50.10 = 50.10",
        ],
    );
}

#[test]
fn a_wechat_fund_bill() {
    check(
        WECHAT_MERCHANT,
        &[
            "wechat-merchant wallet/wechat-merchant",
            "2 gift 2026-03-05 08:00:00 10000 | unique 19001 | 4200001 |  |  | wechat",
            "3 bank_fee -60",
            "4 refund 2026-03-05 2000 | 4200001 | 捐错",
            "6: rows 3 = 3",
            "6: money in, rows 1 = 1",
            "6: money in, total 100.00 = 100.00",
            "6: money out, rows 2 = 2",
            "6: money out, total 20.60 = 20.60",
            "2: opening balance - = 50.00",
            "4: closing balance 129.40 = 129.40",
        ],
    );
}

#[test]
fn an_alipay_bill() {
    let expected = [
        "alipay wallet/alipay",
        "6 gift 2026-03-05 10:17:29 6600 | unique 20260001 | 20260001 | 林间 | 转账 | alipay",
        "7 refund 2026-03-05 500 | 20260002 | 退款-杯子",
        "8 closed 900",
        "9 rejected 交易时间 day_impossible",
        "2: rows 4 = 4",
        "3: money in, rows 1 = 1",
        "3: money in, total 66.00 = 66.00",
    ];
    check(ALIPAY, &expected);
    let (gbk, _, _) = encoding_rs::GBK.encode(ALIPAY);
    assert_eq!(told(gbk.into_owned(), "", None).lines().collect::<Vec<_>>(), expected);
}

#[test]
fn an_alipay_ledger() {
    check(
        ALIPAY_MERCHANT,
        &[
            "alipay-merchant wallet/alipay-merchant",
            "6 gift 2026-03-05 10:00:00 50000 | unique 1001 | 20260305A | x***@y.z | 助学 | alipay",
            "7 bank_fee -300",
            "8 refund 2026-03-05 10000 | 20260305A | 捐款",
            "11: money in, rows 1 = 1",
            "11: money in, total 500.00 = 500.00",
            "10: money out, rows 2 = 2",
            "10: money out, total 103.00 = 103.00",
            "6: opening balance - = 1,000.00",
            "8: closing balance 1,397.00 = 1,397.00",
        ],
    );
}

#[test]
fn statements_of_three_banks() {
    check(
        VIETCOMBANK,
        &[
            "vietcombank bank/vietcombank",
            "2 gift 2026-09-01 50000 | composite 2026-09-01|50000|5213.45|ung ho#1 | 5213.45 |  | ung ho | bank",
            "3 gift 2026-09-01 50000 | composite 2026-09-01|50000|5213.45|ung ho#2 | 5213.45 |  | ung ho | bank",
            "4 bank_fee -55000",
            "5 gift 2026-09-02 1000000 | composite 2026-09-02|1000000|5214.90|dong, bao#1 | 5214.90 |  | dong, bao | bank",
            "6 rejected TNXDate day_impossible",
            "3: opening balance - = 1,000,000",
            "5: balance at the end of 2026-09-02 2,045,000 = 2,045,000",
        ],
    );
    check(
        AGRIBANK,
        &[
            "agribank bank/agribank",
            "2 gift 2026-09-10 200000 | composite 2026-09-10|200000|701|mot#1 | 701 |  | mot | bank",
            "3 rejected CreditAmount amount_missing",
            "4 gift 2026-09-10 5000 | composite 2026-09-10|5000|703|bon#1 | 703 |  | bon | bank",
            "2: opening balance - = 1,000,000",
            "4: closing balance 1,305,000 ≠ 1,205,000",
        ],
    );
    check(
        VIETINBANK,
        &[
            "vietinbank bank/vietinbank",
            "2 gift 2026-09-10 12:01:29 300000 | none | 2026-09-10 12:01:29 chuyen tien | SAO MAI | chuyen tien | bank",
            "4 rejected Time time_impossible",
        ],
    );
}

#[test]
fn lists_of_the_red_cross() {
    check(
        HUBEI,
        &[
            "hubei-redcross bank/hubei-redcross",
            "4 gift 2026-03-05 10010 | none | 2026-03-05 1 | 松 | 定向：口罩 | bank",
            "5 gift 2026-03-05 20 | none | 2026-03-05 2 | 柏 |  | bank",
            "6 rejected 捐赠金额（元） amount_not_positive",
            "7 rejected 捐赠金额（元） amount_too_fine",
            "8 rejected  column_count",
            "9: gifts, total 100.30 = 100.30",
        ],
    );
    check(
        QRPOS,
        &[
            "wuhan-qrpos bank/wuhan-redcross-qrpos",
            "2 gift 2026-03-05 10:12:13 2880 | unique 0303202603051012130000000001 | 0303202603051012130000000001 |  | 加油 | platform",
            "3 gift 2026-03-05 10:12:14 1 | unique 0102202603051012140000000002 | 0102202603051012140000000002 |  |  | platform",
            "5 rejected 交易单号 reference_malformed",
            "3: gifts, total 28.81 = 28.81",
        ],
    );
    let expected = [
        "wuhan-list wallet/wuhan-redcross-alipay",
        "4 gift 2026-03-05 1000 | none | 2026-03-05 #1 | *一 |  | alipay",
        "5 gift 2026-03-05 1000 | none | 2026-03-05 #2 | *一 |  | alipay",
        "6 gift 2026-03-05 550 | none | 2026-03-05 #3 | 某某公司 |  | alipay",
        "7 rejected 金额 amount_missing",
        "8: gifts, number 4 ≠ 3",
        "8: gifts, total 25.50 = 25.50",
    ];
    assert_eq!(told(LIST, "alipay-2026-03-01_05.csv", None).lines().collect::<Vec<_>>(), expected);
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(LIST.as_bytes()).expect("in memory");
    let packed = packed.finish().expect("in memory");
    assert_eq!(told(packed, "alipay-2026-03-01_05.csv.gz", None).lines().collect::<Vec<_>>(), expected);
    assert!(told(LIST, "list.csv", None).contains("--on 2026-03-05"));
}

#[test]
fn the_example_of_the_manual_works() {
    let manual = include_str!("../../../docs/import.md");
    let block = |kind: &str| {
        let (_, behind) = manual.split_once(&format!("```{kind}\n")).expect(kind);
        behind.split_once("```").expect(kind).0
    };
    let told = told(block("csv"), "", Some(block("toml")));
    assert_eq!(told.trim(), block("text").trim());
    for format in FormatName::ALL {
        assert!(manual.contains(&format!("`{format}`")), "{format} is not in the manual");
    }
}

/// A workbook with one sheet of inline texts and numbers.
fn workbook(sheet: &str) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let parts = [
        (
            "[Content_Types].xml",
            r#"<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"></Types>"#.to_owned(),
        ),
        (
            "_rels/.rels",
            r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#.to_owned(),
        ),
        (
            "xl/workbook.xml",
            r#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="一" sheetId="1" r:id="rId1"/></sheets></workbook>"#.to_owned(),
        ),
        (
            "xl/_rels/workbook.xml.rels",
            r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#.to_owned(),
        ),
        (
            "xl/worksheets/sheet1.xml",
            format!(
                r#"<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{sheet}</sheetData></worksheet>"#
            ),
        ),
    ];
    for (name, text) in parts {
        zip.start_file(name, SimpleFileOptions::default()).expect("in memory");
        zip.write_all(text.as_bytes()).expect("in memory");
    }
    zip.finish().expect("in memory").into_inner()
}

/// A cell of text, or of a number where it can be one.
fn cell(place: &str, text: &str) -> String {
    if text.parse::<f64>().is_ok() {
        format!(r#"<c r="{place}"><v>{text}</v></c>"#)
    } else {
        format!(r#"<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>"#)
    }
}

#[test]
fn a_number_of_a_sheet_is_read_to_the_fen() {
    let rows = [
        format!(r#"<row r="1">{}</row>"#, cell("A1", "捐赠明细（2026年3月5日）")),
        format!(r#"<row r="2">{}{}</row>"#, cell("A2", "姓名"), cell("B2", "金额(元）")),
        format!(r#"<row r="3">{}{}</row>"#, cell("A3", "*一"), cell("B3", "202.60000000000002")),
        format!(r#"<row r="4">{}{}</row>"#, cell("A4", "*二"), cell("B4", "1e2")),
        format!(r#"<row r="5">{}{}</row>"#, cell("A5", "*三"), cell("B5", "1.005")),
        format!(r#"<row r="6">{}{}</row>"#, cell("A6", "*四"), cell("B6", "NaN")),
        r#"<row r="7"><c r="A7"/><c r="B7"/></row>"#.to_owned(),
        format!(r#"<row r="9">{}</row>"#, cell("D9", "302.6000000001")),
    ];
    assert_eq!(
        told(workbook(&rows.concat()), "", None).lines().collect::<Vec<_>>(),
        [
            "wuhan-list bank/wuhan-redcross",
            "3 gift 2026-03-05 20260 | none | 2026-03-05 #1 | *一 |  | bank",
            "4 gift 2026-03-05 10000 | none | 2026-03-05 #2 | *二 |  | bank",
            "5 rejected 金额(元） amount_too_fine",
            "6 rejected 金额(元） amount_unreadable",
            "9: gifts, total 302.60 = 302.60",
        ]
    );
}

#[test]
fn a_bill_that_went_through_a_spreadsheet_keeps_its_fen_and_loses_no_digit_unseen() {
    let row = |number: usize, cells: &[&str]| {
        let places = ["A", "B", "C", "D", "E", "F", "G"];
        let cells = places.iter().zip(cells).map(|(place, text)| cell(&format!("{place}{number}"), text));
        format!(r#"<row r="{number}">{}</row>"#, cells.collect::<String>())
    };
    let rows = [
        row(1, &["微信支付账单明细"]),
        row(2, &["交易时间", "交易类型", "收/支", "金额(元)", "当前状态", "交易单号", "交易对方"]),
        row(3, &["2026-03-05 10:11:12", "转账", "收入", "0.30000000000000004", "已收钱", "id10001", "云"]),
        row(4, &["2026-03-05 10:11:12", "转账", "收入", "5", "已收钱", "4200002168202406076349888061", "云"]),
        row(5, &["2026-03-05 10:11:12", "转账", "收入", "5", "已收钱", "4200002168", "云"]),
    ];
    assert_eq!(
        told(workbook(&rows.concat()), "", None).lines().collect::<Vec<_>>(),
        [
            "wechat wallet/wechat",
            "3 gift 2026-03-05 10:11:12 30 | unique id10001 | id10001 | 云 |  | wechat",
            "4 rejected 交易单号 reference_malformed",
            "5 gift 2026-03-05 10:11:12 500 | unique 4200002168 | 4200002168 | 云 |  | wechat",
        ]
    );
    let exponent = WECHAT.replace("10001\t", "4.20E+27");
    assert!(told(exponent, "", None).contains("8 rejected 交易单号 reference_malformed"));
}

#[test]
fn files_that_mean_harm_are_refused_in_words() {
    let contains = |bytes: Vec<u8>, words: &str| {
        let told = told(bytes, "", None);
        assert!(told.contains(words), "{words}: {told}");
    };
    contains(Vec::new(), "no rows");
    contains(b"\n , \n".to_vec(), "no rows");
    contains(b"a,b\n1,2\n".to_vec(), "wechat-merchant");
    contains(vec![0xFF; 4096], "neither UTF-8 nor GB18030");
    contains([0, b'a'].repeat(2000), "UTF-16");
    contains(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1".to_vec(), ".xls");
    contains(b"<?xml version=\"1.0\"?><Document/>".to_vec(), "XML");
    contains(b"PK\x03\x04 and nothing more".to_vec(), "workbook could not be opened");
    contains(b"\x1f\x8b\x08 and nothing more".to_vec(), "could not be read");
    contains(format!("{VIETCOMBANK}1,01/09/2026,\"never closed\n").into_bytes(), "Line 7: a quotation mark");
    let damaged = [WECHAT.trim_start_matches('\u{feff}').as_bytes(), b"x\xE4\xB8,x\n"].concat();
    contains(damaged, "Line 13: bytes that are not UTF-8");
    contains([b"a,\xE4\xB8\x80,", [0xFF; 9].as_slice()].concat(), "neither");
    let far_off = [VIETCOMBANK.as_bytes(), "1,01/09/2026,1,,1.000,,x\n".repeat(9000).as_bytes(), b"\xFF\n"].concat();
    contains(far_off, "Line 9007: bytes that are not UTF-8");
    contains(VIETCOMBANK.replace("Debit,", "Credit,").into_bytes(), "wechat-merchant");
    contains(VIETCOMBANK.replace("PageId", "Credit").into_bytes(), "“Credit” more than once");
    contains(AGRIBANK.replace(",\"1,200,000\",", ",,").into_bytes(), "--format agribank");
    contains("品名,数量\n口罩,5\n".into(), "list of goods");
    let utf16: Vec<u8> = VIETCOMBANK.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(told([vec![0xFF, 0xFE], utf16].concat(), "", None), told(VIETCOMBANK, "", None));

    let mut bomb = zip::ZipWriter::new(Cursor::new(Vec::new()));
    bomb.start_file("xl/workbook.xml", SimpleFileOptions::default()).expect("in memory");
    for _ in 0..70 {
        bomb.write_all(&vec![b' '; 1 << 20]).expect("in memory");
    }
    let bomb = bomb.finish().expect("in memory").into_inner();
    assert!(bomb.len() < 1 << 20);
    contains(bomb.clone(), "zip bomb");
    // The same with a lie about its size in the central directory.
    let mut lying = bomb;
    let at = lying.windows(4).rposition(|window| window == b"PK\x01\x02").expect("a central directory");
    lying.get_mut(at + 24..at + 28).expect("its size field").copy_from_slice(&10_u32.to_le_bytes());
    let told_of_lie = told(lying, "", None);
    assert!(told_of_lie.contains("zip bomb") || told_of_lie.contains("could not be opened"), "{told_of_lie}");

    let far = workbook(&format!(r#"<row r="1">{}</row>"#, cell("XFD1", "x")));
    contains(far, "column 16384");
    let backwards = format!(r#"<row r="9">{}</row><row r="2">{}</row>"#, cell("A9", "x"), cell("A2", "y"));
    contains(workbook(&backwards), "stands after a later one");
    // A hundred thousand cells that all name one long text.
    let long = "长".repeat(10_000);
    let many: String =
        (1..3000).map(|row| format!(r#"<row r="{row}">{}</row>"#, cell(&format!("A{row}"), &long))).collect();
    contains(workbook(&many), "zip bomb");
}

#[test]
fn rows_that_mean_harm_are_handed_back() {
    let heading = "PageId,TNXDate,DocNo,Debit,Credit,Balance,TransactionDetails\n";
    let row = |row: &str| told(format!("{heading}{row}\n"), "", None).lines().nth(1).unwrap_or_default().to_owned();
    for (text, expected) in [
        ("1,01/09/2026,1,,50.000,,nul\0nul", "2 rejected TransactionDetails control_character"),
        ("1,01/09/2026,1,,50.000,,bell\u{7}", "2 rejected TransactionDetails control_character"),
        ("1,01/09/2026,1,,50.000,,c1\u{85}", "2 rejected TransactionDetails control_character"),
        ("1,01/09/2026,1,,0,,x", "2 rejected Credit amount_not_positive"),
        ("1,01/09/2026,1,,-50.000,,x", "2 rejected Credit amount_not_positive"),
        ("1,01/09/2026,1,,50.00,,x", "2 rejected Credit amount_unreadable"),
        ("1,01/09/2026,1,,\"50,5\",,x", "2 rejected Credit amount_too_fine"),
        ("1,01/09/2026,1,,99999999999999999999,,x", "2 rejected Credit amount_too_large"),
        ("1,01/09/2026,1,5,5,,x", "2 rejected Credit amount_on_both_sides"),
        ("1,01/09/2026,1,,,,x", "2 rejected Credit amount_missing"),
        ("1,,1,,5,,x", "2 rejected TNXDate day_missing"),
        ("1,29/02/2026,1,,5,,x", "2 rejected TNXDate day_impossible"),
        ("1,01/09/2026,1,,5", "2 rejected  column_count"),
        ("1,01/09/2026,1,,5,,x,y", "2 rejected  column_count"),
    ] {
        assert_eq!(row(text), expected, "{text:?}");
    }
    assert_eq!(row(&",x".repeat(10_000)), "2 rejected  column_count");
    assert_eq!(
        row(&format!("1,01/09/2026,1,,5,,{}", "x".repeat(40_000))),
        "2 rejected TransactionDetails cell_too_long"
    );
}

#[test]
fn a_statement_may_be_read_on_another_thread() {
    fn is_send<T: Send>() {}
    is_send::<Statement>();
}

/// So many bytes of `x` on one line, made as they are read.
struct LongLine {
    left: u64,
    read: u64,
}

impl Read for LongLine {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let n = into.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        into.iter_mut().take(n).for_each(|b| *b = b'x');
        self.left -= u64::try_from(n).expect("small");
        self.read += u64::try_from(n).expect("small");
        assert!(self.read < 4 << 20, "no more is read than a record may have");
        Ok(n)
    }
}

impl Seek for LongLine {
    fn seek(&mut self, _: SeekFrom) -> std::io::Result<u64> {
        Ok(0)
    }
}

#[test]
fn a_line_without_end_is_given_up_after_a_megabyte() {
    let error = Statement::open(LongLine { left: 100 << 20, read: 0 }, Options::default()).expect_err("too long");
    assert!(matches!(error, ImportError::RowTooLong { line: 1, .. }), "{error}");
}

#[test]
fn lists_in_a_row_never_end_a_statement_early() {
    // Chunks of 64 KiB must not show: neither in cells, nor in quotes, nor in letters of three bytes.
    let mut text = String::from("PageId,TNXDate,DocNo,Debit,Credit,Balance,TransactionDetails\n");
    for n in 0..5000 {
        text.push_str(&format!("1,01/09/2026,{n},,1.000,,\"Ngô ủng hộ \"\"{n}\"\"\n, {}\"\r\n", "đ".repeat(n % 40)));
    }
    let told = told(text, "", None);
    assert_eq!(told.lines().count(), 5001);
    assert!(
        told.contains("10000 gift 2026-09-01 1000 | composite 2026-09-01|1000|4999|"),
        "{}",
        told.lines().last().unwrap_or("")
    );
}

const SAMPLES: [&str; 10] =
    [WECHAT, WECHAT_MERCHANT, ALIPAY, ALIPAY_MERCHANT, VIETCOMBANK, AGRIBANK, VIETINBANK, HUBEI, QRPOS, LIST];

/// Reads everything there is; counts the rows, to see that each is numbered.
fn exhaust(bytes: Vec<u8>, file_name: &str) {
    let options = Options { file_name: file_name.into(), ..Options::default() };
    let Ok(mut statement) = Statement::open(Cursor::new(bytes), options) else { return };
    let mut rows = 0;
    for record in statement.by_ref() {
        let Ok(record) = record else { break };
        rows += 1;
        assert_eq!(record.row().number, rows);
        if let Record::Rejected(rejected) = record {
            assert!(!rejected.zh().is_empty() && !rejected.to_string().is_empty());
        }
    }
    for control in statement.controls() {
        assert!(!control.zh().is_empty() && !control.to_string().is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        exhaust(bytes, "x-2026-03-05.csv");
    }

    #[test]
    fn no_change_of_a_good_file_makes_it_panic(
        sample in 0..SAMPLES.len(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4_u8), 1..12),
        as_gbk in any::<bool>(),
    ) {
        let text = SAMPLES.get(sample).copied().unwrap_or_default();
        let mut bytes = if as_gbk { encoding_rs::GB18030.encode(text).0.into_owned() } else { text.as_bytes().to_vec() };
        for (index, byte, change) in changes {
            if bytes.is_empty() { break }
            let at = index.index(bytes.len());
            match change {
                0 => { bytes.remove(at); }
                1 => bytes.insert(at, byte),
                2 => bytes.truncate(at),
                _ => bytes.iter_mut().skip(at).take(1).for_each(|b| *b = byte),
            }
        }
        exhaust(bytes, "x-2026-03-05.csv");
    }

    #[test]
    fn no_cell_makes_it_panic(sample in 0..SAMPLES.len(), cells in proptest::collection::vec("[0-9.,\\-年月日/: ¥万元é\u{a0}a\"`]{0,24}", 1..14)) {
        let text = format!("{}{}\n", SAMPLES.get(sample).copied().unwrap_or_default(), cells.join(","));
        exhaust(text.into_bytes(), "x-2026-03-05.csv");
    }

    #[test]
    fn no_change_of_a_workbook_makes_it_panic(index in any::<prop::sample::Index>(), byte in any::<u8>(), row in "[<>/a-zA-Z0-9\"= ]{0,200}") {
        let mut bytes = workbook(&row);
        exhaust(bytes.clone(), "");
        let at = index.index(bytes.len());
        bytes.iter_mut().skip(at).take(1).for_each(|b| *b = byte);
        exhaust(bytes, "");
    }

    #[test]
    fn no_text_makes_a_mapping_panic(text in "\\PC{0,300}", key in "[a-z_.]{0,12}", value in "[-0-9a-z%'\"\\[\\]{}=,.]{0,20}") {
        drop(Mapping::parse(&text));
        drop(Mapping::parse(&format!("unit = 'CNY'\naccount = 'bank/a'\n[columns]\nday = 1\namount = 2\n{key} = {value}\n")));
    }
}
