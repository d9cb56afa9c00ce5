//! `report`: rows of a case below a tree size → the report → its files → `report.published`.
//!
//! The same ledger gives the same bytes: where nothing about the case has changed since a report was published, that one is made
//! again at its own tree size, and nothing is posted.

use super::folder::{OpenError, frontier, last_at, put_file};
use super::keys::vkey_at;
use super::opened::Opened;
use super::writer::{Handle, Submission, WriteError};
use crate::domain::body::{BadBody, Body};
use crate::domain::campaign::{Campaign, CampaignStatus};
use crate::domain::case::{Case, CaseStatus};
use crate::domain::command::{Correction, Order};
use crate::domain::disbursement::{Disbursement, DisbursementStatus};
use crate::domain::disclosure::Published;
use crate::domain::donation::Donation;
use crate::domain::fund::Fund;
use crate::domain::organisation::Organisation;
use crate::domain::refusal::Refusal;
use crate::domain::terms::{self, Items, Sums, Terms};
use crate::domain::vocabulary::{PayeeClass, ReasonClass, Source, Use};
use crate::ledger::canonical::{Object, Value};
use crate::ledger::checkpoint::{Checkpoint, CheckpointError};
use crate::ledger::entry::Entry;
use crate::ledger::note::Note;
use crate::ledger::sum_tree::Item;
use crate::report::model::case::{
    CampaignRow, CaseReport, CaseRow, CaseRows, CorrectionRow, CutRow, DayRow, FundRow, Line, LineKind,
    OrganisationRow, OtherFundingRow, ReportRow, SourceRow, SurplusRow, case_report,
};
use crate::report::{Language, ReportError, pdf};
use crate::store::{Store, StoreError, StoredEntry};
use crate::values::{Day, FundId, Hash, LineName, StaffId, Timestamp, Unit, Zone};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file of the ledger.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Posting.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A rule says no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The numbers contradict each other, or the page cannot be drawn.
    #[error("the report cannot be made: {0}")]
    Report(#[from] ReportError),
    /// The stored checkpoint.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A file of the report.
    #[error("{} could not be written", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// A report that is published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedFiles {
    /// Its number, with its version.
    pub number: String,
    /// The files: PDF in Chinese, PDF in English, data.
    pub files: Vec<(PathBuf, Hash)>,
    /// The entry that says so.
    pub entry: u64,
    /// It had been published before; nothing was posted.
    pub repeated: bool,
}

/// What is wrong with a published report, so that a new version takes its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Correcting {
    /// The entry of the report.
    pub seq: u64,
    /// Why, for everybody to read.
    pub note: String,
}

