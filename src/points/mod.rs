//! The ledger of study points: rules, awards, thresholds, boards. The API for other features.

mod adjustments;
mod appeals;
mod attestations;
mod board;
mod closings;
mod engine;
mod model;
mod officers;
mod parameters;
pub mod projection;
mod reads;
mod reminders;
mod rulebook;
mod verify;

use chrono::{DateTime, Utc};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use crate::kernel::clock::{Period, day_of};
use crate::kernel::db::Conn;
use crate::kernel::http::problem::Problem;

pub use adjustments::{
    ADJUSTMENT, NewAdjustment, PointChange, await_second as await_second_officer, propose as propose_adjustment,
};
pub use appeals::{AppealKind, NewAppeal, file as file_appeal};
pub use attestations::{ATTESTATION, AttestationKind, NewAttestation, record as record_attestation};
pub use board::{BoardMember, STANDINGS};
pub use closings::{
    Closer, TrustedKeys, Verdict, close_cells, close_due, close_due_slice, published_keys, signing, verify_file,
};
pub use engine::AwardRequest;
pub use engine::backfill::{Judge, JudgedMonth};
pub use engine::batches::{Queues, start};
pub use engine::history::{Deeds, award_history};
pub use model::{Award, Deed, Entry, MonthBrief, Refusal, Status};
pub use parameters::POINT_PARAMETER;
pub use reads::entries::EntryLoader;
pub use reads::mine::PeriodQuery;
pub use reads::outlook::Reached;
pub use reminders::sweep as sweep_reminders;
pub use verify::{Repaired, Verified, repair, verify, verify_with};

/// Operations that every client calls daily.
pub fn daily_routes(config: &mut ServiceConfig) {
    config
        .service(reads::mine::record_visit)
        .service(reads::mine::get_my_points)
        .service(reads::entries::list_my_entries)
        .service(reads::trends::get_my_trend)
        .service(reads::catalogue::list_rules);
}

/// The other operations of this feature.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(reads::trends::get_unit_trend)
        .service(reads::outlook::routes::get_month_offer)
        .service(reminders::send_reminders)
        .service(rulebook::routes::draft_rule_change)
        .service(rulebook::routes::list_rule_changes)
        .service(rulebook::routes::get_rule_change)
        .service(rulebook::routes::replace_rule_change)
        .service(rulebook::routes::delete_rule_change)
        .service(rulebook::routes::publish_rule_change)
        .service(rulebook::routes::end_rule_change)
        .service(parameters::list_parameters)
        .service(parameters::set_parameter)
        .service(board::routes::get_roll_up)
        .service(board::routes::get_board)
        .service(board::routes::export_xlsx)
        .service(board::routes::export_csv)
        .service(reads::entries::list_member_entries)
        .service(attestations::routes::record_attestation)
        .service(attestations::routes::list_attestations)
        .service(attestations::routes::get_attestation)
        .service(attestations::routes::confirm_attestation)
        .service(attestations::routes::decline_attestation)
        .service(attestations::routes::withdraw_attestation)
        .service(attestations::mine::list_my_attestations)
        .service(adjustments::routes::propose_adjustment)
        .service(adjustments::routes::list_adjustments)
        .service(adjustments::routes::get_adjustment)
        .service(adjustments::routes::approve_adjustment)
        .service(adjustments::routes::refuse_adjustment)
        .service(adjustments::routes::withdraw_adjustment)
        .service(appeals::routes::file_appeal)
        .service(appeals::routes::list_my_appeals)
        .service(appeals::routes::list_appeals)
        .service(appeals::routes::answer_appeal)
        .configure(closings::routes);
}

/// The event of a first visit of a day.
const VISIT: &str = "visit";
/// The cell's regular meeting was attended.
const MEETING: &str = "meeting.attended";
/// Studied together with a helper.
const ASSISTED_STUDY: &str = "assisted_session";

/// Awards what the rules in force give a member for a deed, inside the caller's transaction. Locks the member's month
/// first: call it before locking anything else of the member. An award that the rules refuse is not an error.
///
/// # Errors
/// 403 when the member belongs to no cell, 503 when the database cannot be reached.
pub async fn award(conn: &mut Conn, member_id: Uuid, deed: &Deed, now: DateTime<Utc>) -> Result<Award, Problem> {
    engine::award(conn, member_id, deed, now).await
}

/// The same for many deeds at a time, each with its own outcome, in the order given. Locks the months in the order of members.
///
/// # Errors
/// 503 when the database cannot be reached; 403 as the outcome of a member who belonged to no cell that day.
pub async fn award_all(conn: &mut Conn, wants: &[AwardRequest]) -> Result<Vec<Result<Award, Problem>>, Problem> {
    engine::award_all(conn, wants).await
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
pub struct Offer<'a> {
    /// The rules that give points for it.
    pub rules: &'a [&'static str],
    pub object_kind: &'static str,
    pub object_id: String,
    pub unit_ids: &'a [Uuid],
    pub title: String,
}

/// Announces an offer, for a year; announcing it again changes its title only.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn offer(conn: &mut Conn, offer: &Offer<'_>, now: DateTime<Utc>) -> Result<(), Problem> {
    engine::offer(conn, offer, now).await
}

/// Lets another unit offer what these units offer of an object, with the original start: it does not count as a new
/// offer.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn carry_offers(
    conn: &mut Conn,
    object_kind: &str,
    object_id: &str,
    from_unit_ids: &[Uuid],
    to_unit_id: Uuid,
) -> Result<(), Problem> {
    engine::carry_offers(conn, object_kind, object_id, from_unit_ids, to_unit_id).await
}

/// Leaves these objects out of what is on offer to members: they can earn nothing with them any more. Accounts that are no members
/// are passed over.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn except_offers(
    conn: &mut Conn,
    members: &[Uuid],
    object_ids: &[String],
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    engine::except_offers(conn, members, object_ids, now).await
}

/// Counts the cells among and below these units to which the present month offers less than the threshold.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn month_offer(conn: &mut Conn, unit_ids: &[Uuid], now: DateTime<Utc>) -> Result<Reached, Problem> {
    let today = day_of(now);
    reads::outlook::reached(conn, unit_ids, Period::containing(today), today).await
}

/// Whether a second officer looks at documents of the unit with this path before they are published.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn document_review(conn: &mut Conn, path: &[Uuid], now: DateTime<Utc>) -> Result<bool, Problem> {
    engine::store::is_set(conn, engine::store::DOCUMENT_REVIEW, path, day_of(now)).await
}

/// Whether a second officer looks at questions of the unit with this path before they are drawn.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn question_review(conn: &mut Conn, path: &[Uuid], now: DateTime<Utc>) -> Result<bool, Problem> {
    engine::store::is_set(conn, engine::store::QUESTION_REVIEW, path, day_of(now)).await
}

/// Ends all offers of an object.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn withdraw_offers(conn: &mut Conn, object_kind: &str, object_id: &str) -> Result<(), Problem> {
    engine::withdraw_offers(conn, object_kind, object_id).await
}
