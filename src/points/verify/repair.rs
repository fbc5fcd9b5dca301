//! Rebuilds what is derived from the ledger where it differs. Never touches the ledger.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{Array, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::db::schema::member_months;
use crate::kernel::db::{Conn, transaction};
use crate::kernel::http::problem::Problem;
use crate::points::projection;

use super::next_part;

/// Months rewritten in a transaction.
const CHUNK: usize = 500;

/// What was rebuilt.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Repaired {
    /// Totals and counters of members' months.
    pub months: usize,
    /// Months marked as closed.
    pub closed: usize,
    /// Months whose roll-ups are recomputed in full.
    pub roll_ups: Vec<NaiveDate>,
}

/// What the ledger says of the members after `$1` up to `$2`: totals, counters of rules, counters of all days.
macro_rules! derived {
    ($members:literal) => {
        concat!(
            "keys AS (
                SELECT member_id, period FROM member_months WHERE ", $members, "
                UNION SELECT member_id, period FROM point_entries WHERE ", $members, "),
            totals AS (SELECT member_id, period, sum(points)::int AS points FROM point_entries WHERE ", $members, "
                GROUP BY member_id, period),
            awards AS (
                SELECT e.member_id, e.period, e.day, e.rule_code, coalesce(r.self_service, false) AS own, sum(e.points) AS points
                FROM point_entries e LEFT JOIN point_rules r ON r.code = e.rule_code AND r.version = e.rule_version
                WHERE e.kind = 'award' AND e.", $members, " GROUP BY e.member_id, e.period, e.day, e.rule_code, own),
            rules AS (
                SELECT member_id, period, jsonb_object_agg(rule_code, points) AS rules FROM (
                    SELECT member_id, period, rule_code, sum(points) AS points FROM awards
                    GROUP BY member_id, period, rule_code) r GROUP BY member_id, period),
            days AS (
                SELECT member_id, period, jsonb_object_agg(day, counters) AS days, max(day)::text AS last FROM (
                    SELECT member_id, period, day,
                        jsonb_build_object('rules', jsonb_object_agg(rule_code, points), 'self_service', sum(points)) AS counters
                    FROM awards WHERE own GROUP BY member_id, period, day) d GROUP BY member_id, period),
            attested AS (
                SELECT member_id, period, jsonb_object_agg(day, rules) AS attested FROM (
                    SELECT member_id, period, day, jsonb_object_agg(rule_code, points) AS rules
                    FROM awards WHERE NOT own GROUP BY member_id, period, day) a GROUP BY member_id, period),
            derived AS (
                SELECT k.member_id, k.period, coalesce(t.points, 0) AS points, coalesce(r.rules, '{}') AS rules,
                    coalesce(d.days, '{}') AS days, d.last, coalesce(a.attested, '{}') AS attested
                FROM keys k LEFT JOIN totals t USING (member_id, period) LEFT JOIN rules r USING (member_id, period)
                LEFT JOIN days d USING (member_id, period) LEFT JOIN attested a USING (member_id, period)),
            wrong AS (
                SELECT d.* FROM derived d LEFT JOIN member_months m USING (member_id, period)
                WHERE d.points <> coalesce(m.points, 0) OR d.rules <> coalesce(m.counters::jsonb -> 'rules', '{}')
                   OR d.attested <> coalesce(m.counters::jsonb -> 'attested', '{}')
                   OR EXISTS (SELECT 1 FROM jsonb_each(coalesce(m.counters::jsonb -> 'days', '{}')) kept
                       WHERE kept.value IS DISTINCT FROM d.days -> kept.key)
                   OR (d.last IS NOT NULL AND NOT coalesce(m.counters::jsonb -> 'days' ? d.last, false)))"
        )
    };
}

const FIND: &str = concat!(
    "WITH ",
    derived!("member_id BETWEEN $1 AND $2"),
    " SELECT DISTINCT member_id FROM wrong ORDER BY member_id"
);
const REWRITE: &str = concat!(
    "WITH ",
    derived!("member_id = ANY($1)"),
    " INSERT INTO member_months (member_id, period, points, counters)
      SELECT member_id, period, points, 
          json_build_object('rules', rules, 'days', days, 'attested', attested) FROM wrong ORDER BY member_id, period
      ON CONFLICT (member_id, period) DO UPDATE SET points = excluded.points, counters = excluded.counters"
);

/// Marks closed months as such, also for members who earned nothing in them.
const CLOSE: &str = "INSERT INTO member_months (member_id, period, closed_at) SELECT r.member_id, c.period, c.closed_at
    FROM closing_rows r JOIN closings c ON c.id = r.closing_id JOIN closing_states s ON s.closing_id = c.id
    WHERE r.member_id > $1 AND r.member_id <= $2 ORDER BY r.member_id, c.period
    ON CONFLICT (member_id, period) DO UPDATE SET closed_at = excluded.closed_at WHERE member_months.closed_at IS NULL";

#[derive(QueryableByName)]
struct RepairedMember {
    #[diesel(sql_type = SqlUuid)]
    member_id: Uuid,
}

/// Rewrites totals and counters that differ from the ledger, and schedules a recount of roll-ups that differ from their
/// members.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn repair(conn: &mut Conn, progress: impl Fn(usize)) -> Result<Repaired, Problem> {
    let mut repaired = Repaired::default();
    let (mut after, mut done) = (Uuid::nil(), 0);
    while let Some((up_to, members)) = next_part(conn, after).await? {
        let wrong: Vec<RepairedMember> =
            diesel::sql_query(FIND).bind::<SqlUuid, _>(after).bind::<SqlUuid, _>(up_to).load(conn).await?;
        let ids: Vec<Uuid> = wrong.into_iter().map(|member| member.member_id).collect();
        for ids in ids.chunks(CHUNK) {
            repaired.months += rewrite(conn, ids).await?;
        }
        let close = diesel::sql_query(CLOSE).bind::<SqlUuid, _>(after).bind::<SqlUuid, _>(up_to);
        repaired.closed += close.execute(conn).await?;
        done += members;
        progress(done);
        after = up_to;
    }
    repaired.roll_ups = projection::repair(conn).await?;
    Ok(repaired)
}

/// Locks the members' months, as an award does, so that concurrent writes are not lost.
async fn rewrite(conn: &mut Conn, ids: &[Uuid]) -> Result<usize, Problem> {
    transaction(conn, async |conn| {
        let _locked: Vec<Uuid> = member_months::table
            .filter(member_months::member_id.eq_any(ids))
            .order((member_months::member_id, member_months::period))
            .select(member_months::member_id)
            .for_update()
            .load(conn)
            .await?;
        Ok(diesel::sql_query(REWRITE).bind::<Array<SqlUuid>, _>(ids.to_vec()).execute(conn).await?)
    })
    .await
}
