//! The rules in force over HTTP: each member can see why points are given.

use actix_web::{HttpResponse, get};
use serde::Serialize;
use utoipa::ToSchema;

use crate::kernel::call::{Anyone, Ask, Query};
use crate::kernel::clock::day_of;
use crate::kernel::page::{Page, PageQuery};
use crate::kernel::problem::Problem;

use super::month::title;
use super::store;

/// A rule in force.
#[derive(Debug, Serialize, ToSchema)]
pub struct PointRule {
    /// Its code.
    #[schema(max_length = 60, pattern = "^[a-z_]+$", example = "document_read")]
    code: String,
    /// Its version.
    #[schema(minimum = 1, maximum = 100_000, example = 1)]
    version: i32,
    /// What it rewards, in the language of the request.
    #[schema(max_length = 200, example = "Đọc xong tài liệu")]
    title: String,
    /// Points of one award, the most where the result decides.
    #[schema(minimum = 1, maximum = 10_000, example = 3)]
    points: i32,
    /// Most points a day; null without a cap.
    #[schema(minimum = 1, maximum = 10_000, example = 6)]
    cap_day: Option<i32>,
    /// Most points a month; null without a cap.
    #[schema(minimum = 1, maximum = 10_000)]
    cap_month: Option<i32>,
    /// Whether it counts under the daily cap of what one can earn alone.
    self_service: bool,
    /// Who vouches for it: `server`, `member`, `officers`.
    #[schema(max_length = 40, pattern = "^[a-z_]+$", example = "server")]
    attested_by: String,
}

/// List the rules in force
///
/// Every rule by which points are given today; public inside the app.
#[utoipa::path(tag = "Points", params(PageQuery), responses((status = 200, description = "The rules by code.", body = Page<PointRule>)))]
#[get("/point-rules")]
pub async fn list_rules(mut ask: Ask<Anyone>, page: Query<PageQuery>) -> Result<HttpResponse, Problem> {
    let after: Option<String> = page.0.after()?;
    let mut rules = store::rules(&mut ask.conn, day_of(ask.scope.now)).await?;
    rules.retain(|rule| after.as_ref().is_none_or(|after| rule.code > *after));
    let language = ask.scope.context.language;
    ask.reply(&page.0.page(
        rules,
        |rule| rule.code.clone(),
        |rule| PointRule {
            title: title(&rule, language).to_owned(),
            code: rule.code,
            version: rule.version,
            points: rule.points,
            cap_day: rule.cap_day,
            cap_month: rule.cap_month,
            self_service: rule.self_service,
            attested_by: rule.attested_by,
        },
    ))
}
