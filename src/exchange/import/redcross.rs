//! Lists that the Red Cross of Hubei and of Wuhan published in 2020.
//!
//! ```text
//! 序号,捐赠日期,捐赠(单位/姓名）,捐赠金额（元）,备注              Hubei: a list a day, total in the last row
//! 1,2020.01.22,某某,100,
//! ```
//! ```text
//! 交易单号,,交易金额,付款附言                                    Wuhan, QR codes and terminals: the time is inside the number
//! 0303202002112359100092052833,,28.8,
//! ```
//! ```text
//! 武汉市红十字会接收社会捐赠明细（支付宝账户）                     Wuhan, by channel: the day is in the title or in the file name
//! 姓名（姓氏隐去),金额
//! ```

use super::cell::{TimeOfDay, day_and_time, is_blank, number, one_line, said, shown, without_float_tail};
use super::control::{Control, ControlKind, Notice};
use super::layout::{Headings, InColumn, Layout, Profile, Raw, Refused, Stated, Tally, amount_behind, count_before};
use super::reject::RejectReason;
use super::statement::{Recognised, Setting};
use super::{FormatName, Gift, ImportError, Record, Reference};
use crate::values::amount::{DecimalForm, parse_minor};
use crate::values::{Day, Unit};

/// Headings by which a list of Hubei is recognised; the donor's column varies.
pub(super) const HUBEI: &[&str] = &["序号", "捐赠日期", "捐赠金额(元)"];
/// Headings of goods.
const GOODS: &[&str] = &["品名", "物资", "物品名称", "数量", "数量总计", "折算金额(万元)"];
/// Headings of an amount in the lists of Wuhan.
const AMOUNTS: &[&str] = &["金额", "金额(元)", "捐赠金额", "捐赠金额(元)"];

/// The heading that shows that this is a list of goods.
pub(super) fn goods_column(headings: &Headings) -> Option<String> {
    let found: Vec<&str> = GOODS.iter().copied().filter(|name| headings.has(name)).collect();
    match found.as_slice() {
        [name, _, ..] => Some((*name).to_owned()),
        [] | [_] => None,
    }
}

/// An order number, an amount, at most a memo, and nothing else.
pub(super) fn is_qrpos(headings: &Headings) -> bool {
    headings.width() <= 4 && headings.has("交易单号") && qrpos_amount(headings).is_ok_and(|column| column.is_some())
}

fn qrpos_amount(headings: &Headings) -> Result<Option<usize>, ImportError> {
    headings.find(|heading| matches!(heading, "交易金额" | "交易金额(元)" | "捐赠金额" | "捐赠金额(元)"))
}

fn is_donor(heading: &str) -> bool {
    matches!(heading, "姓名" | "捐赠人" | "捐赠者" | "捐赠单位及个人" | "捐赠单位(个人)" | "捐赠单位" | "捐赠方")
        || heading.starts_with("姓名(")
}

/// A donor, an amount and at most a time, under a title of the Red Cross or of one of its channels.
pub(super) fn is_list(headings: &Headings, setting: &Setting<'_>) -> bool {
    let columns = headings.width() <= 3
        && headings.find(is_donor).is_ok_and(|column| column.is_some())
        && headings.find(|heading| AMOUNTS.contains(&heading)).is_ok_and(|column| column.is_some());
    let titled = setting.preamble.iter().any(|raw| {
        let title = raw.cell(0);
        title.contains("红十字会") || title.contains("捐赠明细")
    });
    columns && (titled || setting.options.format == Some(FormatName::WuhanList))
}

/// A total as a sheet states it.
fn total(text: &str) -> Option<i64> {
    parse_minor(&without_float_tail(text, Unit::CNY.minor_digits()), Unit::CNY, DecimalForm::POINT).ok()
}

fn total_controls(stated: &[Stated], tally: &Tally) -> Vec<Control> {
    let mut controls = Vec::new();
    for stated in stated {
        stated.controls((ControlKind::GiftCount, ControlKind::GiftTotal), tally.gifts, Unit::CNY, &mut controls);
    }
    controls
}

/// A daily list of Hubei.
struct Hubei {
    profile: Profile,
    number: usize,
    day: usize,
    name: usize,
    amount: usize,
    memo: Option<usize>,
    totals: Vec<Stated>,
}

