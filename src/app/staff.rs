//! Who may do what: admitted by an administrator, kept beside the log, known in entries by a random id only.

use super::opened::Opened;
use super::public_text;
use crate::domain::field_rule::FieldRule;
use crate::domain::refusal::Refusal;
use crate::domain::vocabulary::Role;
use crate::store::StoreError;
use crate::values::StaffId;

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum StaffError {
    /// A rule says no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A member of staff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The id in entries.
    pub id: StaffId,
    /// The name, kept here only.
    pub name: String,
    /// The roles.
    pub roles: Vec<Role>,
}

/// All members, in order of admission.
pub async fn members(opened: &Opened) -> Result<Vec<Member>, StoreError> {
    let roles = opened.store.roles(opened.row.ledger_id).await?;
    let staff = opened.store.staff(opened.row.ledger_id).await?;
    let member = |(id, name): (String, String)| {
        let of_them = roles.iter().filter(|(staff, _)| *staff == id).filter_map(|(_, role)| Role::parse(role).ok());
        let roles = of_them.collect();
        let id =
            StaffId::parse(&id).map_err(|error| StoreError::Damaged { table: "staff", what: error.to_string() })?;
        Ok(Member { id, name, roles })
    };
    staff.into_iter().map(member).collect()
}

/// The member with this id or name.
pub async fn member(opened: &Opened, wanted: &str) -> Result<Member, StaffError> {
    let found = members(opened).await?.into_iter().find(|known| known.id.as_str() == wanted || known.name == wanted);
    Ok(found.ok_or_else(|| Refusal::Unknown { what: "user", name: wanted.into() })?)
}

/// Refuses where somebody has none of these roles. Orders are judged by the ledger itself; this is for what stands beside it.
pub async fn require(opened: &Opened, staff: &StaffId, roles: &[Role]) -> Result<(), StaffError> {
    let known = members(opened).await?.into_iter().find(|known| known.id == *staff);
    if known.is_some_and(|known| known.roles.iter().any(|role| roles.contains(role))) {
        return Ok(());
    }
    let role = roles.first().map_or("admin", |role| role.as_str());
    Err(Refusal::RoleMissing { user: staff.to_string(), role }.into())
}

/// Admits a member.
pub async fn admit(opened: &Opened, by: &StaffId, fresh: &Member) -> Result<(), StaffError> {
    require(opened, by, &[Role::Admin]).await?;
    if public_text::commands_a_screen(&fresh.name) {
        return Err(Refusal::Field { field: "name", rule: FieldRule::TextControl }.into());
    }
    let known = members(opened).await?;
    // Entries of nobody are by `system`.
    if fresh.id.as_str() == "system" || known.iter().any(|known| known.id == fresh.id || known.name == fresh.name) {
        return Err(Refusal::Exists { what: "user", name: fresh.name.clone() }.into());
    }
    let ledger_id = opened.row.ledger_id;
    opened.store.put_staff(ledger_id, fresh.id.as_str(), &fresh.name).await?;
    for role in &fresh.roles {
        opened.store.put_role(ledger_id, fresh.id.as_str(), role.as_str()).await?;
    }
    Ok(())
}

/// Gives a role or takes it; somebody must stay administrator.
pub async fn set_role(opened: &Opened, by: &StaffId, who: &str, role: Role, has: bool) -> Result<Member, StaffError> {
    require(opened, by, &[Role::Admin]).await?;
    let found = member(opened, who).await?;
    let ledger_id = opened.row.ledger_id;
    if has {
        opened.store.put_role(ledger_id, found.id.as_str(), role.as_str()).await?;
        return Ok(found);
    }
    let is_admin = |known: &Member| known.id != found.id && known.roles.contains(&Role::Admin);
    if role == Role::Admin && !members(opened).await?.iter().any(is_admin) {
        return Err(Refusal::LastAdmin { user: found.name }.into());
    }
    opened.store.remove_role(ledger_id, found.id.as_str(), role.as_str()).await?;
    Ok(found)
}
