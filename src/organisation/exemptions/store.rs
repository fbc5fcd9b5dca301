//! Queries on exemptions.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::dsl::min;
use diesel::prelude::*;
use diesel::sql_types::{Date, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::clock::Period;
use crate::kernel::db::Conn;
use crate::kernel::db::schema::{exemptions, member_months, memberships, unit_links};
use crate::kernel::http::problem::{Code, Fault, Problem, text};

/// A period in which a member counts nowhere.
#[derive(Debug, Clone, Serialize, ToSchema, Queryable, Selectable)]
#[diesel(table_name = exemptions)]
pub struct Exemption {
    /// Identifier.
    pub id: Uuid,
    /// The member.
    pub member_id: Uuid,
    /// `exempt` from work and meetings for good reasons of age or health, or `excused` for a while.
    #[schema(max_length = 10, pattern = "^[a-z]+$", example = "exempt")]
    pub kind: String,
    /// Its first day.
    pub valid_from: NaiveDate,
    /// The day after its last; null while it has no end.
    pub valid_to: Option<NaiveDate>,
    /// The reason.
    #[schema(max_length = 500, example = "Tuổi cao, sức yếu")]
    pub reason: String,
    /// When it was recorded.
    pub created_at: DateTime<Utc>,
}

/// One exemption.
pub async fn get(conn: &mut Conn, id: Uuid) -> Result<Exemption, Problem> {
    Ok(exemptions::table.find(id).select(Exemption::as_select()).first(conn).await?)
}

/// Refuses an exemption of a member whose row is locked when it cannot be. `proposed_at` is when it was proposed, if it was: a
/// month that was closed since then is no obstacle.
///
/// # Errors
/// 409 when one of the same kind covers a day of it, or a month of it is closed; 422 when it begins before the member's unit.
pub async fn require_possible(
    conn: &mut Conn,
    new: &Exemption,
    proposed_at: Option<DateTime<Utc>>,
) -> Result<(), Problem> {
    require_unit(conn, new.member_id, new.valid_from).await?;
    require_open(conn, new.member_id, (new.valid_from, new.valid_to), proposed_at).await?;
    let mut overlapping = exemptions::table
        .filter(exemptions::member_id.eq(new.member_id))
        .filter(exemptions::kind.eq(&new.kind))
        .filter(exemptions::valid_to.is_null().or(exemptions::valid_to.gt(new.valid_from)))
        .into_boxed();
    if let Some(to) = new.valid_to {
        overlapping = overlapping.filter(exemptions::valid_from.lt(to));
    }
    let found: i64 = overlapping.count().get_result(conn).await?;
    if found == 0 {
        return Ok(());
    }
    Err(Problem::with(
        Code::Conflict,
        "Đảng viên đã được miễn cùng loại trong thời gian này.",
        "An exemption of this kind covers a part of this time already.",
    ))
}

/// Refuses an exemption while another one of its kind waits for a second officer that covers a day of it.
///
/// # Errors
/// 409 when one does.
pub async fn require_none_waiting(
    conn: &mut Conn,
    new: &Exemption,
    decision_kind: &str,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let waiting: Vec<ExemptionDraft> = diesel::sql_query(
        "SELECT d.id FROM decisions d WHERE d.subject_id = $1 AND d.kind = $2 AND d.state = 'waiting' AND d.expires_at > $3
           AND d.payload ->> 'kind' = $4
           AND daterange((d.payload ->> 'valid_from')::date, (d.payload ->> 'valid_to')::date) && daterange($5, $6) LIMIT 1",
    )
    .bind::<SqlUuid, _>(new.member_id)
    .bind::<Text, _>(decision_kind)
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(&new.kind)
    .bind::<Date, _>(new.valid_from)
    .bind::<Nullable<Date>, _>(new.valid_to)
    .load(conn)
    .await?;
    if waiting.is_empty() {
        return Ok(());
    }
    Err(Problem::with(
        Code::Conflict,
        "Đã có đề nghị miễn cùng loại trong thời gian này đang chờ quyết định.",
        "An exemption of this kind waits for a decision that covers a part of this time.",
    ))
}

#[derive(QueryableByName)]
struct ExemptionDraft {
    #[diesel(sql_type = SqlUuid)]
    #[expect(dead_code, reason = "only whether there is one matters")]
    id: Uuid,
}

/// Writes an exemption that two officers decided.
pub async fn insert(conn: &mut Conn, new: &Exemption, recorded_by: Uuid) -> Result<(), Problem> {
    diesel::insert_into(exemptions::table)
        .values((
            exemptions::id.eq(new.id),
            exemptions::member_id.eq(new.member_id),
            exemptions::kind.eq(&new.kind),
            exemptions::valid_from.eq(new.valid_from),
            exemptions::valid_to.eq(new.valid_to),
            exemptions::reason.eq(&new.reason),
            exemptions::recorded_by.eq(recorded_by),
            exemptions::created_at.eq(new.created_at),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// The exemptions of a member by first day, latest first.
pub async fn of_member(
    conn: &mut Conn,
    member_id: Uuid,
    before: Option<(NaiveDate, Uuid)>,
    fetch: i64,
) -> Result<Vec<Exemption>, Problem> {
    let mut query = exemptions::table.filter(exemptions::member_id.eq(member_id)).into_boxed();
    if let Some((day, id)) = before {
        query =
            query.filter(exemptions::valid_from.lt(day).or(exemptions::valid_from.eq(day).and(exemptions::id.lt(id))));
    }
    Ok(query
        .order((exemptions::valid_from.desc(), exemptions::id.desc()))
        .limit(fetch)
        .select(Exemption::as_select())
        .load(conn)
        .await?)
}

/// The exemption, when it can end on this day; it only ever becomes shorter. See [`require_possible`] for `proposed_at`.
///
/// # Errors
/// 422 when the end is not within it, 409 when a month of what is cut off is closed.
pub async fn require_end(
    conn: &mut Conn,
    id: Uuid,
    valid_to: NaiveDate,
    proposed_at: Option<DateTime<Utc>>,
) -> Result<Exemption, Problem> {
    let before = get(conn, id).await?;
    if valid_to <= before.valid_from || before.valid_to.is_some_and(|to| valid_to > to) {
        return Err(Problem::with(
            Code::RuleNotMet,
            "Ngày kết thúc phải sau ngày bắt đầu và không muộn hơn ngày kết thúc đã ghi.",
            "The end must come after the beginning and not after the recorded end.",
        ));
    }
    if before.valid_to != Some(valid_to) {
        require_open(conn, before.member_id, (valid_to, before.valid_to), proposed_at).await?;
    }
    Ok(before)
}

/// Ends an exemption on a day that [`require_end`] allows.
pub async fn end(conn: &mut Conn, id: Uuid, valid_to: NaiveDate) -> Result<(), Problem> {
    diesel::update(exemptions::table.find(id)).set(exemptions::valid_to.eq(valid_to)).execute(conn).await?;
    Ok(())
}

/// Refuses a day before the first unit that the member belonged to.
async fn require_unit(conn: &mut Conn, member_id: Uuid, day: NaiveDate) -> Result<(), Problem> {
    let first: Option<NaiveDate> = memberships::table
        .inner_join(unit_links::table.on(unit_links::unit_id.eq(memberships::unit_id)))
        .filter(memberships::member_id.eq(member_id))
        .select(min(unit_links::valid_from))
        .first(conn)
        .await?;
    match first {
        Some(first) if day < first => {
            let detail = text(
                format!("Chi bộ của đảng viên có từ ngày {}.", first.format("%d/%m/%Y")),
                format!("The member's cell exists since {first}."),
            );
            let fault = Fault { pointer: "/valid_from".to_owned(), code: "before_unit", detail };
            Err(Problem::faults(Code::RuleNotMet, vec![fault]))
        }
        _ => Ok(()),
    }
}

/// Refuses days of a month that is closed for the member: the signed closing states who counted, and only a superior
/// reopens it. A closing waits for the member's row, so a month that is open here is closed with what is written now.
async fn require_open(
    conn: &mut Conn,
    member_id: Uuid,
    (from, to): (NaiveDate, Option<NaiveDate>),
    proposed_at: Option<DateTime<Utc>>,
) -> Result<(), Problem> {
    let mut touched = member_months::table
        .filter(member_months::member_id.eq(member_id))
        .filter(member_months::period.ge(Period::containing(from).first_day()))
        .filter(member_months::closed_at.is_not_null())
        .into_boxed();
    if let Some(to) = to {
        touched = touched.filter(member_months::period.lt(to));
    }
    if let Some(proposed_at) = proposed_at {
        touched = touched.filter(member_months::closed_at.lt(proposed_at));
    }
    let closed: Option<NaiveDate> =
        touched.order(member_months::period.desc()).select(member_months::period).first(conn).await.optional()?;
    match closed.map(Period::containing) {
        None => Ok(()),
        Some(month) => Err(Problem::with(
            Code::Conflict,
            format!("Tháng {month} đã chốt; việc miễn sinh hoạt chỉ đổi được khi cấp trên mở lại tháng đó."),
            format!("The month {month} is closed; exemptions in it change only while a superior committee reopens it."),
        )),
    }
}
