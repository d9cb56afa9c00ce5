//! Alipay: the bill of a person (电子客户回单) and the account ledger of a merchant (账务明细).
//!
//! ```text
//! 交易时间,交易分类,交易对方,对方账号,商品说明,收/支,金额,收/付款方式,交易状态,交易订单号,商家订单号,备注,
//! 2026-03-05 10:17:29,转账红包,某某,a***@b.c,转账,收入,100.00,余额,交易成功,2026…,,,
//! ```
//! ```text
//! 账务流水号,业务流水号,商户订单号,商品名称,发生时间,对方账号,收入金额（+元）,支出金额（-元）,账户余额（元）,交易渠道,业务类型,备注
//! 1…,2026…,D…,捐款,2026-03-05 10:17:29,a***@b.c,100.00,,100.00,支付宝,在线支付,
//! ```

use super::cell::{day_and_time, is_blank, one_line, said, shown};
use super::control::{Control, ControlKind};
use super::layout::{
    Headings, InColumn, Kind, Layout, Profile, Raw, Refused, RunningBalance, Stated, Sum, Tally, amount_behind,
    count_before,
};
use super::reject::RejectReason;
use super::statement::Setting;
use super::wechat::{Direction, Directions, is_rule};
use super::{FormatName, Gift, ImportError, Other, OtherKind, Record, Reference, Refund};
use crate::values::amount::DecimalForm;
use crate::values::{Amount, Unit};

/// Headings by which the bill of a person is recognised.
pub(super) const PERSONAL: &[&str] = &["交易时间", "交易对方", "商品说明", "收/支", "金额", "交易状态", "交易订单号"];
/// Headings by which the account ledger of a merchant is recognised.
pub(super) const MERCHANT: &[&str] = &["账务流水号", "发生时间", "收入金额(+元)", "支出金额(-元)"];

/// The bill of a person.
pub(super) struct Personal {
    profile: Profile,
    at: usize,
    kind: Option<usize>,
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
        let format = FormatName::Alipay;
        let need = |name| headings.need(name, format);
        Ok(Self {
            profile: Profile::chinese(format, "wallet/alipay", "alipay"),
            at: need("交易时间")?,
            kind: headings.maybe("交易分类")?,
            name: headings.maybe("交易对方")?,
            goods: headings.maybe("商品说明")?,
            direction: need("收/支")?,
            amount: need("金额")?,
            status: need("交易状态")?,
            order: need("交易订单号")?,
            memo: headings.maybe("备注")?,
            directions: Directions::stated_in(setting.preamble, Unit::CNY),
        })
    }
}

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
            "不计收支" | "其他" | "/" | "" => Direction::Neutral,
            other => return Err((self.direction, RejectReason::DirectionUnknown { text: shown(other) })),
        };
        let amount = raw.positive(self.amount, Unit::CNY, DecimalForm::POINT)?;
        let status = raw.cell(self.status);
        let kind = match (status, direction) {
            ("退款成功", _) => Kind::Refund,
            ("交易关闭", _) => Kind::Other(OtherKind::Closed),
            (waiting, _) if waiting.starts_with("等待") || waiting.ends_with("处理中") => {
                Kind::Other(OtherKind::Pending)
            }
            (_, Direction::Out) => Kind::Other(OtherKind::Expense),
            (_, Direction::Neutral) => Kind::Other(OtherKind::NotCounted),
            ("交易成功", Direction::In) => Kind::Gift,
            (other, Direction::In) => return Err((self.status, RejectReason::StatusUnknown { text: shown(other) })),
        };
        if let Kind::Other(why) = kind {
            self.directions.add(direction, amount.minor());
            let minor = if direction == Direction::Out { -amount.minor() } else { amount.minor() };
            return Ok(Record::Other(Other { why, minor: Some(minor), row: raw.take() }));
        }
        let (on, time) = day_and_time(raw.cell(self.at)).in_column(self.at)?;
        let order_no = raw.id(self.order)?.to_owned();
        let memo = one_line(raw.maybe(self.memo)).or_else(|| one_line(raw.maybe(self.goods)));
        self.directions.add(direction, amount.minor());
        let reference = Reference::Unique(order_no.clone());
        if let Kind::Refund = kind {
            // The order number of a refund is that of the payment, an underscore and a number of its own.
            let original = order_no.split_once('_').map(|(original, _)| original.to_owned());
            let reason = memo.or_else(|| one_line(raw.maybe(self.kind)));
            return Ok(Record::Refund(Refund { on, amount, reference, original, reason, row: raw.take() }));
        }
        let name = said(raw.maybe(self.name)).map(str::to_owned);
        let source = self.profile.source.clone();
        Ok(Record::Gift(Gift { on, time, amount, fee: None, reference, order_no, name, memo, source, row: raw.take() }))
    }

    fn controls(&self, tally: &Tally) -> Vec<Control> {
        self.directions.controls(tally, Unit::CNY)
    }
}

/// The account ledger of a merchant.
pub(super) struct Merchant {
    profile: Profile,
    flow: usize,
    order: usize,
    goods: Option<usize>,
    at: usize,
    name: Option<usize>,
    income: usize,
    expense: usize,
    balance: usize,
    kind: usize,
    memo: Option<usize>,
    stated: (Stated, Stated),
    found: (Sum, Sum),
    running: RunningBalance,
}

