//! WeChat: the bill of a person (微信支付账单明细) and the fund bill of a merchant (资金账单).
//!
//! ```text
//! 交易时间,交易类型,交易对方,商品,收/支,金额(元),支付方式,当前状态,交易单号,商户单号,备注
//! 2026-03-05 10:10:11,二维码收款,某某,收款方备注:二维码收款,收入,¥23.00,零钱,已收钱,1000…,/,/
//! ```
//! ```text
//! 记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),资金变更提交申请人,备注,业务凭证号
//! `2026-03-05 04:21:23,`4200…,`1900…,`交易,`交易,`收入,`100.00,`100.00,`system,`,`…
//! ```

use super::cell::{day_and_time, one_line, positive, said, shown, signed};
use super::control::{Control, ControlKind};
use super::layout::{
    Headings, InColumn, Kind, Layout, Profile, Raw, Refused, RunningBalance, Stated, Sum, Tally, amount_behind,
    count_before,
};
use super::reject::RejectReason;
use super::statement::Setting;
use super::{FormatName, Gift, ImportError, Other, OtherKind, Record, Reference, Refund};
use crate::values::amount::{DecimalForm, parse_minor};
use crate::values::{Amount, Unit};

/// Headings by which the bill of a person is recognised.
pub(super) const PERSONAL: &[&str] = &["交易时间", "交易类型", "收/支", "金额(元)", "当前状态", "交易单号"];
/// Headings by which the fund bill of a merchant is recognised.
pub(super) const MERCHANT: &[&str] = &["记账时间", "资金流水单号", "收支类型", "收支金额(元)"];

/// Rows by their 收/支, and what the preamble states of them.
#[derive(Default)]
pub(super) struct Directions {
    stated_rows: Stated,
    stated: [Stated; 3],
    found: [Sum; 3],
}

/// What a row says it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    In,
    Out,
    Neutral,
}

impl Directions {
    /// Reads `共43笔记录` and `收入：1笔 0.35元` and their like.
    pub(super) fn stated_in(preamble: &[Raw], unit: Unit) -> Self {
        let mut directions = Self::default();
        for raw in preamble {
            let text = raw.cell(0);
            let stated =
                Stated {
                    line: raw.row.line, count: count_before(text, "笔"), minor: amount_behind(text, "笔", unit)
                };
            let [income, expense, neutral] = &mut directions.stated;
            if text.starts_with('共') && text.contains("笔记录") {
                directions.stated_rows = Stated { minor: None, ..stated };
            } else if text.starts_with("收入") {
                *income = stated;
            } else if text.starts_with("支出") {
                *expense = stated;
            } else if text.starts_with("不计收支") || text.starts_with("中性交易") {
                *neutral = stated;
            }
        }
        directions
    }

    pub(super) fn add(&mut self, direction: Direction, minor: i64) {
        let [income, expense, neutral] = &mut self.found;
        match direction {
            Direction::In => income.add(minor),
            Direction::Out => expense.add(minor),
            Direction::Neutral => neutral.add(minor),
        }
    }

    pub(super) fn controls(&self, tally: &Tally, unit: Unit) -> Vec<Control> {
        let mut controls = Vec::new();
        if let Some(count) = self.stated_rows.count {
            controls.push(Control::count(ControlKind::RowCount, self.stated_rows.line, count, tally.rows));
        }
        let kinds = [
            (ControlKind::IncomeCount, ControlKind::IncomeTotal),
            (ControlKind::ExpenseCount, ControlKind::ExpenseTotal),
            (ControlKind::NeutralCount, ControlKind::NeutralTotal),
        ];
        for ((kinds, stated), found) in kinds.into_iter().zip(&self.stated).zip(&self.found) {
            stated.controls(kinds, *found, unit, &mut controls);
        }
        controls
    }
}

/// A line of hyphens or hashes with nothing beside it: the end of a bill.
pub(super) fn is_rule(raw: &Raw) -> bool {
    raw.only_cell() == Some(0) && raw.cell(0).starts_with(['-', '#', '—'])
}

