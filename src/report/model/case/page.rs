//! The numbers → a document in one language. Sections in the order of the specification.

use super::figures::{CaseReport, Duty};
use super::rows::{Line, LineKind};
use crate::report::document::{
    Align, Block, Carry, Cell, Chart, ChartShape, Column, Document, Fact, KeyFigure, Table, Verification, amount_text,
    count_text, share_text, short_code,
};
use crate::report::labels::{Labels, Language};
use crate::values::Day;

impl CaseReport {
    /// The report in one language.
    pub fn document(&self, language: Language) -> Document {
        let rows = &self.rows;
        let labels = language.labels();
        let (from, to) = (self.period.0.to_string(), self.period.1.to_string());
        let mut page = Page { report: self, language, labels, blocks: Vec::new(), sections: 0 };
        page.about();
        page.summary();
        page.facts();
        page.by_source();
        page.by_day();
        page.by_use();
        page.lines();
        page.corrections();
        page.surplus();
        page.other_funding();
        page.deadlines();
        page.verification();
        Document {
            language,
            title: labels.text("case.title").into(),
            subtitle: labels.fill("case.subtitle", &[("code", &rows.case.code), ("from", &from), ("to", &to)]),
            organisation: name(language, &rows.organisation.name_zh, &rows.organisation.name_en),
            number: self.full_number(),
            short_code: short_code(self.data_hash()),
            data_hash: self.data_hash(),
            unit: rows.unit,
            at: rows.cut.at,
            blocks: page.blocks,
        }
    }

    /// Where the report is checked: number, version and data hash, nothing personal.
    pub fn verify_address(&self) -> String {
        let host = self.rows.organisation.origin.split('/').next().unwrap_or_default();
        let report = &self.rows.report;
        format!("https://{host}/verify?report={}&v={}&data={}", report.number, report.version, self.data_hash())
    }
}

/// A document in the making.
struct Page<'a> {
    report: &'a CaseReport,
    language: Language,
    labels: &'static Labels,
    blocks: Vec<Block>,
    sections: usize,
}

