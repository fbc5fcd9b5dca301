//! Which objects of deeds and offers the ledger has credited before.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, LazyLock, Weak};

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use quick_cache::sync::Cache;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::db::statement::Prepared;
use crate::kernel::http::problem::Problem;

use super::AwardRequest;
use super::in_force::{InForce, Offered};
use super::member_months::MonthVersion;

/// By member, the rules and objects of deeds that have been credited.
pub type Credits = HashMap<Uuid, BTreeSet<(String, String)>>;

#[derive(QueryableByName)]
struct Credit {
    #[diesel(sql_type = SqlUuid)]
    member_id: Uuid,
    #[diesel(sql_type = Text)]
    rule_code: String,
    #[diesel(sql_type = Text)]
    object_id: String,
}

/// One index lookup for each deed and rule that listens to it. `OFFSET 0` keeps the planner from joining all
/// partitions: only that of the member is read.
const OF_DEEDS: &str = "SELECT k.member_id, e.rule_code, e.object_id FROM (
        SELECT DISTINCT w.member_id, w.object_id, r.code FROM unnest($1::uuid[], $2::text[], $3::text[])
            AS w (member_id, object_id, event) JOIN point_rules r ON r.event = w.event) k
    CROSS JOIN LATERAL (SELECT p.rule_code, p.object_id FROM point_entries p
        WHERE p.member_id = k.member_id AND p.rule_code = k.code AND p.object_id = k.object_id OFFSET 0) e";

