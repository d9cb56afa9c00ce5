//! `case`: cases of aid.

use super::account::text;
use super::fund::amount;
use super::session::{Failure, Session};
use crate::domain::command::{OpenCase, Order};
use crate::domain::vocabulary::{Category, ReasonClass};
use crate::values::{CaseId, Day, FundId, Unit};

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
        let told = |case: &CaseId| serde_json::json!({"case": case.as_str()});
        match self {
            Self::Open { id, category, fund, region_zh, region_en, on } => {
                let on = session.day(on).await?;
                let payload = format!("{id:?} {category:?} {fund:?} {region_zh} {region_en:?} {on}");
                let case =
                    id.unwrap_or_else(|| CaseId::parse(&session.id("c_")).expect("random ids follow the grammar"));
                let fund = match fund {
                    Some(fund) => fund,
                    None => FundId::parse(&session.id("f_")).expect("random ids follow the grammar"),
                };
                let opened = session.open().await?;
                let (code, hash) = session.code(&opened);
                opened.store.close().await;
                let region_en = region_en.unwrap_or_else(|| region_zh.clone());
                let order = OpenCase {
                    case: case.clone(),
                    fund: fund.clone(),
                    categories: category,
                    region_zh: crate::values::text::nfc(&region_zh),
                    region_en: crate::values::text::nfc(&region_en),
                    on,
                };
                let subject = case.to_string();
                let accepted = session
                    .post_with(Order::OpenCase(order), &payload, |mut submission| {
                        submission.codes.push(("family", hash, subject));
                        submission
                    })
                    .await?;
                let code = (!accepted.repeated).then_some(code);
                session.told(
                    accepted,
                    format!("个案 {case} 已立案，专用基金 {fund}"),
                    format!("Case {case} is open, with its own fund {fund}"),
                    serde_json::json!({"case": case.as_str(), "fund": fund.as_str(), "family_code": code}),
                );
                if let Some(code) = code {
                    session.out.say(
                        format!("家属确认码（只显示这一次，请当面交给家属）：{code}"),
                        format!("The family's code (shown this once; hand it to the family): {code}"),
                    );
                }
            }
            Self::Assess { case, need, unit, on } => {
                let (need, on) = (amount(&need, unit, "--need")?, session.day(on).await?);
                let order = Order::AssessCase { case: case.clone(), need, on };
                let accepted = session.post(order, &format!("assess {case} {need} {on}")).await?;
                session.told(
                    accepted,
                    format!("个案 {case} 已评估，需要 {need}"),
                    format!("Case {case} is assessed: {need} are needed"),
                    told(&case),
                );
            }
            Self::Approve { case, limit, unit, on } => {
                let limit = limit.as_deref().map(|text| amount(text, unit, "--limit")).transpose()?;
                let on = session.day(on).await?;
                let order = Order::ApproveCase { case: case.clone(), limit, on };
                let accepted = session.post(order, &format!("approve {case} {limit:?} {on}")).await?;
                session.told(
                    accepted,
                    match limit {
                        Some(limit) => format!("个案 {case} 已批准救助，最多 {limit}"),
                        None => format!("个案 {case} 已批准救助，没有设上限"),
                    },
                    match limit {
                        Some(limit) => format!("Case {case} is approved, for {limit} at most"),
                        None => format!("Case {case} is approved, without a limit"),
                    },
                    told(&case),
                );
            }
            Self::Decline { case, reason, on } => {
                let on = session.day(on).await?;
                let order = Order::DeclineCase { case: case.clone(), reason, on };
                let accepted = session.post(order, &format!("decline {case} {reason} {on}")).await?;
                session.told(
                    accepted,
                    format!("个案 {case} 不予救助"),
                    format!("Case {case} is declined"),
                    told(&case),
                );
            }
            Self::Close { case, on } => {
                let on = session.day(on).await?;
                let order = Order::CloseCase { case: case.clone(), on };
                let accepted = session.post(order, &format!("close {case} {on}")).await?;
                session.told(accepted, format!("个案 {case} 已结案"), format!("Case {case} is closed"), told(&case));
            }
            Self::List => {
                let cases = session.objects("case").await?;
                let rows: Vec<Vec<String>> = cases
                    .iter()
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
                session.out.object(&serde_json::json!({"cases": cases}));
            }
        }
        Ok(())
    }
}
