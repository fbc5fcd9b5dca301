//! Writing an import plan: a handful of statements, however many rows there are.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Binary, Date, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::json;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::db::schema::grants as table;
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::ids::new_id;
use crate::kernel::outbox;
use crate::kernel::security::audit;
use crate::kernel::security::crypto::Crypto;
use crate::organisation::exemptions::{self, Exemption, Proposer};
use crate::organisation::grants::{self, NewGrant};
use crate::organisation::members::handles::{HandleKind, tell_of_shared_phones};
use crate::organisation::members::{NewMember, Origin, admit};
use crate::organisation::roster::RosterRow;

use super::Importer;
use super::plan::{ImportPlan, MemberChange, MemberPlace, sex};

/// The reason of exemptions that a sheet marks.
const REASON: &str = "Theo danh sách chi bộ";

/// Carries out the plan.
pub async fn write(
    conn: &mut Conn,
    crypto: &Crypto,
    plan: &ImportPlan<'_>,
    cell_id: Uuid,
    as_of: NaiveDate,
    importer: &Importer<'_>,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let people: Vec<NewMember> = plan.added.iter().map(|row| person(row)).collect();
    let new = admit(conn, crypto, &people, cell_id, Origin::Imported, as_of, now).await?;
    let mut ids = plan.known.clone();
    ids.extend(plan.added.iter().map(|row| row.place()).zip(new));
    change_records(conn, crypto, &plan.changed).await?;
    change_handles(conn, &plan.changed, now).await?;
    let begin = Begin { ids, since: &plan.since, as_of };
    exempt(conn, plan, &begin, cell_id, importer, now).await?;
    grant(conn, plan, &begin, cell_id, now).await?;
    propose_roles(conn, plan, &begin, cell_id, importer, now).await?;
    tell_changed(conn, plan, cell_id, importer, now).await?;
    record(conn, plan, cell_id, importer, now).await
}

/// Fields by which a person is recognised or signs in: whose change they are told of.
const TOLD: [&str; 5] = ["full_name", "birth_date", "citizen_id", "card_number", "phone"];

/// People find in their own access log what an import changed of their record, and is told of what matters for signing in.
async fn tell_changed(
    conn: &mut Conn,
    plan: &ImportPlan<'_>,
    cell_id: Uuid,
    importer: &Importer<'_>,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let mut events = Vec::with_capacity(plan.changed.len());
    let mut told: BTreeMap<Vec<&str>, Vec<Uuid>> = BTreeMap::new();
    for change in &plan.changed {
        events.push(audit::AuditEvent {
            client_id: None,
            actor_id: importer.account_id(),
            action: "member.changed",
            object_kind: "member",
            object_id: change.id,
            unit_id: Some(cell_id),
            member_id: Some(change.id),
            request_id: importer.request_id,
            details: json!({"fields": change.fields, "by": "import"}),
        });
        let fields: Vec<&str> = change.fields.iter().copied().filter(|field| TOLD.contains(field)).collect();
        if !fields.is_empty() {
            told.entry(fields).or_default().push(change.id);
        }
    }
    audit::record_all(conn, events, now).await?;
    for (fields, members) in told {
        outbox::tell(conn, "record_changed", &members, &json!({"fields": fields}), now).await?;
    }
    Ok(())
}

/// The ids of all rows, and from when something about them holds.
struct Begin<'a> {
    ids: HashMap<MemberPlace, Uuid>,
    since: &'a HashMap<Uuid, NaiveDate>,
    as_of: NaiveDate,
}

impl Begin<'_> {
    /// The member of a row, and the day of the sheet, or the first in the cell if that is later.
    fn of(&self, row: &RosterRow) -> Result<(Uuid, NaiveDate), Problem> {
        let id = *self.ids.get(&row.place()).ok_or_else(|| Problem::internal("a row without a member"))?;
        let since = self.since.get(&id).copied().unwrap_or(self.as_of);
        Ok((id, since.max(self.as_of)))
    }
}

fn person(row: &RosterRow) -> NewMember {
    NewMember {
        full_name: row.full_name.clone(),
        birth_date: row.birth_date,
        sex: sex(row.sex),
        admitted_on: row.admitted_on,
        official_on: row.official_on,
        citizen_id: row.citizen_id.clone(),
        card_number: row.card_number.clone(),
        phone: row.phone.clone(),
    }
}

