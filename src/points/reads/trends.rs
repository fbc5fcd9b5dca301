//! Yearly trends by month: a member's and a unit's, beside the average of the unit above.
//! Groups of fewer than five members are not disclosed.

use std::collections::BTreeMap;

use actix_web::get;
use chrono::{Datelike, NaiveDate};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Date, Int4, Nullable, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::kernel::clock::{Period, day_of};
use crate::kernel::db::Conn;
use crate::kernel::extract::{Myself, Query, ReadRequest};
use crate::kernel::http::problem::{Problem, text};
use crate::kernel::http::reply::Reply;
use crate::kernel::security::access::needs::ReadBoard;
use crate::organisation::OnUnit;

use super::month::{self, MonthQuery, MyPoints};
use crate::points::engine::member_months;
use crate::points::model::Status;

/// Minimum size of a group: averages of fewer members would disclose individuals.
const FEWEST: i64 = 5;

/// Which year.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct YearQuery {
    /// The year; the present one when left out. Years to come are refused.
    #[param(minimum = 2000, maximum = 2200, nullable = false)]
    year: Option<i32>,
}

impl YearQuery {
    /// The months of the year that have begun.
    fn months(&self, today: NaiveDate) -> Result<(i32, Vec<Period>), Problem> {
        let year = self.year.unwrap_or(today.year());
        if year > today.year() {
            return Err(Problem::malformed(
                "year",
                "too_large",
                text("Năm này chưa đến.", "That year has not come yet."),
            ));
        }
        let months = (1..=12).filter_map(|month| NaiveDate::from_ymd_opt(year, month, 1));
        Ok((year, months.filter(|first| *first <= today).map(Period::containing).collect()))
    }
}

/// A member's month in the course of a year.
#[derive(Debug, Serialize, ToSchema)]
pub struct MyTrendMonth {
    /// The month.
    period: Period,
    /// Points of the month.
    #[schema(minimum = -10_000, maximum = 10_000, example = 34)]
    points: i32,
    /// Points to reach; null for months without a cell.
    #[schema(minimum = 0, maximum = 10_000, example = 30)]
    threshold: Option<i32>,
    /// How it came out, or stands; null for months without a cell.
    status: Option<Status>,
    /// Average points of the members of the committee who count; null when they are fewer than five, or not counted yet.
    #[schema(minimum = -10_000, maximum = 10_000, example = 31.5)]
    committee_average: Option<f64>,
}

/// A member's year.
#[derive(Debug, Serialize, ToSchema)]
pub struct MyTrend {
    /// The year.
    #[schema(minimum = 2000, maximum = 2200, example = 2026)]
    year: i32,
    /// The months that have begun, in order.
    #[schema(max_items = 12)]
    items: Vec<MyTrendMonth>,
}

/// Get my year by months
///
/// Points, threshold and status of each month that has begun, beside the average of the committee above the cell of that
/// month.
#[utoipa::path(tag = "Points", security(("bearer" = []), ("oauth2" = ["points:read"])), params(YearQuery), responses((status = 403, description = "The caller is no member.")))]
#[get("/me/points/trend")]
pub async fn get_my_trend(
    mut request: ReadRequest<Myself>,
    query: Query<YearQuery>,
) -> Result<Reply<MyTrend>, Problem> {
    let today = day_of(request.scope.now);
    let (year, months) = query.0.months(today)?;
    let (member_id, language) = (request.scope.caller.account_id, request.scope.context.language);
    let wanted: Vec<MonthQuery> =
        months.into_iter().map(|period| MonthQuery { member_id, period, today, language }).collect();
    let states = member_months::read(&request.conn, &month::days(&wanted)).await?;
    let cells: Vec<Option<Uuid>> = states.states.iter().map(|state| Some(state.facts.as_ref()?.cell)).collect();
    let committees = committees(&mut request.conn, &cells, &wanted).await?;
    let months = month::show(&mut request.conn, &wanted, states).await?;
    let items = months.into_iter().zip(cells).map(|(month, cell)| {
        let MyPoints { period, points, threshold, status, .. } = month;
        let (threshold, status) = (cell.map(|_| threshold), cell.map(|_| status));
        let committee_average = committees.get(&period).and_then(Committee::average);
        MyTrendMonth { period, points, threshold, status, committee_average }
    });
    request.reply(&MyTrend { year, items: items.collect() })
}

/// The month of the committee above a cell.
#[derive(Debug, QueryableByName)]
struct Committee {
    #[diesel(sql_type = Date)]
    period: NaiveDate,
    #[diesel(sql_type = Int4)]
    counted: i32,
    #[diesel(sql_type = BigInt)]
    points_sum: i64,
}

impl Committee {
    fn average(&self) -> Option<f64> {
        share(Some(self.points_sum), Some(self.counted))
    }
}

/// The committees above these cells in these months, as far as they were counted.
async fn committees(
    conn: &mut Conn,
    cells: &[Option<Uuid>],
    wanted: &[MonthQuery],
) -> Result<BTreeMap<Period, Committee>, Problem> {
    let rows: Vec<Committee> = diesel::sql_query(
        "SELECT k.period, m.counted, m.points_sum FROM unnest($1::uuid[], $2::date[], $3::date[]) AS k (cell, period, day)
         CROSS JOIN LATERAL (SELECT t.ancestor_id FROM unit_tree t WHERE t.descendant_id = k.cell AND t.depth = 1
             AND t.valid_from <= k.day AND (t.valid_to IS NULL OR t.valid_to > k.day) OFFSET 0) t
         JOIN unit_months m ON m.period = k.period AND m.unit_id = t.ancestor_id",
    )
    .bind::<Array<Nullable<SqlUuid>>, _>(cells)
    .bind::<Array<Date>, _>(wanted.iter().map(|one| one.period.first_day()).collect::<Vec<_>>())
    .bind::<Array<Date>, _>(wanted.iter().map(|one| one.period.reference_day(one.today)).collect::<Vec<_>>())
    .load(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (Period::containing(row.period), row)).collect())
}

