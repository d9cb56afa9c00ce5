//! Case transparency report 急难救助个案资金公开报告. 慈善法 第四十二、七十二、七十七、七十九、八十、八十二条.

mod facts;
mod figures;
mod page;
mod rows;

pub use figures::{Base, CaseReport, DueDay, Duty, SourceShare, UseShare, case_report};
pub use rows::{
    CampaignRow, CaseRow, CaseRows, CorrectionRow, CutRow, DayRow, FundRow, Line, LineKind, OrganisationRow,
    OtherFundingRow, ReportRow, SourceRow, SurplusRow,
};