/// Makes the report of a case, writes its files and posts `report.published`; with a correction also `report.corrected`.
pub async fn case(
    opened: &Opened,
    handle: &Handle,
    by: &StaffId,
    id: &str,
    out: &Path,
    correcting: Option<Correcting>,
) -> Result<PublishedFiles, PublishError> {
    handle.finish().await?;
    let row = opened.folder.find(&opened.store, Some(&opened.row.slug)).await?;
    let mut published = opened.states("report", Published::from_object).await?;
    published.retain(|report| report.case.as_str() == id);
    published.sort_by_key(|report| report.seq);
    let newest_of = |number: &str| {
        published.iter().filter(|report| report.number == number).map(|report| report.version).max().unwrap_or(0)
    };
    let corrected = correcting.as_ref().map(|correcting| {
        let found = published.iter().find(|report| report.seq == correcting.seq);
        found.ok_or_else(|| Refusal::Unknown { what: "report", name: correcting.seq.to_string() })
    });
    let corrected = corrected.transpose()?;
    let not_possible = |report: &Published, state| {
        let name = report.seq.to_string();
        PublishError::from(Refusal::StepNotPossible { what: "report", name, state, possible: &[] })
    };
    let now = at_size(opened, id, row.size, None).await?;
    if let Some(last) = corrected.or(published.last()) {
        let again = at_size(opened, id, last.size, Some((last.number.clone(), last.version))).await?;
        // The same figures as the last one has, of a log that has grown elsewhere: there is nothing new to say.
        let CaseRows { cut, report, .. } = again.report.rows.clone();
        let same = case_report(CaseRows { cut, report, ..now.report.rows.clone() })?;
        let is_same = again.report.data_hash() == last.data && same.data_hash() == last.data;
        if is_same && corrected.is_some() {
            return Err(not_possible(last, "the same as the ledger says now"));
        }
        if is_same {
            let files = again.write(out)?;
            return Ok(PublishedFiles { number: again.report.full_number(), files, entry: last.seq, repeated: true });
        }
    }
    if let Some(old) = corrected.filter(|old| old.version < newest_of(&old.number)) {
        return Err(not_possible(old, "not the newest version"));
    }
    let newest = published.iter().rev().find(|known| known.number == now.report.rows.report.number);
    if let Some(known) = newest.filter(|_| corrected.is_none()) {
        let number = format!("{}-v{}", known.number, known.version);
        return Err(Refusal::ReportIsPublished { number, seq: known.seq }.into());
    }
    let number = corrected.map_or_else(|| now.report.rows.report.number.clone(), |old| old.number.clone());
    let version = newest_of(&number) + 1;
    let fresh = now.numbered(number, version)?;
    let (number, version) = (fresh.report.rows.report.number.clone(), fresh.report.rows.report.version);
    let files = fresh.write(out)?;
    let integer = |n: u64| Value::Integer(i64::try_from(n).expect("counts stay far below 2^53"));
    let hash_of = |place: usize| files.get(place).map(|(_, hash)| hash.to_hex()).unwrap_or_default();
    let body = Object::new()
        .text("report", number)
        .text("type", "CASE")
        .with("version", integer(version.into()))
        .text("case", id.to_owned())
        .with("size", integer(row.size))
        .text("pdf_zh", hash_of(0))
        .text("pdf_en", hash_of(1))
        .text("data", fresh.report.data_hash().to_hex())
        .with("terms", Value::Array(fresh.stated));
    let corrects = correcting.map(|Correcting { seq, note }| Correction { corrects: seq, note });
    let submission = Submission::bare(by, Order::PublishReport { body, corrects });
    let accepted = handle.post(vec![submission]).await?.into_iter().next().expect("one answer for one command")?;
    Ok(PublishedFiles { number: fresh.report.full_number(), files, entry: accepted.seq, repeated: false })
}

/// What differs between two published reports, row by row: where it stands in their data, and what stands there in each.
pub async fn changes(
    opened: &Opened,
    (before, after): (&Published, &Published),
) -> Result<Vec<(String, Option<String>, Option<String>)>, PublishError> {
    let mut rows: BTreeMap<String, (Option<String>, Option<String>)> = BTreeMap::new();
    for (place, report) in [before, after].into_iter().enumerate() {
        let (data, _) = file(opened, report, 2).await?;
        let data = Value::parse(&data).map_err(|error| damaged(error.to_string()))?;
        let mut flat = BTreeMap::new();
        flatten(String::new(), &data, &mut flat);
        for (path, text) in flat {
            let row = rows.entry(path).or_default();
            if place == 0 { row.0 = Some(text) } else { row.1 = Some(text) }
        }
    }
    // Where each was cut, and which version it is, always differs.
    let is_figure = |path: &str| !path.starts_with("/cut/") && path != "/version" && !path.starts_with("/report/");
    let changed = rows.into_iter().filter(|(path, (before, after))| before != after && is_figure(path));
    Ok(changed.map(|(path, (before, after))| (path, before, after)).collect())
}