/// The bill of a person.
pub(super) struct Personal {
    profile: Profile,
    at: usize,
    kind: usize,
    name: Option<usize>,
    goods: Option<usize>,
    direction: usize,
    amount: usize,
    status: usize,
    order: usize,
    memo: Option<usize>,
    directions: Directions,
}

impl Personal {
    pub(super) fn new(headings: &Headings, setting: &Setting<'_>) -> Result<Self, ImportError> {
        let format = FormatName::Wechat;
        let need = |name| headings.need(name, format);
        Ok(Self {
            profile: Profile::chinese(format, "wallet/wechat", "wechat"),
            at: need("交易时间")?,
            kind: need("交易类型")?,
            name: headings.maybe("交易对方")?,
            goods: headings.maybe("商品")?,
            direction: need("收/支")?,
            amount: need("金额(元)")?,
            status: need("当前状态")?,
            order: need("交易单号")?,
            memo: headings.maybe("备注")?,
            directions: Directions::stated_in(setting.preamble, Unit::CNY),
        })
    }
}

/// States in which money given has arrived.
const ARRIVED: &[&str] =
    &["已存入零钱", "已存入零钱通", "已收钱", "已收款", "朋友已收钱", "已到账", "已入账", "充值成功", "支付成功"];

impl Layout for Personal {
    fn profile(&self) -> &Profile {
        &self.profile
    }

    fn aside(&mut self, raw: &Raw) -> bool {
        is_rule(raw)
    }

    fn read(&mut self, raw: &mut Raw) -> Result<Record, Refused> {
        let direction = match raw.cell(self.direction) {
            "收入" => Direction::In,
            "支出" => Direction::Out,
            "/" | "" | "中性交易" => Direction::Neutral,
            other => return Err((self.direction, RejectReason::DirectionUnknown { text: shown(other) })),
        };
        let amount = raw.positive(self.amount, Unit::CNY, DecimalForm::POINT)?;
        let status = raw.cell(self.status);
        let is_refund =
            raw.cell(self.kind).contains("退款") || status.starts_with("已全额退款") || status.starts_with("已退款");
        let kind = match direction {
            Direction::Out => Kind::Other(OtherKind::Expense),
            Direction::Neutral => Kind::Other(OtherKind::NotCounted),
            Direction::In if is_refund => Kind::Refund,
            Direction::In if ARRIVED.contains(&status) => Kind::Gift,
            Direction::In if status.contains("退还") || status.contains("关闭") => Kind::Other(OtherKind::Closed),
            Direction::In if status.starts_with('待') || status.starts_with("等待") => {
                Kind::Other(OtherKind::Pending)
            }
            Direction::In => return Err((self.status, RejectReason::StatusUnknown { text: shown(status) })),
        };
        if let Kind::Other(why) = kind {
            self.directions.add(direction, amount.minor());
            let minor = if direction == Direction::Out { -amount.minor() } else { amount.minor() };
            return Ok(Record::Other(Other { why, minor: Some(minor), row: raw.take() }));
        }
        let (on, time) = day_and_time(raw.cell(self.at)).in_column(self.at)?;
        let order_no = raw.id(self.order)?.to_owned();
        let memo = raw.maybe(self.memo);
        let fee = fee_in(memo, amount).in_column(self.memo.unwrap_or(self.amount))?;
        let memo = one_line(memo).or_else(|| one_line(raw.maybe(self.goods)));
        self.directions.add(direction, amount.minor());
        let reference = Reference::Unique(order_no.clone());
        if kind == Kind::Refund {
            let reason = memo.or_else(|| one_line(raw.cell(self.kind)));
            return Ok(Record::Refund(Refund { on, amount, reference, original: None, reason, row: raw.take() }));
        }
        let name = said(raw.maybe(self.name)).map(str::to_owned);
        let source = self.profile.source.clone();
        Ok(Record::Gift(Gift { on, time, amount, fee, reference, order_no, name, memo, source, row: raw.take() }))
    }

