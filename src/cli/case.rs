//! `case`: cases of aid.

use super::account::{all, shown, text};
use super::fund::amount;
use super::session::{Failure, Session};
use crate::domain::vocabulary::{Category, ReasonClass};
use crate::values::{CaseId, Day, FundId, Unit};
use serde_json::json;

/// Cases of aid
#[derive(Debug, clap::Subcommand)]
pub(super) enum Case {
    /// Open a case; prints the family's code, once
    Open {
        /// Its id, which is all the public sees of it; random where not given
        #[arg(long)]
        id: Option<CaseId>,
        /// What kind of need, as minor,health
        #[arg(long, value_delimiter = ',', required = true)]
        category: Vec<Category>,
        /// Its own earmarked or agency fund; one is opened where not given
        #[arg(long)]
        fund: Option<FundId>,
        /// Place, down to the city, in Chinese
        #[arg(long)]
        region_zh: String,
        /// The same in English
        #[arg(long)]
        region_en: Option<String>,
        /// Day of the fact
        #[arg(long)]
        on: Option<Day>,
    },
    /// Record the need that was found
    Assess {
        /// Which
        case: CaseId,
        /// The need
        #[arg(long)]
        need: String,
        /// Currency
        #[arg(long, default_value = "CNY")]
        unit: Unit,
        /// Day of the fact
        #[arg(long)]
        on: Option<Day>,
    },
    /// Approve aid (a checker who neither opened nor assessed the case)
    Approve {
        /// Which
        case: CaseId,
        /// At most this much
        #[arg(long)]
        limit: Option<String>,
        /// Currency
        #[arg(long, default_value = "CNY")]
        unit: Unit,
        /// Day of the fact
        #[arg(long)]
        on: Option<Day>,
    },
    /// Decline aid (a checker who neither opened nor assessed the case)
    Decline {
        /// Which
        case: CaseId,
        /// Why: not_eligible, papers_missing, other …
        #[arg(long, default_value = "not_eligible")]
        reason: ReasonClass,
        /// Day of the fact
        #[arg(long)]
        on: Option<Day>,
    },
    /// Close a case of which nothing waits and nothing is left
    Close {
        /// Which
        case: CaseId,
        /// Day of the fact
        #[arg(long)]
        on: Option<Day>,
    },
    /// All cases
    List,
}

impl Case {
    /// Runs it.
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            Self::Open { id, category, fund, region_zh, region_en, on } => {
                let body = json!({
                    "case": shown(id), "fund": shown(fund), "categories": all(&category), "region_zh": region_zh,
                    "region_en": region_en, "on": shown(on),
                });
                let answer = session.send("/cases", body).await?;
                let (case, fund) = (text(&answer, "case"), text(&answer, "fund"));
                session.told(
                    &answer,
                    format!("个案 {case} 已立案，专用基金 {fund}"),
                    format!("Case {case} is open, with its own fund {fund}"),
                );
                if let Some(code) = answer["family_code"].as_str() {
                    session.out.say(
                        format!("家属确认码（只显示这一次，请当面交给家属）：{code}"),
                        format!("The family's code (shown this once; hand it to the family): {code}"),
                    );
                }
            }
            Self::Assess { case, need, unit, on } => {
                let need = amount(&need, unit, "--need")?;
                let body = json!({"need": need.minor(), "unit": unit.as_str(), "on": shown(on)});
                let answer = session.send(format!("/cases/{case}/assess"), body).await?;
                session.told(
                    &answer,
                    format!("个案 {case} 已评估，需要 {need}"),
                    format!("Case {case} is assessed: {need} are needed"),
                );
            }
            Self::Approve { case, limit, unit, on } => {
                let limit = limit.as_deref().map(|text| amount(text, unit, "--limit")).transpose()?;
                let minor = limit.map(|limit| limit.minor());
                let body = json!({"limit": minor, "unit": unit.as_str(), "on": shown(on)});
                let answer = session.send(format!("/cases/{case}/approve"), body).await?;
                let (zh, en) = match limit {
                    Some(limit) => (
                        format!("个案 {case} 已批准救助，最多 {limit}"),
                        format!("Case {case} is approved, for {limit} at most"),
                    ),
                    None => (
                        format!("个案 {case} 已批准救助，没有设上限"),
                        format!("Case {case} is approved, without a limit"),
                    ),
                };
                session.told(&answer, zh, en);
            }
            Self::Decline { case, reason, on } => {
                let body = json!({"reason": reason.as_str(), "on": shown(on)});
                let answer = session.send(format!("/cases/{case}/decline"), body).await?;
                session.told(&answer, format!("个案 {case} 不予救助"), format!("Case {case} is declined"));
            }
            Self::Close { case, on } => {
                let answer = session.send(format!("/cases/{case}/close"), json!({"on": shown(on)})).await?;
                session.told(&answer, format!("个案 {case} 已结案"), format!("Case {case} is closed"));
            }
            Self::List => {
                let answer = session.get("/cases").await?;
                let rows: Vec<Vec<String>> = answer["cases"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(|known| {
                        vec![
                            text(known, "case"),
                            session.out.words("case.class", &known["categories"]),
                            text(known, session.out.pick("region_zh", "region_en")),
                            text(known, "fund"),
                            text(known, "on"),
                            session.out.state("case", &text(known, "status")),
                            known["waiting"].to_string(),
                        ]
                    })
                    .collect();
                let heads = session.out.pick(
                    [
                        ("个案", false),
                        ("类别", false),
                        ("地区", false),
                        ("基金", false),
                        ("立案", false),
                        ("状态", false),
                        ("待办拨付", true),
                    ],
                    [
                        ("case", false),
                        ("categories", false),
                        ("region", false),
                        ("fund", false),
                        ("opened", false),
                        ("state", false),
                        ("waiting", true),
                    ],
                );
                session.out.table(&heads, &rows);
                session.out.object(&answer);
            }
        }
        Ok(())
    }
}
