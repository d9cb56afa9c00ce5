//! `campaign`: public appeals.

use super::account::{shown, text};
use super::fund::amount;
use super::session::{Failure, Session};
use crate::domain::vocabulary::Basis;
use crate::values::{CampaignId, Day, FundId, Unit};
use serde_json::json;

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
                let body = json!({
                    "campaign": shown(id), "name_zh": name_zh, "name_en": name_en, "fund": fund.as_str(),
                    "filing_no": filing_no, "starts_on": starts.to_string(), "ends_on": ends.to_string(),
                    "target": target.minor(), "unit": unit.as_str(), "surplus": surplus.as_str(), "on": shown(on),
                });
                let answer = session.send("/campaigns", body).await?;
                let campaign = text(&answer, "campaign");
                session.told(
                    &answer,
                    format!("募捐方案 {campaign}“{name_zh}”已备案"),
                    format!("Appeal {campaign} “{name_en}” is filed"),
                );
            }
            Self::Open { campaign, on } => {
                let path = format!("/campaigns/{campaign}/open");
                let answer = session.send(path, json!({"on": shown(on)})).await?;
                let on = text(&answer, "on");
                session.told(
                    &answer,
                    format!("募捐活动 {campaign} 从 {on} 开始"),
                    format!("Appeal {campaign} runs from {on}"),
                );
            }
            Self::End { campaign, on } => {
                let answer = session.send(format!("/campaigns/{campaign}/end"), json!({"on": shown(on)})).await?;
                let on = text(&answer, "on");
                session.told(
                    &answer,
                    format!("募捐活动 {campaign} 于 {on} 结束"),
                    format!("Appeal {campaign} ended on {on}"),
                );
            }
            Self::List => {
                let answer = session.get("/campaigns").await?;
                let rows: Vec<Vec<String>> = answer["campaigns"]
                    .as_array()
                    .into_iter()
                    .flatten()
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
                session.out.object(&answer);
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
