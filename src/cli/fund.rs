//! `fund`: funds, and money moved between them.

use super::account::{all, shown, text};
use super::session::{Failure, Session};
use crate::domain::vocabulary::{Basis, Category, FundType, TransferReason, Use};
use crate::values::amount::format_minor;
use crate::values::{Amount, Day, FundId, Unit};
use serde_json::json;

/// Funds, and money moved between them
#[derive(Debug, clap::Subcommand)]
pub(super) enum Fund {
    /// Open a fund
    Open {
        /// Its id; random where not given
        #[arg(long)]
        id: Option<FundId>,
        /// unrestricted, restricted, earmarked, endowment or agency
        #[arg(long = "type")]
        fund_type: FundType,
        /// Name in Chinese
        #[arg(long)]
        name_zh: String,
        /// Name in English
        #[arg(long)]
        name_en: String,
        /// Categories of cases it is for, as minor,health
        #[arg(long, value_delimiter = ',')]
        purpose: Vec<Category>,
        /// Uses it is for, as hospital,drugs
        #[arg(long, value_delimiter = ',')]
        uses: Vec<Use>,
    },
    /// Move free money to another fund: an allocation for a case, a surplus, or what came into the wrong fund
    Transfer {
        /// From this fund
        from: FundId,
        /// Into this one
        to: FundId,
        /// How much; all that is free where not given
        #[arg(long)]
        amount: Option<String>,
        /// Currency or goods
        #[arg(long, default_value = "CNY")]
        unit: Unit,
        /// allocation, surplus or wrong_fund
        #[arg(long, default_value = "allocation")]
        reason: TransferReason,
        /// Ground of a surplus: plan, agreement or similar_purpose
        #[arg(long)]
        basis: Option<Basis>,
        /// Day of the fact
        #[arg(long)]
        on: Option<Day>,
    },
    /// All funds, with what is free, held, spent and void
    List,
}

/// Reads an amount as people type it.
pub(super) fn amount(text: &str, unit: Unit, flag: &str) -> Result<Amount, Failure> {
    Amount::parse(text, unit).map_err(|error| {
        Failure::input(
            format!("{flag}：“{text}”不是 {unit} 的金额，请写成 1,234.50 这样。"),
            format!("{flag}: {error}; write it as 1,234.50"),
        )
    })
}

/// The same in minor units, where one was given.
pub(super) fn minor(text: Option<String>, unit: Unit, flag: &str) -> Result<Option<i64>, Failure> {
    text.map(|text| amount(&text, unit, flag).map(|amount| amount.minor())).transpose()
}

impl Fund {
    /// Runs it.
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            Self::Open { id, fund_type, name_zh, name_en, purpose, uses } => {
                let body = json!({
                    "fund": shown(id), "type": fund_type.as_str(), "name_zh": name_zh, "name_en": name_en,
                    "purpose": all(&purpose), "uses": all(&uses),
                });
                let answer = session.send("/funds", body).await?;
                let fund = text(&answer, "fund");
                session.told(
                    &answer,
                    format!("基金 {fund}“{name_zh}”已设立"),
                    format!("Fund {fund} “{name_en}” is open"),
                );
            }
            Self::Transfer { from, to, amount: given, unit, reason, basis, on } => {
                let body = json!({
                    "from": from.as_str(), "to": to.as_str(), "amount": minor(given, unit, "--amount")?,
                    "unit": unit.as_str(), "reason": reason.as_str(), "basis": shown(basis), "on": shown(on),
                });
                let answer = session.send("/funds/transfer", body).await?;
                let told = session.amount_of(&answer).await?;
                session.told(
                    &answer,
                    format!("已从基金 {from} 转入基金 {to}：{told}"),
                    format!("Moved from fund {from} to fund {to}: {told}"),
                );
            }
            Self::List => list_funds(session).await?,
        }
        Ok(())
    }
}

async fn list_funds(session: &Session) -> Result<(), Failure> {
    let answer = session.get("/funds").await?;
    let out = &session.out;
    let mut rows = Vec::new();
    for fund in answer["funds"].as_array().into_iter().flatten() {
        let limits = [out.words("case.class", &fund["purpose"]), out.words("use", &fund["uses"]), text(fund, "case")];
        let limits = limits.into_iter().filter(|limit| !limit.is_empty()).collect::<Vec<_>>().join(" ");
        let about = [
            text(fund, "fund"),
            text(fund, out.pick("name_zh", "name_en")),
            out.word("fund.type", &text(fund, "type")),
            limits,
        ];
        let nothing = [json!({"unit": "CNY"})];
        let lines = fund["totals"].as_array().filter(|lines| !lines.is_empty());
        for line in lines.map_or(&nothing[..], Vec::as_slice) {
            let unit: Unit = text(line, "unit").parse().unwrap_or(Unit::CNY);
            let of = |member: &str| line[member].as_i64().unwrap_or(0);
            let figures = [of("free"), of("held"), of("spent") - of("moved_on"), of("moved_on"), of("void")];
            let figures = figures.map(|minor| format_minor(minor, unit));
            rows.push(about.iter().cloned().chain([unit.to_string()]).chain(figures).collect());
        }
    }
    let heads = out.pick(
        [
            ("基金", false),
            ("名称", false),
            ("性质", false),
            ("限定", false),
            ("单位", false),
            ("可用", true),
            ("待付", true),
            ("已支出", true),
            ("已转出", true),
            ("已退还", true),
        ],
        [
            ("fund", false),
            ("name", false),
            ("type", false),
            ("limits", false),
            ("unit", false),
            ("free", true),
            ("held", true),
            ("spent", true),
            ("moved on", true),
            ("given back", true),
        ],
    );
    out.table(&heads, &rows);
    out.object(&answer);
    Ok(())
}
