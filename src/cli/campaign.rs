//! `campaign`: public appeals.

use super::account::text;
use super::fund::amount;
use super::session::{Failure, Session};
use crate::domain::command::{FileCampaign, Order};
use crate::domain::vocabulary::Basis;
use crate::values::{CampaignId, Day, FundId, Unit};

/// Public appeals
#[derive(Debug, clap::Subcommand)]
pub(super) enum Campaign {
    /// File the plan
    File {
        /// Its id; random where not given
        #[arg(long)]
        id: Option<CampaignId>,
        /// Name in Chinese
        #[arg(long)]
        name_zh: String,
        /// Name in English
        #[arg(long)]
        name_en: String,
        /// The fund that it raises for
        #[arg(long)]
        fund: FundId,
        /// Number given by the registering department
        #[arg(long)]
        filing_no: Option<String>,
        /// Planned first day
        #[arg(long)]
        starts: Day,
        /// Planned last day
        #[arg(long)]
        ends: Day,
        /// What it aims to raise
        #[arg(long)]
        target: String,
        /// Currency
        #[arg(long, default_value = "CNY")]
        unit: Unit,
        /// What happens to a surplus: plan, agreement or similar_purpose
        #[arg(long, default_value = "similar_purpose")]
        surplus: Basis,
        /// Day of filing
        #[arg(long)]
        on: Option<Day>,
    },
    /// The appeal starts
    Open {
        /// Which
        campaign: CampaignId,
        /// The day
        #[arg(long)]
        on: Option<Day>,
    },
    /// The appeal ends
    End {
        /// Which
        campaign: CampaignId,
        /// The day
        #[arg(long)]
        on: Option<Day>,
    },
    /// All appeals
    List,
}

impl Campaign {
    /// Runs it.
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            Self::File { id, name_zh, name_en, fund, filing_no, starts, ends, target, unit, surplus, on } => {
                let target = amount(&target, unit, "--target")?;
                let on = session.day(on).await?;
                let payload =
                    format!("{id:?} {name_zh} {name_en} {fund} {filing_no:?} {starts} {ends} {target} {surplus} {on}");
                let campaign =
                    id.unwrap_or_else(|| CampaignId::parse(&session.id("k_")).expect("random ids follow the grammar"));
                let order = FileCampaign {
                    campaign: campaign.clone(),
                    name_zh: crate::values::text::nfc(&name_zh),
                    name_en: crate::values::text::nfc(&name_en),
                    fund,
                    filing_no: filing_no.map(|text| crate::values::text::nfc(&text)),
                    starts_on: starts,
                    ends_on: ends,
                    target,
                    surplus,
                    on,
                };
                let accepted = session.post(Order::FileCampaign(order), &payload).await?;
                session.told(
                    accepted,
                    format!("募捐方案 {campaign}“{name_zh}”已备案"),
                    format!("Appeal {campaign} “{name_en}” is filed"),
                    serde_json::json!({"campaign": campaign.as_str()}),
                );
            }
            Self::Open { campaign, on } => {
                let on = session.day(on).await?;
                let order = Order::OpenCampaign { campaign: campaign.clone(), on };
                let accepted = session.post(order, &format!("open {campaign} {on}")).await?;
                session.told(
                    accepted,
                    format!("募捐活动 {campaign} 从 {on} 开始"),
                    format!("Appeal {campaign} runs from {on}"),
                    serde_json::json!({"campaign": campaign.as_str()}),
                );
            }
            Self::End { campaign, on } => {
                let on = session.day(on).await?;
                let order = Order::EndCampaign { campaign: campaign.clone(), on };
                let accepted = session.post(order, &format!("end {campaign} {on}")).await?;
                session.told(
                    accepted,
                    format!("募捐活动 {campaign} 于 {on} 结束"),
                    format!("Appeal {campaign} ended on {on}"),
                    serde_json::json!({"campaign": campaign.as_str()}),
                );
            }
            Self::List => {
                let campaigns = session.objects("campaign").await?;
                let rows: Vec<Vec<String>> = campaigns
                    .iter()
                    .map(|known| {
                        vec![
                            text(known, "campaign"),
                            text(known, session.out.pick("name_zh", "name_en")),
                            text(known, "fund"),
                            session.out.state("campaign", state_of(known)),
                            text(known, "opened_on"),
                            text(known, "ended_on"),
                        ]
                    })
                    .collect();
                let heads = session.out.pick(
                    [
                        ("编号", false),
                        ("名称", false),
                        ("基金", false),
                        ("状态", false),
                        ("开始", false),
                        ("结束", false),
                    ],
                    [
                        ("id", false),
                        ("name", false),
                        ("fund", false),
                        ("state", false),
                        ("opened", false),
                        ("ended", false),
                    ],
                );
                session.out.table(&heads, &rows);
                session.out.object(&serde_json::json!({"campaigns": campaigns}));
            }
        }
        Ok(())
    }
}

fn state_of(known: &serde_json::Value) -> &'static str {
    match (known.get("opened_on"), known.get("ended_on")) {
        (None, _) => "filed",
        (Some(_), None) => "opened",
        (Some(_), Some(_)) => "ended",
    }
}
