//! `fund`: funds, and money moved between them.

use super::account::text;
use super::session::{Failure, Session};
use crate::domain::command::{OpenFund, Order, Transfer};
use crate::domain::vocabulary::{Basis, Category, FundType, TransferReason, Use};
use crate::ledger::line::Totals;
use crate::values::amount::format_minor;
use crate::values::{Amount, Day, FundId, Unit};

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

impl Fund {
    /// Runs it.
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            Self::Open { id, fund_type, name_zh, name_en, purpose, uses } => {
                let payload = format!("{id:?} {fund_type} {name_zh} {name_en} {purpose:?} {uses:?}");
                let fund =
                    id.unwrap_or_else(|| FundId::parse(&session.id("f_")).expect("random ids follow the grammar"));
                let order = OpenFund {
                    fund: fund.clone(),
                    fund_type,
                    name_zh: crate::values::text::nfc(&name_zh),
                    name_en: crate::values::text::nfc(&name_en),
                    purpose,
                    uses,
                };
                let accepted = session.post(Order::OpenFund(order), &payload).await?;
                session.told(
                    accepted,
                    format!("基金 {fund}“{name_zh}”已设立"),
                    format!("Fund {fund} “{name_en}” is open"),
                    serde_json::json!({"fund": fund.as_str()}),
                );
            }
            Self::Transfer { from, to, amount: given, unit, reason, basis, on } => {
                let amount = given.as_deref().map(|text| amount(text, unit, "--amount")).transpose()?;
                let on = session.day(on).await?;
                let payload = format!("{from} {to} {amount:?} {unit} {reason} {basis:?} {on}");
                let order = Transfer { from: from.clone(), to: to.clone(), amount, unit, reason, basis, on };
                let accepted = session.post(Order::Transfer(order), &payload).await?;
                let told = session.amount_of(accepted.seq).await?;
                session.told(
                    accepted,
                    format!("已从基金 {from} 转入基金 {to}：{told}"),
                    format!("Moved from fund {from} to fund {to}: {told}"),
                    serde_json::json!({"from": from.as_str(), "to": to.as_str()}),
                );
            }
            Self::List => list_funds(session).await?,
        }
        Ok(())
    }
}

async fn list_funds(session: &Session) -> Result<(), Failure> {
    let opened = session.open().await?;
    let funds = session.objects("fund").await?;
    let lines = opened.line_totals().await?;
    let (mut rows, mut objects) = (Vec::new(), Vec::new());
    for fund in funds {
        let id = text(&fund, "fund");
        let mut totals = Vec::new();
        for line in lines.iter().filter(|line| line.name.fund.as_str() == id) {
            totals.push((line.name.unit, line.totals, line.moved_on));
        }
        let name = text(&fund, session.out.pick("name_zh", "name_en"));
        let out = &session.out;
        let kind = out.word("fund.type", &text(&fund, "type"));
        let limits = [out.words("case.class", &fund["purpose"]), out.words("use", &fund["uses"]), text(&fund, "case")]
            .into_iter()
            .filter(|limit| !limit.is_empty())
            .collect::<Vec<_>>()
            .join(" ");
        let figure = |n: u64, unit: Unit| format_minor(i64::try_from(n).unwrap_or(i64::MAX), unit);
        let nothing = [(Unit::CNY, Totals::default(), 0)];
        for (unit, total, moved) in if totals.is_empty() { &nothing[..] } else { &totals } {
            rows.push(vec![
                id.clone(),
                name.clone(),
                kind.clone(),
                limits.clone(),
                unit.to_string(),
                figure(total.free, *unit),
                figure(total.held, *unit),
                figure(total.spent - moved, *unit),
                figure(*moved, *unit),
                figure(total.void, *unit),
            ]);
        }
        let mut object = fund.clone();
        object["totals"] = totals
            .iter()
            .map(|(unit, total, moved)| {
                serde_json::json!({"unit": unit.as_str(), "end": total.end(), "free": total.free, "held": total.held, "spent": total.spent, "moved_on": moved, "void": total.void})
            })
            .collect();
        objects.push(object);
    }
    let heads = session.out.pick(
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
    session.out.table(&heads, &rows);
    session.out.object(&serde_json::json!({"tree_size": opened.row.size, "funds": objects}));
    opened.store.close().await;
    Ok(())
}
