//! Rules, parameters and offers in force in a cell on a day, cached until a unit above changes them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::Hash;
use std::sync::{Arc, LazyLock};

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{Array, Date, Int4, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use quick_cache::sync::Cache;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::db::statement::Prepared;
use crate::kernel::http::problem::Problem;
use crate::kernel::security::access::in_force;

use super::in_force_version::InForceVersion;
use super::rules::Rule;
use super::store::{self, Parameters};
use crate::points::rulebook::{Limit, LimitRow, limits_within, narrowed};

/// Maximum number of cached cell days: more than there are cells.
const KEPT: usize = 250_000;

/// A cell and a day.
pub type CellDay = (Uuid, NaiveDate);

/// What is in force, with the units above it and the number of the change after which it was read.
#[derive(Clone)]
struct Read {
    number: i64,
    path: Arc<[Uuid]>,
    here: Arc<InForce>,
}

static KNOWN: LazyLock<Cache<CellDay, Read>> = LazyLock::new(|| Cache::new(KEPT));
/// Units that set something, and a day.
type Setters = (Vec<Uuid>, NaiveDate);

/// Cells below the same setting units share one value.
static SHARED: LazyLock<Cache<Setters, Read>> = LazyLock::new(|| Cache::new(KEPT));

/// What is cached and still holds. It is noted as read now, before changes elsewhere are too many to be listed.
fn recall<K: Eq + Hash + Clone>(memo: &Cache<K, Read>, key: &K, version: &InForceVersion) -> Option<Arc<InForce>> {
    let known = memo.get(key).filter(|known| version.still_holds(known.number, &known.path))?;
    let here = known.here.clone();
    if known.number != version.number() {
        memo.insert(key.clone(), Read { number: version.number(), ..known });
    }
    Some(here)
}

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
    pub rules: Vec<Rule>,
    pub parameters: Parameters,
    /// The newest first; each rule and object once.
    pub offers: Vec<Arc<Offered>>,
    /// How many offers each rule has.
    pub offered: BTreeMap<String, i64>,
}

/// Finds what is in force on these cell days, at the given database version.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn find(
    conn: &Conn,
    places: &BTreeSet<CellDay>,
    version: &InForceVersion,
) -> Result<HashMap<CellDay, Arc<InForce>>, Problem> {
    let mut found = HashMap::new();
    let mut missing = Vec::new();
    for place in places {
        match recall(&KNOWN, place, version) {
            Some(known) => drop(found.insert(*place, known)),
            None => missing.push(*place),
        }
    }
    if missing.is_empty() {
        return Ok(found);
    }
    for (place, read) in load(conn, &missing, version).await? {
        found.insert(place, read.here.clone());
        KNOWN.insert(place, read);
    }
    Ok(found)
}

#[derive(QueryableByName)]
struct PathRow {
    #[diesel(sql_type = SqlUuid)]
    unit_id: Uuid,
    #[diesel(sql_type = Date)]
    day: NaiveDate,
    #[diesel(sql_type = Array<SqlUuid>)]
    path: Vec<Uuid>,
}

#[derive(Clone, QueryableByName)]
struct InForceRow {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Int4)]
    value: i32,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    unit_id: Option<Uuid>,
    #[diesel(sql_type = Date)]
    valid_from: NaiveDate,
    #[diesel(sql_type = Nullable<Date>)]
    valid_to: Option<NaiveDate>,
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

/// Looked up place by place (`OFFSET 0`): the planner expects more places than there are, and would read the whole tree.
const PATHS: &str = "SELECT k.unit_id, k.day, p.path FROM unnest($1::uuid[], $2::date[]) AS k (unit_id, day)
    CROSS JOIN LATERAL (SELECT array_agg(t.ancestor_id ORDER BY t.depth) AS path FROM unit_tree t
        WHERE t.descendant_id = k.unit_id AND t.valid_from <= k.day AND (t.valid_to IS NULL OR t.valid_to > k.day) OFFSET 0) p
    WHERE p.path IS NOT NULL";
const PARAMETERS: &str = "SELECT name, value, unit_id, valid_from, valid_to FROM point_parameters
    WHERE (unit_id IS NULL OR unit_id = ANY($1)) AND valid_from <= $3 AND (valid_to IS NULL OR valid_to > $2)";
const OFFERS: &str = "SELECT unit_id, rule_code, object_kind, object_id, title, valid_from, valid_to FROM point_offers
    WHERE unit_id = ANY($1) AND valid_from <= $3 AND (valid_to IS NULL OR valid_to > $2)";

/// Loads several places in a few statements, however many days they are of: after a change all of them are missing at once.
async fn load(mut conn: &Conn, places: &[CellDay], version: &InForceVersion) -> Result<Vec<(CellDay, Read)>, Problem> {
    let (units, days): (Vec<Uuid>, Vec<NaiveDate>) = places.iter().copied().unzip();
    let (Some(first), Some(last)) = (days.iter().min().copied(), days.iter().max().copied()) else {
        return Ok(Vec::new());
    };
    let paths = diesel::sql_query(PATHS).bind::<Array<SqlUuid>, _>(units).bind::<Array<Date>, _>(&days);
    let paths: Vec<PathRow> = Prepared(paths).load(&mut conn).await?;
    let above: BTreeSet<Uuid> = paths.iter().flat_map(|row| row.path.iter().copied()).collect();
    let above: Vec<Uuid> = above.into_iter().collect();
    let everything = Everything::load(conn, &above, (first, last)).await?;
    let sets: HashMap<NaiveDate, Set> = days.into_iter().map(|day| (day, everything.on(day))).collect();
    let mut loaded = Vec::new();
    for PathRow { unit_id, day, path } in paths {
        let Some(set) = sets.get(&day) else { continue };
        // The top unit is always included: it tells one database from another.
        let by: Vec<Uuid> = path.iter().filter(|unit| set.by(**unit) || Some(*unit) == path.last()).copied().collect();
        let (key, setters, number) = ((by.clone(), day), by.into(), version.number());
        let here = match recall(&SHARED, &key, version) {
            Some(here) => here,
            None => {
                let here = Arc::new(set.along(&path)?);
                SHARED.insert(key, Read { number, path: setters, here: here.clone() });
                here
            }
        };
        loaded.push(((unit_id, day), Read { number, path: path.into(), here }));
    }
    Ok(loaded)
}

