//! Thresholds and the like over HTTP: a unit sets them for itself and everything below, from a month on.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, get, post};
use chrono::NaiveDate;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::access::needs::{ManageParameters, ReadUnit};
use crate::kernel::audit;
use crate::kernel::call::{Ask, Call};
use crate::kernel::clock::{Period, day_of};
use crate::kernel::db::Conn;
use crate::kernel::ids::new_id;
use crate::kernel::problem::{Code, Fault, Problem, text};
use crate::kernel::schema::point_parameters;
use crate::organisation::{OnUnit, units};

use super::store::{self, ParameterRow};

/// What can be set.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ParameterName {
    /// Points a month.
    Threshold,
    /// 1 when those who enter during a month have the threshold by days, 0 when not.
    Prorated,
    /// Most points a day that one can earn alone; of all units above, the least value holds.
    SelfServiceDayCap,
}

impl ParameterName {
    fn as_str(self) -> &'static str {
        match self {
            Self::Threshold => "threshold",
            Self::Prorated => "prorated",
            Self::SelfServiceDayCap => store::SELF_SERVICE_DAY_CAP,
        }
    }
}

/// A value to be set.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ParameterIn {
    /// Which parameter.
    #[schema(example = "threshold")]
    name: ParameterName,
    /// Its value; 0 or 1 for `prorated`.
    #[schema(minimum = 0, maximum = 10_000, example = 35)]
    value: i32,
    /// The first month it holds for: the present one or a later one.
    #[schema(example = "2026-12")]
    from: Period,
}

/// A value in force.
#[derive(Debug, Serialize, ToSchema)]
pub struct PointParameter {
    /// Which parameter: `threshold`, `prorated`, `self_service_day_cap`.
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
#[utoipa::path(tag = "Points", params(("unit_id" = Uuid, Path, description = "The unit.")),
    responses((status = 200, description = "The values in force.", body = PointParameters)))]
#[get("/units/{unit_id}/point-parameters")]
pub async fn list_parameters(mut ask: Ask<OnUnit<ReadUnit>>) -> Result<HttpResponse, Problem> {
    let items = in_force(&mut ask.conn, &ask.scope.on.path, day_of(ask.scope.now)).await?;
    ask.reply(&PointParameters { items })
}

/// Set a point parameter of a unit
///
/// From the first day of a month on, for the unit and everything below it that does not set its own. Months before keep
/// what they had. What one can earn alone a day may only be narrowed: the least value on the way from the top holds, and
/// more than the units above allow in that month is refused. Recorded in the audit log.
#[utoipa::path(tag = "Points", params(("unit_id" = Uuid, Path, description = "The unit.")), request_body = ParameterIn,
    responses((status = 200, description = "The values in force today.", body = PointParameters),
        (status = 422, description = "It is more than the units above allow (`rule_widened`).")))]
#[post("/units/{unit_id}/point-parameters")]
pub async fn set_parameter(call: Call<ParameterIn, OnUnit<ManageParameters>>) -> Result<HttpResponse, Problem> {
    call.commit(StatusCode::OK, async |conn, scope| {
        let (body, unit_id, today) = (&scope.body, scope.on.unit_id, day_of(scope.now));
        check(body, today)?;
        no_wider(conn, &scope.on.path, body).await?;
        units::lock(conn, unit_id).await?;
        set(conn, unit_id, body, new_id(scope.now)).await?;
        let event = audit::Event {
            unit_id: Some(unit_id),
            details: json!({"name": body.name.as_str(), "value": body.value, "from": body.from}),
            ..scope.audit("points.parameter_set", "unit", unit_id)
        };
        audit::record(conn, event, scope.now).await?;
        Ok(PointParameters { items: in_force(conn, &scope.on.path, today).await? })
    })
    .await
}

fn check(body: &ParameterIn, today: NaiveDate) -> Result<(), Problem> {
    if body.from < Period::containing(today) {
        let detail = text("Chỉ đặt được từ tháng này trở đi.", "It can be set from the present month on only.");
        return Err(Problem::fault("/from", "too_small", detail));
    }
    if matches!(body.name, ParameterName::Prorated) && body.value > 1 {
        return Err(Problem::fault("/value", "too_large", text("Chỉ nhận 0 hoặc 1.", "0 or 1 only.")));
    }
    Ok(())
}

/// A superior who narrows later binds anyway: this only tells whoever sets a value that it would never hold.
async fn no_wider(conn: &mut Conn, path: &[Uuid], body: &ParameterIn) -> Result<(), Problem> {
    if !matches!(body.name, ParameterName::SelfServiceDayCap) {
        return Ok(());
    }
    let above = path.get(1..).unwrap_or_default();
    let bound = store::parameters(conn, above, body.from.first_day()).await?.self_service_cap;
    if body.value <= bound {
        return Ok(());
    }
    let detail = if above.is_empty() {
        text(format!("Toàn hệ thống cho phép tối đa {bound}."), format!("The whole system allows {bound} at most."))
    } else {
        text(format!("Cấp trên cho phép tối đa {bound}."), format!("The superior allows {bound} at most."))
    };
    let fault = Fault { pointer: "/value".to_owned(), code: "wider", detail };
    Err(Problem::faults(Code::RuleWidened, vec![fault]))
}

/// Ends what held before on the first day of the new value, and drops what was to come after it.
async fn set(conn: &mut Conn, unit_id: Uuid, body: &ParameterIn, id: Uuid) -> Result<(), Problem> {
    let (name, from) = (body.name.as_str(), body.from.first_day());
    let own =
        point_parameters::table.filter(point_parameters::unit_id.eq(unit_id)).filter(point_parameters::name.eq(name));
    diesel::delete(own.filter(point_parameters::valid_from.ge(from))).execute(conn).await?;
    let before = own.filter(point_parameters::valid_to.is_null().or(point_parameters::valid_to.gt(from)));
    diesel::update(before).set(point_parameters::valid_to.eq(from)).execute(conn).await?;
    diesel::insert_into(point_parameters::table)
        .values((
            point_parameters::id.eq(id),
            point_parameters::name.eq(name),
            point_parameters::unit_id.eq(unit_id),
            point_parameters::value.eq(body.value),
            point_parameters::valid_from.eq(from),
        ))
        .execute(conn)
        .await?;
    Ok(())
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