    fn controls(&self, tally: &Tally) -> Vec<Control> {
        self.directions.controls(tally, Unit::CNY)
    }
}

/// `服务费¥0.10` inside a memo.
fn fee_in(memo: &str, amount: Amount) -> Result<Option<Amount>, RejectReason> {
    let Some((_, behind)) = memo.split_once("服务费") else { return Ok(None) };
    let behind = behind.trim_start_matches([':', '：', ' ', '¥', '￥']);
    let end = behind.find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | ',')).unwrap_or(behind.len());
    let (text, _) = behind.split_at(end);
    let unreadable = || RejectReason::FeeUnreadable { text: shown(memo) };
    let minor = parse_minor(text, amount.unit(), DecimalForm::POINT).map_err(|_| unreadable())?;
    if minor > amount.minor() {
        return Err(unreadable());
    }
    let fee = Amount::new(minor, amount.unit()).map_err(|_| unreadable())?;
    Ok((!fee.is_zero()).then_some(fee))
}

/// The fund bill of a merchant.
pub(super) struct Merchant {
    profile: Profile,
    at: usize,
    order: usize,
    flow: usize,
    kind: usize,
    direction: usize,
    amount: usize,
    balance: usize,
    memo: Option<usize>,
    voucher: Option<usize>,
    footer: Footer,
    income: Sum,
    expense: Sum,
    running: RunningBalance,
}

/// The last two lines of the fund bill: names, then values.
enum Footer {
    Ahead,
    Named,
    Stated { line: u64, rows: Option<i64>, income: Stated, expense: Stated },
}

impl Merchant {
    pub(super) fn new(headings: &Headings) -> Result<Self, ImportError> {
        let format = FormatName::WechatMerchant;
        let need = |name| headings.need(name, format);
        Ok(Self {
            profile: Profile::chinese(format, "wallet/wechat-merchant", "wechat"),
            at: need("记账时间")?,
            order: need("微信支付业务单号")?,
            flow: need("资金流水单号")?,
            kind: need("业务类型")?,
            direction: need("收支类型")?,
            amount: need("收支金额(元)")?,
            balance: need("账户结余(元)")?,
            memo: headings.maybe("备注")?,
            voucher: headings.maybe("业务凭证号")?,
            footer: Footer::Ahead,
            income: Sum::default(),
            expense: Sum::default(),
            running: RunningBalance::default(),
        })
    }
}

/// Every cell of the fund bill begins with a backtick, so that spreadsheets leave it alone.
fn bare(cell: &str) -> &str {
    super::cell::trimmed(cell.strip_prefix('`').unwrap_or(cell))
}

fn money(raw: &Raw, column: usize) -> Result<i64, Refused> {
    signed(bare(raw.cell(column)), Unit::CNY, DecimalForm::POINT).in_column(column)
}

/// Kinds of the fund bill that are money from a payer.
const PAID_IN: &[&str] = &["交易", "支付", "收款", "转账", "赞赏", "捐款", "捐赠"];

impl Layout for Merchant {
    fn profile(&self) -> &Profile {
        &self.profile
    }

    fn aside(&mut self, raw: &Raw) -> bool {
        let cell = |column| bare(raw.cell(column));
        match self.footer {
            Footer::Named => {
                // Counts are written as 20.0.
                let whole = |column| cell(column).strip_suffix(".0").unwrap_or(cell(column)).parse().ok();
                let money = |column| parse_minor(cell(column), Unit::CNY, DecimalForm::POINT).ok();
                let line = raw.row.line;
                let income = Stated { line, count: whole(1), minor: money(2) };
                let expense = Stated { line, count: whole(3), minor: money(4) };
                self.footer = Footer::Stated { line, rows: whole(0), income, expense };
                true
            }
            Footer::Ahead | Footer::Stated { .. } => {
                let is_footer = cell(0) == "资金流水总笔数";
                if is_footer {
                    self.footer = Footer::Named;
                }
                is_footer
            }
        }
    }

