//! Cells ranked by kind and size: by the share who reached the threshold, then by average points.

use actix_web::get;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Date, Double, Int4, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::kernel::clock::{Period, day_of};
use crate::kernel::db::Conn;
use crate::kernel::extract::{Anyone, Query, ReadRequest};
use crate::kernel::http::problem::Problem;
use crate::kernel::http::reply::Reply;
use crate::kernel::security::access::Permission;
use crate::organisation::units;
use crate::points::projection;

use super::model::Viewer;
use super::routes::{BoardQuery, PlacesQuery};
use super::span::Span;
use super::store;

/// Minimum number of counted members: smaller cells would disclose individuals and are not ranked.
const FEWEST: i32 = 5;

/// How many members a cell has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SizeBand {
    /// Up to 15.
    Small,
    /// 16 to 30.
    Medium,
    /// 31 to 60.
    Large,
    /// More than 60.
    VeryLarge,
}

impl SizeBand {
    fn bounds(self) -> (i32, i32) {
        match self {
            Self::Small => (0, 15),
            Self::Medium => (16, 30),
            Self::Large => (31, 60),
            Self::VeryLarge => (61, i32::MAX),
        }
    }

    fn of(members: i32) -> Self {
        let bands = [Self::Small, Self::Medium, Self::Large];
        bands.into_iter().find(|band| members <= band.bounds().1).unwrap_or(Self::VeryLarge)
    }
}

/// Which cells are ranked.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PeersQuery {
    /// The kind of the cells; when left out, that of the caller's own cell, or `cell`.
    #[param(max_length = 40, pattern = "^[a-z_]+$", nullable = false)]
    kind: Option<String>,
    /// Their size; when left out, that of the caller's own cell, or `medium`.
    #[param(nullable = false)]
    band: Option<SizeBand>,
}

/// A cell's place.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CellPlace {
    /// Equal figures share a rank: 1, 2, 2, 4.
    #[schema(minimum = 1, maximum = 1_000_000, example = 3)]
    rank: i64,
    /// The cell; null when the viewer may not know which.
    unit_id: Option<Uuid>,
    /// Its name; null when the viewer may not know which cell it is.
    #[schema(max_length = 200, example = "Chi bộ Tổ dân phố số 5")]
    name: Option<String>,
    /// Members who count.
    #[schema(minimum = 5, maximum = 100_000, example = 24)]
    counted: i32,
    /// Share of them who reached the threshold; over a longer span, of all its months.
    #[schema(minimum = 0, maximum = 1, example = 0.92)]
    rate: f64,
    /// Their average points a month. Peers see that of their own cell in whole points, and null where the rows that they see
    /// would leave the points of fewer than five.
    #[schema(minimum = -10_000, maximum = 10_000, example = 36.5)]
    average: Option<f64>,
}

/// Cells ranked among their like.
#[derive(Debug, Serialize, ToSchema)]
pub struct CellLeaderboard {
    /// The unit whose cells are ranked.
    unit_id: Uuid,
    /// The month, quarter or year.
    period: Span,
    /// The kind of the cells.
    #[schema(max_length = 40, pattern = "^[a-z_]+$", example = "cell")]
    kind: String,
    /// Their size.
    band: SizeBand,
    /// The first places.
    #[schema(max_items = 200)]
    items: Vec<CellPlace>,
    /// The place of the viewer's own cell; null when it is not ranked here.
    own: Option<CellPlace>,
    /// When the figures were taken from the ledger; null before they were for the first time.
    as_of: Option<DateTime<Utc>>,
}

#[derive(Debug, QueryableByName)]
struct RankedCellRow {
    #[diesel(sql_type = BigInt)]
    place: i64,
    #[diesel(sql_type = BigInt)]
    rank: i64,
    #[diesel(sql_type = SqlUuid)]
    unit_id: Uuid,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    parent_id: Option<Uuid>,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Int4)]
    counted: i32,
    #[diesel(sql_type = Double)]
    rate: f64,
    #[diesel(sql_type = Double)]
    average: f64,
}

