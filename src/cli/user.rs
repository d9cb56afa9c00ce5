//! `user`: who may do what.

use super::account::{all, shown, text};
use super::session::{Failure, Session};
use crate::app::token::Scope;
use crate::domain::vocabulary::Role;
use crate::values::StaffId;
use serde_json::json;

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
    /// End all tokens of a user at once
    Revoke {
        /// The user, by id or name
        user: String,
    },
    /// All users
    List,
}

impl User {
    /// Runs it.
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let out = &session.out;
        match self {
            Self::Add { name, role, id } => {
                let body = json!({"user": shown(id), "name": name, "roles": all(&role)});
                let answer = session.send("/users", body).await?;
                let (id, roles) = (text(&answer, "user"), all(&role));
                out.say(
                    format!("已添加用户 {name}，编号 {id}，角色 {}。", roles.join("、")),
                    format!("{name} is now user {id}: {}", roles.join(", ")),
                );
                out.object(&answer);
            }
            Self::Role { user, role, remove } => {
                let body = json!({"user": user, "role": role.as_str(), "remove": remove});
                let answer = session.send("/users/role", body).await?;
                let (id, name) = (text(&answer, "user"), text(&answer, "name"));
                out.say(
                    format!("{name}（{id}）{}角色 {role}。", if remove { "不再有" } else { "现在有" }),
                    format!("{name} ({id}) {} {role}", if remove { "is no longer" } else { "is now" }),
                );
                out.object(&answer);
            }
            Self::Token { user, scope, days } => {
                let body = json!({"user": user, "scope": scope.as_str(), "days": days});
                let answer = session.send("/users/token", body).await?;
                let (name, until, token) = (text(&answer, "name"), text(&answer, "until"), text(&answer, "token"));
                out.say(
                    format!("{name} 的令牌（只显示这一次，{until} 失效）：{token}"),
                    format!("Token of {name} (shown this once; ends {until}): {token}"),
                );
                out.object(&answer);
            }
            Self::Revoke { user } => {
                let answer = session.send("/users/revoke", json!({"user": user})).await?;
                let (name, count) = (text(&answer, "name"), &answer["revoked"]);
                out.say(
                    format!("{name} 的 {count} 个令牌已失效。"),
                    format!("Tokens of {name} that have ended: {count}"),
                );
                out.object(&answer);
            }
            Self::List => {
                let answer = session.get("/users").await?;
                let users = answer["users"].as_array().into_iter().flatten();
                let rows: Vec<Vec<String>> = users
                    .map(|user| vec![text(user, "user"), text(user, "name"), out.words("role", &user["roles"])])
                    .collect();
                let heads = out.pick(
                    [("编号", false), ("姓名", false), ("角色", false)],
                    [("id", false), ("name", false), ("roles", false)],
                );
                out.table(&heads, &rows);
                out.object(&answer);
            }
        }
        Ok(())
    }
}