    fn read(&mut self, raw: &mut Raw) -> Result<Record, Refused> {
        let amount = money(raw, self.amount)
            .and_then(|minor| positive(minor, raw.cell(self.amount), Unit::CNY).in_column(self.amount))?;
        let balance = money(raw, self.balance)?;
        let kind = bare(raw.cell(self.kind));
        let direction = match bare(raw.cell(self.direction)) {
            "收入" => Direction::In,
            "支出" => Direction::Out,
            other => return Err((self.direction, RejectReason::DirectionUnknown { text: shown(other) })),
        };
        let change = if direction == Direction::In { amount.minor() } else { -amount.minor() };
        let why = match direction {
            Direction::In | Direction::Out if kind.contains("手续费") => Some(OtherKind::BankFee),
            Direction::Out if kind.contains("退款") => None,
            Direction::Out if kind.contains("提现") => Some(OtherKind::NotCounted),
            Direction::Out => Some(OtherKind::Expense),
            Direction::In if PAID_IN.contains(&kind) => None,
            Direction::In if kind.contains("退") || kind.contains("充值") || kind.contains("提现") => {
                Some(OtherKind::NotCounted)
            }
            Direction::In | Direction::Neutral => {
                return Err((self.kind, RejectReason::DirectionUnknown { text: shown(kind) }));
            }
        };
        let (on, time) = day_and_time(bare(raw.cell(self.at))).in_column(self.at)?;
        let reference = Reference::Unique(
            said(bare(raw.cell(self.flow))).ok_or(RejectReason::ReferenceMissing).in_column(self.flow)?.to_owned(),
        );
        let order_no = said(bare(raw.cell(self.order))).map(str::to_owned);
        let memo = one_line(bare(raw.maybe(self.memo)));
        let voucher = said(bare(raw.maybe(self.voucher)));
        let line = raw.row.line;
        let record = match (why, direction) {
            (Some(why), _) => Record::Other(Other { why, minor: Some(change), row: raw.take() }),
            (None, Direction::Out) => {
                // The voucher of a refund is REF and the order number of the payment that it takes back.
                let original = voucher.and_then(|voucher| voucher.strip_prefix("REF")).map(str::to_owned);
                Record::Refund(Refund { on, amount, reference, original, reason: memo, row: raw.take() })
            }
            (None, Direction::In | Direction::Neutral) => {
                let order_no = order_no.ok_or((self.order, RejectReason::ReferenceMissing))?;
                let source = self.profile.source.clone();
                let row = raw.take();
                Record::Gift(Gift { on, time, amount, fee: None, reference, order_no, name: None, memo, source, row })
            }
        };
        if change > 0 {
            self.income.add(change);
        } else {
            self.expense.add(-change);
        }
        self.running.step(line, change, balance);
        Ok(record)
    }

    fn controls(&self, tally: &Tally) -> Vec<Control> {
        let mut controls = Vec::new();
        if let Footer::Stated { line, rows, income, expense } = &self.footer {
            if let Some(rows) = rows {
                controls.push(Control::count(ControlKind::RowCount, *line, *rows, tally.rows));
            }
            income.controls(
                (ControlKind::IncomeCount, ControlKind::IncomeTotal),
                self.income,
                Unit::CNY,
                &mut controls,
            );
            let kinds = (ControlKind::ExpenseCount, ControlKind::ExpenseTotal);
            expense.controls(kinds, self.expense, Unit::CNY, &mut controls);
        }
        self.running.controls(Unit::CNY, &mut controls);
        controls
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fee_is_read_out_of_the_memo() {
        let amount = Amount::parse("10.10", Unit::CNY).expect("given");
        let fee = |memo| fee_in(memo, amount).map(|fee| fee.map(Amount::minor));
        assert_eq!(fee("服务费¥0.10"), Ok(Some(10)));
        assert_eq!(fee("服务费：￥1.00，谢谢"), Ok(Some(100)));
        assert_eq!(fee("/"), Ok(None));
        assert!(fee("服务费多少").is_err() && fee("服务费¥99.00").is_err());
    }
}
