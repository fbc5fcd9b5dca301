//! What may be set, from which month on, and the writing of it.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::clock::Period;
use crate::kernel::db::Conn;
use crate::kernel::db::schema::point_parameters;
use crate::kernel::http::problem::{Code, Fault, Problem, text};
use crate::points::engine::store;

use super::{ParameterIn, ParameterName};

/// Whether a value can be set for the unit with this path today.
///
/// # Errors
/// 422 for a month that is over, a value out of bounds, or when the units above do not allow it or it comes too early.
pub async fn check(conn: &mut Conn, path: &[Uuid], body: &ParameterIn, today: NaiveDate) -> Result<(), Problem> {
    bounds(body, today)?;
    begins_in_time(conn, path, body, today).await?;
    no_wider(conn, path, body).await
}

fn bounds(body: &ParameterIn, today: NaiveDate) -> Result<(), Problem> {
    if body.from < Period::containing(today) {
        let detail = text("Chỉ đặt được từ tháng này trở đi.", "It can be set from the present month on only.");
        return Err(Problem::fault("/from", "too_small", detail));
    }
    if matches!(body.name, ParameterName::Prorated | ParameterName::DocumentReview) && body.value > 1 {
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
        return Err(Problem::fault("/from", "too_early", detail));
    }
    Ok(())
}

/// A superior who narrows later binds anyway: this only tells the officer that the value would never hold.
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

pub async fn set(conn: &mut Conn, unit_id: Uuid, body: &ParameterIn, id: Uuid) -> Result<(), Problem> {
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
