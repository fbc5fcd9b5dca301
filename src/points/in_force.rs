//! What is in force in a cell on a day: rules, parameters, offers. Kept in memory as long as the database says that nothing changed.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, LazyLock};

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{Array, Date, Int4, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::access::in_force;
use crate::kernel::db::Conn;
use crate::kernel::memo::Memo;
use crate::kernel::problem::Problem;

use super::rulebook::rules_for_units;
use super::rules::Rule;
use super::store::Parameters;

/// Cells and days kept in memory.
const KEPT: usize = 20_000;

/// A cell and a day.
pub type Place = (Uuid, NaiveDate);

/// By cell, day and version of what is in force. Versions never come back, so what is found is true.
static KNOWN: LazyLock<Memo<(Place, i64), Arc<InForce>>> = LazyLock::new(|| Memo::new(KEPT));

/// An object that rules reward.
#[derive(Debug)]
pub struct Offered {
    pub rule_code: String,
    pub object_kind: String,
    pub object_id: String,
    pub title: String,
    valid_from: NaiveDate,
}

/// What is in force in a cell on a day.
#[derive(Debug)]
pub struct InForce {
    pub rules: Arc<Vec<Rule>>,
    pub parameters: Parameters,
    /// The newest first; each rule and object once.
    pub offers: Vec<Arc<Offered>>,
}

/// Finds what is in force in these places, at the version that the database named.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn find(
    conn: &mut Conn,
    places: &BTreeSet<Place>,
    version: i64,
) -> Result<HashMap<Place, Arc<InForce>>, Problem> {
    let mut found = HashMap::new();
    let mut missing: HashMap<NaiveDate, Vec<Uuid>> = HashMap::new();
    for place in places {
        match KNOWN.get(&(*place, version)) {
            Some(known) => drop(found.insert(*place, known)),
            None => missing.entry(place.1).or_default().push(place.0),
        }
    }
    for (day, units) in missing {
        for (unit, loaded) in load(conn, &units, day).await? {
            let loaded = Arc::new(loaded);
            KNOWN.insert(((unit, day), version), loaded.clone());
            found.insert((unit, day), loaded);
        }
    }
    Ok(found)
}

#[derive(QueryableByName)]
struct PathRow {
    #[diesel(sql_type = SqlUuid)]
    unit_id: Uuid,
    #[diesel(sql_type = Array<SqlUuid>)]
    path: Vec<Uuid>,
}

#[derive(QueryableByName)]
struct ParameterRow {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Int4)]
    value: i32,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    unit_id: Option<Uuid>,
}

#[derive(QueryableByName)]
struct OfferRow {
    #[diesel(sql_type = SqlUuid)]
    unit_id: Uuid,
    #[diesel(sql_type = Text)]
    rule_code: String,
    #[diesel(sql_type = Text)]
    object_kind: String,
    #[diesel(sql_type = Text)]
    object_id: String,
    #[diesel(sql_type = Text)]
    title: String,
    #[diesel(sql_type = Date)]
    valid_from: NaiveDate,
    #[diesel(sql_type = Nullable<Date>)]
    valid_to: Option<NaiveDate>,
}

/// Loads several cells in a few statements, since after a change all of them are missing at once.
async fn load(conn: &mut Conn, units: &[Uuid], day: NaiveDate) -> Result<Vec<(Uuid, InForce)>, Problem> {
    let paths: Vec<PathRow> = diesel::sql_query(
        "SELECT descendant_id AS unit_id, array_agg(ancestor_id ORDER BY depth) AS path FROM unit_tree
         WHERE descendant_id = ANY($1) AND valid_from <= $2 AND (valid_to IS NULL OR valid_to > $2) GROUP BY descendant_id",
    )
    .bind::<Array<SqlUuid>, _>(units)
    .bind::<Date, _>(day)
    .load(conn)
    .await?;
    let above: BTreeSet<Uuid> = paths.iter().flat_map(|row| row.path.iter().copied()).collect();
    let above: Vec<Uuid> = above.into_iter().collect();
    let parameters: Vec<ParameterRow> = diesel::sql_query(
        "SELECT name, value, unit_id FROM point_parameters
         WHERE (unit_id IS NULL OR unit_id = ANY($1)) AND valid_from <= $2 AND (valid_to IS NULL OR valid_to > $2)",
    )
    .bind::<Array<SqlUuid>, _>(&above)
    .bind::<Date, _>(day)
    .load(conn)
    .await?;
    let offers = offers(conn, &above, day).await?;
    let rules = rules_for_units(conn, units, day).await?;
    let mut loaded = Vec::new();
    for PathRow { unit_id, path } in paths {
        let rules = rules.get(&unit_id).cloned().unwrap_or_default();
        let (parameters, offers) = (nearest(&parameters, &path)?, reaching(&offers, &path));
        loaded.push((unit_id, InForce { rules, parameters, offers }));
    }
    Ok(loaded)
}

async fn offers(conn: &mut Conn, units: &[Uuid], day: NaiveDate) -> Result<HashMap<Uuid, Vec<Arc<Offered>>>, Problem> {
    let rows: Vec<OfferRow> = diesel::sql_query(
        "SELECT unit_id, rule_code, object_kind, object_id, title, valid_from, valid_to FROM point_offers
         WHERE unit_id = ANY($1) AND valid_from <= $2",
    )
    .bind::<Array<SqlUuid>, _>(units)
    .bind::<Date, _>(day)
    .load(conn)
    .await?;
    let mut by_unit: HashMap<Uuid, Vec<Arc<Offered>>> = HashMap::new();
    for row in rows.into_iter().filter(|row| in_force(row.valid_from, row.valid_to, day)) {
        let OfferRow { unit_id, rule_code, object_kind, object_id, title, valid_from, .. } = row;
        let offered = Offered { rule_code, object_kind, object_id, title, valid_from };
        by_unit.entry(unit_id).or_default().push(Arc::new(offered));
    }
    Ok(by_unit)
}

/// The nearest unit that sets a parameter wins; no unit is the default of the whole system.
fn nearest(rows: &[ParameterRow], path: &[Uuid]) -> Result<Parameters, Problem> {
    let distance = |row: &ParameterRow| match row.unit_id {
        Some(unit) => path.iter().position(|above| *above == unit),
        None => Some(path.len()),
    };
    let value = |name: &str| {
        let reaching = rows.iter().filter(|row| row.name == name).filter_map(|row| Some((distance(row)?, row.value)));
        let nearest = reaching.min_by_key(|(distance, _)| *distance);
        nearest.map(|(_, value)| value).ok_or_else(|| Problem::internal("a point parameter has no default"))
    };
    Ok(Parameters {
        threshold: value("threshold")?,
        prorate: value("prorated")? > 0,
        self_service_cap: value("self_service_day_cap")?,
    })
}

fn reaching(offers: &HashMap<Uuid, Vec<Arc<Offered>>>, path: &[Uuid]) -> Vec<Arc<Offered>> {
    let mut found: Vec<Arc<Offered>> = path.iter().filter_map(|unit| offers.get(unit)).flatten().cloned().collect();
    found.sort_by(|a, b| (b.valid_from, &a.object_id, &a.rule_code).cmp(&(a.valid_from, &b.object_id, &b.rule_code)));
    let mut seen = BTreeSet::new();
    found.retain(|offer| seen.insert((offer.rule_code.clone(), offer.object_id.clone())));
    found
}
