//! Cases of aid: opened, assessed, approved or declined, closed.

use super::body::{BadBody, Body, Optional};
use super::command::OpenCase;
use super::decide::{Context, Draft, Stop, require};
use super::field_rule::FieldRule;
use super::fund::Fund;
use super::refusal::Refusal;
use super::sums::Sums;
use super::vocabulary::{Category, FundType};
use super::working_set::WorkingSet;
use crate::ledger::canonical::Object;
use crate::values::{Amount, CaseId, Day, FundId, LineName, StaffId, Unit};

/// A case and how far it has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// Its id; what the public sees of it.
    pub case: CaseId,
    /// Its own fund.
    pub fund: FundId,
    /// What kind of need; decides what may be shown.
    pub categories: Vec<Category>,
    /// Place down to the city, in Chinese.
    pub region_zh: String,
    /// And in English.
    pub region_en: String,
    /// Since when.
    pub opened_on: Day,
    /// Who opened it: the maker.
    pub maker: StaffId,
    /// What is requested or paid for it, less what was rejected or came back; in minor units of each unit.
    pub committed: Sums,
    /// Requests that are neither paid nor rejected.
    pub waiting: u64,
    /// Day of its own latest step.
    pub step_on: Day,
    /// Latest day of anything that was done for it, payments too.
    pub last_on: Day,
    /// How far it has come.
    pub status: CaseStatus,
}

/// How far a case has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaseStatus {
    /// Recorded.
    Opened,
    /// The need is known.
    Assessed {
        /// The need.
        need: Amount,
        /// Who assessed it.
        assessor: StaffId,
    },
    /// Aid may be paid.
    Approved {
        /// At most this much.
        limit: Option<Amount>,
    },
    /// No aid.
    Declined,
    /// Over.
    Closed {
        /// Since when.
        on: Day,
        /// At most this much had been approved.
        limit: Option<Amount>,
    },
}

impl CaseStatus {
    /// The word for the state.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Assessed { .. } => "assessed",
            Self::Approved { .. } => "approved",
            Self::Declined => "declined",
            Self::Closed { .. } => "closed",
        }
    }

    const fn steps(&self) -> &'static [&'static str] {
        match self {
            Self::Opened => &["assess"],
            Self::Assessed { .. } => &["approve", "decline"],
            Self::Approved { .. } => &["disbursement request", "close"],
            Self::Declined => &["close"],
            Self::Closed { .. } => &[],
        }
    }
}

impl Case {
    fn opening(&self) -> Object<'static> {
        Object::new()
            .text("case", self.case.to_string())
            .text("fund", self.fund.to_string())
            .words_if("categories", &self.categories)
            .text("region_zh", self.region_zh.clone())
            .text("region_en", self.region_en.clone())
            .text("on", self.opened_on.to_string())
    }

    /// The stored state.
    pub fn to_object(&self) -> Object<'static> {
        let state = self
            .opening()
            .text("maker", self.maker.to_string())
            .with("committed", self.committed.to_value())
            .count("waiting", self.waiting)
            .text("step_on", self.step_on.to_string())
            .text("last_on", self.last_on.to_string())
            .text("status", self.status.name());
        let limited = |state: Object<'static>, limit: &Option<Amount>| match limit {
            None => state,
            Some(limit) => state.integer("limit", limit.minor()).text("unit", limit.unit().to_string()),
        };
        match &self.status {
            CaseStatus::Opened | CaseStatus::Declined => state,
            CaseStatus::Assessed { need, assessor } => state
                .integer("need", need.minor())
                .text("unit", need.unit().to_string())
                .text("assessor", assessor.to_string()),
            CaseStatus::Approved { limit } => limited(state, limit),
            CaseStatus::Closed { on, limit } => limited(state, limit).text("closed_on", on.to_string()),
        }
    }

    /// From the stored state.
    pub fn from_object(object: &Object<'_>) -> Result<Self, BadBody> {
        let body = Body(object);
        let bad = |member: &str| BadBody { member: member.into() };
        let limit = || object.get("limit").map(|_| body.amount("limit")).transpose();
        let status = match body.text("status")? {
            "opened" => CaseStatus::Opened,
            "assessed" => CaseStatus::Assessed { need: body.amount("need")?, assessor: body.parsed("assessor")? },
            "approved" => CaseStatus::Approved { limit: limit()? },
            "declined" => CaseStatus::Declined,
            "closed" => CaseStatus::Closed { on: body.day("closed_on")?, limit: limit()? },
            _ => return Err(bad("status")),
        };
        Ok(Self {
            case: body.parsed("case")?,
            fund: body.parsed("fund")?,
            categories: body.list("categories")?,
            region_zh: body.text("region_zh")?.into(),
            region_en: body.text("region_en")?.into(),
            opened_on: body.day("on")?,
            maker: body.parsed("maker")?,
            committed: Sums::stored(object, "committed")?,
            waiting: body.count("waiting")?,
            step_on: body.day("step_on")?,
            last_on: body.day("last_on")?,
            status,
        })
    }

    pub(super) fn not_possible(&self) -> Refusal {
        Refusal::StepNotPossible {
            what: "case",
            name: self.case.to_string(),
            state: self.status.name(),
            possible: self.status.steps(),
        }
    }

    fn assessed(self, need: Amount, assessor: StaffId) -> Result<Self, Refusal> {
        match self.status {
            CaseStatus::Opened => Ok(Self { status: CaseStatus::Assessed { need, assessor }, ..self }),
            CaseStatus::Assessed { .. }
            | CaseStatus::Approved { .. }
            | CaseStatus::Declined
            | CaseStatus::Closed { .. } => Err(self.not_possible()),
        }
    }

    /// Second pair of eyes: neither who opened nor who assessed the case decides on it.
    fn decided(self, checker: &StaffId, decision: CaseStatus) -> Result<Self, Refusal> {
        match &self.status {
            CaseStatus::Assessed { assessor, .. } => {
                if *assessor == *checker || self.maker == *checker {
                    return Err(Refusal::CheckerIsMaker { checker: checker.to_string() });
                }
                Ok(Self { status: decision, ..self })
            }
            CaseStatus::Opened | CaseStatus::Approved { .. } | CaseStatus::Declined | CaseStatus::Closed { .. } => {
                Err(self.not_possible())
            }
        }
    }

    fn closed(self, on: Day) -> Result<Self, Refusal> {
        match self.status {
            CaseStatus::Approved { limit } => Ok(Self { status: CaseStatus::Closed { on, limit }, ..self }),
            CaseStatus::Declined => Ok(Self { status: CaseStatus::Closed { on, limit: None }, ..self }),
            CaseStatus::Opened | CaseStatus::Assessed { .. } | CaseStatus::Closed { .. } => Err(self.not_possible()),
        }
    }
}

