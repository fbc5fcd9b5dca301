//! Data for snapshots of cells: members, thresholds, exemptions, and the ledger's sums by rule.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Date, Int4, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::clock::Period;
use crate::kernel::db::Conn;
use crate::kernel::db::schema::units;
use crate::kernel::http::problem::Problem;
use crate::points::board::STANDINGS_OF_CELLS;
use crate::points::model::Status;

use super::model::{ClosedRow, ClosedRule, normal};

/// A cell's month, ready to be signed.
pub struct CellMonth {
    pub name: String,
    /// Before proration.
    pub threshold: i32,
    /// By Vietnamese given name.
    pub rows: Vec<ClosedRow>,
}

#[derive(QueryableByName)]
struct MemberStanding {
    #[diesel(sql_type = SqlUuid)]
    unit_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    member_id: Uuid,
    #[diesel(sql_type = Text)]
    full_name: String,
    #[diesel(sql_type = Int4)]
    threshold: i32,
    #[diesel(sql_type = Bool)]
    prorated: bool,
    #[diesel(sql_type = Int4)]
    of_cell: i32,
    #[diesel(sql_type = Nullable<Text>)]
    exemption: Option<String>,
}

/// The members of the cells on a day, in the order in which their months are locked.
pub async fn members(conn: &mut Conn, cells: &[Uuid], day: NaiveDate) -> Result<Vec<Uuid>, Problem> {
    #[derive(QueryableByName)]
    struct GatheredMember {
        #[diesel(sql_type = SqlUuid)]
        member_id: Uuid,
    }
    let found: Vec<GatheredMember> = diesel::sql_query(
        "SELECT member_id FROM memberships
         WHERE unit_id = ANY($1) AND valid_from <= $2 AND (valid_to IS NULL OR valid_to > $2) ORDER BY member_id",
    )
    .bind::<Array<SqlUuid>, _>(cells)
    .bind::<Date, _>(day)
    .load(conn)
    .await?;
    Ok(found.into_iter().map(|row| row.member_id).collect())
}

/// The months of the cells that had members, whose `member_months` are locked.
pub async fn months(conn: &mut Conn, cells: &[Uuid], period: Period) -> Result<BTreeMap<Uuid, CellMonth>, Problem> {
    let standings: Vec<MemberStanding> = diesel::sql_query(format!(
        "WITH {STANDINGS_OF_CELLS}
         SELECT s.unit_id, s.member_id, s.full_name, s.threshold, s.threshold < s.of_cell AS prorated,
             s.of_cell, s.exemption
         FROM standings s
         ORDER BY s.unit_id, s.given_name, s.full_name, s.member_id"
    ))
    .bind::<Array<SqlUuid>, _>(cells)
    .bind::<Date, _>(period.last_day())
    .bind::<Date, _>(period.first_day())
    .bind::<Date, _>(period.last_day())
    .load(conn)
    .await?;
    let who: Vec<Uuid> = standings.iter().map(|row| row.member_id).collect();
    let mut earned = by_rule(conn, &who, period).await?;
    let names: BTreeMap<Uuid, String> = units::table
        .filter(units::id.eq_any(cells))
        .select((units::id, units::name))
        .load(conn)
        .await?
        .into_iter()
        .collect();
    let mut months: BTreeMap<Uuid, CellMonth> = BTreeMap::new();
    for standing in standings {
        let month = months.entry(standing.unit_id).or_insert_with(|| CellMonth {
            name: names.get(&standing.unit_id).map(|name| normal(name)).unwrap_or_default(),
            threshold: standing.of_cell,
            rows: Vec::new(),
        });
        let position = i32::try_from(month.rows.len() + 1).map_err(Problem::internal)?;
        let by_rule = earned.remove(&standing.member_id).unwrap_or_default();
        month.rows.push(row(standing, position, by_rule));
    }
    Ok(months)
}

fn row(standing: MemberStanding, position: i32, by_rule: BTreeMap<String, i32>) -> ClosedRow {
    // From the ledger itself, not from the derived total: this is what gets signed.
    let points = by_rule.values().sum();
    ClosedRow {
        position,
        member_id: standing.member_id,
        full_name: normal(&standing.full_name),
        points,
        threshold: standing.threshold,
        prorated: standing.prorated,
        status: match standing.exemption.as_deref() {
            Some("exempt") => Status::Exempt,
            Some(_) => Status::Excused,
            None if points >= standing.threshold => Status::Met,
            None => Status::Below,
        },
        by_rule: by_rule.into_iter().map(|(rule, points)| ClosedRule { rule, points }).collect(),
    }
}

async fn by_rule(
    conn: &mut Conn,
    members: &[Uuid],
    period: Period,
) -> Result<BTreeMap<Uuid, BTreeMap<String, i32>>, Problem> {
    #[derive(QueryableByName)]
    struct MonthSum {
        #[diesel(sql_type = SqlUuid)]
        member_id: Uuid,
        #[diesel(sql_type = Text)]
        rule_code: String,
        #[diesel(sql_type = BigInt)]
        points: i64,
    }
    let sums: Vec<MonthSum> = diesel::sql_query(
        "SELECT member_id, rule_code, sum(points) AS points FROM point_entries
         WHERE member_id = ANY($1) AND period = $2 GROUP BY member_id, rule_code",
    )
    .bind::<Array<SqlUuid>, _>(members)
    .bind::<Date, _>(period.first_day())
    .load(conn)
    .await?;
    let mut earned: BTreeMap<Uuid, BTreeMap<String, i32>> = BTreeMap::new();
    for sum in sums {
        let points = i32::try_from(sum.points).map_err(Problem::internal)?;
        earned.entry(sum.member_id).or_default().insert(sum.rule_code, points);
    }
    Ok(earned)
}