/// Reads the heading of a list of Hubei.
pub(super) fn hubei(headings: &Headings) -> Result<Recognised, ImportError> {
    let format = FormatName::HubeiRedcross;
    let need = |name| headings.need(name, format);
    let name = headings.find(|heading| heading.starts_with("捐赠(") || is_donor(heading))?;
    let name = name.ok_or_else(|| ImportError::HeadingMissing {
        line: headings.line,
        column: "捐赠(单位/姓名)".into(),
        format,
    })?;
    let layout = Hubei {
        profile: Profile::chinese(format, "bank/hubei-redcross", "bank"),
        number: need("序号")?,
        day: need("捐赠日期")?,
        name,
        amount: need("捐赠金额(元)")?,
        memo: headings.maybe("备注")?,
        totals: Vec::new(),
    };
    Ok(Recognised { layout: Box::new(layout), notices: vec![Notice::MayOverlap] })
}

impl Layout for Hubei {
    fn profile(&self) -> &Profile {
        &self.profile
    }

    fn aside(&mut self, raw: &Raw) -> bool {
        let is_total = (0..self.amount).any(|column| raw.cell(column).replace(' ', "") == "合计");
        if is_total {
            self.totals.push(Stated { line: raw.row.line, count: None, minor: total(raw.cell(self.amount)) });
        }
        is_total
    }

    fn read(&mut self, raw: &mut Raw) -> Result<Record, Refused> {
        let (on, time) = day_and_time(raw.cell(self.day)).in_column(self.day)?;
        let amount = raw.positive(self.amount, Unit::CNY, DecimalForm::POINT)?;
        let name = said(raw.cell(self.name)).map(str::to_owned);
        let memo = one_line(raw.maybe(self.memo));
        let number = match raw.cell(self.number) {
            "" => format!("#{}", raw.row.number),
            number => number.to_owned(),
        };
        let order_no = format!("{on} {number}");
        let source = self.profile.source.clone();
        let (reference, row) = (Reference::None, raw.take());
        Ok(Record::Gift(Gift { on, time, amount, fee: None, reference, order_no, name, memo, source, row }))
    }

    fn controls(&self, tally: &Tally) -> Vec<Control> {
        total_controls(&self.totals, tally)
    }
}

/// Gifts by QR code and terminal in Wuhan.
pub(super) struct Qrpos {
    profile: Profile,
    id: usize,
    amount: usize,
    memo: Option<usize>,
    width: usize,
    totals: Vec<Stated>,
}

impl Qrpos {
    pub(super) fn new(headings: &Headings) -> Result<Self, ImportError> {
        let format = FormatName::WuhanQrpos;
        let missing = || ImportError::HeadingMissing { line: headings.line, column: "交易金额".into(), format };
        Ok(Self {
            profile: Profile::chinese(format, "bank/wuhan-redcross-qrpos", "platform"),
            id: headings.need("交易单号", format)?,
            amount: qrpos_amount(headings)?.ok_or_else(missing)?,
            memo: headings.maybe("付款附言")?,
            width: headings.width(),
            totals: Vec::new(),
        })
    }
}

/// Channel (4 digits), `yyyymmddHHMMSS`, serial: 28 digits.
fn moment_in(id: &str) -> Option<(Day, TimeOfDay)> {
    if id.len() != 28 || !id.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let part = |from: usize, to: usize| number(id.get(from..to)?, 1, 4);
    let small = |from, to| i8::try_from(part(from, to)?).ok();
    let day = Day::new(part(4, 8)?, small(8, 10)?, small(10, 12)?)?;
    Some((day, TimeOfDay::new(small(12, 14)?, small(14, 16)?, small(16, 18)?)?))
}

impl Layout for Qrpos {
    fn profile(&self) -> &Profile {
        &self.profile
    }

    fn spare_columns(&self) -> usize {
        1
    }

    fn aside(&mut self, raw: &Raw) -> bool {
        // The total stands alone, or beside the first or last gift.
        let stray = raw.cell(self.width);
        if let Some(minor) = total(stray) {
            self.totals.push(Stated { line: raw.row.line, count: None, minor: Some(minor) });
            return raw.only_cell() == Some(self.width);
        }
        false
    }

