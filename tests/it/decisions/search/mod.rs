//! A search for chains of permitted calls by which one person moves what takes two officers.
//!
//! The person tries every call of their account, signs in as each person they can capture, waits until the rest is over, and
//! tries again.

mod attacker;

use std::collections::HashSet;

use diesel::QueryableByName;
use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;
use sotay::kernel::security::access::Role;
use uuid::Uuid;

use crate::identity::support::person;
use crate::support::World;

use attacker::Attacker;

/// Rounds; three days pass between two of them.
const ROUNDS: usize = 3;

#[derive(QueryableByName)]
struct Content {
    #[diesel(sql_type = Text)]
    content: String,
}

/// Everything that takes two officers, as it stands.
const FIGURES: &[(&str, &str)] = &[
    ("ledger", "SELECT member_id, rule_code, object_id, points FROM point_entries"),
    ("months", "SELECT member_id, period, points FROM member_months WHERE points <> 0"),
    (
        "parameters",
        "SELECT unit_id, name, value, valid_from FROM point_parameters WHERE name <> 'self_service_day_cap'",
    ),
    ("standing", "SELECT member_id, kind, valid_from, valid_to FROM exemptions"),
    (
        "roles",
        "SELECT id, account_id, role, unit_id FROM grants WHERE role NOT IN ('minute_taker', 'propaganda_officer')",
    ),
];

async fn figures(world: &World) -> Vec<(&'static str, HashSet<String>)> {
    let mut conn = world.app.state.db.conn().await.unwrap();
    let mut all = Vec::new();
    for (name, query) in FIGURES {
        let rows: Vec<Content> = diesel::sql_query(format!("SELECT to_jsonb(x)::text AS content FROM ({query}) x"))
            .load(&mut *conn)
            .await
            .unwrap();
        all.push((*name, rows.into_iter().map(|row| row.content).collect()));
    }
    all
}

/// Somebody of the ward, with the role that two honest officers gave, if any.
struct Cast {
    id: Uuid,
    office: Option<(Role, Uuid)>,
}

/// The people of the ward, each with a role in it, and two members without.
async fn cast(world: &World) -> Vec<Cast> {
    let mut people = Vec::new();
    for (cell, office) in [
        (world.cell, Some((Role::CellSecretary, world.cell))),
        (world.cell, Some((Role::DeputySecretary, world.cell))),
        (world.sibling, Some((Role::OrganisationOfficer, world.ward))),
        (world.sibling, Some((Role::CommitteeOfficer, world.ward))),
        (world.sibling, Some((Role::PropagandaOfficer, world.ward))),
        (world.cell, None),
        (world.cell, None),
    ] {
        people.push(Cast { id: person(world, cell).await.id, office });
    }
    appoint(world, &people).await;
    world.exempt_from(people[6].id, "2026-11-10".parse().unwrap()).await;
    people
}

/// Two honest officers give everybody the office they should have, where it was taken.
async fn appoint(world: &World, people: &[Cast]) {
    for Cast { id, office } in people {
        let Some((role, unit)) = *office else { continue };
        if super::roles_of(world, *id).await == 0 {
            world.grant(*id, role, Some(unit)).await;
        }
    }
}

/// One person with the account of this one of the cast, or with an administrator's. When `appointed`, the person takes roles away
/// as well, and between the rounds two honest officers give them again, and roles to those who had none.
async fn search(place: Option<usize>, appointed: bool) {
    let world = World::new().await;
    let mut people = cast(&world).await;
    let first = match place {
        Some(place) => world.sign_in(people[place].id).await,
        None => world.administrator().await,
    };
    let mut before = figures(&world).await;
    let mut mind = Attacker::new(&world, people.iter().map(|cast| cast.id).collect(), first);
    for round in 0..ROUNDS {
        let last = round + 1 == ROUNDS;
        mind.play(appointed && !last).await;
        unmoved(&before, &figures(&world).await, place);
        if appointed && !last {
            people[5].office = Some((Role::DeputySecretary, world.cell));
            people[6].office = Some((Role::OrganisationOfficer, world.ward));
            appoint(&world, &people).await;
            before = figures(&world).await;
        }
        world.app.advance(73 * 3600);
    }
    mind.turn_everything_over().await;
    mind.play(false).await;
    unmoved(&before, &figures(&world).await, place);
    world.app.set_time("2026-12-02T08:00:00+07:00");
    mind.close_and_reopen().await;
    mind.merge().await;
    mind.play(false).await;
    unmoved(&before, &figures(&world).await, place);
    assert!(mind.calls > 100, "{} calls", mind.calls);
    assert!(place == Some(4) || mind.captured > 0, "{place:?} never entered another account");
}

/// Nothing was gained or lost. Roles count as they were given: taking one is for one officer.
fn unmoved(before: &[(&str, HashSet<String>)], after: &[(&str, HashSet<String>)], attacker: Option<usize>) {
    for ((name, before), (_, after)) in before.iter().zip(after) {
        let moved: Vec<&String> = before.symmetric_difference(after).collect();
        assert!(moved.is_empty(), "attacker {attacker:?} alone moved {name}: {moved:#?}");
    }
}

#[actix_web::test]
async fn a_secretary_alone_moves_nothing() {
    search(Some(0), false).await;
    search(Some(0), true).await;
}

#[actix_web::test]
async fn a_deputy_alone_moves_nothing() {
    search(Some(1), true).await;
}

#[actix_web::test]
async fn an_organisation_officer_alone_moves_nothing() {
    search(Some(2), false).await;
    search(Some(2), true).await;
}

#[actix_web::test]
async fn a_committee_officer_alone_moves_nothing() {
    search(Some(3), false).await;
    search(Some(3), true).await;
}

#[actix_web::test]
async fn a_propaganda_officer_alone_moves_nothing() {
    search(Some(4), true).await;
}

#[actix_web::test]
async fn an_administrator_alone_moves_nothing() {
    search(None, false).await;
    search(None, true).await;
}