/// Every value of a document under its path.
fn flatten(path: String, value: &Value<'_>, into: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(object) => object.iter().for_each(|(key, value)| flatten(format!("{path}/{key}"), value, into)),
        Value::Array(values) => {
            for (place, value) in values.iter().enumerate() {
                // A row is called by what it is about, so that one that is put between others moves none.
                let named = value.as_object().and_then(|row| {
                    let key = ["seq", "day", "source", "use", "id"].into_iter().find_map(|key| row.get(key))?;
                    key.as_text().map(str::to_owned).or_else(|| key.as_integer().map(|number| number.to_string()))
                });
                let name = named.unwrap_or_else(|| format!("{:03}", place + 1));
                flatten(format!("{path}/{name}"), value, into);
            }
        }
        Value::Text(text) => drop(into.insert(path, text.to_string())),
        Value::Integer(number) => drop(into.insert(path, number.to_string())),
        Value::Bool(is) => drop(into.insert(path, is.to_string())),
    }
}

/// A report with the terms of its totals.
pub struct Made {
    /// The report.
    pub report: CaseReport,
    stated: Vec<Value<'static>>,
    /// Its totals, each with its items.
    pub terms: Terms,
}

impl Made {
    /// Whether an entry states the totals and the data that the ledger has.
    pub fn is_stated_by(&self, entry: &Entry<'_>) -> bool {
        let stated = entry.body.get("data").and_then(Value::as_text).and_then(Hash::from_hex);
        stated == Some(self.report.data_hash()) && entry.body.get("terms") == Some(&Value::Array(self.stated.clone()))
    }

    /// The same report under another number or as another version.
    fn numbered(self, number: String, version: u64) -> Result<Self, ReportError> {
        let rows = self.report.rows;
        let report = ReportRow { number, version: version_of(version), ..rows.report };
        Ok(Self { report: case_report(CaseRows { report, ..rows })?, ..self })
    }

    /// The bytes of both languages and of the data, in the order of [`Published::file_names`].
    fn files(&self) -> Result<[Vec<u8>; 3], ReportError> {
        let in_language = |language| pdf::render(&self.report.document(language));
        Ok([in_language(Language::Zh)?, in_language(Language::En)?, self.report.data().to_vec()])
    }

    /// Writes both languages and the data; each file is complete or not there.
    fn write(&self, out: &Path) -> Result<Vec<(PathBuf, Hash)>, PublishError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source: io::Error| PublishError::File { path, source }
        };
        let mut files = Vec::new();
        for (name, bytes) in Published::names_of(&self.report.full_number()).into_iter().zip(self.files()?) {
            let path = out.join(name);
            put_file(&path, &bytes).map_err(failed(&path))?;
            files.push((path, Hash::of(&[&bytes])));
        }
        Ok(files)
    }
}

/// A file of a published report, by its place in [`Published::file_names`], with the hash that its entry states. Where the file that
/// was written is gone or is not the one that was published, it is made again: the same ledger gives the same bytes.
pub async fn file(opened: &Opened, known: &Published, place: usize) -> Result<(Vec<u8>, Hash), PublishError> {
    let bytes = opened.store.entry(opened.row.ledger_id, known.seq).await?.unwrap_or_default();
    let entry = Entry::parse(&bytes).map_err(|error| damaged(error.to_string()))?;
    let body = Body(&entry.body);
    let stated = ["pdf_zh", "pdf_en", "data"].get(place).and_then(|member| body.optional_text(member));
    let stated = stated.and_then(Hash::from_hex).ok_or_else(|| damaged("its hash is missing".into()))?;
    let path = opened.folder.path().join("reports").join(&known.file_names()[place]);
    if let Ok(bytes) = std::fs::read(path)
        && Hash::of(&[&bytes]) == stated
    {
        return Ok((bytes, stated));
    }
    let again = at_size(opened, known.case.as_str(), known.size, Some((known.number.clone(), known.version))).await?;
    match again.files()?.into_iter().nth(place) {
        Some(made) if Hash::of(&[&made]) == stated => Ok((made, stated)),
        _ => Err(damaged(format!("report {} cannot be made again as it was published", known.number)).into()),
    }
}

fn damaged(what: String) -> StoreError {
    StoreError::Damaged { table: "report", what }
}

