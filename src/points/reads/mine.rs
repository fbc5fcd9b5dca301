//! A member's own points over HTTP: visits, and the month with what is missing and what to do.

use actix_web::web::Data;
use actix_web::{get, post};
use chrono::NaiveDate;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::kernel::clock::{Period, day_of};
use crate::kernel::extract::{BatchedRequest, Empty, Query, answer};
use crate::kernel::http::problem::{Problem, text};
use crate::kernel::http::reply;
use crate::kernel::http::reply::Reply;

use super::month::{MonthQuery, MyPoints};
use crate::points::engine::AwardRequest;
use crate::points::engine::batches::Queues;
use crate::points::model::{Award, Deed};

/// Which month.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PeriodQuery {
    /// The month; the present one when left out. Months to come are refused.
    #[param(nullable = false)]
    pub period: Option<Period>,
}

impl PeriodQuery {
    /// The requested month.
    ///
    /// # Errors
    /// 400 for a month to come.
    pub fn resolve(&self, today: NaiveDate) -> Result<Period, Problem> {
        let present = Period::containing(today);
        let period = self.period.unwrap_or(present);
        if period > present {
            let detail = text("Tháng này chưa đến.", "That month has not come yet.");
            return Err(Problem::malformed("period", "too_large", detail));
        }
        Ok(period)
    }
}

/// Record a visit
///
/// The first visit of a day earns what the rule `daily_visit` gives; later ones earn nothing, and the answer gives the
/// reason.
#[utoipa::path(tag = "Points", request_body = Empty, responses((status = 403, description = "The caller is no member.")))]
#[post("/me/visits")]
pub async fn record_visit(visit: BatchedRequest<Empty>, queues: Data<Queues>) -> Result<Reply<Award>, Problem> {
    let deed = Deed {
        event: crate::points::VISIT,
        object_kind: "day",
        object_id: day_of(visit.now).to_string(),
        ..Deed::default()
    };
    let want = AwardRequest { member_id: visit.claims.sub, deed, now: visit.now };
    let told = queues.award(visit.claims, visit.key, want).await?;
    Ok(answer(told.status, told.body, told.replayed))
}

/// Get my points of a month
///
/// Points by rule, what is missing, how many days are left and what could be done next. Of a closed month both the
/// closed figure and the one with late corrections.
#[utoipa::path(tag = "Points", security(("bearer" = []), ("oauth2" = ["points:read"])), params(PeriodQuery), responses((status = 403, description = "The caller is no member.")))]
#[get("/me/points")]
pub async fn get_my_points(
    request: BatchedRequest<Empty>,
    query: Query<PeriodQuery>,
    queues: Data<Queues>,
) -> Result<Reply<MyPoints>, Problem> {
    let today = day_of(request.now);
    let period = query.0.resolve(today)?;
    let wanted = MonthQuery { member_id: request.claims.sub, period, today, language: request.context.language };
    let month = queues.month(request.claims, wanted, request.now).await?;
    reply::json(&request.request, &month)
}
