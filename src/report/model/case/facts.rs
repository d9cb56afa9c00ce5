//! The report data that is hashed: every figure of the report and nothing of its wording.

use super::figures::CaseReport;
use super::rows::Line;
use crate::report::data::Value;
use crate::rules;

impl CaseReport {
    pub(super) fn canonical(&self) -> Value {
        let rows = &self.rows;
        Value::map([
            ("type", Value::text("CASE")),
            ("number", Value::text(&rows.report.number)),
            ("version", Value::integer(rows.report.version)),
            ("item", Value::text(&rows.report.item_id)),
            ("organisation", Some(self.organisation())),
            ("unit", Value::text(rows.unit)),
            ("zone", Value::text(rows.zone.name())),
            ("period", Some(Value::map([("from", Value::text(self.period.0)), ("to", Value::text(self.period.1))]))),
            ("rules", Some(Value::map([("deadlines", Value::text(rules::deadline::effective_from()))]))),
            ("case", Some(self.case())),
            ("campaign", self.campaign()),
            ("fund", Some(self.fund())),
            ("cut", Some(self.cut())),
            ("base", Some(self.base_data())),
            ("receipts_by_source", self.by_source_data()),
            ("receipts_by_day", self.by_day_data()),
            ("use", self.by_use_data()),
            ("lines", Value::list(rows.movements.iter().map(line))),
            ("corrections", self.corrections()),
            ("surplus", self.surplus()),
            ("other_funding", self.other_funding()),
            ("deadlines", self.deadlines()),
        ])
    }

    fn organisation(&self) -> Value {
        let organisation = &self.rows.organisation;
        Value::map([
            ("name_zh", Value::text(&organisation.name_zh)),
            ("name_en", Value::text(&organisation.name_en)),
            ("uscc", organisation.uscc.as_ref().and_then(Value::text)),
            ("code", Value::text(&organisation.code)),
            ("origin", Value::text(&organisation.origin)),
            ("fundraising_certificate", organisation.fundraising_certificate.as_ref().and_then(Value::text)),
        ])
    }

    fn case(&self) -> Value {
        let case = &self.rows.case;
        Value::map([
            ("code", Value::text(&case.code)),
            ("categories", Value::list(case.categories.iter().map(|category| Value::Text(category.to_string())))),
            ("region_city_zh", Value::text(&case.region_city_zh)),
            ("region_city_en", Value::text(&case.region_city_en)),
            ("opened_on", Value::text(case.opened_on)),
            ("closed_on", case.closed_on.and_then(Value::text)),
            ("approved_amount", case.approved_amount.and_then(Value::integer)),
        ])
    }

    fn campaign(&self) -> Option<Value> {
        let campaign = self.rows.campaign.as_ref()?;
        Some(Value::map([
            ("code", Value::text(&campaign.code)),
            ("filing_no", campaign.filing_no.as_ref().and_then(Value::text)),
            ("filed_on", campaign.filed_on.and_then(Value::text)),
            ("starts_on", Value::text(campaign.starts_on)),
            ("ended_on", campaign.ended_on.and_then(Value::text)),
            ("planned_end", Value::text(campaign.planned_end)),
        ]))
    }

    fn fund(&self) -> Value {
        let fund = &self.rows.fund;
        let name = |name: &String| if self.rows.case.is_code_only() { None } else { Value::text(name) };
        Value::map([
            ("id", Value::text(&fund.id)),
            ("name_zh", name(&fund.name_zh)),
            ("name_en", name(&fund.name_en)),
            ("type", Value::text(&fund.fund_type)),
        ])
    }

    /// Without the signature: another key may sign the same tree later.
    fn cut(&self) -> Value {
        let cut = &self.rows.cut;
        Value::map([
            ("tree_size", Value::count(cut.tree_size)),
            ("at", Value::text(cut.at)),
            ("head", Value::text(cut.head)),
            ("root", Value::text(cut.root)),
            ("first_seq", Value::count(cut.first_seq)),
            ("last_seq", Value::count(cut.last_seq)),
            ("entry_count", Value::count(cut.entry_count)),
        ])
    }

