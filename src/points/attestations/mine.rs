//! A member's own attestations: the outcome of each, and the reason where nothing was given.

use actix_web::get;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Date, Int4, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::extract::{Myself, Query, ReadRequest};
use crate::kernel::http::page::{Page, PageQuery};
use crate::kernel::http::problem::Problem;
use crate::kernel::http::reply::Reply;
use crate::points::model::Refusal;

use super::model::{AttestationKind, AttestationState};

#[derive(QueryableByName)]
struct MyAttestationRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Date)]
    day: NaiveDate,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    decided_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    decision_reason: Option<String>,
    #[diesel(sql_type = Nullable<Int4>)]
    points: Option<i32>,
    #[diesel(sql_type = Nullable<Jsonb>)]
    entries: Option<Value>,
    #[diesel(sql_type = Nullable<Jsonb>)]
    refusals: Option<Value>,
}

/// An attestation that names the caller, with the outcome for the caller alone.
#[derive(Debug, Serialize, ToSchema)]
pub struct MyAttestation {
    /// Identifier.
    id: Uuid,
    /// What is attested.
    #[schema(value_type = AttestationKind)]
    kind: String,
    /// The day on which it happened.
    day: NaiveDate,
    /// Where it stands.
    #[schema(value_type = AttestationState)]
    state: String,
    /// When it was confirmed, declined or withdrawn; null while it waits.
    decided_at: Option<DateTime<Utc>>,
    /// Why it was declined.
    #[schema(max_length = 500, example = "Danh sách thiếu chữ ký")]
    decision_reason: Option<String>,
    /// Points given to the caller when it was confirmed; null when it was not.
    #[schema(minimum = 0, maximum = 10_000, example = 8)]
    points_awarded: Option<i32>,
    /// The caller's entries that it made.
    #[schema(max_items = 20)]
    entry_ids: Vec<Uuid>,
    /// Which rules gave the caller nothing, and why.
    #[schema(max_items = 20)]
    refusals: Vec<Refusal>,
}

impl TryFrom<MyAttestationRow> for MyAttestation {
    type Error = Problem;

    fn try_from(row: MyAttestationRow) -> Result<Self, Problem> {
        let entry_ids: Option<Vec<Uuid>> =
            row.entries.map(serde_json::from_value).transpose().map_err(Problem::internal)?;
        let refusals: Option<Vec<Refusal>> =
            row.refusals.map(serde_json::from_value).transpose().map_err(Problem::internal)?;
        Ok(Self {
            id: row.id,
            kind: row.kind,
            day: row.day,
            state: row.state,
            decided_at: row.decided_at,
            decision_reason: row.decision_reason,
            points_awarded: row.points,
            entry_ids: entry_ids.unwrap_or_default(),
            refusals: refusals.unwrap_or_default(),
        })
    }
}

/// The attestations that name a member, the latest first.
async fn of_member(
    conn: &mut Conn,
    member_id: Uuid,
    before: Option<Uuid>,
    fetch: i64,
) -> Result<Vec<MyAttestation>, Problem> {
    let rows: Vec<MyAttestationRow> = diesel::sql_query(
        "SELECT a.id, a.kind, a.day, a.state, a.decided_at, a.decision_reason, am.points, am.entries, am.refusals
         FROM attestation_members am JOIN attestations a ON a.id = am.attestation_id
         WHERE am.member_id = $1 AND ($2::uuid IS NULL OR a.id < $2) ORDER BY a.id DESC LIMIT $3",
    )
    .bind::<SqlUuid, _>(member_id)
    .bind::<Nullable<SqlUuid>, _>(before)
    .bind::<BigInt, _>(fetch)
    .load(conn)
    .await?;
    rows.into_iter().map(MyAttestation::try_from).collect()
}

/// List the attestations that name oneself
///
/// The latest first, waiting or decided: the points given by each, or the reasons. Other members on the lists are not
/// disclosed.
#[utoipa::path(tag = "Attestations", security(("bearer" = []), ("oauth2" = ["points:read"])), params(PageQuery),
    responses((status = 403, description = "The caller is no member.")))]
#[get("/me/attestations")]
pub async fn list_my_attestations(
    mut request: ReadRequest<Myself>,
    page: Query<PageQuery>,
) -> Result<Reply<Page<MyAttestation>>, Problem> {
    let (before, me) = (page.0.after()?, request.scope.caller.account_id);
    let rows = of_member(&mut request.conn, me, before, page.0.fetch()).await?;
    request.reply(&page.0.page(rows, |row| row.id, |row| row))
}