    fn read(&mut self, raw: &mut Raw) -> Result<Record, Refused> {
        if !is_blank(raw.cell(self.width)) && total(raw.cell(self.width)).is_none() {
            let found = raw.row.cells.len();
            return Err((usize::MAX, RejectReason::ColumnCount { expected: self.width, found }));
        }
        let id = raw.cell(self.id);
        if id.is_empty() {
            return Err((self.id, RejectReason::ReferenceMissing));
        }
        // A number in the sheet has lost digits already.
        let moment = if raw.is_numeric(self.id) { None } else { moment_in(id) };
        let malformed = || (self.id, RejectReason::ReferenceMalformed { text: shown(id) });
        let (on, time) = moment.ok_or_else(malformed)?;
        let amount = raw.positive(self.amount, Unit::CNY, DecimalForm::POINT)?;
        let order_no = id.to_owned();
        let reference = Reference::Unique(order_no.clone());
        let memo = one_line(raw.maybe(self.memo));
        let source = self.profile.source.clone();
        let (time, row) = (Some(time), raw.take());
        Ok(Record::Gift(Gift { on, time, amount, fee: None, reference, order_no, name: None, memo, source, row }))
    }

    fn controls(&self, tally: &Tally) -> Vec<Control> {
        total_controls(&self.totals, tally)
    }
}

/// A list of donors of one channel in Wuhan.
struct List {
    profile: Profile,
    on: Day,
    name: usize,
    amount: usize,
    time: Option<usize>,
    width: usize,
    totals: Vec<Stated>,
    of_day: Option<Stated>,
}

/// Reads the heading of a list of Wuhan, its title, and finds its day.
pub(super) fn list(headings: &Headings, setting: &Setting<'_>) -> Result<Recognised, ImportError> {
    let format = FormatName::WuhanList;
    let missing = |column: &str| ImportError::HeadingMissing { line: headings.line, column: column.into(), format };
    let file_name = &setting.options.file_name;
    let titles: Vec<&str> = setting.preamble.iter().map(|raw| raw.cell(0)).collect();
    let (on, notice) = list_day(&titles, setting)?;
    let (account, source) = channel(&titles, file_name);
    let of_day = setting.preamble.iter().find_map(day_total);
    let layout = List {
        profile: Profile::chinese(format, account, source),
        on,
        name: headings.find(is_donor)?.ok_or_else(|| missing("捐赠人"))?,
        amount: headings.find(|heading| AMOUNTS.contains(&heading))?.ok_or_else(|| missing("金额"))?,
        time: headings.maybe("时间")?,
        width: headings.width(),
        totals: Vec::new(),
        of_day,
    };
    Ok(Recognised { layout: Box::new(layout), notices: vec![notice, Notice::MayOverlap] })
}

/// `1月31日，武汉市红十字会收到社会捐款8,062.26万元，累计…`: what came in that day, of which only the large gifts are listed.
fn day_total(raw: &Raw) -> Option<Stated> {
    let text = raw.cell(0);
    let (before, behind) = text.split_once("收到社会捐款")?;
    if before.ends_with("累计") {
        return None;
    }
    let sentence = behind.split_once("累计").map_or(behind, |(sentence, _)| sentence);
    let minor = amount_behind(sentence, "", Unit::CNY);
    Some(Stated { line: raw.row.line, count: count_before(sentence, "人次"), minor })
}

/// The account and the channel, by what the title or the file name says.
fn channel(titles: &[&str], file_name: &str) -> (&'static str, &'static str) {
    let known = [
        ("支付宝", "alipay", "wallet/wuhan-redcross-alipay", "alipay"),
        ("交通银行", "bocom", "bank/wuhan-redcross-bocom", "bank"),
        ("农业银行", "abc", "bank/wuhan-redcross-abc", "bank"),
        ("云闪付", "unionpay", "wallet/wuhan-redcross-unionpay", "unionpay"),
        ("微信", "wechat", "wallet/wuhan-redcross-wechat", "wechat"),
    ];
    let titled = known.iter().find(|(title, ..)| titles.iter().any(|text| text.contains(title)));
    let named = || known.iter().find(|(_, name, ..)| file_name.to_lowercase().contains(name));
    titled.or_else(named).map_or(("bank/wuhan-redcross", "bank"), |(_, _, account, source)| (account, source))
}