    fn base_data(&self) -> Value {
        let base = &self.base;
        Value::map([
            ("opening", Value::integer(base.opening)),
            ("receipts", Value::integer(base.receipts)),
            ("gift_count", Value::count(base.gift_count)),
            ("other_income", Value::integer(base.other_income)),
            ("refund_out", Value::integer(base.refund_out)),
            ("gross_disbursed", Value::integer(base.gross_disbursed)),
            ("reversed", Value::integer(base.reversed)),
            ("refund_in", Value::integer(base.refund_in)),
            ("net_disbursed", Value::integer(base.net_disbursed)),
            ("fees", Value::integer(base.fees)),
            ("transfer_in", Value::integer(base.transfer_in)),
            ("transfer_out", Value::integer(base.transfer_out)),
            ("closing", Value::integer(base.closing)),
            ("use_rate_bp", base.use_rate_bp.and_then(Value::integer)),
            ("average_gift", base.average_gift.and_then(Value::integer)),
        ])
    }

    fn by_source_data(&self) -> Option<Value> {
        Value::list(self.by_source.iter().map(|row| {
            Value::map([
                ("source", Value::text(row.source)),
                ("gifts", Value::count(row.gifts)),
                ("amount", Value::integer(row.amount)),
                ("share_bp", row.share_bp.and_then(Value::integer)),
            ])
        }))
    }

    fn by_day_data(&self) -> Option<Value> {
        Value::list(self.rows.receipts_by_day.iter().zip(&self.cumulative_by_day).map(|(row, cumulative)| {
            Value::map([
                ("day", Value::text(row.day)),
                ("gifts", Value::count(row.gifts)),
                ("amount", Value::integer(row.amount)),
                ("cumulative", Value::integer(*cumulative)),
            ])
        }))
    }

    fn by_use_data(&self) -> Option<Value> {
        Value::list(self.by_use.iter().map(|row| {
            Value::map([
                ("use", Value::text(row.use_)),
                ("gross", Value::integer(row.gross)),
                ("reversed", Value::integer(row.reversed)),
                ("returned", Value::integer(row.returned)),
                ("net", Value::integer(row.net)),
                ("share_bp", row.share_bp.and_then(Value::integer)),
            ])
        }))
    }

    fn corrections(&self) -> Option<Value> {
        Value::list(self.rows.corrections.iter().map(|row| {
            Value::map([
                ("target_seq", Value::count(row.target_seq)),
                ("seq", Value::count(row.seq)),
                ("amount", Value::integer(row.amount)),
                ("reason", Value::text(row.reason)),
                ("on", Value::text(row.on)),
            ])
        }))
    }

    fn surplus(&self) -> Option<Value> {
        Value::list(self.rows.surplus.iter().map(|row| {
            Value::map([
                ("destination_zh", Value::text(&row.destination_zh)),
                ("destination_en", Value::text(&row.destination_en)),
                ("basis", Value::text(row.basis)),
                ("amount", Value::integer(row.amount)),
                ("on", Value::text(row.on)),
                ("publish_by", self.surplus_due.and_then(Value::text)),
            ])
        }))
    }

    fn other_funding(&self) -> Option<Value> {
        Value::list(self.rows.other_funding.iter().map(|row| {
            Value::map([
                ("kind_zh", Value::text(&row.kind_zh)),
                ("kind_en", Value::text(&row.kind_en)),
                ("amount", row.amount.and_then(Value::integer)),
            ])
        }))
    }

    fn deadlines(&self) -> Option<Value> {
        Value::list(self.duties.iter().map(|duty| {
            Value::map([
                ("id", Value::text(&duty.rule.id)),
                ("trigger", duty.due.and_then(|due| Value::text(due.trigger))),
                ("due", duty.due.and_then(|due| Value::text(due.on))),
            ])
        }))
    }
}

fn line(line: &Line) -> Value {
    Value::map([
        ("seq", Value::count(line.seq)),
        ("on", Value::text(line.on)),
        ("kind", Value::text(line.kind.as_str())),
        ("use", line.use_.and_then(Value::text)),
        ("payee", line.payee.and_then(Value::text)),
        ("amount", Value::integer(line.amount)),
        ("balance_after", Value::integer(line.balance_after)),
        ("vouchers", Value::count(line.vouchers)),
        ("hash", Value::text(line.hash)),
    ])
}