impl Page<'_> {
    fn about(&mut self) {
        let l = self.labels;
        let rows = &self.report.rows;
        self.section(l.text("case.section.about"));
        let organisation = &rows.organisation;
        let fund = self.fund();
        let (from, to) = (self.report.period.0.to_string(), self.report.period.1.to_string());
        let recorded = format!("{} ({})", rows.cut.at.minute_text(&rows.zone), rows.zone.name());
        let rules_from = crate::rules::deadline::effective_from().to_string();
        let mut facts =
            vec![fact(l.text("case.about.organisation"), self.name(&organisation.name_zh, &organisation.name_en))];
        facts.extend(organisation.uscc.as_ref().map(|uscc| fact(l.text("case.about.uscc"), uscc)));
        let certificate = organisation.fundraising_certificate.as_ref();
        facts.extend(certificate.map(|number| fact(l.text("case.about.certificate"), number)));
        facts.extend([
            fact(l.text("case.about.number"), self.report.full_number()),
            fact(l.text("case.about.version"), rows.report.version.to_string()),
            fact(l.text("case.about.item"), &rows.report.item_id),
            fact(
                l.text("case.about.scope"),
                l.fill("case.about.scope_value", &[("code", &rows.case.code), ("fund", &fund)]),
            ),
            fact(
                l.text("case.about.period"),
                l.fill("case.about.period_value", &[("from", &from), ("to", &to), ("zone", rows.zone.name())]),
            ),
            fact(
                l.text("case.about.cut"),
                l.fill("case.about.cut_value", &[("size", &count_text(rows.cut.tree_size)), ("at", &recorded)]),
            ),
            fact(
                l.text("case.about.rules"),
                l.fill(
                    "case.about.rules_value",
                    &[("day", &rules_from), ("section", l.text("case.section.deadlines"))],
                ),
            ),
            fact(l.text("case.about.language"), l.text("case.about.language_value")),
        ]);
        self.blocks.push(Block::Facts(facts));
        self.note(l.text("case.about.note"));
    }

    fn summary(&mut self) {
        let l = self.labels;
        let base = &self.report.base;
        self.section(l.text("case.section.summary"));
        let receipts_detail = match base.average_gift {
            Some(average) => l.fill(
                "case.summary.receipts_detail",
                &[
                    ("gifts", &count_text(base.gift_count)),
                    ("average", &self.amount(average)),
                    ("currency", &self.currency()),
                ],
            ),
            None => l.text("case.summary.receipts_detail_none").into(),
        };
        let net_detail = l.fill(
            "case.summary.net_detail",
            &[
                ("gross", &self.amount(base.gross_disbursed)),
                ("reversed", &self.amount(base.reversed)),
                ("returned", &self.amount(base.refund_in)),
            ],
        );
        self.blocks.push(Block::KeyFigures(vec![
            figure(l.text("case.summary.receipts"), receipts_detail, base.receipts),
            figure(l.text("case.summary.net"), net_detail, base.net_disbursed),
            figure(l.text("case.summary.refund"), l.text("case.summary.refund_detail"), base.refund_out),
            figure(l.text("case.summary.transfer"), l.text("case.summary.transfer_detail"), base.transfer_out),
            figure(l.text("case.summary.closing"), l.text("case.summary.closing_detail"), base.closing),
        ]));
        let rate = match base.use_rate_bp {
            Some(rate) => l.fill("case.summary.rate", &[("rate", &share_text(rate))]),
            None => l.text("case.summary.rate_none").into(),
        };
        self.paragraph(&rate);
        let identity = self.identity();
        self.paragraph(&identity);
    }

    /// The fund by its name, or by its id where the name could tell who is helped.
    fn fund(&self) -> String {
        let fund = &self.report.rows.fund;
        if self.report.rows.case.is_code_only() { fund.id.clone() } else { self.name(&fund.name_zh, &fund.name_en) }
    }

    /// A name in the language of the page.
    fn name(&self, zh: &str, en: &str) -> String {
        name(self.language, zh, en)
    }

    /// The balance line: every quantity that is not 0, with its sign, and the closing balance.
    fn identity(&self) -> String {
        let l = self.labels;
        let base = &self.report.base;
        let lower = |key: &str| match self.language {
            Language::Zh => l.text(key).to_owned(),
            Language::En => l.text(key).to_lowercase(),
        };
        let terms = [
            (lower("case.summary.receipts"), base.receipts, '+'),
            (l.text("case.summary.opening").into(), base.opening, '+'),
            (l.text("case.summary.other_income").into(), base.other_income, '+'),
            (l.text("case.summary.transfer_in").into(), base.transfer_in, '+'),
            (l.text("case.summary.refund_out").into(), base.refund_out, '−'),
            (lower("case.summary.net"), base.net_disbursed, '−'),
            (l.text("case.summary.fees").into(), base.fees, '−'),
            (l.text("case.summary.transfer_out").into(), base.transfer_out, '−'),
        ];
        let mut line = String::new();
        for (place, (name, minor, sign)) in terms.iter().enumerate() {
            if place > 0 && *minor == 0 {
                continue;
            }
            if !line.is_empty() {
                line += &format!(" {sign} ");
            }
            line += &format!("{name} {}", self.amount(*minor));
        }
        l.fill("case.summary.identity", &[("terms", &line), ("closing", &self.amount(base.closing))])
    }

    fn facts(&mut self) {
        let l = self.labels;
        let rows = &self.report.rows;
        let case = &rows.case;
        self.section(l.text("case.section.facts"));
        let classes: Vec<&str> =
            case.categories.iter().map(|category| l.text(&format!("case.class.{category}"))).collect();
        let closed_on = case.closed_on.map_or_else(|| l.text("case.facts.open").to_owned(), |day| day.to_string());
        let mut facts = vec![
            fact(l.text("case.facts.code"), &case.code),
            fact(l.text("case.facts.class"), classes.join(l.text("report.list_separator"))),
            fact(l.text("case.facts.place"), self.name(&case.region_city_zh, &case.region_city_en)),
            fact(l.text("case.facts.opened_on"), case.opened_on.to_string()),
            fact(l.text("case.facts.closed_on"), closed_on),
        ];
        facts.extend(case.approved_amount.map(|minor| {
            let value =
                l.fill("case.facts.approved_value", &[("amount", &self.amount(minor)), ("currency", &self.currency())]);
            fact(l.text("case.facts.approved"), value)
        }));
        if let Some(campaign) = &rows.campaign {
            let from = campaign.starts_on.to_string();
            let campaign_value = match campaign.ended_on {
                Some(ended_on) => l.fill(
                    "case.facts.campaign_value",
                    &[("code", &campaign.code), ("from", &from), ("to", &ended_on.to_string())],
                ),
                None => l.fill(
                    "case.facts.campaign_running",
                    &[("code", &campaign.code), ("from", &from), ("to", &campaign.planned_end.to_string())],
                ),
            };
            facts.push(fact(l.text("case.facts.campaign"), campaign_value));
            let days = campaign.filed_on.map(|day| (day.to_string(), campaign.starts_on.days_since(day).to_string()));
            let filing = match (&campaign.filing_no, &days) {
                (Some(number), Some((day, days))) => {
                    Some(l.fill("case.facts.filing_numbered", &[("number", number), ("filed_on", day), ("days", days)]))
                }
                (None, Some((day, days))) => {
                    Some(l.fill("case.facts.filing_value", &[("filed_on", day), ("days", days)]))
                }
                (Some(number), None) => Some(l.fill("case.facts.filing_number_only", &[("number", number)])),
                (None, None) => None,
            };
            facts.extend(filing.map(|value| fact(l.text("case.facts.filing"), value)));
        }
        if !case.is_code_only() {
            facts.push(fact(l.text("case.facts.fund"), self.fund()));
        }
        self.note(l.text("case.facts.masked"));
        self.blocks.push(Block::Facts(facts));
    }

    fn by_source(&mut self) {
        let l = self.labels;
        let base = &self.report.base;
        self.section(l.text("case.section.by_source"));
        if self.report.by_source.is_empty() {
            return self.paragraph(l.text("case.note.no_receipts"));
        }
        let rows = &self.report.by_source;
        self.blocks.push(Block::Table(Table {
            caption: self.caption(l.text("case.table.by_source")),
            columns: vec![
                words(l.text("column.source"), 1),
                number(l.text("column.gifts"), Carry::Sum),
                number(l.text("column.amount"), Carry::Sum),
                number(l.text("column.share"), Carry::Nothing),
            ],
            rows: rows
                .iter()
                .map(|row| {
                    let source = l.text(&format!("source.{}", row.source));
                    vec![
                        Cell::Text(source.into()),
                        Cell::Count(row.gifts),
                        Cell::Amount(row.amount),
                        share(row.share_bp),
                    ]
                })
                .collect(),
            total: Some(vec![
                self.total(),
                Cell::Count(base.gift_count),
                Cell::Amount(base.receipts),
                share(rows.iter().map(|row| row.share_bp).sum()),
            ]),
        }));
        self.note(l.text("case.note.receipts"));
    }

    fn by_day(&mut self) {
        let l = self.labels;
        let base = &self.report.base;
        self.section(l.text("case.section.by_day"));
        let days = &self.report.rows.receipts_by_day;
        if days.is_empty() {
            return self.paragraph(l.text("case.note.no_receipts"));
        }
        let row = |(row, cumulative): (&super::DayRow, &i64)| {
            vec![
                Cell::Text(row.day.to_string()),
                Cell::Count(row.gifts),
                Cell::Amount(row.amount),
                Cell::Amount(*cumulative),
            ]
        };
        self.blocks.push(Block::Table(Table {
            caption: self.caption(l.text("case.table.by_day")),
            columns: vec![
                words(l.text("column.day"), 1),
                number(l.text("column.gifts"), Carry::Sum),
                number(l.text("column.amount"), Carry::Sum),
                number(l.text("column.cumulative"), Carry::Last),
            ],
            rows: days.iter().zip(&self.report.cumulative_by_day).map(row).collect(),
            total: Some(vec![
                self.total(),
                Cell::Count(base.gift_count),
                Cell::Amount(base.receipts),
                Cell::Amount(base.receipts),
            ]),
        }));
    }

    fn by_use(&mut self) {
        let l = self.labels;
        let base = &self.report.base;
        self.section(l.text("case.section.by_use"));
        let rows = &self.report.by_use;
        if rows.is_empty() {
            return self.paragraph(l.text("case.note.no_use"));
        }
        self.blocks.push(Block::Table(Table {
            caption: self.caption(l.text("case.table.by_use")),
            columns: vec![
                words(l.text("column.use"), 1),
                number(l.text("column.gross"), Carry::Sum),
                number(l.text("column.reversed"), Carry::Sum),
                number(l.text("column.returned"), Carry::Sum),
                number(l.text("column.net"), Carry::Sum),
                number(l.text("column.share"), Carry::Nothing),
            ],
            rows: rows
                .iter()
                .map(|row| {
                    let amounts = [row.gross, row.reversed, row.returned, row.net].map(Cell::Amount);
                    let name = [Cell::Text(l.text(&format!("use.{}", row.use_)).into())];
                    name.into_iter().chain(amounts).chain([share(row.share_bp)]).collect()
                })
                .collect(),
            total: Some(vec![
                self.total(),
                Cell::Amount(base.gross_disbursed),
                Cell::Amount(base.reversed),
                Cell::Amount(base.refund_in),
                Cell::Amount(base.net_disbursed),
                share(rows.iter().map(|row| row.share_bp).sum()),
            ]),
        }));
        self.note(l.text("case.note.by_use"));
        let bars: Vec<(String, i64)> =
            rows.iter().map(|row| (l.text(&format!("use.{}", row.use_)).into(), row.net)).collect();
        let points: Vec<String> = bars
            .iter()
            .map(|(name, minor)| l.fill("case.chart.point", &[("label", name), ("value", &self.amount(*minor))]))
            .collect();
        let points = points.join(l.text("report.list_separator"));
        self.blocks.push(Block::Chart(Chart {
            shape: ChartShape::Bars(bars),
            caption: l.text("case.chart.by_use").into(),
            alternative: l
                .fill("case.chart.by_use_alternative", &[("currency", &self.currency()), ("points", &points)]),
        }));
    }

    fn lines(&mut self) {
        let l = self.labels;
        let base = &self.report.base;
        let lines = &self.report.rows.movements;
        self.section(l.text("case.section.lines"));
        if lines.is_empty() {
            return self.paragraph(l.text("case.note.no_lines"));
        }
        self.blocks.extend(self.balance_chart().map(Block::Chart));
        self.note(l.text("case.note.lines"));
        let moved = lines.iter().map(|line| line.amount).fold(0, i64::saturating_add);
        self.blocks.push(Block::Table(Table {
            caption: self.caption(l.text("case.table.lines")),
            columns: vec![
                number(l.text("column.seq"), Carry::Nothing),
                words(l.text("column.day"), 0),
                words(l.text("column.use"), 3),
                words(l.text("column.payee"), 0),
                number(l.text("column.amount"), Carry::Sum),
                number(l.text("column.balance"), Carry::Last),
                number(l.text("column.vouchers"), Carry::Sum),
                words(l.text("column.hash"), 0),
            ],
            rows: lines.iter().map(|line| self.line(line)).collect(),
            total: Some(vec![
                Cell::Empty,
                Cell::Empty,
                self.total(),
                Cell::Empty,
                Cell::Amount(moved),
                Cell::Amount(base.closing),
                Cell::Count(lines.iter().map(|line| line.vouchers).sum()),
                Cell::Empty,
            ]),
        }));
        if lines.last().is_some_and(|line| line.balance_after != base.closing) {
            self.note(l.text("case.note.lines_closing"));
        }
    }

    fn line(&self, line: &Line) -> Vec<Cell> {
        let l = self.labels;
        let use_ = line.use_.map(|use_| l.text(&format!("use.{use_}")));
        let what = match (line.kind, use_) {
            (LineKind::Paid | LineKind::Reversal | LineKind::Returned, Some(use_)) => {
                l.fill(&format!("line.{}", line.kind.as_str()), &[("use", use_)])
            }
            (LineKind::Reversal, None) => l.text("line.reversal_other").into(),
            (
                LineKind::Paid
                | LineKind::Returned
                | LineKind::TransferIn
                | LineKind::TransferOut
                | LineKind::Fee
                | LineKind::RefundToDonor
                | LineKind::OtherIncome,
                _,
            ) => l.text(&format!("line.{}", line.kind.as_str())).into(),
        };
        let payee = line.payee.map_or("report.none".into(), |payee| format!("payee.{payee}"));
        vec![
            Cell::Text(line.seq.to_string()),
            Cell::Text(line.on.to_string()),
            Cell::Text(what),
            Cell::Text(l.text(&payee).into()),
            Cell::Amount(line.amount),
            Cell::Amount(line.balance_after),
            Cell::Count(line.vouchers),
            Cell::Text(line.hash.short()),
        ]
    }

    /// The balance after the last movement of each day; no chart of a single day.
    fn balance_chart(&self) -> Option<Chart> {
        let l = self.labels;
        let mut steps: Vec<(Day, i64)> = Vec::new();
        for line in &self.report.rows.movements {
            match steps.last_mut() {
                Some((day, balance)) if *day == line.on => *balance = line.balance_after,
                Some(_) | None => steps.push((line.on, line.balance_after)),
            }
        }
        steps.sort_by_key(|(day, _)| *day);
        let ((first, _), (last, left)) = (*steps.first()?, *steps.last()?);
        let (low, high) = (steps.iter().map(|step| step.1).min()?, steps.iter().map(|step| step.1).max()?);
        (first != last).then(|| Chart {
            shape: ChartShape::StepLine(steps),
            caption: l.text("case.chart.balance").into(),
            alternative: l.fill(
                "case.chart.balance_alternative",
                &[
                    ("from", &first.to_string()),
                    ("to", &last.to_string()),
                    ("currency", &self.currency()),
                    ("high", &self.amount(high)),
                    ("low", &self.amount(low)),
                    ("last", &self.amount(left)),
                ],
            ),
        })
    }

    fn corrections(&mut self) {
        let l = self.labels;
        self.section(l.text("case.section.corrections"));
        let rows = &self.report.rows.corrections;
        if rows.is_empty() {
            return self.paragraph(l.text("case.note.no_corrections"));
        }
        self.blocks.push(Block::Table(Table {
            caption: self.caption(l.text("case.table.corrections")),
            columns: vec![
                number(l.text("column.target_seq"), Carry::Nothing),
                number(l.text("column.correction_seq"), Carry::Nothing),
                number(l.text("column.amount"), Carry::Nothing),
                words(l.text("column.reason"), 1),
                words(l.text("column.day"), 0),
            ],
            rows: rows
                .iter()
                .map(|row| {
                    let reason = l.text(&format!("reason.{}", row.reason));
                    vec![
                        Cell::Text(row.target_seq.to_string()),
                        Cell::Text(row.seq.to_string()),
                        Cell::Amount(row.amount),
                        Cell::Text(reason.into()),
                        Cell::Text(row.on.to_string()),
                    ]
                })
                .collect(),
            total: None,
        }));
        self.note(l.text("case.note.corrections"));
    }

    fn surplus(&mut self) {
        let l = self.labels;
        self.section(l.text("case.section.surplus"));
        let rows = &self.report.rows.surplus;
        if rows.is_empty() {
            let text = match (self.report.rows.case.closed_on, self.report.base.closing) {
                (None, _) => l.text("case.note.no_surplus_open").into(),
                (Some(_), 0) => l.text("case.note.no_surplus").into(),
                (Some(_), left) => {
                    let values = [("amount", &*self.amount(left)), ("currency", &*self.currency())];
                    l.fill("case.note.surplus_left", &values)
                }
            };
            return self.paragraph(&text);
        }
        let publish_by =
            self.report.surplus_due.map_or_else(|| l.text("report.none").to_owned(), |day| day.to_string());
        self.blocks.push(Block::Table(Table {
            caption: self.caption(l.text("case.table.surplus")),
            columns: vec![
                words(l.text("column.destination"), 2),
                words(l.text("column.basis"), 1),
                number(l.text("column.amount"), Carry::Sum),
                words(l.text("column.day"), 0),
                words(l.text("column.publish_by"), 0),
            ],
            rows: rows
                .iter()
                .map(|row| {
                    vec![
                        Cell::Text(self.name(&row.destination_zh, &row.destination_en)),
                        Cell::Text(l.text(&format!("basis.{}", row.basis)).into()),
                        Cell::Amount(row.amount),
                        Cell::Text(row.on.to_string()),
                        Cell::Text(publish_by.clone()),
                    ]
                })
                .collect(),
            total: (rows.len() > 1).then(|| {
                let sum = rows.iter().map(|row| row.amount).fold(0, i64::saturating_add);
                vec![self.total(), Cell::Empty, Cell::Amount(sum), Cell::Empty, Cell::Empty]
            }),
        }));
    }

    fn other_funding(&mut self) {
        let l = self.labels;
        let rows = &self.report.rows.other_funding;
        if rows.is_empty() {
            return;
        }
        self.section(l.text("case.section.other_funding"));
        self.note(l.text("case.note.other_funding"));
        self.blocks.push(Block::Table(Table {
            caption: self.caption(l.text("case.table.other_funding")),
            columns: vec![words(l.text("column.kind"), 1), number(l.text("column.amount"), Carry::Nothing)],
            rows: rows
                .iter()
                .map(|row| {
                    let amount =
                        row.amount.map_or_else(|| Cell::Text(l.text("case.note.withheld").into()), Cell::Amount);
                    vec![Cell::Text(self.name(&row.kind_zh, &row.kind_en)), amount]
                })
                .collect(),
            total: None,
        }));
    }

    fn deadlines(&mut self) {
        let l = self.labels;
        let duties = &self.report.duties;
        self.section(l.text("case.section.deadlines"));
        self.blocks.push(Block::Table(Table {
            caption: l.text("case.table.deadlines").into(),
            columns: vec![
                words(l.text("column.duty"), 4),
                words(l.text("column.source_of_law"), 4),
                words(l.text("column.trigger"), 0),
                words(l.text("column.due"), 0),
                words(l.text("column.state"), 2),
            ],
            rows: duties.iter().map(|duty| self.duty(duty)).collect(),
            total: None,
        }));
        let mut verified: Vec<_> = duties.iter().map(|duty| duty.rule.verified).collect();
        verified.sort_unstable();
        verified.dedup();
        let sources: Vec<String> = verified
            .iter()
            .map(|verified| {
                let of_kind = duties.iter().filter(|duty| duty.rule.verified == *verified);
                let laws: Vec<&str> = of_kind.map(|duty| self.law(duty)).collect();
                let how = l.text(&format!("deadline.verified_{}", verified.as_str()));
                format!("{}{}{how}", laws.join(l.text("report.list_separator")), l.text("report.colon"))
            })
            .collect();
        let cut_day = self.report.rows.cut.at.day(&self.report.rows.zone).to_string();
        let separator = self.language.choose("；", "; ");
        let note = l.fill("case.note.deadlines", &[("day", &cut_day), ("verified", &sources.join(separator))]);
        self.note(&note);
    }

    fn law(&self, duty: &Duty) -> &'static str {
        self.labels.text(&format!("deadline.{}", duty.rule.id.replace('.', "_")))
    }

    fn duty(&self, duty: &Duty) -> Vec<Cell> {
        let l = self.labels;
        let none = || l.text("report.none").to_owned();
        let state = match duty.due {
            None => l.text("deadline.open").into(),
            Some(due) if due.days_left == 0 => l.text("deadline.today").into(),
            Some(due) if due.days_left > 0 => l.fill("deadline.in_time", &[("days", &due.days_left.to_string())]),
            Some(due) => l.fill("deadline.past", &[("days", &due.days_left.unsigned_abs().to_string())]),
        };
        vec![
            Cell::Text(self.language.choose(&duty.rule.zh, &duty.rule.en).into()),
            Cell::Text(self.law(duty).into()),
            Cell::Text(duty.due.map_or_else(none, |due| due.trigger.to_string())),
            Cell::Text(duty.due.map_or_else(none, |due| due.on.to_string())),
            Cell::Text(state),
        ]
    }

    fn verification(&mut self) {
        let l = self.labels;
        self.section(l.text("case.section.verification"));
        let cut = &self.report.rows.cut;
        let range = l.fill(
            "verification.range_value",
            &[
                ("first", &count_text(cut.first_seq)),
                ("last", &count_text(cut.last_seq)),
                ("count", &count_text(cut.entry_count)),
            ],
        );
        let key = l.fill("verification.signature_key", &[("key", &cut.key_id)]);
        let address = self.report.verify_address();
        self.blocks.push(Block::Verification(Verification {
            how: l.text("verification.how").into(),
            lines: vec![
                fact(l.text("verification.ledger"), &self.report.rows.organisation.origin),
                fact(l.text("verification.range"), range),
                fact(l.text("verification.head"), cut.head.to_hex()),
                fact(l.text("verification.size"), count_text(cut.tree_size)),
                fact(l.text("verification.root"), cut.root.to_hex()),
                fact(l.text("verification.data"), self.report.data_hash().to_hex()),
                fact(l.text("verification.signature"), format!("{} ({key})", cut.checkpoint_signature_line)),
                fact(l.text("verification.qr"), &address),
                fact(l.text("verification.code"), short_code(self.report.data_hash())),
            ],
            address,
            caption: l.text("verification.qr_caption").into(),
        }));
    }

    fn section(&mut self, title: &str) {
        let numeral = self.labels.text("report.numerals").split(' ').nth(self.sections).unwrap_or_default();
        let text = self.labels.fill("report.heading", &[("numeral", numeral), ("title", title)]);
        self.blocks.push(Block::Heading { level: 1, text });
        self.sections += 1;
    }

    fn note(&mut self, text: &str) {
        self.blocks.push(Block::Note(text.into()));
    }

    fn paragraph(&mut self, text: &str) {
        self.blocks.push(Block::Paragraph(text.into()));
    }

    fn caption(&self, caption: &str) -> String {
        let currency = self.labels.fill("report.currency_note", &[("currency", &self.currency())]);
        self.labels.fill("report.caption", &[("caption", caption), ("currency", &currency)])
    }

    fn total(&self) -> Cell {
        Cell::Text(self.labels.text("report.total").into())
    }

    fn amount(&self, minor: i64) -> String {
        amount_text(minor, self.report.rows.unit)
    }

    fn currency(&self) -> String {
        self.labels.unit(self.report.rows.unit)
    }
}

/// A name in one language. The quotes of a Chinese font are as wide as a character: in English they are written straight.
fn name(language: Language, zh: &str, en: &str) -> String {
    match language {
        Language::Zh => zh.into(),
        Language::En => en.replace(['‘', '’'], "'").replace(['“', '”'], "\""),
    }
}

fn fact(name: &str, value: impl Into<String>) -> Fact {
    Fact { name: name.into(), value: value.into() }
}

fn figure(name: &str, detail: impl Into<String>, amount: i64) -> KeyFigure {
    KeyFigure { name: name.into(), detail: detail.into(), amount }
}

fn words(title: &str, weight: u16) -> Column {
    Column { title: title.into(), align: Align::Start, weight, carry: Carry::Nothing }
}

fn number(title: &str, carry: Carry) -> Column {
    Column { title: title.into(), align: Align::End, weight: 0, carry }
}

fn share(bp: Option<i64>) -> Cell {
    bp.map_or(Cell::Text("—".into()), Cell::Share)
}