/// The day of all rows: given, or in the title, or in the file name, or the last of the range that these state.
fn list_day(titles: &[&str], setting: &Setting<'_>) -> Result<(Day, Notice), ImportError> {
    if let Some(day) = setting.options.default_day {
        return Ok((day, Notice::DayGiven(day)));
    }
    let file_name = &setting.options.file_name;
    let in_name = Mentioned::in_text(file_name);
    let mut in_title = Mentioned::default();
    for title in titles {
        in_title.add(title);
    }
    // A title that says month and day takes the year from the file name, where that has only one.
    in_title.with_year_of(&in_name);
    let chosen = in_title.range().map(|range| (range, true)).or_else(|| in_name.range().map(|range| (range, false)));
    let Some(((first, last), from_title)) = chosen else {
        return Err(ImportError::DayNotStated { file_name: file_name.clone() });
    };
    let notice = match (first == last, from_title) {
        (true, true) => Notice::DayFromTitle(last),
        (true, false) => Notice::DayFromFileName(last),
        (false, _) => Notice::LastDayOfRange { first, last },
    };
    Ok((last, notice))
}

/// Days that a text mentions.
#[derive(Default)]
struct Mentioned {
    days: Vec<Day>,
    /// Month and day without a year.
    yearless: Vec<(i8, i8)>,
}

impl Mentioned {
    fn in_text(text: &str) -> Self {
        let mut mentioned = Self::default();
        mentioned.add(text);
        mentioned
    }

    /// Finds `2020年2月1日`, `1月31日`, `2020-01-22`, `20200203`, and `_28` behind a day: the end of a range.
    fn add(&mut self, text: &str) {
        let mut numbers: Vec<(&str, char, char)> = Vec::new();
        let mut rest = text;
        let mut before = ' ';
        while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
            let (skipped, digits) = rest.split_at(start);
            before = skipped.chars().next_back().unwrap_or(before);
            let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
            let (number, behind) = digits.split_at(end);
            let after = behind.chars().next().unwrap_or(' ');
            numbers.push((number, before, after));
            rest = behind;
            before = after;
        }
        let small = |text: &str| number(text, 1, 2).and_then(|n| i8::try_from(n).ok());
        let mut at = 0;
        while let Some((first, _, after)) = numbers.get(at).copied() {
            let next = |n: usize| numbers.get(at + n).copied().unwrap_or(("", ' ', ' '));
            let ((second, _, after_second), (third, ..)) = (next(1), next(2));
            let separated = matches!((after, after_second), ('-', '-') | ('.', '.') | ('年', '月'));
            let year = number(first, 4, 4);
            if let (Some(year), true) = (year, separated) {
                let day = small(second).zip(small(third)).and_then(|(month, day)| Day::new(year, month, day));
                self.days.extend(day);
                at += 3;
                // `2020-01-22_28`: the same month, another day.
                if let (Some(day), Some((end, '_', _))) = (day, numbers.get(at).copied()) {
                    let (year, month, _) = day.parts();
                    self.days.extend(small(end).and_then(|end| Day::new(year, month, end)));
                    at += 1;
                }
            } else if first.len() == 8 {
                self.days.extend(super::cell::day_year_first(first));
                at += 1;
            } else if after == '月' {
                self.yearless.extend(small(first).zip(small(second)));
                at += 2;
            } else {
                at += 1;
            }
        }
    }

    fn with_year_of(&mut self, other: &Self) {
        let mut years = other.days.iter().chain(&self.days).map(|day| day.parts().0);
        let Some(year) = years.next() else { return };
        if years.all(|another| another == year) {
            self.days.extend(self.yearless.iter().filter_map(|(month, day)| Day::new(year, *month, *day)));
        }
    }

    fn range(&self) -> Option<(Day, Day)> {
        Some((*self.days.iter().min()?, *self.days.iter().max()?))
    }
}

impl List {
    /// `共计48740人次` beside `总金额10272810.33`.
    fn stated_total(&self, raw: &Raw) -> Option<Stated> {
        let first = raw.cell(self.name);
        let is_total = first.starts_with("共计") || first.starts_with("合计") || first.starts_with("总计");
        let count = count_before(first, "人次").or_else(|| count_before(first, "笔"));
        let last = raw.cell(self.amount);
        let minor = amount_behind(last, "总金额", Unit::CNY).or_else(|| total(last));
        is_total.then_some(Stated { line: raw.row.line, count, minor })
    }

    /// A note or a signature below the table.
    fn is_note(&self, raw: &Raw) -> bool {
        let text = raw.cell(self.name);
        let is_mark = text.starts_with("注：") || text.starts_with("注:") || text == "武汉市红十字会";
        // The day of the notice, as the sheet counts days.
        let is_day = raw.is_numeric(self.name) || super::cell::day_year_first(text).is_some();
        raw.only_cell() == Some(self.name) && (is_mark || is_day)
    }
}

impl Layout for List {
    fn profile(&self) -> &Profile {
        &self.profile
    }

