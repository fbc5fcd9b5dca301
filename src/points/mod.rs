//! The ledger of study points: rules, awards, thresholds, boards. What other features may call.

mod board;
mod catalogue;
mod engine;
mod history;
mod mine;
mod model;
mod parameters;
pub mod projection;
mod rules;
mod store;
mod trends;
mod verify;

use chrono::{DateTime, Utc};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::problem::Problem;

pub use board::{BoardMember, STANDINGS};
pub use history::{Deeds, award_history};
pub use mine::PeriodQuery;
pub use model::{Award, Deed, Entry, MonthBrief, Refusal, Status};
pub use verify::{Repaired, repair, verify, verify_with};

/// The operations of this feature.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(mine::record_visit)
        .service(mine::get_my_points)
        .service(mine::list_my_entries)
        .service(trends::get_my_trend)
        .service(trends::get_unit_trend)
        .service(catalogue::list_rules)
        .service(parameters::list_parameters)
        .service(parameters::set_parameter)
        .service(board::routes::get_roll_up)
        .service(board::routes::get_board)
        .service(board::routes::export_xlsx)
        .service(board::routes::export_csv);
}

/// The event of a first visit of a day.
const VISIT: &str = "visit";

/// Awards what the rules in force give a member for a deed, inside the caller's transaction. Locks the member's month
/// first: call it before locking anything else of the member. An award that the rules refuse is not an error.
///
/// # Errors
/// 403 when the member belongs to no cell, 503 when the database cannot be reached.
pub async fn award(conn: &mut Conn, member_id: Uuid, deed: &Deed, now: DateTime<Utc>) -> Result<Award, Problem> {
    engine::award(conn, member_id, deed, now).await
}

/// Locks the member's present month, for transactions that must lock more before they award.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn lock_month(conn: &mut Conn, member_id: Uuid, now: DateTime<Utc>) -> Result<(), Problem> {
    engine::lock_month(conn, member_id, now).await
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
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn offer(conn: &mut Conn, offer: &Offer, now: DateTime<Utc>) -> Result<(), Problem> {
    engine::offer(conn, offer, now).await
}

/// Ends all offers of an object.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn withdraw_offers(conn: &mut Conn, object_kind: &str, object_id: &str) -> Result<(), Problem> {
    engine::withdraw_offers(conn, object_kind, object_id).await
}