/// The first `limit` cells and the viewer's own.
async fn ranked(
    conn: &mut Conn,
    view: &Viewer,
    kind: &str,
    band: SizeBand,
    own: Option<Uuid>,
    limit: i64,
) -> Result<Vec<RankedCellRow>, Problem> {
    let (least, most) = band.bounds();
    Ok(diesel::sql_query(
        "WITH cells AS (
            SELECT m.unit_id, m.counted FROM unit_tree t JOIN unit_months m ON m.unit_id = t.descendant_id AND m.period = $3
            JOIN units u ON u.id = m.unit_id AND u.kind = $5
            WHERE t.ancestor_id = $1 AND t.valid_from <= $2 AND (t.valid_to IS NULL OR t.valid_to > $2)
              AND m.members BETWEEN $6 AND $7 AND m.counted >= $8),
        figures AS (
            SELECT c.unit_id, c.counted, sum(m.met)::float8 / sum(m.counted) AS rate,
                sum(m.points_sum)::float8 / sum(m.counted) AS average
            FROM cells c JOIN unit_months m ON m.unit_id = c.unit_id AND m.period BETWEEN $4 AND $3 AND m.counted >= $8
            GROUP BY c.unit_id, c.counted),
        ranked AS (
            SELECT *, rank() OVER (ORDER BY rate DESC, average DESC) AS rank,
                row_number() OVER (ORDER BY rate DESC, average DESC, md5(unit_id::text || $3::text)) AS place FROM figures)
        SELECT r.*, u.name, l.parent_id FROM ranked r JOIN units u ON u.id = r.unit_id
        LEFT JOIN unit_links l ON l.unit_id = r.unit_id AND l.valid_from <= $2 AND (l.valid_to IS NULL OR l.valid_to > $2)
        WHERE r.place <= $9 OR r.unit_id = $10 ORDER BY r.place",
    )
    .bind::<SqlUuid, _>(view.unit_id)
    .bind::<Date, _>(view.day)
    .bind::<Date, _>(Period::containing(view.day).first_day())
    .bind::<Date, _>(view.span.first().first_day())
    .bind::<Text, _>(kind)
    .bind::<Int4, _>(least)
    .bind::<Int4, _>(most)
    .bind::<Int4, _>(FEWEST)
    .bind::<BigInt, _>(limit)
    .bind::<Nullable<SqlUuid>, _>(own)
    .load(conn)
    .await?)
}

#[derive(QueryableByName)]
struct Few {
    #[diesel(sql_type = Bool)]
    few: bool,
}

/// Whether the average of a cell, less the rows that members of it see of each other, would leave the points of fewer than
/// [`FEWEST`]: in the span, or in any of its months, since a span less its other months leaves that one. Who chose to be
/// hidden may have reached the threshold or not: what is not known counts as few.
async fn few_unlisted(conn: &mut Conn, view: &Viewer) -> Result<bool, Problem> {
    let fewest = i64::from(FEWEST);
    if (1..fewest).contains(&store::unlisted(conn, view).await?) {
        return Ok(true);
    }
    let few: Few = diesel::sql_query(
        "SELECT coalesce(bool_or(below + hidden > 0 AND greatest(below, hidden) < $5), false) AS few
         FROM (SELECT counted - met AS below FROM unit_months
            WHERE unit_id = $1 AND period BETWEEN $3 AND $4 AND counted >= $5) m
         CROSS JOIN (SELECT count(*) AS hidden FROM memberships s JOIN members p ON p.id = s.member_id
            WHERE s.unit_id = $1 AND s.valid_from <= $2 AND (s.valid_to IS NULL OR s.valid_to > $2)
              AND p.hidden_on_leaderboards) h",
    )
    .bind::<SqlUuid, _>(view.unit_id)
    .bind::<Date, _>(view.day)
    .bind::<Date, _>(view.span.first().first_day())
    .bind::<Date, _>(Period::containing(view.day).first_day())
    .bind::<Int4, _>(FEWEST)
    .get_result(conn)
    .await?;
    Ok(few.few)
}