    fn spare_columns(&self) -> usize {
        2
    }

    fn aside(&mut self, raw: &Raw) -> bool {
        let beyond = raw.only_cell().filter(|column| *column >= self.width);
        let lone = beyond.and_then(|column| total(raw.cell(column)));
        let stated = lone.map(|minor| Stated { line: raw.row.line, count: None, minor: Some(minor) });
        match stated.or_else(|| self.stated_total(raw)) {
            Some(stated) => {
                self.totals.push(stated);
                true
            }
            None => self.is_note(raw),
        }
    }

    fn read(&mut self, raw: &mut Raw) -> Result<Record, Refused> {
        let beyond = raw.row.cells.iter().skip(self.width).any(|cell| !is_blank(cell));
        if beyond {
            let found = raw.row.cells.len();
            return Err((usize::MAX, RejectReason::ColumnCount { expected: self.width, found }));
        }
        let amount = raw.positive(self.amount, Unit::CNY, DecimalForm::POINT)?;
        let time = match (self.time, raw.maybe(self.time)) {
            (Some(column), text) if !text.is_empty() => {
                let time = TimeOfDay::parse(text);
                Some(time.ok_or((column, RejectReason::TimeImpossible { text: shown(text) }))?)
            }
            (Some(_) | None, _) => None,
        };
        let on = self.on;
        let order_no = match time {
            Some(time) => format!("{on} {time} #{}", raw.row.number),
            None => format!("{on} #{}", raw.row.number),
        };
        let name = said(raw.cell(self.name)).map(str::to_owned);
        let source = self.profile.source.clone();
        let (reference, row) = (Reference::None, raw.take());
        Ok(Record::Gift(Gift { on, time, amount, fee: None, reference, order_no, name, memo: None, source, row }))
    }

    fn controls(&self, tally: &Tally) -> Vec<Control> {
        let mut controls = total_controls(&self.totals, tally);
        if let Some(stated) = self.of_day {
            let mut of_day = Vec::new();
            let kinds = (ControlKind::ListedOfDayCount, ControlKind::ListedOfDayTotal);
            stated.controls(kinds, tally.gifts, Unit::CNY, &mut of_day);
            controls.extend(of_day.into_iter().map(Control::at_most));
        }
        controls
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_finds_its_day_in_title_or_file_name() {
        let check = |titles: &[&str], file_name: &str, expected: &str| {
            let options = super::super::Options { file_name: file_name.into(), ..Default::default() };
            let got = match list_day(titles, &Setting { preamble: &[], options: &options }) {
                Ok((day, Notice::LastDayOfRange { first, .. })) => format!("{first} to {day}"),
                Ok((day, Notice::DayFromTitle(_))) => format!("title {day}"),
                Ok((day, Notice::DayFromFileName(_))) => format!("file {day}"),
                Ok((_, other)) => other.to_string(),
                Err(error) => error.to_string(),
            };
            assert_eq!(got, expected, "{titles:?} {file_name}");
        };
        check(&["明细（2020年2月1日）"], "x.xlsx", "title 2020-02-01");
        check(&["明细 20200203"], "abc.xlsx", "title 2020-02-03");
        check(&["明细", "1月22日 --  1月28日"], "alipay-2020-01-22_28.csv.gz", "2020-01-22 to 2020-01-28");
        check(&["明细"], "bocom-2020-01-22_28.xlsx", "2020-01-22 to 2020-01-28");
        check(&["第9期—1", "（1月31日）"], "large-2020-01-31.xlsx", "title 2020-01-31");
        check(&["第9期—1"], "large-2020-01-31.xlsx", "file 2020-01-31");
        let not_stated = ImportError::DayNotStated { file_name: "list.csv".into() };
        check(&["（1月31日）"], "list.csv", &not_stated.to_string());
        check(
            &["（2月30日）"],
            "2020-02-31.csv",
            &ImportError::DayNotStated { file_name: "2020-02-31.csv".into() }.to_string(),
        );
    }

    #[test]
    fn the_moment_stands_inside_the_number() {
        let (day, time) = moment_in("0303202002112359100092052833").expect("28 digits");
        assert_eq!((day.to_string(), time.to_string()), ("2020-02-11".into(), "23:59:10".into()));
        assert_eq!(moment_in("0303202002302359100092052833"), None);
        assert_eq!(moment_in("303202002112359100092052833"), None);
        assert_eq!(moment_in("é303202002112359100092052833"), None);
    }
}
