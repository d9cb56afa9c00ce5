//! Signed messages: payment channels that post gifts, and subscriptions that are told of entries.

use super::opened::Opened;
use super::staff::{self, StaffError};
use crate::domain::fund::{Account, Fund};
use crate::domain::refusal::Refusal;
use crate::domain::vocabulary::Role;
use crate::store::{ChannelRow, SubscriptionRow};
use crate::values::StaffId;
use crate::vault::webhook::Secret;

/// The channel of a name.
pub async fn channel(opened: &Opened, name: &str) -> Result<ChannelRow, StaffError> {
    let found = opened.store.channels(opened.row.ledger_id).await?.into_iter().find(|known| known.name == name);
    Ok(found.ok_or_else(|| Refusal::Unknown { what: "channel", name: name.into() })?)
}

/// Admits a channel for an admin, and gives its secret, which is shown once.
pub async fn admit_channel(opened: &Opened, channel: &ChannelRow) -> Result<Secret, StaffError> {
    if opened.store.channels(opened.row.ledger_id).await?.iter().any(|known| known.name == channel.name) {
        return Err(Refusal::Exists { what: "channel", name: channel.name.clone() }.into());
    }
    let unknown = |what, name: &str| Refusal::Unknown { what, name: name.into() };
    let fund = opened.state("fund", &channel.fund, Fund::from_object).await?;
    let fund = fund.ok_or_else(|| unknown("fund", &channel.fund))?;
    let account = opened.state("account", &channel.account, Account::from_object).await?;
    account.ok_or_else(|| unknown("account", &channel.account))?.may_feed(&fund.fund)?;
    // Its gifts are recorded in somebody's name, who must be allowed to.
    let clerk = StaffId::parse(&channel.staff_id).map_err(|_| unknown("user", &channel.staff_id))?;
    staff::require(opened, &clerk, &[Role::Clerk]).await?;
    opened.store.put_channel(opened.row.ledger_id, channel).await?;
    Ok(opened.keys.vault.webhook_secret(&channel.secret_id))
}

/// Removes a channel; what it sends from now on is not taken.
pub async fn remove_channel(opened: &Opened, by: &StaffId, name: &str) -> Result<(), StaffError> {
    staff::require(opened, by, &[Role::Admin]).await?;
    channel(opened, name).await?;
    Ok(opened.store.remove_channel(opened.row.ledger_id, name).await?)
}

/// Begins a subscription and gives its secret, which is shown once.
pub async fn subscribe(opened: &Opened, by: &StaffId, fresh: &SubscriptionRow) -> Result<Secret, StaffError> {
    staff::require(opened, by, &[Role::Admin]).await?;
    opened.store.put_subscription(opened.row.ledger_id, fresh).await?;
    Ok(opened.keys.vault.webhook_secret(&fresh.secret_id))
}

/// Ends a subscription.
pub async fn unsubscribe(opened: &Opened, by: &StaffId, id: &str) -> Result<(), StaffError> {
    staff::require(opened, by, &[Role::Admin]).await?;
    let known = opened.store.subscriptions(opened.row.ledger_id).await?;
    if !known.iter().any(|known| known.secret_id == id) {
        return Err(Refusal::Unknown { what: "subscription", name: id.into() }.into());
    }
    Ok(opened.store.remove_subscription(opened.row.ledger_id, id).await?)
}
