//! Rows of entries and of the states that follow from them.

use crate::domain::correction::Reversal;
use crate::domain::disclosure::Published;
use crate::domain::receipt::{Certificate, Series};
use crate::domain::working_set::{Area, WorkingSet};
use crate::domain::{
    campaign::Campaign, case::Case, disbursement::Disbursement, fund::Account, fund::Fund, organisation::Organisation,
};
use crate::ledger::canonical::Value;
use crate::ledger::entry::Entry;
use crate::store::{SpanRow, StoreError, SubjectRow};
use crate::values::{LineName, Span};

/// The posts of an entry that is in the log: op, line, positions.
pub(in crate::app) fn posted<'e>(
    entry: &'e Entry<'_>,
) -> impl Iterator<Item = Result<(&'e str, LineName, Span), StoreError>> {
    entry.post.iter().map(|post| {
        let damaged = || StoreError::Damaged { table: "entry", what: format!("a post of entry {}", entry.seq) };
        let name = LineName::parse(&post.line).ok_or_else(damaged)?;
        let (from, to) = (u64::try_from(post.from), u64::try_from(post.to));
        let span = from.ok().zip(to.ok()).and_then(|(from, to)| Span::new(from, to)).ok_or_else(damaged)?;
        Ok((post.op.as_ref(), name, span))
    })
}

/// The rows of an entry's posts.
pub(in crate::app) fn span_rows(entry: &Entry<'_>, mut line_id: impl FnMut(&str) -> i64) -> Vec<SpanRow> {
    let mut rows = Vec::with_capacity(entry.post.len());
    for (place, post) in (0..).zip(&entry.post) {
        let (from, to) = (u64::try_from(post.from), u64::try_from(post.to));
        let span =
            from.ok().zip(to.ok()).and_then(|(from, to)| Span::new(from, to)).expect("the book has accepted this post");
        let op = match post.op.as_ref() {
            "in" => 0,
            "hold" => 1,
            "out" => 2,
            "free" => 3,
            _ => 4,
        };
        rows.push(SpanRow {
            line_id: line_id(&post.line),
            op,
            span,
            seq: entry.seq,
            place,
            of_seq: post.of.unwrap_or(-1),
        });
    }
    rows
}

/// The row of a thing's current state.
pub(in crate::app) fn subject_row(set: &WorkingSet, area: Area, id: &str) -> Option<SubjectRow> {
    let object = match area {
        Area::Organisation => set.organisation.get(id)?.as_ref()?.to_object(),
        Area::Account => set.accounts.get(id)?.as_ref()?.to_object(),
        Area::Fund => set.funds.get(id)?.as_ref()?.to_object(),
        Area::Campaign => set.campaigns.get(id)?.as_ref()?.to_object(),
        Area::Case => set.cases.get(id)?.as_ref()?.to_object(),
        Area::Disbursement => set.disbursements.get(id)?.as_ref()?.to_object(),
        Area::Report => set.reports.get(id)?.as_ref()?.to_object(),
        Area::Reversal => set.reversals.get(id)?.as_ref()?.to_object(),
        Area::Certificate => set.certificates.get(id)?.as_ref()?.to_object(),
        Area::Series => set.series.get(id)?.as_ref()?.to_object(),
    };
    let doc = object.to_bytes().expect("a state holds only what entries hold");
    Some(SubjectRow { area: area.as_str(), id: id.into(), doc })
}

/// Puts a stored state, or its absence, into the working set.
pub(in crate::app) fn know_subject(
    set: &mut WorkingSet,
    area: Area,
    id: &str,
    doc: Option<&[u8]>,
) -> Result<(), StoreError> {
    let damaged = |what: String| StoreError::Damaged { table: "subject", what };
    let value = doc.map(Value::parse).transpose().map_err(|error| damaged(error.to_string()))?;
    let object = value.as_ref().and_then(Value::as_object);
    let id = id.to_owned();
    macro_rules! know {
        ($field:ident, $type:ty) => {{
            let state = object.map(<$type>::from_object).transpose().map_err(|error| damaged(error.to_string()))?;
            set.$field.insert(id, state);
        }};
    }
    match area {
        Area::Organisation => know!(organisation, Organisation),
        Area::Account => know!(accounts, Account),
        Area::Fund => know!(funds, Fund),
        Area::Campaign => know!(campaigns, Campaign),
        Area::Case => know!(cases, Case),
        Area::Disbursement => know!(disbursements, Disbursement),
        Area::Report => know!(reports, Published),
        Area::Reversal => know!(reversals, Reversal),
        Area::Certificate => know!(certificates, Certificate),
        Area::Series => know!(series, Series),
    }
    Ok(())
}
