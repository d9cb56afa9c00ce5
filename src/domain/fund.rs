//! Accounts, funds, and money that moves between funds.

use super::aim::Aim;
use super::body::{BadBody, Body, Optional};
use super::case::Case;
use super::command::{MoveCash, OpenFund, Transfer};
use super::decide::{CashDraft, Context, Draft, PostDraft, Stop, free_money, require};
use super::field_rule::FieldRule;
use super::refusal::Refusal;
use super::sums::Sums;
use super::vocabulary::{Basis, Category, FundType, Role, TransferReason, Use};
use super::working_set::WorkingSet;
use crate::ledger::canonical::Object;
use crate::values::{AccountId, Amount, CaseId, FundId, LineName, Span};

/// A bank account, wallet, cash box or store, and the funds that it may feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its name.
    pub account: AccountId,
    /// The funds.
    pub funds: Vec<FundId>,
    /// What is there by the books, in minor units of each unit; below zero where more went out than was recorded to come in.
    pub balances: Sums,
}

/// A fund and what limits it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fund {
    /// Its id.
    pub fund: FundId,
    /// What limits it.
    pub fund_type: FundType,
    /// Name in Chinese.
    pub name_zh: String,
    /// And in English.
    pub name_en: String,
    /// Categories of cases it is for; empty: not limited.
    pub purpose: Vec<Category>,
    /// Uses it is for; empty: not limited.
    pub uses: Vec<Use>,
    /// The case whose own fund it is.
    pub case: Option<CaseId>,
    /// What went to other funds, in minor units of each unit.
    pub moved: Sums,
}

impl Account {
    /// From the stored state or from the body of `account.opened`, which states no balances.
    pub fn from_object(object: &Object<'_>) -> Result<Self, BadBody> {
        let balances = Sums::if_there(object, "balances")?;
        Ok(Self { account: Body(object).parsed("account")?, funds: Body(object).list("funds")?, balances })
    }

    fn opening(&self) -> Object<'static> {
        Object::new().text("account", self.account.to_string()).words_if("funds", &self.funds)
    }

    /// The stored state.
    pub fn to_object(&self) -> Object<'static> {
        self.opening().with("balances", self.balances.to_value())
    }

    /// Refuses where the account may not feed the fund.
    pub fn may_feed(&self, fund: &FundId) -> Result<(), Refusal> {
        if self.funds.contains(fund) {
            return Ok(());
        }
        Err(Refusal::AccountNotOfFund { account: self.account.to_string(), fund: fund.to_string() })
    }
}

impl Fund {
    /// From the stored state or from the body of `fund.opened`.
    pub fn from_object(object: &Object<'_>) -> Result<Self, BadBody> {
        let body = Body(object);
        Ok(Self {
            fund: body.parsed("fund")?,
            fund_type: body.parsed("type")?,
            name_zh: body.text("name_zh")?.into(),
            name_en: body.text("name_en")?.into(),
            purpose: body.list("purpose")?,
            uses: body.list("uses")?,
            case: body.optional("case")?,
            moved: Sums::if_there(object, "moved")?,
        })
    }

    /// The stored state.
    pub fn to_object(&self) -> Object<'static> {
        self.opening().with("moved", self.moved.to_value())
    }

    /// The body of its opening.
    pub(super) fn opening(&self) -> Object<'static> {
        Object::new()
            .text("fund", self.fund.to_string())
            .text("type", self.fund_type.as_str())
            .text("name_zh", self.name_zh.clone())
            .text("name_en", self.name_en.clone())
            .words_if("purpose", &self.purpose)
            .words_if("uses", &self.uses)
            .text_if("case", self.case.as_ref())
    }

    /// Refuses where the donors' purpose does not cover this use for this case.
    pub fn may_serve(&self, case: &Case, purpose: Use) -> Result<(), Refusal> {
        let wanted = || Aim::UseOfCase(purpose, case.case.clone(), case.categories.clone());
        if self.case.as_ref() == Some(&case.case) {
            return Ok(());
        }
        if let Some(other) = &self.case {
            return Err(self.differs(Aim::Case(other.clone(), Vec::new()), wanted()));
        }
        match self.fund_type {
            FundType::Unrestricted => Ok(()),
            FundType::Endowment => Err(self.differs(Aim::Principal, wanted())),
            FundType::Agency => Err(self.differs(Aim::Beneficiary, wanted())),
            FundType::Restricted | FundType::Earmarked => {
                if !self.purpose.is_empty() && !self.purpose.iter().any(|category| case.categories.contains(category)) {
                    return Err(self.differs(Aim::Categories(self.purpose.clone()), wanted()));
                }
                if !self.uses.is_empty() && !self.uses.contains(&purpose) {
                    return Err(self.differs(Aim::Uses(self.uses.clone()), wanted()));
                }
                Ok(())
            }
        }
    }

    fn differs(&self, purpose: Aim, wanted: Aim) -> Refusal {
        Refusal::FundPurposeDiffers { fund: self.fund.to_string(), purpose, wanted }
    }

    /// The fund's line in a unit.
    pub fn line(&self, unit: crate::values::Unit) -> LineName {
        LineName { fund: self.fund.clone(), unit }
    }
}

