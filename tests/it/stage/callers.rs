//! A world with a caller of every kind.

use std::sync::atomic::{AtomicU64, Ordering};

use sotay::kernel::security::access::Role;

use crate::support::{Actor, World};

/// Short name in the table, and who it is. The objects belong to the member of the cell.
pub const CALLERS: &[(&str, &str)] = &[
    ("anon", "no token"),
    ("self", "the member whose things they are"),
    ("peer", "another member of the same cell"),
    ("out", "a member of the sibling cell"),
    ("sec", "secretary of the cell"),
    ("sib", "secretary of the sibling cell"),
    ("com", "committee member of the cell"),
    ("min", "minute-taker of the cell"),
    ("ward", "committee officer of the ward"),
    ("prop", "propaganda officer of the ward"),
    ("org", "organisation officer of the ward"),
    ("insp", "inspector of the ward"),
    ("far", "committee officer of another ward"),
    ("admin", "system administrator"),
];

/// The world of some stages and the callers in it.
pub struct Cast {
    pub world: World,
    /// In the order of the table.
    actors: Vec<Option<Actor>>,
    numbers: AtomicU64,
}

impl Cast {
    pub async fn new() -> Self {
        let world = World::new().await;
        let officer = |role, unit| world.officer(world.other_cell, role, unit);
        let actors = vec![
            None,
            Some(world.member().await),
            Some(world.member().await),
            Some(world.outsider().await),
            Some(world.secretary().await),
            Some(world.officer(world.sibling, Role::CellSecretary, world.sibling).await),
            Some(world.officer(world.cell, Role::CellCommitteeMember, world.cell).await),
            Some(world.officer(world.cell, Role::MinuteTaker, world.cell).await),
            Some(officer(Role::CommitteeOfficer, world.ward).await),
            Some(officer(Role::PropagandaOfficer, world.ward).await),
            Some(officer(Role::OrganisationOfficer, world.ward).await),
            Some(officer(Role::Inspector, world.ward).await),
            Some(officer(Role::CommitteeOfficer, world.other_ward).await),
            Some(world.administrator().await),
        ];
        Self { world, actors, numbers: AtomicU64::new(1) }
    }

    /// The caller of a short name; none for the one without a token.
    pub fn find(&self, name: &str) -> Option<&Actor> {
        let place = CALLERS.iter().position(|(short, _)| *short == name);
        self.actors[place.unwrap_or_else(|| panic!("no caller {name}"))].as_ref()
    }

    pub fn actor(&self, name: &str) -> &Actor {
        self.find(name).unwrap_or_else(|| panic!("{name} has no token"))
    }

    /// The next number: of an invented person, of a day.
    pub fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::SeqCst)
    }

    /// Does what has no route.
    pub async fn execute(&self, statement: &str) {
        use diesel_async::RunQueryDsl;
        let mut conn = self.world.app.state.db.conn().await.unwrap();
        diesel::sql_query(statement).execute(&mut *conn).await.unwrap();
    }
}
