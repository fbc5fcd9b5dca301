//! The ledger of study points: rules, awards, thresholds, boards. What other features may call.

mod model;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::problem::Problem;

pub use model::{Award, Deed, Entry, MonthBrief, Refusal, Status};

/// Awards what the rules in force give a member for a deed, inside the caller's transaction. Locks the member's month
/// first: call it before locking anything else of the member. An award that the rules refuse is not an error.
///
/// # Errors
/// 403 when the member belongs to no cell, 503 when the database cannot be reached.
pub async fn award(
    _conn: &mut Conn,
    _member_id: Uuid,
    _deed: &Deed,
    _now: DateTime<Utc>,
) -> Result<Award, Problem> {
    Err(Problem::internal("the engine is not here yet"))
}

/// Something members of a unit (and everything below it) can earn points with from today on.
#[derive(Debug, Clone)]
pub struct Offer {
    pub rule: &'static str,
    pub object_kind: &'static str,
    pub object_id: String,
    pub unit_id: Uuid,
    pub title: String,
}

/// Announces an offer; announcing it again changes its title only.
pub async fn offer(_conn: &mut Conn, _offer: &Offer, _now: DateTime<Utc>) -> Result<(), Problem> {
    Err(Problem::internal("the engine is not here yet"))
}

/// Ends all offers of an object.
pub async fn withdraw_offers(
    _conn: &mut Conn,
    _object_kind: &str,
    _object_id: &str,
) -> Result<(), Problem> {
    Err(Problem::internal("the engine is not here yet"))
}