/// The number of a changed field under seal; none when it did not change.
fn sealed(
    crypto: &Crypto,
    changes: &[MemberChange<'_>],
    field: &'static str,
    value: impl Fn(&RosterRow) -> Option<&str>,
) -> Result<Vec<Option<Vec<u8>>>, Problem> {
    changes
        .iter()
        .map(|change| {
            value(change.line.row)
                .filter(|_| change.fields.contains(&field))
                .map(|value| crypto.seal(change.id, field, value.as_bytes()))
                .transpose()
                .map_err(Problem::internal)
        })
        .collect()
}

async fn change_records(conn: &mut Conn, crypto: &Crypto, changes: &[MemberChange<'_>]) -> Result<(), Problem> {
    if changes.is_empty() {
        return Ok(());
    }
    let rows = || changes.iter().map(|change| change.line.row);
    let citizen_ids = sealed(crypto, changes, "citizen_id", |row| Some(&row.citizen_id))?;
    let cards = sealed(crypto, changes, "card_number", |row| row.card_number.as_deref())?;
    let phones = sealed(crypto, changes, "phone", |row| row.phone.as_deref())?;
    diesel::sql_query(
        "WITH new AS (SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9)
             AS t(id, full_name, birth_date, sex, admitted_on, official_on, citizen_id, card_number, phone)),
         named AS (UPDATE accounts a SET display_name = new.full_name FROM new WHERE a.id = new.id)
         UPDATE members m SET full_name = new.full_name, birth_date = new.birth_date, sex = new.sex,
             admitted_on = new.admitted_on, official_on = coalesce(new.official_on, m.official_on),
             citizen_id_sealed = coalesce(new.citizen_id, m.citizen_id_sealed),
             card_number_sealed = coalesce(new.card_number, m.card_number_sealed),
             phone_sealed = coalesce(new.phone, m.phone_sealed), version = m.version + 1
         FROM new WHERE m.id = new.id",
    )
    .bind::<Array<SqlUuid>, _>(changes.iter().map(|change| change.id).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(rows().map(|row| row.full_name.as_str()).collect::<Vec<_>>())
    .bind::<Array<Date>, _>(rows().map(|row| row.birth_date).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(rows().map(|row| sex(row.sex)).collect::<Vec<_>>())
    .bind::<Array<Date>, _>(rows().map(|row| row.admitted_on).collect::<Vec<_>>())
    .bind::<Array<Nullable<Date>>, _>(rows().map(|row| row.official_on).collect::<Vec<_>>())
    .bind::<Array<Nullable<Binary>>, _>(citizen_ids)
    .bind::<Array<Nullable<Binary>>, _>(cards)
    .bind::<Array<Nullable<Binary>>, _>(phones)
    .execute(conn)
    .await?;
    Ok(())
}

async fn change_handles(conn: &mut Conn, changes: &[MemberChange<'_>], now: DateTime<Utc>) -> Result<(), Problem> {
    let mut ids = Vec::new();
    let mut kinds = Vec::new();
    let mut digests = Vec::new();
    for change in changes {
        let line = change.line;
        let numbers = [
            (HandleKind::CitizenId, Some(&line.citizen_id)),
            (HandleKind::CardNumber, line.card_number.as_ref()),
            (HandleKind::Phone, line.phone.as_ref()),
        ];
        for (kind, digest) in numbers {
            if let Some(digest) = digest.filter(|_| change.fields.contains(&kind.as_str())) {
                ids.push(change.id);
                kinds.push(kind.as_str());
                digests.push(digest.as_slice());
            }
        }
    }
    // Deletes all old numbers before adding new ones: people may swap numbers.
    diesel::sql_query(
        "DELETE FROM sign_in_handles h USING unnest($1, $2) AS t(id, kind)
         WHERE h.account_id = t.id AND h.kind = t.kind",
    )
    .bind::<Array<SqlUuid>, _>(&ids)
    .bind::<Array<Text>, _>(&kinds)
    .execute(conn)
    .await?;
    diesel::sql_query(
        "INSERT INTO sign_in_handles (account_id, kind, digest, since) SELECT *, $4 FROM unnest($1, $2, $3)",
    )
    .bind::<Array<SqlUuid>, _>(&ids)
    .bind::<Array<Text>, _>(&kinds)
    .bind::<Array<Binary>, _>(digests)
    .bind::<Timestamptz, _>(now)
    .execute(conn)
    .await?;
    let phone = HandleKind::Phone.as_str();
    let called: Vec<Uuid> = ids.iter().zip(&kinds).filter(|(_, kind)| **kind == phone).map(|(id, _)| *id).collect();
    tell_of_shared_phones(conn, &called, now).await
}

async fn exempt(
    conn: &mut Conn,
    plan: &ImportPlan<'_>,
    begin: &Begin<'_>,
    cell_id: Uuid,
    importer: &Importer<'_>,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let mut rows = Vec::with_capacity(plan.exempted.len());
    for row in &plan.exempted {
        rows.push(begin.of(row)?);
    }
    let (members, days): (Vec<Uuid>, Vec<NaiveDate>) = rows.into_iter().unzip();
    let ids: Vec<Uuid> = members.iter().map(|_| new_id(now)).collect();
    // As for an exemption recorded by hand: a closing waits for the members' rows.
    diesel::sql_query("SELECT 1 FROM members WHERE id = ANY($1) ORDER BY id FOR UPDATE")
        .bind::<Array<SqlUuid>, _>(&members)
        .execute(conn)
        .await?;
    if let Some(officer) = importer.officer {
        let by = Proposer { officer, request_id: importer.request_id };
        return propose_exemptions(conn, &members, &days, cell_id, by, now).await;
    }
    // Whatever day the sheet states, closed months stay as they were signed. An exemption recorded since the comparison
    // is kept.
    diesel::sql_query(
        "INSERT INTO exemptions (id, member_id, kind, valid_from, reason, recorded_by, created_at)
         SELECT t.id, t.member_id, 'exempt', greatest(t.day, (SELECT (max(h.period) + interval '1 month')::date
             FROM member_months h WHERE h.member_id = t.member_id AND h.closed_at IS NOT NULL)), $4, NULL, $5
         FROM unnest($1, $2, $3) AS t(id, member_id, day)
         ON CONFLICT DO NOTHING",
    )
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<Array<SqlUuid>, _>(members)
    .bind::<Array<Date>, _>(days)
    .bind::<Text, _>(REASON)
    .bind::<Timestamptz, _>(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// What an officer's sheet exempts waits for a second officer, one decision a member; from the first day after the months that are
/// closed for the member.
async fn propose_exemptions(
    conn: &mut Conn,
    members: &[Uuid],
    days: &[NaiveDate],
    cell_id: Uuid,
    by: Proposer<'_>,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let begins: Vec<Begins> = diesel::sql_query(
        "SELECT t.member_id, greatest(t.day, (SELECT (max(h.period) + interval '1 month')::date
             FROM member_months h WHERE h.member_id = t.member_id AND h.closed_at IS NOT NULL)) AS day
         FROM unnest($1, $2) AS t(member_id, day) ORDER BY t.member_id",
    )
    .bind::<Array<SqlUuid>, _>(members)
    .bind::<Array<Date>, _>(days)
    .load(conn)
    .await?;
    for Begins { member_id, day } in begins {
        let new = Exemption {
            id: new_id(now),
            member_id,
            kind: "exempt".to_owned(),
            valid_from: day,
            valid_to: None,
            reason: REASON.to_owned(),
            created_at: now,
        };
        match exemptions::propose(conn, &new, cell_id, by, now).await {
            // One was recorded or proposed since the comparison: that one stands.
            Err(problem) if problem.code == Code::Conflict => {}
            other => drop(other?),
        }
    }
    Ok(())
}

#[derive(QueryableByName)]
struct Begins {
    #[diesel(sql_type = SqlUuid)]
    member_id: Uuid,
    #[diesel(sql_type = Date)]
    day: NaiveDate,
}

/// Gives the roles of the sheet, on behalf of the operator.
async fn grant(
    conn: &mut Conn,
    plan: &ImportPlan<'_>,
    begin: &Begin<'_>,
    cell_id: Uuid,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let mut rows = Vec::with_capacity(plan.granted.len());
    for (row, role) in &plan.granted {
        let (account_id, day) = begin.of(row)?;
        rows.push((
            table::id.eq(new_id(now)),
            table::account_id.eq(account_id),
            table::role.eq(role.as_str()),
            table::unit_id.eq(cell_id),
            table::valid_from.eq(day),
            table::created_at.eq(now),
        ));
    }
    const CHUNK: usize = 5_000;
    for chunk in rows.chunks(CHUNK) {
        diesel::insert_into(table::table).values(chunk.to_vec()).execute(conn).await?;
    }
    Ok(())
}

/// Proposes the roles of the sheet to a second officer.
async fn propose_roles(
    conn: &mut Conn,
    plan: &ImportPlan<'_>,
    begin: &Begin<'_>,
    cell_id: Uuid,
    importer: &Importer<'_>,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let Some(officer) = importer.officer else {
        return Ok(());
    };
    for (row, role) in &plan.to_confirm {
        let (account_id, valid_from) = begin.of(row)?;
        let (id, granted_by) = (new_id(now), officer.account_id);
        let new = NewGrant { id, account_id, role: *role, unit_id: cell_id, valid_from, valid_to: None, granted_by };
        grants::propose_role(conn, &new, officer, importer.request_id, now).await?;
    }
    Ok(())
}

async fn record(
    conn: &mut Conn,
    plan: &ImportPlan<'_>,
    cell_id: Uuid,
    importer: &Importer<'_>,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let event = audit::AuditEvent {
        client_id: None,
        actor_id: importer.account_id(),
        action: "roster.imported",
        object_kind: "unit",
        object_id: cell_id,
        unit_id: Some(cell_id),
        member_id: None,
        request_id: importer.request_id,
        details: json!({
            "added": plan.added.len(),
            "changed": plan.changed.len(),
            "exempted": plan.exempted.len(),
            "granted": plan.granted.len(),
        }),
    };
    audit::record(conn, event, now).await
}
