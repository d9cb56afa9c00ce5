//! Public appeals: filed, opened, ended.

use super::body::{BadBody, Body, Optional};
use super::command::FileCampaign;
use super::decide::{Context, Draft, Stop, require};
use super::field_rule::FieldRule;
use super::refusal::Refusal;
use super::vocabulary::Basis;
use super::working_set::WorkingSet;
use crate::ledger::canonical::Object;
use crate::values::{Amount, CampaignId, Day, FundId};

/// A filed appeal and how far it has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Campaign {
    /// Its id.
    pub campaign: CampaignId,
    /// Name in Chinese.
    pub name_zh: String,
    /// And in English.
    pub name_en: String,
    /// The fund that it raises for.
    pub fund: FundId,
    /// Number given by the registering department.
    pub filing_no: Option<String>,
    /// Day of filing.
    pub filed_on: Day,
    /// Planned first day.
    pub starts_on: Day,
    /// Planned last day.
    pub ends_on: Day,
    /// What it aims to raise.
    pub target: Amount,
    /// What happens to a surplus.
    pub surplus: Basis,
    /// How far it has come.
    pub status: CampaignStatus,
}

/// How far an appeal has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CampaignStatus {
    /// The plan is filed.
    Filed,
    /// It runs.
    Opened {
        /// Since when.
        on: Day,
    },
    /// It is over.
    Ended {
        /// First day.
        opened_on: Day,
        /// Last day.
        on: Day,
    },
}

impl CampaignStatus {
    const fn name(self) -> &'static str {
        match self {
            Self::Filed => "filed",
            Self::Opened { .. } => "opened",
            Self::Ended { .. } => "ended",
        }
    }

    const fn steps(self) -> &'static [&'static str] {
        match self {
            Self::Filed => &["open"],
            Self::Opened { .. } => &["end"],
            Self::Ended { .. } => &[],
        }
    }
}

impl Campaign {
    fn plan(&self) -> Object<'static> {
        Object::new()
            .text("campaign", self.campaign.to_string())
            .text("name_zh", self.name_zh.clone())
            .text("name_en", self.name_en.clone())
            .text("fund", self.fund.to_string())
            .text_if("filing_no", self.filing_no.as_ref())
            .text("on", self.filed_on.to_string())
            .text("starts_on", self.starts_on.to_string())
            .text("ends_on", self.ends_on.to_string())
            .integer("target", self.target.minor())
            .text("unit", self.target.unit().to_string())
            .text("surplus", self.surplus.as_str())
    }

    /// The stored state.
    pub fn to_object(&self) -> Object<'static> {
        match self.status {
            CampaignStatus::Filed => self.plan(),
            CampaignStatus::Opened { on } => self.plan().text("opened_on", on.to_string()),
            CampaignStatus::Ended { opened_on, on } => {
                self.plan().text("opened_on", opened_on.to_string()).text("ended_on", on.to_string())
            }
        }
    }

    /// From the stored state or from the body of `campaign.filed`.
    pub fn from_object(object: &Object<'_>) -> Result<Self, BadBody> {
        let body = Body(object);
        let status = match (body.optional("opened_on")?, body.optional("ended_on")?) {
            (None, _) => CampaignStatus::Filed,
            (Some(on), None) => CampaignStatus::Opened { on },
            (Some(opened_on), Some(on)) => CampaignStatus::Ended { opened_on, on },
        };
        Ok(Self {
            campaign: body.parsed("campaign")?,
            name_zh: body.text("name_zh")?.into(),
            name_en: body.text("name_en")?.into(),
            fund: body.parsed("fund")?,
            filing_no: body.optional_text("filing_no").map(Into::into),
            filed_on: body.day("on")?,
            starts_on: body.day("starts_on")?,
            ends_on: body.day("ends_on")?,
            target: body.amount("target")?,
            surplus: body.parsed("surplus")?,
            status,
        })
    }

    fn opened(self, on: Day) -> Result<Self, Refusal> {
        match self.status {
            CampaignStatus::Filed => Ok(Self { status: CampaignStatus::Opened { on }, ..self }),
            CampaignStatus::Opened { .. } | CampaignStatus::Ended { .. } => Err(self.not_possible()),
        }
    }

    fn ended(self, on: Day) -> Result<Self, Refusal> {
        match self.status {
            CampaignStatus::Opened { on: opened_on } => {
                Ok(Self { status: CampaignStatus::Ended { opened_on, on }, ..self })
            }
            CampaignStatus::Filed | CampaignStatus::Ended { .. } => Err(self.not_possible()),
        }
    }

    fn not_possible(&self) -> Refusal {
        Refusal::StepNotPossible {
            what: "campaign",
            name: self.campaign.to_string(),
            state: self.status.name(),
            possible: self.status.steps(),
        }
    }
}

pub(super) fn file(set: &WorkingSet, context: &Context<'_>, order: &FileCampaign) -> Result<Vec<Draft>, Stop> {
    context.day_is_possible(order.on)?;
    if set.campaign(order.campaign.as_str())?.is_some() {
        return Err(Refusal::Exists { what: "campaign", name: order.campaign.to_string() }.into());
    }
    require(set.fund(order.fund.as_str())?, "fund", &order.fund)?;
    if order.ends_on < order.starts_on {
        return Err(Refusal::Field { field: "ends_on", rule: FieldRule::EndsBeforeStart }.into());
    }
    let campaign = Campaign {
        campaign: order.campaign.clone(),
        name_zh: order.name_zh.clone(),
        name_en: order.name_en.clone(),
        fund: order.fund.clone(),
        filing_no: order.filing_no.clone(),
        filed_on: order.on,
        starts_on: order.starts_on,
        ends_on: order.ends_on,
        target: order.target,
        surplus: order.surplus,
        status: CampaignStatus::Filed,
    };
    Ok(vec![Draft::fact("campaign.filed", campaign.plan())])
}

pub(super) fn step(
    set: &WorkingSet,
    context: &Context<'_>,
    id: &CampaignId,
    on: Day,
    kind: &'static str,
) -> Result<Vec<Draft>, Stop> {
    context.day_is_possible(on)?;
    let campaign = require(set.campaign(id.as_str())?, "campaign", id)?.clone();
    // An appeal may open before its plan is filed: in a sudden emergency the filing follows within days.
    if let CampaignStatus::Opened { on: opened_on } = campaign.status {
        context.day_follows(on, "opened", opened_on)?;
    }
    if kind == "campaign.opened" {
        campaign.opened(on)?
    } else {
        campaign.ended(on)?
    };
    Ok(vec![Draft::fact(kind, Object::new().text("campaign", id.to_string()).text("on", on.to_string()))])
}

/// Applies an entry of this area to the campaign it names.
pub(super) fn project(campaign: Campaign, kind: &str, body: Body<'_, '_>) -> Result<Campaign, BadBody> {
    let on = body.day("on")?;
    let next = if kind == "campaign.opened" { campaign.opened(on) } else { campaign.ended(on) };
    next.map_err(|_| BadBody { member: "campaign".into() })
}
