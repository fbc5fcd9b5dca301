//! A member's profile; personal numbers are masked unless asked for.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{Binary, Bool, Date, Int4, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::extract::Scope;
use crate::kernel::http::problem::Problem;
use crate::kernel::security::audit;
use crate::kernel::security::crypto::Crypto;
use crate::organisation::OnMember;

use super::list::STATUS;

/// The cell of a member.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CellOut {
    /// Identifier.
    pub id: Uuid,
    /// Its name.
    #[schema(max_length = 200, example = "Chi bộ Tổ dân phố số 5")]
    pub name: String,
}

/// A member's profile.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Profile {
    /// Identifier.
    pub id: Uuid,
    /// Full name.
    #[schema(max_length = 100, example = "Nguyễn Văn An")]
    pub full_name: String,
    /// Day of birth.
    pub birth_date: NaiveDate,
    /// `male` or `female`.
    #[schema(max_length = 10, pattern = "^[a-z]+$", example = "male")]
    pub sex: String,
    /// When the member was admitted on probation.
    pub admitted_on: NaiveDate,
    /// When the member became official; null while on probation.
    pub official_on: Option<NaiveDate>,
    /// `official` or `probationary`; `exempt` or `excused` on days on which that holds.
    #[schema(max_length = 20, pattern = "^[a-z]+$", example = "official")]
    pub status: String,
    /// The cell the member belongs to today, or belonged to last.
    pub cell: CellOut,
    /// The first day on which the member belonged to no cell any more; null while the member belongs to one.
    pub left_on: Option<NaiveDate>,
    /// Citizen ID; only the last four digits unless revealed.
    #[schema(max_length = 12, pattern = "^[0-9*]+$", example = "********4321")]
    pub citizen_id: String,
    /// Party card number, masked in the same way; null without a card.
    #[schema(max_length = 12, pattern = "^[0-9*]+$", example = "********8765")]
    pub card_number: Option<String>,
    /// Phone, masked in the same way.
    #[schema(max_length = 12, pattern = "^[0-9*]+$", example = "******4334")]
    pub phone: Option<String>,
    /// Whether the member has no device of their own and studies with a helper.
    pub without_device: bool,
    /// Grows with every change.
    #[schema(minimum = 1, maximum = 2_147_483_647)]
    pub version: i32,
}

#[derive(QueryableByName)]
struct ProfileRow {
    #[diesel(sql_type = Text)]
    full_name: String,
    #[diesel(sql_type = Date)]
    birth_date: NaiveDate,
    #[diesel(sql_type = Text)]
    sex: String,
    #[diesel(sql_type = Date)]
    admitted_on: NaiveDate,
    #[diesel(sql_type = Nullable<Date>)]
    official_on: Option<NaiveDate>,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = SqlUuid)]
    unit_id: Uuid,
    #[diesel(sql_type = Text)]
    unit_name: String,
    #[diesel(sql_type = Nullable<Date>)]
    left_on: Option<NaiveDate>,
    #[diesel(sql_type = Binary)]
    citizen_id_sealed: Vec<u8>,
    #[diesel(sql_type = Nullable<Binary>)]
    card_number_sealed: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<Binary>)]
    phone_sealed: Option<Vec<u8>>,
    #[diesel(sql_type = Bool)]
    without_device: bool,
    #[diesel(sql_type = Int4)]
    version: i32,
}

/// The profile as it stands on a day, with all numbers.
///
/// # Errors
/// 404 when the member belonged to no cell up to that day.
pub async fn full(conn: &mut Conn, crypto: &Crypto, member_id: Uuid, day: NaiveDate) -> Result<Profile, Problem> {
    let row: ProfileRow = diesel::sql_query(format!(
        "SELECT m.full_name, m.birth_date, m.sex, m.admitted_on, m.official_on, {STATUS} AS status,
             u.id AS unit_id, u.name AS unit_name, CASE WHEN s.valid_to <= $1 THEN s.valid_to END AS left_on, m.citizen_id_sealed, m.card_number_sealed, m.phone_sealed,
             m.without_device, m.version
         FROM members m
         CROSS JOIN LATERAL (SELECT unit_id, valid_to FROM memberships WHERE member_id = m.id AND valid_from <= $1
             ORDER BY valid_from DESC LIMIT 1) s
         JOIN units u ON u.id = s.unit_id
         WHERE m.id = $2"
    ))
    .bind::<Date, _>(day)
    .bind::<SqlUuid, _>(member_id)
    .get_result(conn)
    .await?;
    let open = |field: &str, sealed: &[u8]| crypto.open_text(member_id, field, sealed).map_err(Problem::internal);
    let open_some = |field: &str, sealed: &Option<Vec<u8>>| sealed.as_ref().map(|bytes| open(field, bytes)).transpose();
    Ok(Profile {
        id: member_id,
        citizen_id: open("citizen_id", &row.citizen_id_sealed)?,
        card_number: open_some("card_number", &row.card_number_sealed)?,
        phone: open_some("phone", &row.phone_sealed)?,
        full_name: row.full_name,
        birth_date: row.birth_date,
        sex: row.sex,
        admitted_on: row.admitted_on,
        official_on: row.official_on,
        status: row.status,
        cell: CellOut { id: row.unit_id, name: row.unit_name },
        left_on: row.left_on,
        without_device: row.without_device,
        version: row.version,
    })
}

impl Profile {
    /// The same with only the last four digits of each number.
    pub fn masked(self) -> Self {
        Self {
            citizen_id: mask(&self.citizen_id),
            card_number: self.card_number.as_deref().map(mask),
            phone: self.phone.as_deref().map(mask),
            ..self
        }
    }
}

/// A number with only its last four digits.
pub fn mask(number: &str) -> String {
    let hidden = number.len().saturating_sub(4);
    number.char_indices().map(|(i, c)| if i < hidden { '*' } else { c }).collect()
}

/// Records in the audit log which part of a member's record was viewed.
pub async fn record_view<N>(conn: &mut Conn, scope: &Scope<(), OnMember<N>>, details: Value) -> Result<(), Problem> {
    let event = audit::AuditEvent {
        unit_id: Some(scope.on.unit_id),
        member_id: Some(scope.on.member_id),
        details,
        ..scope.audit("member.viewed", "member", scope.on.member_id)
    };
    audit::record(conn, event, scope.now).await
}

#[cfg(test)]
mod tests {
    use super::mask;

    #[test]
    fn only_four_digits_show() {
        assert_eq!(mask("038180004321"), "********4321");
        assert_eq!(mask("0909594334"), "******4334");
    }
}
