//! Thresholds and the like over HTTP: a unit sets them for itself and everything below, from a month on.

mod decide;
mod rule;

use actix_web::web::Data;
use actix_web::{get, post};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::clock::{Period, day_of};
use crate::kernel::db::Conn;
use crate::kernel::extract::{ReadRequest, WriteRequest};
use crate::kernel::http::problem::Problem;
use crate::kernel::http::reply::{Accepted, OneOf, Reply};
use crate::kernel::ids::new_id;
use crate::kernel::security::access::needs::{ManageParameters, ReadUnit};
use crate::kernel::security::audit;
use crate::organisation::decisions::{self, DecisionOut, Registry};
use crate::organisation::{OnUnit, units};

use super::engine::store::{self, ParameterRow, Parameters};

pub use decide::POINT_PARAMETER;

/// What can be set.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ParameterName {
    /// Points a month.
    Threshold,
    /// 1 when those who enter during a month have the threshold by days, 0 when not.
    Prorated,
    /// Most points a day that one can earn alone; of all units above, the least value holds.
    SelfServiceDayCap,
    /// The least threshold that the unit and those below it may have; of all units above, the highest value holds.
    ThresholdFloor,
    /// Days of a month that an excuse must cover to count for it, 1 to 31.
    ExcuseDays,
    /// 1 when a second officer looks at documents before they are published, 0 when not.
    DocumentReview,
    /// 1 when a second officer looks at questions before quizzes draw them, 0 when not.
    QuestionReview,
}

impl ParameterName {
    fn as_str(self) -> &'static str {
        match self {
            Self::Threshold => store::THRESHOLD,
            Self::Prorated => store::PRORATED,
            Self::SelfServiceDayCap => store::SELF_SERVICE_DAY_CAP,
            Self::ThresholdFloor => store::THRESHOLD_FLOOR,
            Self::ExcuseDays => store::EXCUSE_DAYS,
            Self::DocumentReview => store::DOCUMENT_REVIEW,
            Self::QuestionReview => store::QUESTION_REVIEW,
        }
    }

    /// Whether it changes who reached the threshold, whatever members do.
    fn moves_figures(self) -> bool {
        !matches!(self, Self::SelfServiceDayCap | Self::DocumentReview | Self::QuestionReview)
    }

    /// Whether a value asks less of members than what is in force.
    fn asks_less(self, value: i32, in_force: &Parameters) -> bool {
        match self {
            Self::Threshold => value < in_force.threshold,
            Self::ThresholdFloor => value < in_force.threshold_floor,
            Self::Prorated => value > i32::from(in_force.prorate),
            Self::ExcuseDays => value < in_force.excuse_days,
            // More can be earned, and still has to be.
            Self::SelfServiceDayCap | Self::DocumentReview | Self::QuestionReview => false,
        }
    }
}

/// A value to be set.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ParameterIn {
    /// Which parameter.
    #[schema(example = "threshold")]
    name: ParameterName,
    /// Its value; 0 or 1 for `prorated`, `document_review` and `question_review`, 1 to 31 for `excuse_days`.
    #[schema(minimum = 0, maximum = 10_000, example = 35)]
    value: i32,
    /// The first month it holds for: the present one or a later one; a later one when it asks less of members.
    #[schema(example = "2026-12")]
    from: Period,
}

/// A value in force.
#[derive(Debug, Serialize, ToSchema)]
pub struct PointParameter {
    /// Which parameter: `threshold`, `prorated`, `self_service_day_cap`, `threshold_floor`, `excuse_days`,
    /// `document_review`, `question_review`.
    #[schema(max_length = 40, pattern = "^[a-z_]+$", example = "threshold")]
    name: String,
    /// Its value.
    #[schema(minimum = 0, maximum = 10_000, example = 30)]
    value: i32,
    /// The unit that set it, this one or one above; null for the default of the whole system.
    unit_id: Option<Uuid>,
    /// Since when it holds.
    valid_from: NaiveDate,
}

