//! Decisions of two officers: their kinds, their states, and what a proposal says.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use futures_util::future::LocalBoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::access::Permission;
use crate::kernel::auth::Principal;
use crate::kernel::db::Conn;
use crate::kernel::problem::{Problem, Text};
use crate::kernel::schema::decisions;

/// The part that an officer has in a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Proposer,
    Decider,
}

/// Where those who decide hold their role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// On the unit of the decision, or above it.
    Unit,
    /// Strictly above the unit; at the top that is a system administrator.
    Above,
}

/// What can be decided by two officers. One value a kind, listed in the registry of `app.rs`.
pub trait DecisionKind: Send + Sync {
    /// The stable name, for example `role_grant`.
    fn code(&self) -> &'static str;

    /// What it is called, in the two languages.
    fn title(&self) -> Text;

    /// What the proposer needs on the unit or above it, when proposing and still when it is confirmed.
    fn proposing(&self) -> Permission;

    /// What the second officer needs.
    fn deciding(&self) -> Permission;

    /// Where the second officer needs it.
    fn reach(&self) -> Reach {
        Reach::Unit
    }

    /// For how many days it can be confirmed.
    fn valid_days(&self) -> u64 {
        30
    }

    /// Whether a proposal is itself one of the acts that rest after a lone slip. False for what only reports what was seen.
    fn rests_proposer(&self) -> bool {
        true
    }

    /// Whether the proposer must still have the right when it is confirmed. False for what only reports what was seen.
    fn needs_proposer_still(&self) -> bool {
        true
    }

    /// Whether the operator of the server may confirm it on the command line, for the top of the system.
    fn on_command_line(&self) -> bool {
        false
    }

    /// Conditions beyond the permissions; asked of the proposer when proposing, and of both when it is confirmed.
    ///
    /// # Errors
    /// 403 or another problem that says why this officer may not.
    fn check<'a>(
        &'a self,
        _conn: &'a mut Conn,
        _decision: &'a Decision,
        _officer: (&'a Principal, Part),
        _now: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<(), Problem>> {
        Box::pin(async { Ok(()) })
    }

    /// Does what was confirmed, in the transaction of the confirmation. `decision` carries who decided.
    ///
    /// # Errors
    /// When what was proposed is not possible any more; nothing is confirmed then.
    fn apply<'a>(
        &'a self,
        conn: &'a mut Conn,
        decision: &'a Decision,
        request_id: Option<&'a str>,
        now: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<(), Problem>>;

    /// Puts away the object of a proposal that was declined or withdrawn or has expired; `decision.state` says which.
    ///
    /// # Errors
    /// When the database fails.
    fn close<'a>(
        &'a self,
        _conn: &'a mut Conn,
        _decision: &'a Decision,
        _now: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<(), Problem>> {
        Box::pin(async { Ok(()) })
    }
}

/// All kinds there are.
#[derive(Clone, Copy)]
pub struct Registry(&'static [&'static dyn DecisionKind]);

impl Registry {
    #[must_use]
    pub const fn new(kinds: &'static [&'static dyn DecisionKind]) -> Self {
        Self(kinds)
    }

    /// The kinds, in the order in which they were listed.
    pub fn all(&self) -> impl Iterator<Item = &'static dyn DecisionKind> {
        self.0.iter().copied()
    }

    /// The kind with this code.
    ///
    /// # Errors
    /// 500 for a kind that a later version of the program wrote.
    pub fn find(&self, code: &str) -> Result<&'static dyn DecisionKind, Problem> {
        self.all().find(|kind| kind.code() == code).ok_or_else(|| Problem::internal("unknown kind of decision"))
    }
}

/// How a decision stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DecisionState {
    /// Waits for a second officer.
    Waiting,
    /// A second officer confirmed it: what was proposed holds.
    Confirmed,
    /// A second officer declined it, with a reason.
    Declined,
    /// The proposer took it back.
    Withdrawn,
    /// It was not decided in time.
    Expired,
}

impl DecisionState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Confirmed => "confirmed",
            Self::Declined => "declined",
            Self::Withdrawn => "withdrawn",
            Self::Expired => "expired",
        }
    }
}

/// What is to be decided.
pub struct NewDecision<'a> {
    pub kind: &'static dyn DecisionKind,
    /// What it is about; one decision of a kind about it waits at a time.
    pub object_id: Uuid,
    /// Whose officers decide.
    pub unit_id: Uuid,
    /// The person it is about, when it is about one.
    pub subject_id: Option<Uuid>,
    /// Who must not decide. The proposer need not be named.
    pub at_stake: Vec<Uuid>,
    /// Why; those who decide see it.
    pub reason: &'a str,
    /// What `apply` needs to know; an object, shown to those who decide, never with personal numbers.
    pub payload: Value,
}

/// A decision as it is stored.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = decisions)]
pub struct Decision {
    pub id: Uuid,
    pub kind: String,
    pub object_id: Uuid,
    pub unit_id: Uuid,
    pub subject_id: Option<Uuid>,
    pub at_stake: Vec<Uuid>,
    pub reason: String,
    pub payload: Value,
    pub proposed_by: Uuid,
    pub proposed_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub state: String,
    /// None while it waits, when it expired, and for the server's command line.
    pub decided_by: Option<Uuid>,
    pub decided_at: Option<DateTime<Utc>>,
    pub decision_reason: Option<String>,
}