/// What units set on any of some days.
struct Everything {
    rules: Vec<Rule>,
    limits: Vec<LimitRow>,
    parameters: Vec<InForceRow>,
    offers: Vec<(Arc<Offered>, Uuid, Option<NaiveDate>)>,
}

impl Everything {
    async fn load(mut conn: &Conn, units: &[Uuid], (first, last): (NaiveDate, NaiveDate)) -> Result<Self, Problem> {
        let within = |query: &str| {
            let query = diesel::sql_query(query.to_owned()).bind::<Array<SqlUuid>, _>(units.to_vec());
            query.bind::<Date, _>(first).bind::<Date, _>(last)
        };
        let parameters = Prepared(within(PARAMETERS)).load(&mut conn).await?;
        let offers: Vec<OfferRow> = Prepared(within(OFFERS)).load(&mut conn).await?;
        let offers = offers.into_iter().map(|row| {
            let OfferRow { unit_id, rule_code, object_kind, object_id, title, valid_from, valid_to } = row;
            (Arc::new(Offered { rule_code, object_kind, object_id, title, valid_from }), unit_id, valid_to)
        });
        Ok(Self {
            rules: store::rules_within(conn, (first, last)).await?,
            limits: limits_within(conn, units, (first, last)).await?,
            parameters,
            offers: offers.collect(),
        })
    }

    /// What is set on one of the days.
    fn on(&self, day: NaiveDate) -> Set {
        let mut offers: HashMap<Uuid, Vec<Arc<Offered>>> = HashMap::new();
        for (offered, unit_id, _) in
            self.offers.iter().filter(|(offered, _, to)| in_force(offered.valid_from, *to, day))
        {
            offers.entry(*unit_id).or_default().push(offered.clone());
        }
        let limits = self.limits.iter().filter(|row| in_force(row.valid_from, row.valid_to, day));
        let parameters = self.parameters.iter().filter(|row| in_force(row.valid_from, row.valid_to, day));
        Set {
            rules: self.rules.iter().filter(|rule| in_force(rule.valid_from, rule.valid_to, day)).cloned().collect(),
            limits: limits.map(|row| (row.unit_id, row.clone().into())).collect(),
            parameters: parameters.cloned().collect(),
            offers,
        }
    }
}

/// What units set on a day.
struct Set {
    rules: Vec<Rule>,
    limits: Vec<(Uuid, Limit)>,
    parameters: Vec<InForceRow>,
    offers: HashMap<Uuid, Vec<Arc<Offered>>>,
}

impl Set {
    /// Whether a unit sets anything.
    fn by(&self, unit: Uuid) -> bool {
        self.offers.contains_key(&unit)
            || self.limits.iter().any(|(by, _)| *by == unit)
            || self.parameters.iter().any(|row| row.unit_id == Some(unit))
    }

    /// What is in force below these units, the nearest first.
    fn along(&self, path: &[Uuid]) -> Result<InForce, Problem> {
        let limits = self.limits.iter().filter(|(by, _)| path.contains(by)).map(|(_, limit)| limit.clone());
        let offers = reaching(&self.offers, path);
        let mut offered = BTreeMap::new();
        for offer in &offers {
            *offered.entry(offer.rule_code.clone()).or_default() += 1;
        }
        let rules = narrowed(&self.rules, &limits.collect::<Vec<_>>());
        Ok(InForce { rules, parameters: parameters_along(&self.parameters, path)?, offers, offered })
    }
}

/// The values that bind below these units. A row without a unit is the default of the whole system, above all units.
fn parameters_along(rows: &[InForceRow], path: &[Uuid]) -> Result<Parameters, Problem> {
    let distance = |row: &InForceRow| match row.unit_id {
        Some(unit) => path.iter().position(|above| *above == unit),
        None => Some(path.len()),
    };
    let value = |name: &str| {
        let reaching = rows.iter().filter(|row| row.name == name).filter_map(|row| Some((distance(row)?, row.value)));
        store::binding(name, reaching)
    };
    Parameters::of(value).ok_or_else(|| Problem::internal("a point parameter has no default"))
}

fn reaching(offers: &HashMap<Uuid, Vec<Arc<Offered>>>, path: &[Uuid]) -> Vec<Arc<Offered>> {
    let mut found: Vec<Arc<Offered>> = path.iter().filter_map(|unit| offers.get(unit)).flatten().cloned().collect();
    found.sort_by(|a, b| (b.valid_from, &a.object_id, &a.rule_code).cmp(&(a.valid_from, &b.object_id, &b.rule_code)));
    let mut seen = BTreeSet::new();
    found.retain(|offer| seen.insert((offer.rule_code.clone(), offer.object_id.clone())));
    found
}