/// The values in force for a unit today.
#[derive(Debug, Serialize, ToSchema)]
pub struct PointParameters {
    /// One of each name.
    #[schema(max_items = 10)]
    items: Vec<PointParameter>,
}

/// List the point parameters of a unit
///
/// The threshold and the like as they hold for the unit today, and who set them.
#[utoipa::path(tag = "Points", params(("unit_id" = Uuid, Path, description = "The unit.")))]
#[get("/units/{unit_id}/point-parameters")]
pub async fn list_parameters(mut request: ReadRequest<OnUnit<ReadUnit>>) -> Result<Reply<PointParameters>, Problem> {
    let items = in_force(&mut request.conn, &request.scope.on.path, day_of(request.scope.now)).await?;
    request.reply(&PointParameters { items })
}

/// Set a point parameter of a unit
///
/// From the first day of a month on, for the unit and everything below it that does not set its own. Months before keep what
/// they had. `threshold`, `threshold_floor`, `prorated` and `excuse_days` move figures, so they take two officers: the answer is 202
/// with a decision that waits, and the value holds when a second officer confirms it, before the month after `from` begins. What
/// asks less of members begins next month at the earliest. No threshold is below the floor that a unit above set, whatever was
/// set before it. `self_service_day_cap` holds at once and may only be narrowed: the least value on the way from the top holds,
/// and more than the units above allow in that month is refused; `document_review` and `question_review` hold at once. Recorded in the audit log.
#[utoipa::path(tag = "Points", params(("unit_id" = Uuid, Path, description = "The unit.")), request_body = ParameterIn,
    responses((status = 422, description = "It is more, or a lower threshold, than the units above allow (`rule_widened`), or asks less of members from the present month on (`too_early`).")))]
#[post("/units/{unit_id}/point-parameters")]
pub async fn set_parameter(
    request: WriteRequest<ParameterIn, OnUnit<ManageParameters>>,
    kinds: Data<Registry>,
) -> Result<OneOf<Reply<PointParameters>, Accepted<DecisionOut>>, Problem> {
    let kinds = **kinds;
    if request.body.name.moves_figures() {
        let decision = request.commit(async |conn, scope| {
            let (unit_id, request_id) = (scope.on.unit_id, Some(scope.context.request_id.as_str()));
            rule::check(conn, &scope.on.path, &scope.body, day_of(scope.now)).await?;
            let id = decide::propose(conn, unit_id, &scope.body, &scope.caller, request_id, scope.now).await?;
            decisions::answer(conn, id, kinds, scope.context.language, scope.now).await
        });
        return decision.await.map(OneOf::Second);
    }
    let set = request.commit(async |conn, scope| {
        let (body, unit_id, today) = (&scope.body, scope.on.unit_id, day_of(scope.now));
        rule::check(conn, &scope.on.path, body, today).await?;
        units::lock(conn, unit_id).await?;
        rule::set(conn, unit_id, body, new_id(scope.now)).await?;
        let event = audit::AuditEvent {
            unit_id: Some(unit_id),
            details: json!({"name": body.name.as_str(), "value": body.value, "from": body.from}),
            ..scope.audit("points.parameter_set", "unit", unit_id)
        };
        audit::record(conn, event, scope.now).await?;
        Ok(PointParameters { items: in_force(conn, &scope.on.path, today).await? })
    });
    set.await.map(OneOf::First)
}

async fn in_force(conn: &mut Conn, path: &[Uuid], day: NaiveDate) -> Result<Vec<PointParameter>, Problem> {
    let rows = store::parameters_in_force(conn, path, day).await?;
    Ok(rows.into_iter().map(PointParameter::from).collect())
}

impl From<ParameterRow> for PointParameter {
    fn from(row: ParameterRow) -> Self {
        Self { name: row.name, value: row.value, unit_id: row.unit_id, valid_from: row.valid_from }
    }
}
