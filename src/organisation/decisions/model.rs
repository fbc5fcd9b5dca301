//! Decisions of two officers: their kinds, their states, and the content of a proposal.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use futures_util::future::LocalBoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::db::schema::decisions;
use crate::kernel::http::problem::{Problem, Text};
use crate::kernel::security::access::Permission;
use crate::kernel::security::auth::Principal;

/// An officer's part in a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecisionRole {
    Proposer,
    Decider,
}

/// Where deciders hold their role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// On the unit of the decision, or above it.
    Unit,
    /// Strictly above the unit; at the top that is a system administrator.
    Above,
}

/// A kind of decision by two officers. One value per kind, listed in the registry of `app.rs`.
pub trait DecisionKind: Send + Sync {
    /// The stable name, for example `role_grant`.
    fn code(&self) -> &'static str;

    /// Its title, in the two languages.
    fn title(&self) -> Text;

    /// The permission that the proposer needs on the unit or above it, when proposing and still at confirmation.
    fn proposing(&self) -> Permission;

    /// The permission that the second officer needs.
    fn deciding(&self) -> Permission;

    /// Where the second officer needs it.
    fn reach(&self) -> Reach {
        Reach::Unit
    }

    /// For how many days it can be confirmed.
    fn valid_days(&self) -> u64 {
        30
    }

    /// Whether proposing itself is suspended after a lone slip. False for kinds that only report an observation.
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

    /// Conditions beyond the permissions: checked for the proposer when proposing, and for both officers at
    /// confirmation.
    ///
    /// # Errors
    /// 403 or another problem that says why this officer may not.
    fn check<'a>(
        &'a self,
        _conn: &'a mut Conn,
        _decision: &'a Decision,
        _officer: (&'a Principal, DecisionRole),
        _now: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<(), Problem>> {
        Box::pin(async { Ok(()) })
    }

    /// Carries out what was confirmed, in the transaction of the confirmation. `decision` names the decider.
    ///
    /// # Errors
    /// When the proposal is no longer possible; nothing is confirmed then.
    fn apply<'a>(
        &'a self,
        conn: &'a mut Conn,
        decision: &'a Decision,
        request_id: Option<&'a str>,
        now: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<(), Problem>>;

    /// Cleans up the object of a proposal that was declined or withdrawn or has expired; `decision.state` says which.
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

/// All kinds of decisions.
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

/// The state of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DecisionState {
    /// Waits for a second officer.
    Waiting,
    /// A second officer confirmed it: the proposal took effect.
    Confirmed,
    /// A second officer declined it, with a reason.
    Declined,
    /// The proposer withdrew it.
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

/// A new proposal.
pub struct NewDecision<'a> {
    pub kind: &'static dyn DecisionKind,
    /// The object it is about; one decision of a kind about it waits at a time.
    pub object_id: Uuid,
    /// The unit whose officers decide.
    pub unit_id: Uuid,
    /// The person it is about, if it is about one.
    pub subject_id: Option<Uuid>,
    /// Persons who must not decide. The proposer need not be named.
    pub at_stake: Vec<Uuid>,
    /// The reason, shown to the deciders.
    pub reason: &'a str,
    /// The input of `apply`: an object, shown to the deciders, never with personal numbers.
    pub payload: Value,
}

/// A stored decision.
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
