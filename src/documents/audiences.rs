//! Audiences besides units: kinds of units and roles below a unit, named members.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Date, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::db::schema::document_audiences;
use crate::kernel::http::problem::{Code, Fault, Problem, text};
use crate::kernel::security::access::Role;

/// Audiences a document may have besides units.
const MOST: i64 = 500;

/// What an audience is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = DocumentAudienceKind)]
pub enum AudienceKind {
    /// All units of a kind below a unit, and the members of what is below them.
    UnitKind,
    /// Those who hold a role on a unit or below it.
    Role,
    /// One member.
    Member,
}

/// Whom a document goes to besides units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DocumentAudience {
    /// What the audience is.
    #[schema(example = "role")]
    pub kind: AudienceKind,
    /// Of kinds and roles: the unit, the owning one or one below it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub unit_id: Option<Uuid>,
    /// Of kinds: the kind of unit, for example `cell`; of roles: the role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 60, pattern = "^[a-z_]+$", example = "cell_secretary")]
    pub name: Option<String>,
    /// Of members: who, in a cell of the owning unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub member_id: Option<Uuid>,
}

impl DocumentAudience {
    /// The key of the feed; none when a part is missing or too much.
    fn key(&self) -> Option<String> {
        match (self.kind, self.unit_id, self.name.as_deref(), self.member_id) {
            (AudienceKind::UnitKind, Some(unit), Some(kind), None) => Some(format!("k:{unit}:{kind}")),
            (AudienceKind::Role, Some(unit), Some(role), None) => Some(format!("r:{unit}:{role}")),
            (AudienceKind::Member, None, None, Some(member)) => Some(format!("m:{member}")),
            _ => None,
        }
    }

    fn kind(&self) -> &'static str {
        match self.kind {
            AudienceKind::UnitKind => "unit_kind",
            AudienceKind::Role => "role",
            AudienceKind::Member => "member",
        }
    }
}

#[derive(QueryableByName)]
struct WithinRow {
    #[diesel(sql_type = Bool)]
    within: bool,
}

/// Whether each audience is complete and lies within the owning unit.
///
/// # Errors
/// 422 that points at those that are not.
pub async fn check(
    conn: &mut Conn,
    owner: Uuid,
    audiences: &[DocumentAudience],
    day: NaiveDate,
) -> Result<(), Problem> {
    let mut faults = Vec::new();
    for (at, audience) in audiences.iter().enumerate() {
        let named = match audience.kind {
            AudienceKind::Role => audience.name.as_deref().and_then(Role::parse).is_some(),
            _ => true,
        };
        if audience.key().is_none() || !named || !is_within(conn, owner, audience, day).await? {
            let detail = text(
                "Đối tượng nhận không đầy đủ, không tồn tại hoặc không thuộc đơn vị sở hữu tài liệu.",
                "The audience is incomplete, does not exist, or is not within the unit that owns the document.",
            );
            faults.push(Fault { pointer: format!("/audiences/{at}"), code: "unknown", detail });
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(Problem::faults(Code::RuleNotMet, faults)) }
}

async fn is_within(conn: &mut Conn, owner: Uuid, audience: &DocumentAudience, day: NaiveDate) -> Result<bool, Problem> {
    let row: WithinRow = diesel::sql_query(
        "SELECT EXISTS (SELECT 1 FROM unit_tree t WHERE t.ancestor_id = $1 AND t.valid_from <= $4
             AND (t.valid_to IS NULL OR t.valid_to > $4) AND (t.descendant_id = $2 OR t.descendant_id = (
                 SELECT m.unit_id FROM memberships m WHERE m.member_id = $3 AND m.valid_from <= $4
                 AND (m.valid_to IS NULL OR m.valid_to > $4))))
             AND ($5 <> 'unit_kind' OR EXISTS (SELECT 1 FROM unit_kinds k WHERE k.code = $6)) AS within",
    )
    .bind::<SqlUuid, _>(owner)
    .bind::<Nullable<SqlUuid>, _>(audience.unit_id)
    .bind::<Nullable<SqlUuid>, _>(audience.member_id)
    .bind::<Date, _>(day)
    .bind::<Text, _>(audience.kind())
    .bind::<Nullable<Text>, _>(audience.name.as_deref())
    .get_result(conn)
    .await?;
    Ok(row.within)
}

/// Adds audiences to those that the document has.
pub async fn add(conn: &mut Conn, document_id: Uuid, audiences: &[DocumentAudience]) -> Result<(), Problem> {
    let rows: Vec<_> = audiences
        .iter()
        .filter_map(|audience| {
            Some((
                document_audiences::document_id.eq(document_id),
                document_audiences::key.eq(audience.key()?),
                document_audiences::kind.eq(audience.kind()),
                document_audiences::unit_id.eq(audience.unit_id),
                document_audiences::member_id.eq(audience.member_id),
                document_audiences::name.eq(audience.name.as_deref()),
            ))
        })
        .collect();
    diesel::insert_into(document_audiences::table).values(rows).on_conflict_do_nothing().execute(conn).await?;
    Ok(())
}

/// Kind, unit, member and name.
type AudienceParts = (String, Option<Uuid>, Option<Uuid>, Option<String>);

/// The audiences of a document besides units.
pub async fn of_document(conn: &mut Conn, document_id: Uuid) -> Result<Vec<DocumentAudience>, Problem> {
    let rows: Vec<AudienceParts> = document_audiences::table
        .filter(document_audiences::document_id.eq(document_id))
        .order(document_audiences::key)
        .limit(MOST)
        .select((
            document_audiences::kind,
            document_audiences::unit_id,
            document_audiences::member_id,
            document_audiences::name,
        ))
        .load(conn)
        .await?;
    let show = |(kind, unit_id, member_id, name): AudienceParts| DocumentAudience {
        kind: match kind.as_str() {
            "unit_kind" => AudienceKind::UnitKind,
            "role" => AudienceKind::Role,
            _ => AudienceKind::Member,
        },
        unit_id,
        name,
        member_id,
    };
    Ok(rows.into_iter().map(show).collect())
}
