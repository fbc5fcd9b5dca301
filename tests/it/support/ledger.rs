//! Looks into the database: what the ledger, the month and the audit log really hold; and what has no route yet.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use sotay::kernel::ids::new_id;
use sotay::kernel::schema::{audit_events, exemptions, member_months, members, point_entries};
use uuid::Uuid;

use super::{TestApp, World};

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

impl World {
    pub async fn exempt(&self, member: Uuid) {
        let now = self.app.state.clock.now();
        let mut conn = self.app.state.db.conn().await.unwrap();
        diesel::insert_into(exemptions::table)
            .values((
                exemptions::id.eq(new_id(now)),
                exemptions::member_id.eq(member),
                exemptions::kind.eq("exempt"),
                exemptions::valid_from.eq("2026-01-01".parse::<NaiveDate>().unwrap()),
                exemptions::reason.eq("tuổi cao"),
                exemptions::created_at.eq(now),
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
