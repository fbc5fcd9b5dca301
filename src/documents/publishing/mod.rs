//! What officers do with documents: write, change, publish, recall.

mod gate;
mod planned;
mod publication;
pub mod publication_routes;
mod repeated;
mod review;
pub mod routes;
mod store;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::http::problem::Problem;

pub use gate::{CheckedTexts, unmarked};
pub use planned::publish_due;
pub use publication::{announce, end_offers};
pub use repeated::SameDocument;
pub use review::DOCUMENT_PUBLICATION;
pub use store::{NewDocument, draft};

/// Publishes a draft at once to units and everything below them. `attested_by` vouches that it holds no state secret.
///
/// # Errors
/// 409 for a recalled document, 422 for a unit outside the owning one or a secrecy marking.
pub async fn publish(
    conn: &mut Conn,
    document_id: Uuid,
    unit_ids: &[Uuid],
    attested_by: Uuid,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let wanted = publication::Publication {
        document_id,
        unit_ids: unit_ids.to_vec(),
        audiences: Vec::new(),
        attested_by,
        publish_at: None,
    };
    publication::publish(conn, &wanted, false, now).await
}