pub(super) fn open_account(set: &WorkingSet, account: &AccountId, funds: &[FundId]) -> Result<Vec<Draft>, Stop> {
    for fund in funds {
        require(set.fund(fund.as_str())?, "fund", fund)?;
    }
    let known = set.account(account.as_str())?;
    let fresh: Vec<FundId> =
        funds.iter().filter(|fund| known.is_none_or(|known| !known.funds.contains(fund))).cloned().collect();
    if known.is_some() && fresh.is_empty() {
        return Err(Refusal::Exists { what: "account", name: account.to_string() }.into());
    }
    let opened = Account { account: account.clone(), funds: fresh, balances: Sums::default() };
    Ok(vec![Draft::fact("account.opened", opened.opening())])
}

/// Cash goes from one account to another, as from a payment channel to the bank; no fund gets richer or poorer.
pub(super) fn move_cash(set: &WorkingSet, context: &Context<'_>, order: &MoveCash) -> Result<Vec<Draft>, Stop> {
    context.day_is_possible(order.on)?;
    for account in [&order.from, &order.to] {
        require(set.account(account.as_str())?, "account", account)?;
    }
    if order.from == order.to {
        return Err(Refusal::Field { field: "to", rule: FieldRule::SameAccount }.into());
    }
    if order.amount.is_zero() {
        return Err(Refusal::Field { field: "amount", rule: FieldRule::NothingToMove }.into());
    }
    let (unit, minor) = (order.amount.unit(), order.amount.minor());
    let body = Object::new()
        .text("from", order.from.to_string())
        .text("to", order.to.to_string())
        .integer("amount", minor)
        .text("unit", unit.to_string())
        .text("on", order.on.to_string());
    let cash =
        CashDraft::rows(&order.from, unit, -minor).into_iter().chain(CashDraft::rows(&order.to, unit, minor)).collect();
    Ok(vec![Draft { kind: "cash.moved", body, post: Vec::new(), cash }])
}

pub(super) fn open(set: &WorkingSet, order: &OpenFund) -> Result<Vec<Draft>, Stop> {
    if !order.fund.is_openable() {
        let rule = FieldRule::NotFundId(order.fund.clone());
        return Err(Refusal::Field { field: "fund", rule }.into());
    }
    if set.fund(order.fund.as_str())?.is_some() {
        return Err(Refusal::Exists { what: "fund", name: order.fund.to_string() }.into());
    }
    let limits = !order.purpose.is_empty() || !order.uses.is_empty();
    if !limits && order.fund_type == FundType::Restricted {
        return Err(Refusal::Field { field: "purpose", rule: FieldRule::RestrictedWantsLimit }.into());
    }
    if limits && order.fund_type == FundType::Unrestricted {
        return Err(Refusal::Field { field: "purpose", rule: FieldRule::UnrestrictedHasNoPurpose }.into());
    }
    let fund = Fund {
        fund: order.fund.clone(),
        fund_type: order.fund_type,
        name_zh: order.name_zh.clone(),
        name_en: order.name_en.clone(),
        purpose: order.purpose.clone(),
        uses: order.uses.clone(),
        case: None,
        moved: Sums::default(),
    };
    Ok(vec![Draft::fact("fund.opened", fund.opening())])
}

