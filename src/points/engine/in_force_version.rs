//! The version of what is in force, with the units that its latest changes concern.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::db::schema::points_in_force;
use crate::kernel::http::problem::Problem;

/// The number of the last change. Numbers never repeat, and become visible in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Queryable)]
pub struct InForceVersion {
    number: i64,
    /// The last change that is not listed any more.
    since: i64,
    /// The units that later changes concern.
    unit_ids: Vec<Uuid>,
    /// The number of the change of each.
    versions: Vec<i64>,
}

impl InForceVersion {
    /// Reads the version of now.
    ///
    /// # Errors
    /// 503 when the database cannot be reached.
    pub async fn read(mut conn: &Conn) -> Result<Self, Problem> {
        let columns =
            (points_in_force::version, points_in_force::since, points_in_force::unit_ids, points_in_force::versions);
        Ok(points_in_force::table.select(columns).first(&mut conn).await?)
    }

    /// The number of the last change.
    pub const fn number(&self) -> i64 {
        self.number
    }

    /// Whether what held for these units when `number` was the last change holds still: no later change concerns one
    /// of them.
    pub fn still_holds(&self, number: i64, units: &[Uuid]) -> bool {
        let mut later = self.unit_ids.iter().zip(&self.versions).filter(|(_, version)| **version > number);
        number == self.number
            || (self.since <= number && number < self.number && !later.any(|(unit, _)| units.contains(unit)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_concerns_the_units_that_it_lists_and_all_when_it_is_not_listed() {
        let [cell, ward, elsewhere] = [1, 2, 3].map(Uuid::from_u128);
        let version =
            InForceVersion { number: 9, since: 5, unit_ids: vec![ward, elsewhere, elsewhere], versions: vec![6, 8, 9] };
        let path = [cell, ward];
        assert!(version.still_holds(9, &path));
        assert!(version.still_holds(6, &path), "later changes are elsewhere");
        assert!(!version.still_holds(5, &path), "the ward changed with the sixth");
        assert!(version.still_holds(5, &[cell]));
        assert!(!version.still_holds(4, &[cell]), "the fifth is not listed");
        assert!(!version.still_holds(10, &[cell]), "from another time");
        assert!(!version.still_holds(8, &[elsewhere]));
    }
}
