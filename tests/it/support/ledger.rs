//! Reads of the database: the ledger, the month and the audit log; and deeds without a route yet.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Date, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::{Value, json};
use sotay::kernel::clock::{Period, day_of};
use sotay::kernel::db::schema::{audit_events, exemptions, member_months, members, point_entries, point_parameters};
use sotay::kernel::ids::new_id;
use uuid::Uuid;

use super::{Actor, TestApp, World};

/// The points of a member in the ledger; insists that totals and cap counters say the same.
pub async fn sum_of_entries(app: &TestApp, member: Uuid) -> i64 {
    let mut conn = app.state.db.conn().await.unwrap();
    let entries: Vec<i32> = point_entries::table
        .filter(point_entries::member_id.eq(member))
        .select(point_entries::points)
        .load(&mut *conn)
        .await
        .unwrap();
    let months: Vec<i32> = member_months::table
        .filter(member_months::member_id.eq(member))
        .select(member_months::points)
        .load(&mut *conn)
        .await
        .unwrap();
    let (ledger, totals): (i32, i32) = (entries.iter().sum(), months.iter().sum());
    assert_eq!(ledger, totals, "the ledger and the month's total differ");
    let mut differences = Vec::new();
    sotay::points::verify(&mut conn, |_, lines| differences.extend_from_slice(lines)).await.unwrap();
    assert!(differences.is_empty(), "{differences:?}");
    ledger.into()
}

/// The points of a member, over all months. Insists that the ledger, the totals, the cap counters and the leaderboard
/// of the cell agree: points earned by any abuse would show on one of them.
pub async fn points_everywhere(world: &World, member: &Actor) -> i64 {
    let total = sum_of_entries(&world.app, member.id).await;
    let entries = entries(&world.app, member.id).await;
    let present = Period::containing(day_of(world.app.state.clock.now())).first_day();
    let mut periods: BTreeSet<NaiveDate> = entries.iter().map(|entry| entry.period).collect();
    periods.insert(present);
    for period in periods {
        let of_month: Vec<&Entry> = entries.iter().filter(|entry| entry.period == period).collect();
        counters_agree(&world.app, member.id, period, &of_month).await;
        leaderboard_agrees(world, member, period).await;
    }
    total
}

/// A line of the ledger.
#[derive(Queryable)]
struct Entry {
    kind: String,
    rule: String,
    points: i32,
    period: NaiveDate,
    day: NaiveDate,
}

async fn entries(app: &TestApp, member: Uuid) -> Vec<Entry> {
    use point_entries as e;
    let columns = (e::kind, e::rule_code, e::points, e::period, e::day);
    let mut conn = app.state.db.conn().await.unwrap();
    e::table.filter(e::member_id.eq(member)).select(columns).load(&mut *conn).await.unwrap()
}

/// Rules outside the daily cap of what members do by themselves: others vouch for them, or a quiz shows it.
const ATTESTED: [&str; 6] = [
    "meeting_attended",
    "thematic_meeting_attended",
    "opinion_contributed",
    "assisted_session",
    "quiz_passed",
    "contest_entered",
];

/// What caps are checked against is what was awarded, not what officers corrected: by rule, in the month, on the last days of
/// what members do by themselves, and on all days of what others vouch for.
async fn counters_agree(app: &TestApp, member: Uuid, period: NaiveDate, entries: &[&Entry]) {
    let month = member_months::table.find((member, period)).select(member_months::counters);
    let counters: Option<Value> = month.first(&mut *app.state.db.conn().await.unwrap()).await.optional().unwrap();
    let by_rule = |wanted: &dyn Fn(&Entry) -> bool| {
        let mut sums: BTreeMap<&str, i32> = BTreeMap::new();
        for award in entries.iter().filter(|e| e.kind == "award" && wanted(e)) {
            *sums.entry(&award.rule).or_default() += award.points;
        }
        json!(sums)
    };
    let counters = counters.unwrap_or_default();
    let kept = |counters: &Value| if counters.is_null() { json!({}) } else { counters.clone() };
    let is_attested = |entry: &Entry| ATTESTED.contains(&&*entry.rule);
    assert_eq!(kept(&counters["rules"]), by_rule(&|_| true), "the counters of {period}");
    for (day, of_day) in counters["days"].as_object().into_iter().flatten() {
        let day = day.parse().unwrap();
        let own = by_rule(&|entry| entry.day == day && !is_attested(entry));
        assert_eq!(kept(&of_day["rules"]), own, "the counters of {day}");
    }
    let days: BTreeSet<NaiveDate> =
        entries.iter().filter(|e| e.kind == "award" && is_attested(e)).map(|entry| entry.day).collect();
    let attested = days.into_iter().map(|day| (day, by_rule(&|entry| entry.day == day && is_attested(entry))));
    assert_eq!(kept(&counters["attested"]), json!(attested.collect::<BTreeMap<_, _>>()), "attested in {period}");
}

