//! Rows of terms.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::db::schema::document_terms;
use crate::kernel::http::problem::Problem;

/// A term as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct CommitteeTerm {
    pub name: String,
    pub valid_from: NaiveDate,
    pub valid_to: Option<NaiveDate>,
}

/// The terms of a unit, the latest first.
pub async fn of_unit(conn: &mut Conn, unit_id: Uuid) -> Result<Vec<CommitteeTerm>, Problem> {
    Ok(document_terms::table
        .filter(document_terms::unit_id.eq(unit_id))
        .order(document_terms::valid_from.desc())
        .select((document_terms::name, document_terms::valid_from, document_terms::valid_to))
        .load(conn)
        .await?)
}

/// Puts these terms in the place of those that the unit had.
pub async fn replace(
    conn: &mut Conn,
    unit_id: Uuid,
    terms: &[CommitteeTerm],
    by: Uuid,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    diesel::delete(document_terms::table.filter(document_terms::unit_id.eq(unit_id))).execute(conn).await?;
    let rows: Vec<_> = terms
        .iter()
        .map(|term| {
            (
                document_terms::unit_id.eq(unit_id),
                document_terms::valid_from.eq(term.valid_from),
                document_terms::valid_to.eq(term.valid_to),
                document_terms::name.eq(&term.name),
                document_terms::set_by.eq(by),
                document_terms::set_at.eq(now),
            )
        })
        .collect();
    diesel::insert_into(document_terms::table).values(rows).execute(conn).await?;
    Ok(())
}