/// The state of a thing that must exist.
async fn subject<T>(
    opened: &Opened,
    area: &'static str,
    id: &str,
    read: fn(&Object<'_>) -> Result<T, BadBody>,
) -> Result<T, PublishError> {
    let found = opened.state(area, id, read).await?;
    Ok(found.ok_or_else(|| Refusal::Unknown { what: area, name: id.into() })?)
}

/// The report of a case from the entries below a tree size.
pub async fn at_size(
    opened: &Opened,
    id: &str,
    size: u64,
    numbered: Option<(String, u64)>,
) -> Result<Made, PublishError> {
    let case: Case = subject(opened, "case", id, Case::from_object).await?;
    let fund: Fund = subject(opened, "fund", case.fund.as_str(), Fund::from_object).await?;
    let organisation: Organisation = subject(opened, "organisation", "", Organisation::from_object).await?;
    let zone = Zone::parse(&organisation.time_zone).unwrap_or_else(|_| Zone::shanghai());
    let lines = opened.store.lines(opened.row.ledger_id).await?;
    let names = lines.iter().filter_map(|(_, name)| LineName::parse(name));
    let unit = terms::unit_of(names.filter(|name| name.fund == case.fund).map(|name| name.unit));
    let entries =
        entries_of(&opened.store, opened.row.ledger_id, &lines, &LineName { fund: case.fund.clone(), unit }, size)
            .await?;
    let cut = cut(opened, &organisation, size, &entries).await?;
    let mut rows = Movements::new(case.fund.clone(), unit);
    for stored in &entries {
        rows.follow(opened, stored).await?;
    }
    let campaign = campaign_of(opened, &case.fund).await?;
    let (closed_on, limit) = match &case.status {
        CaseStatus::Closed { on, limit } => (Some(*on), *limit),
        CaseStatus::Approved { limit } => (None, *limit),
        CaseStatus::Opened | CaseStatus::Assessed { .. } | CaseStatus::Declined => (None, None),
    };
    let upper = |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_uppercase();
    let org_code = upper(&opened.row.slug);
    let (number, version) = numbered.unwrap_or_else(|| {
        let day = closed_on.unwrap_or_else(|| cut.at.day(&zone)).to_string().replace('-', "");
        (format!("CASE-{org_code}-{}-{day}", upper(case.case.as_str())), 1)
    });
    let terms = terms::totals(rows.items).map_err(|error| damaged(error.to_string()))?;
    let stated = terms::stated(&terms).map_err(|error| damaged(error.to_string()))?;
    let other_funding = other_funding(opened, &case, unit, size).await?;
    let report = case_report(CaseRows {
        organisation: OrganisationRow {
            name_zh: organisation.name_zh,
            name_en: organisation.name_en,
            uscc: organisation.uscc,
            code: org_code,
            origin: opened.row.origin.clone(),
            fundraising_certificate: None,
        },
        zone,
        unit,
        case: CaseRow {
            code: case.case.to_string(),
            categories: case.categories,
            region_city_zh: case.region_zh,
            region_city_en: case.region_en,
            opened_on: case.opened_on,
            closed_on,
            approved_amount: limit.map(crate::values::Amount::minor),
        },
        campaign,
        fund: FundRow {
            id: fund.fund.to_string(),
            name_zh: fund.name_zh,
            name_en: fund.name_en,
            fund_type: fund.fund_type.to_string(),
        },
        cut,
        opening: 0,
        receipts_by_source: rows
            .by_source
            .iter()
            .map(|(source, (gifts, amount))| SourceRow { source: *source, gifts: *gifts, amount: *amount })
            .collect(),
        receipts_by_day: rows
            .by_day
            .iter()
            .map(|(day, (gifts, amount))| DayRow { day: *day, gifts: *gifts, amount: *amount })
            .collect(),
        other_income: 0,
        refund_out: rows.refund_out,
        fees: rows.fees,
        transfer_in: rows.transfer_in,
        transfer_out: rows.transfer_out,
        movements: rows.movements,
        corrections: rows.corrections,
        surplus: rows.surplus,
        other_funding,
        ledger_balance: rows.balance,
        report: ReportRow { number, version: version_of(version), item_id: format!("{}/{id}", opened.row.slug) },
    })?;
    Ok(Made { report, stated, terms })
}

fn version_of(version: u64) -> u32 {
    u32::try_from(version).expect("versions are few")
}

async fn entries_of(
    store: &Store,
    ledger_id: i64,
    lines: &[(i64, String)],
    name: &LineName,
    size: u64,
) -> Result<Vec<StoredEntry>, StoreError> {
    const PAGE: u32 = 5_000;
    let id_of = |wanted: String| lines.iter().find(|(_, known)| *known == wanted).map(|(id, _)| *id);
    let fee = LineName { fund: name.fund.fee(), unit: name.unit };
    let ids = match (id_of(name.to_string()), id_of(fee.to_string())) {
        (Some(own), Some(fee)) => (own, fee),
        (Some(only), None) | (None, Some(only)) => (only, only),
        (None, None) => return Ok(Vec::new()),
    };
    let (mut entries, mut from) = (Vec::new(), 0);
    loop {
        let page = store.entries_of_lines(ledger_id, ids, from, size, PAGE).await?;
        let Some(last) = page.last() else { return Ok(entries) };
        from = u64::try_from(last.seq).unwrap_or(u64::MAX - 1) + 1;
        entries.extend(page);
    }
}

/// Where the report is cut, with the log's signature there.
async fn cut(
    opened: &Opened,
    organisation: &Organisation,
    size: u64,
    entries: &[StoredEntry],
) -> Result<CutRow, PublishError> {
    let ledger_id = opened.row.ledger_id;
    let vkey = vkey_at(organisation, size)?;
    let note = match opened.store.checkpoint(ledger_id, size).await? {
        Some(note) => note,
        None => {
            let row = opened.folder.find(&opened.store, Some(&opened.row.slug)).await?;
            let root = if row.size == size {
                frontier(&row)?.root()
            } else {
                super::folder::root_at(&opened.store, ledger_id, size).await?
            };
            let keys = opened.folder.keys(&opened.keys.log.origin).map_err(PublishError::from)?;
            let key = keys.of(&vkey.to_string());
            let gone = || {
                damaged(format!("no checkpoint is kept of its {size} entries, and the key that signed then is gone"))
            };
            key.ok_or_else(gone)?.checkpoint(size, root).to_string()
        }
    };
    let parsed = Note::parse(note.as_bytes()).map_err(CheckpointError::from)?;
    let checkpoint = Checkpoint::parse(&parsed.text)?;
    let by_key = parsed.signatures.iter().find(|line| line.key_id == vkey.id());
    let signature = by_key.map(ToString::to_string).unwrap_or_default();
    let last = opened.store.entries(ledger_id, size.saturating_sub(1), 1).await?;
    let missing =
        || StoreError::Damaged { table: "entry", what: format!("entry {} is missing", size.saturating_sub(1)) };
    let last = last.first().ok_or_else(missing)?;
    let at = Entry::parse(&last.bytes).map_or_else(|_| last_at(&opened.row), |entry| Some(entry.at));
    let seq_of = |stored: Option<&StoredEntry>| stored.and_then(|stored| u64::try_from(stored.seq).ok()).unwrap_or(0);
    Ok(CutRow {
        tree_size: size,
        at: at.or_else(|| Timestamp::from_millis(0)).expect("the epoch is a time"),
        head: Hash::from_slice(&last.leaf).ok_or_else(missing)?,
        root: checkpoint.root,
        checkpoint_signature_line: signature,
        key_id: hex::encode(vkey.id()),
        first_seq: seq_of(entries.first()),
        last_seq: seq_of(entries.last()),
        entry_count: u64::try_from(entries.len()).expect("a count"),
    })
}

async fn campaign_of(opened: &Opened, fund: &FundId) -> Result<Option<CampaignRow>, PublishError> {
    for campaign in opened.states("campaign", Campaign::from_object).await? {
        if campaign.fund == *fund {
            let (starts_on, ended_on) = match campaign.status {
                CampaignStatus::Filed => (campaign.starts_on, None),
                CampaignStatus::Opened { on } => (on, None),
                CampaignStatus::Ended { opened_on, on } => (opened_on, Some(on)),
            };
            return Ok(Some(CampaignRow {
                code: campaign.campaign.to_string(),
                filing_no: campaign.filing_no,
                filed_on: Some(campaign.filed_on),
                starts_on,
                ended_on,
                planned_end: campaign.ends_on,
            }));
        }
    }
    Ok(None)
}

/// What other funds of this organisation paid for the case: known, and in none of the totals of the case's own fund.
async fn other_funding(
    opened: &Opened,
    case: &Case,
    unit: Unit,
    size: u64,
) -> Result<Vec<OtherFundingRow>, PublishError> {
    let mut by_fund: BTreeMap<FundId, Option<i64>> = BTreeMap::new();
    for payment in opened.states("disbursement", Disbursement::from_object).await? {
        let DisbursementStatus::Paid { paid, returned, .. } = payment.status else { continue };
        if payment.case != case.case || payment.fund == case.fund || paid >= size {
            continue;
        }
        let sum = by_fund.entry(payment.fund).or_insert(Some(0));
        // Amounts in another currency do not add up; the row then says that there was money, and not how much.
        *sum = sum.filter(|_| payment.amount.unit() == unit).map(|sum| sum + payment.amount.minor() - returned);
    }
    let mut rows = Vec::new();
    for (id, amount) in by_fund {
        let fund: Fund = subject(opened, "fund", id.as_str(), Fund::from_object).await?;
        rows.push(OtherFundingRow {
            kind_zh: format!("本机构另一基金：{}", fund.name_zh),
            kind_en: format!("Another fund of this organisation: {}", fund.name_en),
            amount,
        });
    }
    Ok(rows)
}

/// The quantities of a case report, entry by entry.
struct Movements {
    fund: FundId,
    unit: Unit,
    balance: i64,
    by_source: BTreeMap<Source, (u64, i64)>,
    by_day: BTreeMap<Day, (u64, i64)>,
    refund_out: i64,
    fees: i64,
    transfer_in: i64,
    transfer_out: i64,
    movements: Vec<Line>,
    corrections: Vec<CorrectionRow>,
    surplus: Vec<SurplusRow>,
    items: Items,
}

impl Movements {
    fn new(fund: FundId, unit: Unit) -> Self {
        Self {
            fund,
            unit,
            balance: 0,
            by_source: BTreeMap::new(),
            by_day: BTreeMap::new(),
            refund_out: 0,
            fees: 0,
            transfer_in: 0,
            transfer_out: 0,
            movements: Vec::new(),
            corrections: Vec::new(),
            surplus: Vec::new(),
            items: BTreeMap::new(),
        }
    }

    async fn follow(&mut self, opened: &Opened, stored: &StoredEntry) -> Result<(), PublishError> {
        let damaged = |what: String| StoreError::Damaged { table: "entry", what };
        let entry = Entry::parse(&stored.bytes).map_err(|error| damaged(error.to_string()))?;
        let leaf = Hash::from_slice(&stored.leaf).ok_or_else(|| damaged(format!("the leaf of entry {}", entry.seq)))?;
        let body = Body(&entry.body);
        let sums = Sums::of(&entry, &self.fund, self.unit).map_err(|error| damaged(error.to_string()))?;
        if let Some((term, amount)) = terms::item_of(&entry, &sums) {
            self.items.entry(term).or_default().push(Item { item: leaf, amount });
        }
        let on = body.day("on").map_err(|error| damaged(error.to_string()))?;
        let word = |member: &str| body.optional_text(member).unwrap_or_default();
        let use_ = Use::parse(word("use")).ok();
        let payee = PayeeClass::parse(word("payee_class")).ok();
        let reason = ReasonClass::parse(word("reason")).unwrap_or(ReasonClass::Other);
        let vouchers = body.optional_count("vouchers").ok().flatten().unwrap_or(0);
        let mut line = Line {
            seq: entry.seq,
            on,
            kind: LineKind::Paid,
            use_,
            payee,
            amount: 0,
            balance_after: 0,
            vouchers,
            hash: leaf,
        };
        match entry.kind.as_ref() {
            "donation.received" => {
                let gift = Donation::from_entry(&entry).map_err(|error| damaged(error.to_string()))?;
                let gift = gift.ok_or_else(|| damaged(format!("entry {}", entry.seq)))?;
                self.receive(gift.source, gift.on, gift.gift_count, sums.inflow, true);
                self.fees += sums.fee_out;
                self.balance += sums.inflow - sums.fee_out;
                return Ok(());
            }
            "disbursement.paid" => {
                line.amount = -sums.outflow;
            }
            "disbursement.returned" => {
                (line.kind, line.amount) = (LineKind::Returned, sums.freed);
                let target_seq = body.optional_count("paid").ok().flatten().unwrap_or(0);
                self.corrections.push(CorrectionRow {
                    target_seq,
                    seq: entry.seq,
                    amount: sums.freed,
                    reason: ReasonClass::ReturnedByPayee,
                    on,
                });
            }
            "donation.refunded" => {
                let effect = -sums.voided + sums.fee_freed - sums.outflow;
                (line.kind, line.amount, line.use_, line.payee) = (LineKind::RefundToDonor, effect, None, None);
                self.refund_out += sums.voided;
                self.fees += sums.outflow - sums.fee_freed;
            }
            "fund.transferred" if sums.inflow > 0 => {
                (line.kind, line.amount, line.use_) = (LineKind::TransferIn, sums.inflow, None);
                self.transfer_in += sums.inflow;
            }
            "fund.transferred" => {
                (line.kind, line.amount, line.use_) = (LineKind::TransferOut, -sums.outflow, None);
                self.transfer_out += sums.outflow;
                if let (Ok(basis), Some(to)) = (word("basis").parse(), &sums.other_line) {
                    let target: Fund = subject(opened, "fund", to.fund.as_str(), Fund::from_object).await?;
                    self.surplus.push(SurplusRow {
                        destination_zh: target.name_zh,
                        destination_en: target.name_en,
                        basis,
                        amount: sums.outflow,
                        on,
                    });
                }
            }
            "entry.reversed" => {
                let target_seq = body.count("target").map_err(|error| damaged(error.to_string()))?;
                line.kind = LineKind::Reversal;
                match word("target_kind") {
                    "disbursement.paid" => {
                        line.amount = sums.freed;
                    }
                    "donation.received" => {
                        let bytes = opened.store.known_entry(opened.row.ledger_id, target_seq).await?;
                        let target = Entry::parse(&bytes).map_err(|error| damaged(error.to_string()))?;
                        let gift = Donation::from_entry(&target).map_err(|error| damaged(error.to_string()))?;
                        let gift = gift.ok_or_else(|| damaged(format!("entry {target_seq}")))?;
                        self.receive(gift.source, gift.on, gift.gift_count, -sums.voided, false);
                        self.fees -= sums.fee_freed;
                        line.amount = sums.fee_freed - sums.voided;
                        (line.use_, line.payee) = (None, None);
                    }
                    "fund.transferred" => {
                        (line.use_, line.payee) = (None, None);
                        line.amount = sums.freed - sums.voided;
                        self.transfer_out -= sums.freed;
                        self.transfer_in -= sums.voided;
                        self.surplus.retain(|row| row.on > on || row.amount != sums.freed);
                    }
                    _ => return Ok(()),
                }
                let amount = line.amount;
                self.corrections.push(CorrectionRow { target_seq, seq: entry.seq, amount, reason, on });
            }
            // Held and withdrawn money stays in the fund.
            _ => return Ok(()),
        }
        self.balance += line.amount;
        line.balance_after = self.balance;
        self.movements.push(line);
        Ok(())
    }

    fn receive(&mut self, source: Source, on: Day, gifts: u64, amount: i64, adds: bool) {
        let change = |(known, sum): &mut (u64, i64)| {
            *known = if adds { *known + gifts } else { known.saturating_sub(gifts) };
            *sum += amount;
        };
        change(self.by_source.entry(source).or_default());
        change(self.by_day.entry(on).or_default());
    }
}
