//! Awards past deeds, many members at a time: for imported data, not for requests.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::http::problem::Problem;

use super::AwardRequest;
use crate::points::engine::{self};
use crate::points::model::Deed;

/// Deeds awarded by one set of statements.
const CHUNK: usize = 1_000;

/// What a member did, and when; in order of time.
pub type Deeds = Vec<(Deed, DateTime<Utc>)>;

/// Awards what the rules give for deeds, as if each had been accepted when it was done. Returns the points.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn award_history(conn: &mut Conn, mut deeds: Vec<(Uuid, Deeds)>) -> Result<i64, Problem> {
    deeds.sort_by_key(|(member, _)| *member);
    let of_member = |(member_id, deeds): (Uuid, Deeds)| {
        deeds.into_iter().map(move |(deed, now)| AwardRequest { member_id, deed, now })
    };
    let wants: Vec<AwardRequest> = deeds.into_iter().flat_map(of_member).collect();
    let mut points = 0;
    for chunk in wants.chunks(CHUNK) {
        // Deeds of members without a cell on the day earn nothing.
        let awards = engine::award_all(conn, chunk).await?.into_iter().flatten();
        points += awards.map(|award| i64::from(award.points_awarded)).sum::<i64>();
    }
    Ok(points)
}