impl Merchant {
    pub(super) fn new(headings: &Headings) -> Result<Self, ImportError> {
        let format = FormatName::AlipayMerchant;
        let need = |name| headings.need(name, format);
        Ok(Self {
            profile: Profile::chinese(format, "wallet/alipay-merchant", "alipay"),
            flow: need("账务流水号")?,
            order: need("业务流水号")?,
            goods: headings.maybe("商品名称")?,
            at: need("发生时间")?,
            name: headings.maybe("对方账号")?,
            income: need("收入金额(+元)")?,
            expense: need("支出金额(-元)")?,
            balance: need("账户余额(元)")?,
            kind: need("业务类型")?,
            memo: headings.maybe("备注")?,
            stated: Default::default(),
            found: Default::default(),
            running: RunningBalance::default(),
        })
    }
}

/// Kinds of the ledger that are money from a payer.
const PAID_IN: &[&str] = &["在线支付", "交易付款", "交易", "转账", "收款", "捐赠", "当面付"];

impl Layout for Merchant {
    fn profile(&self) -> &Profile {
        &self.profile
    }

    fn aside(&mut self, raw: &Raw) -> bool {
        let first = raw.cell(0);
        if !first.starts_with('#') {
            return false;
        }
        // The footer is text: its commas may have cut it into cells.
        let text: Vec<&str> = raw.row.cells.iter().map(String::as_str).collect();
        let text = text.join(",");
        let sum = amount_behind(&text, "共", Unit::CNY).map(i64::saturating_abs);
        let stated = Stated { line: raw.row.line, count: count_before(&text, "笔"), minor: sum };
        if first.starts_with("#收入合计") {
            self.stated.0 = stated;
        } else if first.starts_with("#支出合计") {
            self.stated.1 = stated;
        }
        true
    }

    fn read(&mut self, raw: &mut Raw) -> Result<Record, Refused> {
        let side = |column: usize| -> Result<i64, Refused> {
            if is_blank(raw.cell(column)) { Ok(0) } else { raw.signed(column, Unit::CNY, DecimalForm::POINT) }
        };
        let (income, expense) = (side(self.income)?, side(self.expense)?.saturating_abs());
        let change = match (income, expense) {
            (0, 0) if is_blank(raw.cell(self.income)) && is_blank(raw.cell(self.expense)) => {
                return Err((self.income, RejectReason::AmountMissing { gap: None }));
            }
            (..0, _) | (0, 0) => {
                return Err((self.income, RejectReason::AmountNotPositive { text: shown(raw.cell(self.income)) }));
            }
            (_, 0) => income,
            (0, _) => -expense,
            (1.., _) => return Err((self.income, RejectReason::AmountOnBothSides)),
        };
        let amount = Amount::new(change.saturating_abs(), Unit::CNY)
            .map_err(|_| RejectReason::AmountTooLarge { text: change.to_string() })
            .in_column(self.income)?;
        let balance = raw.signed(self.balance, Unit::CNY, DecimalForm::POINT)?;
        let kind_text = raw.cell(self.kind);
        let kind = if change < 0 {
            if kind_text.contains("退款") {
                Kind::Refund
            } else if kind_text.contains("收费") || kind_text.contains("费") {
                Kind::Other(OtherKind::BankFee)
            } else if kind_text.contains("提现") {
                Kind::Other(OtherKind::NotCounted)
            } else {
                Kind::Other(OtherKind::Expense)
            }
        } else if PAID_IN.contains(&kind_text) {
            Kind::Gift
        } else if kind_text.contains("费") {
            Kind::Other(OtherKind::BankFee)
        } else if ["退款", "充值", "提现"].iter().any(|word| kind_text.contains(word)) {
            Kind::Other(OtherKind::NotCounted)
        } else {
            return Err((self.kind, RejectReason::DirectionUnknown { text: shown(kind_text) }));
        };
        let (on, time) = day_and_time(raw.cell(self.at)).in_column(self.at)?;
        let flow = raw.id(self.flow)?;
        let reference = Reference::Unique(flow.to_owned());
        let order_no = said(raw.cell(self.order)).map(str::to_owned);
        let memo = one_line(raw.maybe(self.memo)).or_else(|| one_line(raw.maybe(self.goods)));
        let line = raw.row.line;
        let record = match kind {
            Kind::Other(why) => Record::Other(Other { why, minor: Some(change), row: raw.take() }),
            Kind::Refund => {
                Record::Refund(Refund { on, amount, reference, original: order_no, reason: memo, row: raw.take() })
            }
            Kind::Gift => {
                let order_no = order_no.ok_or((self.order, RejectReason::ReferenceMissing))?;
                let name = said(raw.maybe(self.name)).map(str::to_owned);
                let source = self.profile.source.clone();
                let row = raw.take();
                Record::Gift(Gift { on, time, amount, fee: None, reference, order_no, name, memo, source, row })
            }
        };
        if change > 0 {
            self.found.0.add(change);
        } else {
            self.found.1.add(-change);
        }
        self.running.step(line, change, balance);
        Ok(record)
    }

    fn handed_back(&mut self, raw: &Raw) {
        if let Ok(balance) = raw.signed(self.balance, Unit::CNY, DecimalForm::POINT) {
            self.running.gap(raw.row.line, balance);
        }
    }

    fn controls(&self, _: &Tally) -> Vec<Control> {
        let mut controls = Vec::new();
        let kinds = (ControlKind::IncomeCount, ControlKind::IncomeTotal);
        self.stated.0.controls(kinds, self.found.0, Unit::CNY, &mut controls);
        let kinds = (ControlKind::ExpenseCount, ControlKind::ExpenseTotal);
        self.stated.1.controls(kinds, self.found.1, Unit::CNY, &mut controls);
        self.running.controls(Unit::CNY, &mut controls);
        controls
    }
}
