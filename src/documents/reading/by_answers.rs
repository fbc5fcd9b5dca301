//! Completes a reading by answers to the document's questions instead of by time.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::documents::OBJECT_KIND;
use crate::documents::personal::touch;
use crate::documents::store::{PUBLISHED, get, hold};
use crate::kernel::db::Conn;
use crate::kernel::http::problem::Problem;
use crate::points::{self, Award, AwardRequest, Deed};

use super::sessions::READ;
use super::store;

/// What was answered: the event that rules listen to.
const COMPREHENDED: &str = "document.comprehended";

/// Completes a member's reading of a version whose questions they answered, and awards it, in the caller's transaction and after
/// the member's month was locked. None when the document was changed, replaced or recalled meanwhile.
///
/// # Errors
/// 403 for a member who belongs to no cell.
pub async fn complete_by_answers(
    conn: &mut Conn,
    member_id: Uuid,
    (document_id, version): (Uuid, i32),
    at: DateTime<Utc>,
) -> Result<Option<Award>, Problem> {
    hold(conn, document_id).await?;
    let document = get(conn, document_id).await?;
    if document.state != PUBLISHED || document.version != version {
        return Ok(None);
    }
    let deed = |event| Deed { event, object_kind: OBJECT_KIND, object_id: document_id.to_string(), ..Deed::default() };
    let request = |event| AwardRequest { member_id, deed: deed(event), now: at };
    let mut award: Option<Award> = None;
    for outcome in points::award_all(conn, &[request(READ), request(COMPREHENDED)]).await? {
        let next = outcome?;
        award = Some(match award {
            None => next,
            Some(mut before) => {
                before.points_awarded += next.points_awarded;
                before.entries.extend(next.entries);
                before.refusals.extend(next.refusals);
                Award { month: next.month, ..before }
            }
        });
    }
    let receipt = serde_json::to_value(&award).map_err(Problem::internal)?;
    store::complete_at_once(conn, member_id, (document_id, version), &receipt, at).await?;
    touch(conn, member_id, document_id).await?;
    Ok(award)
}
