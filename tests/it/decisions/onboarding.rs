//! A ward with five cells goes to work in one day, without waiting and without outside help.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{ask_role, confirm, read_code};
use crate::identity::support::{PASSWORD, text};
use crate::organisation::imports::{send, sheet};
use crate::support::{Actor, World};

const CELLS: usize = 5;
/// Birthday of all, as it is written in a roster and in a request.
const BORN: (&str, &str) = ("05/06/1972", "1972-06-05");

struct Someone {
    id: Uuid,
    citizen_id: String,
}

/// Signs in with the code of a slip, as the phone does.
async fn activate(world: &World, someone: &Someone, code: &str) -> Actor {
    let body = json!({"code": code, "citizen_id": someone.citizen_id, "birth_date": BORN.1,
        "password": PASSWORD, "device_name": "Điện thoại"});
    let tokens = world.app.request("POST", "/v1/auth/activate").json(&body).send().await.expect(201).body;
    world.sign_in(someone.id).await.with_token(text(&tokens, "access_token"))
}

/// One officer asks for the slip, a second one releases it and hands the code over.
async fn released(world: &World, asker: &Actor, second: &Actor, someone: &Someone) -> Actor {
    let path = format!("/v1/members/{}/activation-slips", someone.id);
    let asked = asker.post(&path, &json!({})).await.expect(202).body;
    confirm(second, &asked).await.expect(200);
    let code = text(&read_code(second, &asked).await.expect(201).body, "code");
    activate(world, someone, &code).await
}

/// Admits a person and gives them a role on the ward, by two administrators.
async fn ward_officer(
    world: &World,
    (one, two): (&Actor, &Actor),
    ward: Uuid,
    cell: Uuid,
    role: &str,
    n: u32,
) -> Actor {
    let citizen_id = format!("0381900000{n:02}");
    let person = json!({"full_name": "Hoàng Văn Cán", "birth_date": BORN.1, "sex": "male",
        "admitted_on": "2000-02-03", "official_on": "2001-02-03", "citizen_id": citizen_id});
    let admitted = one.post(&format!("/v1/units/{cell}/members"), &person).await.expect(201).id();
    let someone = Someone { id: admitted.parse().unwrap(), citizen_id };
    let asked = ask_role(one, someone.id, role, ward).await;
    confirm(two, &asked).await.expect(200);
    released(world, one, two, &someone).await
}

/// Four members: a secretary, a deputy, two others.
async fn import(officer: &Actor, cell: Uuid, n: usize) -> Vec<Someone> {
    let numbers: Vec<String> = (0..4).map(|row| format!("03817{n}{row:06}")).collect();
    let positions = ["Bí thư", "Phó bí thư", "", ""];
    let names = ["Lê Thị Thư", "Lê Văn Phó", "Lê Thị Hoa", "Lê Văn Hải"];
    let rows: Vec<[&str; 10]> = (0..4)
        .map(|i| [names[i], BORN.0, "Nữ", "", &numbers[i], "", "03/02/1999", "03/02/2000", positions[i], ""])
        .collect();
    send(officer, &format!("unit_id={cell}&dry_run=false"), sheet(&rows)).await.expect(200);
    let list = officer.get(&format!("/v1/units/{cell}/members?limit=200")).await.expect(200).body;
    let id = |name: &str| {
        let found = list["items"].as_array().unwrap().iter().find(|member| member["full_name"] == name);
        found.unwrap_or_else(|| panic!("no {name} in {list}"))["id"].as_str().unwrap().parse().unwrap()
    };
    names.iter().zip(numbers).map(|(name, citizen_id)| Someone { id: id(name), citizen_id }).collect()
}

#[actix_web::test]
async fn a_ward_with_five_cells_goes_to_work_in_one_day() {
    let world = World::new().await;
    let one = world.administrator().await;
    world.app.advance(1);
    let two = world.administrator().await;
    let unit = async |name: &str, kind: &str, parent: Uuid| -> Uuid {
        let body = json!({"name": name, "kind": kind, "parent_id": parent});
        one.post("/v1/units", &body).await.expect(201).id().parse().unwrap()
    };
    let ward = unit("Đảng bộ phường Sao Mai", "grassroots_committee", world.province).await;
    let mut cells = Vec::new();
    for n in 1..=CELLS {
        cells.push(unit(&format!("Chi bộ số {n}"), "cell", ward).await);
    }

    // Administrators, then the ward's officers.
    let admins = (&one, &two);
    let officer = ward_officer(&world, admins, ward, cells[0], "organisation_officer", 1).await;
    let committee = ward_officer(&world, admins, ward, cells[0], "committee_officer", 2).await;

    // Rosters; their positions become roles with a second officer's word, all at once.
    let mut rosters = Vec::new();
    for (n, cell) in cells.iter().enumerate() {
        rosters.push(import(&officer, *cell, n).await);
    }
    let inbox = committee.get(&format!("/v1/units/{ward}/decisions?kind=role_grant&limit=200")).await.expect(200).body;
    let ids: Vec<&Value> = inbox["items"].as_array().unwrap().iter().map(|decision| &decision["id"]).collect();
    assert_eq!(ids.len(), 2 * CELLS);
    let path = format!("/v1/units/{ward}/decisions/confirmations");
    let done = committee.post(&path, &json!({"decision_ids": ids})).await.expect(200).body;
    assert!(done["items"].as_array().unwrap().iter().all(|item| item["problem"].is_null()), "{done}");

    for (cell, people) in cells.iter().zip(&rosters) {
        let secretary = released(&world, &officer, &committee, &people[0]).await;
        let deputy = released(&world, &officer, &committee, &people[1]).await;
        // Members sign in with slips that the secretary issues alone.
        for member in &people[2..] {
            let slip = secretary.post(&format!("/v1/members/{}/activation-slips", member.id), &json!({})).await;
            let member = activate(&world, member, &text(&slip.expect(201).body, "code")).await;
            member.post("/v1/me/visits", &json!({})).await.expect(200);
        }
        // And the two decide on the same day: nothing rests after a released slip.
        let attended: Vec<Uuid> = people[2..].iter().map(|member| member.id).collect();
        let list = json!({"unit_id": cell, "kind": "meeting_attended", "day": "2026-11-20", "subject": "Sinh hoạt thường kỳ",
            "member_ids": attended});
        let list = secretary.post("/v1/attestations", &list).await.expect(201).id();
        deputy.post(&format!("/v1/attestations/{list}/confirmation"), &json!({})).await.expect(200);
        let entries = secretary.get(&format!("/v1/members/{}/point-entries", people[2].id)).await.expect(200).body;
        assert_eq!(entries["items"].as_array().unwrap().len(), 2);
    }
    assert!(crate::verify::ledger_differs(&world).await.is_empty());
}
