//! `user`: who may do what.

use super::session::{Failure, Session};
use crate::app::token::{self, Scope};
use crate::domain::refusal::Refusal;
use crate::domain::vocabulary::Role;
use crate::store::StoreError;
use crate::values::{StaffId, Timestamp};

/// Users and their roles
#[derive(Debug, clap::Subcommand)]
pub(super) enum User {
    /// Admit a user
    Add {
        /// Name, kept here only, never in the ledger
        name: String,
        /// Roles, as clerk,checker
        #[arg(long, value_delimiter = ',', required = true)]
        role: Vec<Role>,
        /// Id that stands in entries; random where not given
        #[arg(long)]
        id: Option<StaffId>,
    },
    /// Give a role, or take it
    Role {
        /// The user, by id or name
        user: String,
        /// The role
        role: Role,
        /// Take it instead
        #[arg(long)]
        remove: bool,
    },
    /// Make a token for a program that acts as this user over HTTP; shown once
    Token {
        /// The user, by id or name
        user: String,
        /// all, or donations for recording gifts only
        #[arg(long, default_value = "all")]
        scope: Scope,
        /// Days until it ends
        #[arg(long, default_value_t = 90)]
        days: u16,
    },
    /// All users
    List,
}

impl User {
    /// Runs it.
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let opened = session.open().await?;
        let ledger_id = opened.row.ledger_id;
        match self {
            Self::Add { name, role, id } => {
                require_admin(session, &opened).await?;
                let _lock = session.folder.lock().await?;
                let id =
                    id.unwrap_or_else(|| StaffId::parse(&session.id("u_")).expect("random ids follow the grammar"));
                if opened
                    .store
                    .staff(ledger_id)
                    .await?
                    .iter()
                    .any(|(known, known_name)| known == id.as_str() || *known_name == name)
                {
                    return Err(Refusal::Exists { what: "user", name }.into());
                }
                opened.store.put_staff(ledger_id, id.as_str(), &name).await?;
                for role in &role {
                    opened.store.put_role(ledger_id, id.as_str(), role.as_str()).await?;
                }
                let roles: Vec<&str> = role.iter().map(|role| role.as_str()).collect();
                session.out.say(
                    format!("已添加用户 {name}，编号 {id}，角色 {}。", roles.join("、")),
                    format!("{name} is now user {id}: {}", roles.join(", ")),
                );
                session.out.object(&serde_json::json!({"user": id.as_str(), "name": name, "roles": roles}));
            }
            Self::Role { user, role, remove } => {
                require_admin(session, &opened).await?;
                let _lock = session.folder.lock().await?;
                let staff = opened.store.staff(ledger_id).await?;
                let found = staff.iter().find(|(id, name)| *id == user || *name == user);
                let Some((id, name)) = found else {
                    return Err(Refusal::Unknown { what: "user", name: user }.into());
                };
                if remove && role == Role::Admin {
                    let roles = opened.store.roles(ledger_id).await?;
                    if !roles.iter().any(|(other, role)| other != id && role == Role::Admin.as_str()) {
                        return Err(Refusal::LastAdmin { user: name.clone() }.into());
                    }
                }
                if remove {
                    opened.store.remove_role(ledger_id, id, role.as_str()).await?;
                } else {
                    opened.store.put_role(ledger_id, id, role.as_str()).await?;
                }
                session.out.say(
                    format!("{name}（{id}）{}角色 {role}。", if remove { "不再有" } else { "现在有" }),
                    format!("{name} ({id}) {} {role}", if remove { "is no longer" } else { "is now" }),
                );
                session.out.object(&serde_json::json!({"user": id, "role": role.as_str(), "has": !remove}));
            }
            Self::Token { user, scope, days } => {
                require_admin(session, &opened).await?;
                let staff = opened.store.staff(ledger_id).await?;
                let Some((id, name)) = staff.iter().find(|(id, name)| *id == user || *name == user) else {
                    return Err(Refusal::Unknown { what: "user", name: user }.into());
                };
                let until = session.clock.now().millis() + i64::from(days) * 86_400_000;
                let until = Timestamp::from_millis(until).expect("within a few centuries");
                let token = format!("mz-{}", session.entropy.borrow_mut().code());
                let id = StaffId::parse(id)
                    .map_err(|error| StoreError::Damaged { table: "staff", what: error.to_string() })?;
                token::keep(&opened, &token, &id, scope, until).await?;
                session.out.say(
                    format!("{name} 的令牌（只显示这一次，{until} 失效）：{token}"),
                    format!("Token of {name} (shown this once; ends {until}): {token}"),
                );
                session.out.object(&serde_json::json!({"user": id.as_str(), "token": token, "scope": scope.as_str(), "until": until.to_string()}));
            }
            Self::List => {
                let roles = opened.store.roles(ledger_id).await?;
                let of = |id: &str| -> Vec<&str> {
                    roles.iter().filter(|(staff, _)| staff == id).map(|(_, role)| role.as_str()).collect()
                };
                let role_words = |roles: Vec<&str>| {
                    let words = roles.into_iter().map(|role| session.out.word("role", role));
                    words.collect::<Vec<_>>().join(session.out.pick("、", ", "))
                };
                let staff = opened.store.staff(ledger_id).await?;
                let rows: Vec<Vec<String>> =
                    staff.iter().map(|(id, name)| vec![id.clone(), name.clone(), role_words(of(id))]).collect();
                let heads = session.out.pick(
                    [("编号", false), ("姓名", false), ("角色", false)],
                    [("id", false), ("name", false), ("roles", false)],
                );
                session.out.table(&heads, &rows);
                let users: Vec<_> = staff
                    .iter()
                    .map(|(id, name)| serde_json::json!({"user": id, "name": name, "roles": of(id)}))
                    .collect();
                session.out.object(&serde_json::json!({"users": users}));
            }
        }
        opened.store.close().await;
        Ok(())
    }
}

async fn require_admin(session: &Session, opened: &crate::app::folder::Opened) -> Result<(), Failure> {
    let user = session.user(opened).await?;
    let roles = opened.store.roles(opened.row.ledger_id).await?;
    if roles.iter().any(|(id, role)| id == user.as_str() && role == "admin") {
        return Ok(());
    }
    Err(Refusal::RoleMissing { user: user.to_string(), role: "admin" }.into())
}
