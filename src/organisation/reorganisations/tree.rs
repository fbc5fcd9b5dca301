//! Links and their closure from a day on. Rows of days before are only ended, never changed.

use chrono::NaiveDate;
use diesel::QueryableByName;
use diesel::sql_types::{Array, Date, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::http::problem::Problem;

#[derive(QueryableByName)]
struct TreeId {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

/// Ends units on a day, and hangs others below a parent from that day on. Their links began before.
pub async fn rewrite(
    conn: &mut Conn,
    ending: &[Uuid],
    rehung: &[Uuid],
    parent: Option<Uuid>,
    day: NaiveDate,
) -> Result<(), Problem> {
    let touched: Vec<Uuid> = ending.iter().chain(rehung).copied().collect();
    let affected = below(conn, &touched, day).await?;
    diesel::sql_query(
        "UPDATE unit_links SET valid_to = $2 WHERE unit_id = ANY($1)
           AND valid_from < $2 AND (valid_to IS NULL OR valid_to > $2)",
    )
    .bind::<Array<SqlUuid>, _>(&touched)
    .bind::<Date, _>(day)
    .execute(conn)
    .await?;
    if let Some(parent) = parent {
        diesel::sql_query(
            "INSERT INTO unit_links (unit_id, parent_id, valid_from) SELECT u, $2, $3 FROM unnest($1) AS t(u)",
        )
        .bind::<Array<SqlUuid>, _>(rehung)
        .bind::<SqlUuid, _>(parent)
        .bind::<Date, _>(day)
        .execute(conn)
        .await?;
    }
    close(conn, &affected, day).await
}

/// The units and everything below them on the day.
async fn below(conn: &mut Conn, units: &[Uuid], day: NaiveDate) -> Result<Vec<Uuid>, Problem> {
    let rows: Vec<TreeId> = diesel::sql_query(
        "SELECT DISTINCT descendant_id AS id FROM unit_tree WHERE ancestor_id = ANY($1)
           AND valid_from <= $2 AND (valid_to IS NULL OR valid_to > $2) ORDER BY 1",
    )
    .bind::<Array<SqlUuid>, _>(units)
    .bind::<Date, _>(day)
    .load(conn)
    .await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// What the closure of these units is from the day on, by their links.
const CLOSURE: &str = "WITH RECURSIVE up AS (
        SELECT unit_id AS ancestor_id, unit_id AS descendant_id, parent_id, 0::smallint AS depth FROM unit_links
        WHERE unit_id = ANY($1) AND valid_from <= $2 AND (valid_to IS NULL OR valid_to > $2)
        UNION ALL
        SELECT l.unit_id, up.descendant_id, l.parent_id, (up.depth + 1)::smallint FROM up
        JOIN unit_links l ON l.unit_id = up.parent_id AND l.valid_from <= $2 AND (l.valid_to IS NULL OR l.valid_to > $2))";

/// Rewrites the closure of these units: unchanged rows continue.
async fn close(conn: &mut Conn, affected: &[Uuid], day: NaiveDate) -> Result<(), Problem> {
    // Only the tree of units made on this very day has rows that begin on it; they are not worth a row of no length.
    diesel::sql_query("DELETE FROM unit_tree WHERE descendant_id = ANY($1) AND valid_from >= $2")
        .bind::<Array<SqlUuid>, _>(affected)
        .bind::<Date, _>(day)
        .execute(conn)
        .await?;
    diesel::sql_query(format!(
        "{CLOSURE} UPDATE unit_tree t SET valid_to = $2 WHERE descendant_id = ANY($1)
           AND valid_from < $2 AND (valid_to IS NULL OR valid_to > $2)
           AND NOT EXISTS (SELECT 1 FROM up WHERE up.ancestor_id = t.ancestor_id
               AND up.descendant_id = t.descendant_id AND up.depth = t.depth)"
    ))
    .bind::<Array<SqlUuid>, _>(affected)
    .bind::<Date, _>(day)
    .execute(conn)
    .await?;
    diesel::sql_query(format!(
        "{CLOSURE} INSERT INTO unit_tree (ancestor_id, descendant_id, depth, valid_from)
         SELECT ancestor_id, descendant_id, depth, $2 FROM up
         WHERE NOT EXISTS (SELECT 1 FROM unit_tree t WHERE t.ancestor_id = up.ancestor_id
             AND t.descendant_id = up.descendant_id AND t.depth = up.depth
             AND t.valid_from <= $2 AND (t.valid_to IS NULL OR t.valid_to > $2))
         ORDER BY descendant_id, ancestor_id"
    ))
    .bind::<Array<SqlUuid>, _>(affected)
    .bind::<Date, _>(day)
    .execute(conn)
    .await?;
    Ok(())
}