/// Get the leaderboard of cells
///
/// The cells of a unit among those of the same kind and size, by the share who reached the threshold, then by average
/// points. Cells in which fewer than five members count are not ranked, and months in which they did are left out of longer
/// spans. Peers learn which cell it is of their own and of
/// those directly below a unit of their own; officers who see the unit's board, of all.
#[utoipa::path(tag = "Leaderboards", security(("bearer" = []), ("oauth2" = ["leaderboards:read"]), ("oauth2_client" = ["leaderboards:read"])), params(BoardQuery, PeersQuery, PlacesQuery), responses(
    (status = 404, description = "There is no such unit, or the caller may not know that there is.")))]
#[get("/leaderboards/cells")]
pub async fn get_cell_leaderboard(
    mut request: ReadRequest<Anyone>,
    query: Query<BoardQuery>,
    peers: Query<PeersQuery>,
    places: Query<PlacesQuery>,
) -> Result<Reply<CellLeaderboard>, Problem> {
    let today: NaiveDate = day_of(request.scope.now);
    let span = query.0.span(today)?;
    let viewer = &request.scope.caller;
    let home = viewer.home.clone();
    let unit_id = query.0.unit_id.or(home.get(1).copied()).ok_or_else(Problem::not_found)?;
    let path = units::last_path(&mut request.conn, unit_id, today).await?;
    viewer.require(&path, Permission::ReadUnit)?;
    let officer = viewer.may(&path, Permission::ReadBoard);
    let view = Viewer::new(unit_id, span, today);
    let (kind, band) = peers_of(&mut request.conn, &peers.0, home.as_slice().first().copied(), &view).await?;
    let limit = i64::from(places.0.limit);
    let rows = ranked(&mut request.conn, &view, &kind, band, home.as_slice().first().copied(), limit).await?;
    let own_cell = home.as_slice().first().copied();
    let tells_of_few = match own_cell {
        Some(cell) if !officer => few_unlisted(&mut request.conn, &Viewer { unit_id: cell, ..view }).await?,
        _ => false,
    };
    let average = |row: &RankedCellRow| match (officer, own_cell == Some(row.unit_id)) {
        (false, true) => (!tells_of_few).then(|| row.average.round()),
        _ => Some(row.average),
    };
    let known = |row: &RankedCellRow| officer || row.parent_id.is_some_and(|parent| home.contains(&parent));
    let shown = |row: &RankedCellRow| CellPlace {
        rank: row.rank,
        unit_id: known(row).then_some(row.unit_id),
        name: known(row).then(|| row.name.clone()),
        counted: row.counted,
        rate: row.rate,
        average: average(row),
    };
    let own = rows.iter().find(|row| home.as_slice().first() == Some(&row.unit_id)).map(shown);
    let items = rows.iter().filter(|row| row.place <= limit).map(shown).collect();
    let as_of = projection::as_of(&mut request.conn).await?;
    request.reply(&CellLeaderboard { unit_id, period: span, kind, band, items, own, as_of })
}

/// The requested kind and size, or else those of the viewer's own cell.
async fn peers_of(
    conn: &mut Conn,
    asked: &PeersQuery,
    own: Option<Uuid>,
    view: &Viewer,
) -> Result<(String, SizeBand), Problem> {
    let kind = match (&asked.kind, own) {
        (Some(kind), _) => Some(kind.clone()),
        (None, Some(cell)) => store::kind(conn, cell).await?,
        (None, None) => None,
    };
    let band = match (asked.band, own) {
        (Some(band), _) => band,
        (None, Some(cell)) => {
            let month = projection::unit(conn, cell, Period::containing(view.day)).await?;
            month.map_or(SizeBand::Medium, |month| SizeBand::of(month.members))
        }
        (None, None) => SizeBand::Medium,
    };
    Ok((kind.unwrap_or_else(|| "cell".to_owned()), band))
}
