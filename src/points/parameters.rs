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

use super::officers::unmet;
use super::store::{self, ParameterRow, Parameters};

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
    /// The least threshold that the unit and those below it may have; of all units above, the highest value holds.
    ThresholdFloor,
    /// Days of a month that an excuse must cover to count for it, 1 to 31.
    ExcuseDays,
}

impl ParameterName {
    fn as_str(self) -> &'static str {
        match self {
            Self::Threshold => store::THRESHOLD,
            Self::Prorated => store::PRORATED,
            Self::SelfServiceDayCap => store::SELF_SERVICE_DAY_CAP,
            Self::ThresholdFloor => store::THRESHOLD_FLOOR,
            Self::ExcuseDays => store::EXCUSE_DAYS,
        }
    }

    /// Whether a value asks less of members than what is in force.
    fn asks_less(self, value: i32, in_force: &Parameters) -> bool {
        match self {
            Self::Threshold => value < in_force.threshold,
            Self::ThresholdFloor => value < in_force.threshold_floor,
            Self::Prorated => value > i32::from(in_force.prorate),
            Self::ExcuseDays => value < in_force.excuse_days,
            // More can be earned, and still has to be.
            Self::SelfServiceDayCap => false,
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
    /// Its value; 0 or 1 for `prorated`, 1 to 31 for `excuse_days`.
    #[schema(minimum = 0, maximum = 10_000, example = 35)]
    value: i32,
    /// The first month it holds for: the present one or a later one; a later one when it asks less of members.
    #[schema(example = "2026-12")]
    from: Period,
}

/// A value in force.
#[derive(Debug, Serialize, ToSchema)]
pub struct PointParameter {
    /// Which parameter: `threshold`, `prorated`, `self_service_day_cap`, `threshold_floor`, `excuse_days`.
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
/// what they had. What asks less of members begins next month at the earliest. No threshold is below the floor that a unit above
/// set, whatever was set before it. What one can earn alone a day may only be narrowed: the least value on the way from the top
/// holds, and more than the units above allow in that month is refused. Recorded in the audit log.
#[utoipa::path(tag = "Points", params(("unit_id" = Uuid, Path, description = "The unit.")), request_body = ParameterIn,
    responses((status = 200, description = "The values in force today.", body = PointParameters),
        (status = 422, description = "It is more, or a lower threshold, than the units above allow (`rule_widened`), or asks less of members from the present month on (`too_early`).")))]
#[post("/units/{unit_id}/point-parameters")]
pub async fn set_parameter(call: Call<ParameterIn, OnUnit<ManageParameters>>) -> Result<HttpResponse, Problem> {
    call.commit(StatusCode::OK, async |conn, scope| {
        let (body, unit_id, today) = (&scope.body, scope.on.unit_id, day_of(scope.now));
        check(body, today)?;
        begins_in_time(conn, &scope.on.path, body, today).await?;
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
    if matches!(body.name, ParameterName::ExcuseDays) && !(1..=31).contains(&body.value) {
        return Err(Problem::fault("/value", "out_of_range", text("Từ 1 đến 31 ngày.", "1 to 31 days.")));
    }
    Ok(())
}

/// What asks less of members than holds for the unit now waits for the next month: nobody lowers a bar that is being jumped.
async fn begins_in_time(conn: &mut Conn, path: &[Uuid], body: &ParameterIn, today: NaiveDate) -> Result<(), Problem> {
    let present = Period::containing(today);
    if body.from > present {
        return Ok(());
    }
    let in_force = store::parameters(conn, path, today).await?;
    if body.name.asks_less(body.value, &in_force) {
        let detail = text(
            format!("Hạ yêu cầu chỉ áp dụng từ tháng {} trở đi.", present.next()),
            format!("What asks less begins with {} at the earliest.", present.next()),
        );
        return Err(unmet("/from", "too_early", detail));
    }
    Ok(())
}

/// A superior who narrows later binds anyway: this only tells whoever sets a value that it would never hold.
async fn no_wider(conn: &mut Conn, path: &[Uuid], body: &ParameterIn) -> Result<(), Problem> {
    let above = path.get(1..).unwrap_or_default();
    let bound = store::parameters(conn, above, body.from.first_day()).await?;
    let (value, cap, floor) = (body.value, bound.self_service_cap, bound.threshold_floor);
    let by =
        if above.is_empty() { ("Toàn hệ thống", "The whole system") } else { ("Cấp trên", "The superior") };
    let (code, detail) = match body.name {
        ParameterName::SelfServiceDayCap if value > cap => {
            ("wider", text(format!("{} cho phép tối đa {cap}.", by.0), format!("{} allows {cap} at most.", by.1)))
        }
        ParameterName::Threshold | ParameterName::ThresholdFloor if value < floor => (
            "below_floor",
            text(format!("{} quy định tối thiểu {floor}.", by.0), format!("{} demands {floor} at least.", by.1)),
        ),
        _ => return Ok(()),
    };
    let fault = Fault { pointer: "/value".to_owned(), code, detail };
    Err(Problem::faults(Code::RuleWidened, vec![fault]))
}

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