pub(super) fn open(set: &WorkingSet, context: &Context<'_>, order: &OpenCase) -> Result<Vec<Draft>, Stop> {
    context.day_is_possible(order.on)?;
    if set.case(order.case.as_str())?.is_some() {
        return Err(Refusal::Exists { what: "case", name: order.case.to_string() }.into());
    }
    if order.categories.is_empty() {
        return Err(Refusal::Field { field: "category", rule: FieldRule::CategoryWanted }.into());
    }
    for (field, region) in [("region_zh", &order.region_zh), ("region_en", &order.region_en)] {
        if leads_to_a_door(region) {
            return Err(Refusal::Field { field, rule: FieldRule::RegionTooExact }.into());
        }
    }
    let mut drafts = Vec::new();
    match set.fund(order.fund.as_str())? {
        Some(fund) => {
            let own = matches!(fund.fund_type, FundType::Earmarked | FundType::Agency) && fund.case.is_none();
            if !own {
                let rule = FieldRule::NotOwnFund(fund.fund.clone());
                return Err(Refusal::Field { field: "fund", rule }.into());
            }
        }
        None => drafts.push(Draft::fact(
            "fund.opened",
            Fund {
                fund: order.fund.clone(),
                fund_type: FundType::Earmarked,
                name_zh: format!("个案 {} 专用款", order.case),
                name_en: format!("Earmarked for case {}", order.case),
                purpose: Vec::new(),
                uses: Vec::new(),
                case: None,
                moved: Sums::default(),
            }
            .opening(),
        )),
    }
    let case = Case {
        case: order.case.clone(),
        fund: order.fund.clone(),
        categories: order.categories.clone(),
        region_zh: order.region_zh.clone(),
        region_en: order.region_en.clone(),
        opened_on: order.on,
        maker: context.by.clone(),
        committed: Sums::default(),
        waiting: 0,
        step_on: order.on,
        last_on: order.on,
        status: CaseStatus::Opened,
    };
    drafts.push(Draft::fact("case.opened", case.opening()));
    Ok(drafts)
}

/// Whether a place is finer than a city or county.
fn leads_to_a_door(region: &str) -> bool {
    const PARTS: [char; 10] = ['路', '街', '巷', '弄', '号', '栋', '幢', '室', '村', '组'];
    let township = region.ends_with(['镇', '乡']) && !region.ends_with("景德镇");
    township
        || region.chars().any(|c| c.is_numeric() || PARTS.contains(&c))
        || ["单元", "小区", "社区"].iter().any(|part| region.contains(part))
}

pub(super) fn assess(
    set: &WorkingSet,
    context: &Context<'_>,
    id: &CaseId,
    need: Amount,
    on: Day,
) -> Result<Vec<Draft>, Stop> {
    if need.is_zero() {
        return Err(Refusal::Field { field: "need", rule: FieldRule::NeedOfNothing }.into());
    }
    let case = require(set.case(id.as_str())?, "case", id)?.clone();
    let stood = case.status.name();
    let case = case.assessed(need, context.by.clone())?;
    context.day_follows(on, stood, case.step_on)?;
    let body = Object::new()
        .text("case", case.case.to_string())
        .integer("need", need.minor())
        .text("unit", need.unit().to_string())
        .text("on", on.to_string());
    Ok(vec![Draft::fact("case.assessed", body)])
}