/// The leaderboard of one's own cell agrees with the ledger for all members.
async fn leaderboard_agrees(world: &World, member: &Actor, period: NaiveDate) {
    let board =
        member.get(&format!("/v1/leaderboards/members?period={}", period.format("%Y-%m"))).await.expect(200).body;
    let cell: Uuid = board["unit_id"].as_str().unwrap().parse().unwrap();
    let expected = standings(&world.app, cell, period).await;
    let own = expected.iter().find(|standing| standing.member_id == member.id).unwrap();
    assert_eq!(board["me"], json!({"rank": own.rank, "points": own.points}), "the leaderboard of {period}");
    let places = board["items"].as_array().unwrap().iter().map(|place| (&place["rank"], &place["points"]));
    // Peers see those who reached the threshold, and themselves; officers of the cell see all.
    let officer = member.get(&format!("/v1/units/{cell}/points?limit=1")).await.status == 200;
    let seen = expected.iter().filter(|one| officer || one.points >= 30 || one.member_id == member.id);
    let expected: Vec<(Value, Value)> = seen.map(|s| (json!(s.rank), json!(s.points))).collect();
    assert!(places.eq(expected.iter().map(|(rank, points)| (rank, points))), "{board}: {expected:?}");
}

/// A member's place.
#[derive(Debug, QueryableByName)]
pub struct Standing {
    #[diesel(sql_type = SqlUuid)]
    pub member_id: Uuid,
    #[diesel(sql_type = BigInt)]
    pub points: i64,
    #[diesel(sql_type = BigInt)]
    pub rank: i64,
}

/// The standing in a month of all members of a unit or below it, from the ledger alone; no member is exempt.
pub async fn standings(app: &TestApp, unit: Uuid, period: NaiveDate) -> Vec<Standing> {
    let query = "SELECT member_id, points, rank() OVER (ORDER BY points DESC) AS rank
        FROM (SELECT m.member_id, (SELECT coalesce(sum(e.points), 0) FROM point_entries e
                WHERE e.member_id = m.member_id AND e.period = $2) AS points
            FROM memberships m JOIN unit_tree t ON t.descendant_id = m.unit_id AND t.ancestor_id = $1
            WHERE m.valid_to IS NULL) x
        ORDER BY rank, member_id";
    let mut conn = app.state.db.conn().await.unwrap();
    diesel::sql_query(query).bind::<SqlUuid, _>(unit).bind::<Date, _>(period).load(&mut *conn).await.unwrap()
}

impl World {
    /// A rule of the test's own: six points for each deed `study.alone`, earned alone.
    pub async fn rule_of_self_study(&self) {
        diesel::sql_query(
            "INSERT INTO point_rules (code, version, event, points, self_service, audience, attested_by, title_vi, title_en, valid_from)
             VALUES ('self_study', 1, 'study.alone', 6, true, 'everyone', 'server', 'Tự học', 'Studied alone', '2020-01-01')",
        )
        .execute(&mut *self.app.state.db.conn().await.unwrap())
        .await
        .unwrap();
    }

    pub async fn exempt(&self, member: Uuid) {
        self.exempt_from(member, "2026-01-01".parse().unwrap()).await;
    }

    pub async fn exempt_from(&self, member: Uuid, day: NaiveDate) {
        let now = self.app.state.clock.now();
        let mut conn = self.app.state.db.conn().await.unwrap();
        diesel::insert_into(exemptions::table)
            .values((
                exemptions::id.eq(new_id(now)),
                exemptions::member_id.eq(member),
                exemptions::kind.eq("exempt"),
                exemptions::valid_from.eq(day),
                exemptions::reason.eq("tuổi cao"),
                exemptions::created_at.eq(now),
            ))
            .execute(&mut *conn)
            .await
            .unwrap();
    }

    /// Excuses a member from one day to the day before another, as if two officers had decided it.
    pub async fn excuse(&self, member: Uuid, from: &str, to: &str) {
        let now = self.app.state.clock.now();
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let mut conn = self.app.state.db.conn().await.unwrap();
        diesel::insert_into(exemptions::table)
            .values((
                exemptions::id.eq(new_id(now)),
                exemptions::member_id.eq(member),
                exemptions::kind.eq("excused"),
                exemptions::valid_from.eq(day(from)),
                exemptions::valid_to.eq(day(to)),
                exemptions::reason.eq("Đi học"),
                exemptions::created_at.eq(now),
            ))
            .execute(&mut *conn)
            .await
            .unwrap();
    }

    /// Sets a threshold from a day on, as if two officers had decided it in time.
    pub async fn threshold(&self, unit: Uuid, value: i32, from: &str) {
        let mut conn = self.app.state.db.conn().await.unwrap();
        diesel::insert_into(point_parameters::table)
            .values((
                point_parameters::id.eq(new_id(self.app.state.clock.now())),
                point_parameters::name.eq("threshold"),
                point_parameters::unit_id.eq(unit),
                point_parameters::value.eq(value),
                point_parameters::valid_from.eq(from.parse::<NaiveDate>().unwrap()),
            ))
            .execute(&mut *conn)
            .await
            .unwrap();
    }

    pub async fn opt_in(&self, member: Uuid) {
        let mut conn = self.app.state.db.conn().await.unwrap();
        diesel::update(members::table.find(member))
            .set(members::named_on_leaderboards.eq(true))
            .execute(&mut *conn)
            .await
            .unwrap();
    }

    pub async fn audit_count(&self, action: &str) -> i64 {
        let mut conn = self.app.state.db.conn().await.unwrap();
        audit_events::table.filter(audit_events::action.eq(action)).count().get_result(&mut *conn).await.unwrap()
    }
}