/// Which rules have credited the objects of these deeds, in any month.
pub async fn of_deeds(mut conn: &Conn, wants: &[&AwardRequest]) -> Result<Credits, Problem> {
    if wants.is_empty() {
        return Ok(Credits::new());
    }
    let query = sql_query(OF_DEEDS)
        .bind::<Array<SqlUuid>, _>(wants.iter().map(|want| want.member_id).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(wants.iter().map(|want| &want.deed.object_id).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(wants.iter().map(|want| want.deed.event).collect::<Vec<_>>());
    let rows: Vec<Credit> = Prepared(query).load(&mut conn).await?;
    let mut credits = Credits::new();
    for row in rows {
        credits.entry(row.member_id).or_default().insert((row.rule_code, row.object_id));
    }
    Ok(credits)
}

/// Which of the offers in force where a member is have been credited: a bit each, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken(Box<[u64]>);

impl Taken {
    fn of(offers: &[Arc<Offered>], credited: &HashSet<(&str, &str)>) -> Self {
        let mut bits = vec![0_u64; offers.len().div_ceil(64)];
        for (place, offer) in offers.iter().enumerate() {
            if credited.contains(&(offer.rule_code.as_str(), offer.object_id.as_str())) {
                bits[place / 64] |= 1 << (place % 64);
            }
        }
        Self(bits.into())
    }

    /// How many of the offers of each rule are still open.
    pub fn left(&self, offers: &[Arc<Offered>]) -> BTreeMap<String, i64> {
        let mut left = BTreeMap::new();
        for (_, offer) in offers.iter().enumerate().filter(|(place, _)| !self.has(*place)) {
            *left.entry(offer.rule_code.clone()).or_default() += 1;
        }
        left
    }

    /// Whether the offer at this place was credited.
    pub fn has(&self, place: usize) -> bool {
        self.0.get(place / 64).is_some_and(|bits| bits >> (place % 64) & 1 == 1)
    }
}

/// A member, what is in force where they are, and the version of their present month.
pub struct CreditQuery {
    pub member_id: Uuid,
    pub here: Arc<InForce>,
    pub version: MonthVersion,
}

/// Members whose credited offers are cached: the most recent ones.
const REMEMBERED: usize = 200_000;

/// What was found, and the offers and the version of the month for which it holds.
type DecisionInputs = (Weak<InForce>, MonthVersion, Taken);

/// By member. Crediting an offer writes the month in which it is done: while the month has the same version, no offer
/// was credited.
static KNOWN: LazyLock<Cache<Uuid, DecisionInputs>> = LazyLock::new(|| Cache::new(REMEMBERED));

fn known(asked: &CreditQuery) -> Option<Taken> {
    let (here, version, taken) = KNOWN.get(&asked.member_id)?;
    (version == asked.version && Weak::as_ptr(&here) == Arc::as_ptr(&asked.here)).then_some(taken)
}

/// Whether results may be cached. A transaction that writes a month more than once must not cache: all its versions of
/// a row look the same to later readers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Memory {
    Kept,
    None,
}

/// Which of the offers have been credited to these members, in any month; in the order of the input.
pub async fn of_offers(conn: &Conn, asked: &[CreditQuery], memory: Memory) -> Result<Vec<Taken>, Problem> {
    let mut found: Vec<Option<Taken>> = asked.iter().map(known).collect();
    let missing: Vec<usize> = (0..asked.len()).filter(|place| found[*place].is_none()).collect();
    if !missing.is_empty() {
        let on_offer = OnOffer::of(missing.iter().map(|place| &asked[*place].here));
        let credited = on_offer.credited(conn, missing.iter().map(|place| asked[*place].member_id).collect()).await?;
        let nothing = HashSet::new();
        for place in missing {
            let CreditQuery { member_id, here, version } = &asked[place];
            let taken = Taken::of(&here.offers, credited.get(member_id).unwrap_or(&nothing));
            if memory == Memory::Kept {
                KNOWN.insert(*member_id, (Arc::downgrade(here), *version, taken.clone()));
            }
            found[place] = Some(taken);
        }
    }
    Ok(found.into_iter().flatten().collect())
}

/// Offers of some places: the objects of each rule.
struct OnOffer<'a>(BTreeMap<&'a str, HashSet<&'a str>>);

impl<'a> OnOffer<'a> {
    fn of(places: impl Iterator<Item = &'a Arc<InForce>>) -> Self {
        let mut seen = HashSet::new();
        // Cells with the same rules and offers share one instance.
        let different = places.filter(|here| seen.insert(Arc::as_ptr(here)));
        let mut on_offer: BTreeMap<&str, HashSet<&str>> = BTreeMap::new();
        for offer in different.flat_map(|here| &here.offers) {
            on_offer.entry(&offer.rule_code).or_default().insert(&offer.object_id);
        }
        Self(on_offer)
    }

    /// What has been credited of the offers, by member.
    async fn credited(
        &self,
        mut conn: &Conn,
        members: BTreeSet<Uuid>,
    ) -> Result<HashMap<Uuid, HashSet<(&'a str, &'a str)>>, Problem> {
        if self.0.is_empty() {
            return Ok(HashMap::new());
        }
        let query = sql_query(OBJECTS)
            .bind::<Array<SqlUuid>, _>(members.into_iter().collect::<Vec<_>>())
            .bind::<Array<Text>, _>(self.0.keys().collect::<Vec<_>>());
        let rows: Vec<ObjectsRow> = Prepared(query).load(&mut conn).await?;
        let mut credited: HashMap<Uuid, HashSet<(&str, &str)>> = HashMap::new();
        for row in rows {
            let Some((rule, offered)) = self.0.get_key_value(row.rule_code.as_str()) else { continue };
            let offers = row.objects.iter().filter_map(|object| Some((*rule, *offered.get(object.as_str())?)));
            credited.entry(row.member_id).or_default().extend(offers);
        }
        Ok(credited)
    }
}

#[derive(QueryableByName)]
struct ObjectsRow {
    #[diesel(sql_type = SqlUuid)]
    member_id: Uuid,
    #[diesel(sql_type = Text)]
    rule_code: String,
    #[diesel(sql_type = Array<Text>)]
    objects: Vec<String>,
}

/// All objects that the rules with offers have credited to members, one partition for each member, and those that earn them nothing. Which of them are
/// still on offer is decided here: joining them in PostgreSQL doubled the time.
const OBJECTS: &str = "SELECT k.member_id, r.rule_code, ARRAY(SELECT p.object_id FROM point_entries p
        WHERE p.member_id = k.member_id AND p.rule_code = r.rule_code
        UNION ALL SELECT x.object_id FROM point_offer_exceptions x WHERE x.member_id = k.member_id) AS objects
    FROM unnest($1::uuid[]) AS k (member_id) CROSS JOIN unnest($2::text[]) AS r (rule_code)";