/// Moves free money, lowest positions first. An allocation serves the purpose of the fund it comes from; a surplus needs a ground.
pub(super) fn transfer(set: &WorkingSet, context: &Context<'_>, order: &Transfer) -> Result<Vec<Draft>, Stop> {
    context.day_is_possible(order.on)?;
    let from = require(set.fund(order.from.as_str())?, "fund", &order.from)?;
    let to = require(set.fund(order.to.as_str())?, "fund", &order.to)?;
    if from.fund == to.fund {
        return Err(Refusal::Field { field: "to", rule: FieldRule::SameFund }.into());
    }
    let target_case = match &to.case {
        Some(case) => set.case(case.as_str())?,
        None => None,
    };
    may_move(from, to, target_case, order.reason, order.basis)?;
    // To call limited money misplaced is to lift its limits: a second pair of eyes says so.
    if order.reason == TransferReason::WrongFund && from.fund_type != FundType::Unrestricted {
        context.require_role(Role::Checker)?;
    }
    let source = from.line(order.unit);
    let amount = match order.amount {
        Some(amount) => amount,
        None => {
            let free = set.line(&source)?.map_or(0, |line| line.totals().free);
            Amount::new(i64::try_from(free).expect("positions end at 2^53"), order.unit).expect("positions end at 2^53")
        }
    };
    let mut post: Vec<PostDraft> =
        free_money(set, &source, amount)?.into_iter().map(|span| PostDraft::out(&source, span)).collect();
    let target = to.line(order.unit);
    let end = set.line(&target)?.map_or(0, |line| line.end());
    post.push(PostDraft::inflow(&target, Span { from: end, to: end + amount.length() }));
    let body = Object::new()
        .text("from", from.fund.to_string())
        .text("to", to.fund.to_string())
        .integer("amount", amount.minor())
        .text("unit", amount.unit().to_string())
        .text("reason", order.reason.as_str())
        .text_if("basis", order.basis)
        .text_if("case", from.case.as_ref().or(to.case.as_ref()))
        .text("on", order.on.to_string());
    Ok(vec![Draft { kind: "fund.transferred", body, post, cash: Vec::new() }])
}

fn may_move(
    from: &Fund,
    to: &Fund,
    target_case: Option<&Case>,
    reason: TransferReason,
    basis: Option<Basis>,
) -> Result<(), Refusal> {
    let is_limited = from.fund_type != FundType::Unrestricted;
    match reason {
        TransferReason::WrongFund => Ok(()),
        TransferReason::Surplus if basis.is_none() => {
            Err(Refusal::Field { field: "basis", rule: FieldRule::BasisWanted })
        }
        TransferReason::Surplus if is_limited && to.fund_type == FundType::Unrestricted => {
            Err(from.differs(aim_of(from), Aim::Anything))
        }
        TransferReason::Surplus => Ok(()),
        TransferReason::Allocation if !is_limited => Ok(()),
        // Limits travel with the money: what may buy drugs only goes into a fund that buys nothing else, or is paid from where it is.
        TransferReason::Allocation if !from.uses.is_empty() && !is_within(&to.uses, &from.uses) => {
            Err(from.differs(Aim::Uses(from.uses.clone()), Aim::Fund(to.fund.clone())))
        }
        TransferReason::Allocation if from.fund_type == FundType::Agency => {
            Err(from.differs(Aim::Beneficiary, Aim::Fund(to.fund.clone())))
        }
        TransferReason::Allocation => match target_case {
            Some(case) if from.case.is_none() && from.fund_type != FundType::Endowment => {
                let covers =
                    from.purpose.is_empty() || from.purpose.iter().any(|category| case.categories.contains(category));
                if covers {
                    Ok(())
                } else {
                    Err(from.differs(aim_of(from), Aim::Case(case.case.clone(), case.categories.clone())))
                }
            }
            _ => {
                let narrower = from.case.is_none()
                    && from.fund_type != FundType::Endowment
                    && to.fund_type != FundType::Unrestricted
                    && !to.purpose.is_empty()
                    && to.purpose.iter().all(|category| from.purpose.is_empty() || from.purpose.contains(category));
                if narrower { Ok(()) } else { Err(from.differs(aim_of(from), Aim::Fund(to.fund.clone()))) }
            }
        },
    }
}

fn is_within(uses: &[Use], allowed: &[Use]) -> bool {
    !uses.is_empty() && uses.iter().all(|purpose| allowed.contains(purpose))
}

fn aim_of(fund: &Fund) -> Aim {
    match &fund.case {
        Some(case) => Aim::Case(case.clone(), Vec::new()),
        None if fund.fund_type == FundType::Endowment => Aim::Principal,
        None if fund.purpose.is_empty() => Aim::DonorsPurpose,
        None => Aim::Categories(fund.purpose.clone()),
    }
}