pub(super) fn approve(
    set: &WorkingSet,
    context: &Context<'_>,
    id: &CaseId,
    limit: Option<Amount>,
    on: Day,
) -> Result<Vec<Draft>, Stop> {
    let case = require(set.case(id.as_str())?, "case", id)?.clone();
    let stood = case.status.name();
    let case = case.decided(context.by, CaseStatus::Approved { limit })?;
    context.day_follows(on, stood, case.step_on)?;
    let body = Object::new().text("case", case.case.to_string()).text("on", on.to_string());
    let body = match limit {
        None => body,
        Some(limit) => body.integer("limit", limit.minor()).text("unit", limit.unit().to_string()),
    };
    Ok(vec![Draft::fact("case.approved", body)])
}

pub(super) fn decline(
    set: &WorkingSet,
    context: &Context<'_>,
    id: &CaseId,
    reason: super::vocabulary::ReasonClass,
    on: Day,
) -> Result<Vec<Draft>, Stop> {
    let case = require(set.case(id.as_str())?, "case", id)?.clone();
    let stood = case.status.name();
    let case = case.decided(context.by, CaseStatus::Declined)?;
    context.day_follows(on, stood, case.step_on)?;
    let body =
        Object::new().text("case", case.case.to_string()).text("reason", reason.as_str()).text("on", on.to_string());
    Ok(vec![Draft::fact("case.declined", body)])
}

/// Closes a case when nothing waits and nothing is left: a surplus is moved first, exact to the fen.
pub(super) fn close(set: &WorkingSet, context: &Context<'_>, id: &CaseId, on: Day) -> Result<Vec<Draft>, Stop> {
    let case = require(set.case(id.as_str())?, "case", id)?.clone().closed(on)?;
    context.day_follows(on, "last worked on", case.last_on)?;
    if case.waiting > 0 {
        return Err(Refusal::StillWaiting { case: case.case.to_string(), waiting: case.waiting }.into());
    }
    let units = case.committed.units().chain([Unit::CNY]);
    for unit in units {
        let name = LineName { fund: case.fund.clone(), unit };
        let left = set.line(&name)?.map_or(0, |line| line.totals().free + line.totals().held);
        if left > 0 {
            let left =
                Amount::new(i64::try_from(left).expect("positions end at 2^53"), unit).expect("positions end at 2^53");
            return Err(Refusal::MoneyLeft { fund: case.fund.to_string(), left }.into());
        }
    }
    let body = Object::new().text("case", case.case.to_string()).text("on", on.to_string());
    Ok(vec![Draft::fact("case.closed", body)])
}

/// A case as its opening says.
pub(super) fn from_opening(body: Body<'_, '_>, maker: StaffId) -> Result<Case, BadBody> {
    Ok(Case {
        case: body.parsed("case")?,
        fund: body.parsed("fund")?,
        categories: body.list("categories")?,
        region_zh: body.text("region_zh")?.into(),
        region_en: body.text("region_en")?.into(),
        opened_on: body.day("on")?,
        maker,
        committed: Sums::default(),
        waiting: 0,
        step_on: body.day("on")?,
        last_on: body.day("on")?,
        status: CaseStatus::Opened,
    })
}

/// Applies an entry of this area to the case it names.
pub(super) fn project(case: Case, kind: &str, body: Body<'_, '_>, by: StaffId) -> Result<Case, BadBody> {
    let limit = || body.0.get("limit").map(|_| body.amount("limit")).transpose();
    let on = body.day("on")?;
    let case = Case { step_on: on, last_on: case.last_on.max(on), ..case };
    let next = match kind {
        "case.assessed" => case.assessed(body.amount("need")?, by),
        "case.approved" => case.decided(&by, CaseStatus::Approved { limit: limit()? }),
        "case.declined" => case.decided(&by, CaseStatus::Declined),
        _ => case.closed(on),
    };
    next.map_err(|_| BadBody { member: "case".into() })
}

#[cfg(test)]
mod tests {
    use super::leads_to_a_door;

    #[test]
    fn a_place_is_a_city_or_a_county() {
        for city in ["宁夏吴忠市", "江西景德镇", "江苏镇江市", "甘肃镇原县", "三亚市", "Wuzhong, Ningxia", "Xi'an"]
        {
            assert!(!leads_to_a_door(city), "{city}");
        }
        for door in ["吴忠市利通区金积大道123号", "吴忠市上桥镇", "某县某村", "某市某小区", "某市１２栋", "5 High Road"]
        {
            assert!(leads_to_a_door(door), "{door}");
        }
    }
}