/// A unit's month in the course of a year.
#[derive(Debug, Serialize, ToSchema)]
pub struct UnitTrendMonth {
    /// The month.
    period: Period,
    /// Members who count; null when the month was not counted.
    #[schema(minimum = 0, maximum = 10_000_000, example = 24)]
    counted: Option<i64>,
    /// Share of them who reached the threshold; null when they are fewer than five.
    #[schema(minimum = 0, maximum = 1, example = 0.92)]
    rate: Option<f64>,
    /// Their average points; null when they are fewer than five.
    #[schema(minimum = -10_000, maximum = 10_000, example = 33.5)]
    average: Option<f64>,
    /// The same share in the unit above; null at the top, and when fewer than five count there.
    #[schema(minimum = 0, maximum = 1, example = 0.88)]
    committee_rate: Option<f64>,
    /// The same average in the unit above.
    #[schema(minimum = -10_000, maximum = 10_000, example = 31.5)]
    committee_average: Option<f64>,
}

/// A unit's year.
#[derive(Debug, Serialize, ToSchema)]
pub struct UnitTrend {
    /// The unit.
    unit_id: Uuid,
    /// The year.
    #[schema(minimum = 2000, maximum = 2200, example = 2026)]
    year: i32,
    /// The months that have begun, in order.
    #[schema(max_items = 12)]
    items: Vec<UnitTrendMonth>,
}

/// Get the year of a unit by months
///
/// The share who reached the threshold and the average points of each month that has begun, beside those of the unit above
/// it in that month. From roll-ups, which follow the ledger within seconds.
#[utoipa::path(tag = "Points", security(("bearer" = []), ("oauth2" = ["units:read"]), ("oauth2_client" = ["units:read"])), params(("unit_id" = Uuid, Path, description = "The unit."), YearQuery))]
#[get("/units/{unit_id}/points/trend")]
pub async fn get_unit_trend(
    mut request: ReadRequest<OnUnit<ReadBoard>>,
    query: Query<YearQuery>,
) -> Result<Reply<UnitTrend>, Problem> {
    let today = day_of(request.scope.now);
    let (year, months) = query.0.months(today)?;
    let unit_id = request.scope.on.unit_id;
    let rows = course(&mut request.conn, unit_id, &months, today).await?;
    let items = rows.iter().map(|row| UnitTrendMonth {
        period: Period::containing(row.period),
        counted: row.counted.map(i64::from),
        rate: row.rate(),
        average: row.average(),
        committee_rate: share(row.above_met.map(i64::from), row.above_counted),
        committee_average: share(row.above_sum, row.above_counted),
    });
    request.reply(&UnitTrend { unit_id, year, items: items.collect() })
}

/// A unit's month, and that of the unit above it then.
#[derive(Debug, QueryableByName)]
struct TrendMonth {
    #[diesel(sql_type = Date)]
    period: NaiveDate,
    #[diesel(sql_type = Nullable<Int4>)]
    counted: Option<i32>,
    #[diesel(sql_type = Nullable<Int4>)]
    met: Option<i32>,
    #[diesel(sql_type = Nullable<BigInt>)]
    points_sum: Option<i64>,
    #[diesel(sql_type = Nullable<Int4>)]
    above_counted: Option<i32>,
    #[diesel(sql_type = Nullable<Int4>)]
    above_met: Option<i32>,
    #[diesel(sql_type = Nullable<BigInt>)]
    above_sum: Option<i64>,
}

impl TrendMonth {
    fn rate(&self) -> Option<f64> {
        share(self.met.map(i64::from), self.counted)
    }

    fn average(&self) -> Option<f64> {
        share(self.points_sum, self.counted)
    }
}

/// A share of the counted members; none when they are too few to disclose it.
#[expect(clippy::cast_precision_loss, reason = "sums of points are far below the 2^53 that a float holds exactly")]
fn share(part: Option<i64>, counted: Option<i32>) -> Option<f64> {
    let counted = i64::from(counted?);
    (counted >= FEWEST).then_some(part? as f64 / counted as f64)
}

async fn course(
    conn: &mut Conn,
    unit_id: Uuid,
    months: &[Period],
    today: NaiveDate,
) -> Result<Vec<TrendMonth>, Problem> {
    let firsts: Vec<NaiveDate> = months.iter().map(|month| month.first_day()).collect();
    let days: Vec<NaiveDate> = months.iter().map(|month| month.reference_day(today)).collect();
    Ok(diesel::sql_query(
        "SELECT p.period, m.counted, m.met, m.points_sum,
            a.counted AS above_counted, a.met AS above_met, a.points_sum AS above_sum
         FROM unnest($2::date[], $3::date[]) AS p(period, day)
         LEFT JOIN unit_months m ON m.period = p.period AND m.unit_id = $1
         LEFT JOIN unit_tree t ON t.descendant_id = $1 AND t.depth = 1 AND t.valid_from <= p.day
             AND (t.valid_to IS NULL OR t.valid_to > p.day)
         LEFT JOIN unit_months a ON a.period = p.period AND a.unit_id = t.ancestor_id ORDER BY p.period",
    )
    .bind::<SqlUuid, _>(unit_id)
    .bind::<Array<Date>, _>(firsts)
    .bind::<Array<Date>, _>(days)
    .load(conn)
    .await?)
}
