//! The rules in force over HTTP: why points are given, and which unit narrowed a rule.

use actix_web::get;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::extract::{Anyone, Query, ReadRequest};
use crate::kernel::http::page::{Page, PageQuery};
use crate::kernel::http::problem::{Language, Problem};
use crate::kernel::http::reply::Reply;
use crate::kernel::security::access::Permission;
use crate::kernel::security::auth::Principal;
use crate::organisation::{cell_of, units};

use crate::points::engine::rules::{Audience, Rule};
use crate::points::rulebook::{Limit, LimitRow, RuleTier, limits, narrowed, rules_for};

/// What a unit left of a rule for itself and everything below it.
#[derive(Debug, Serialize, ToSchema)]
pub struct RuleNarrowing {
    /// The unit.
    unit_id: Uuid,
    /// Its name.
    #[schema(max_length = 200, example = "Đảng bộ phường Bình Minh")]
    unit_name: String,
    /// Whether it switched the rule off.
    switched_off: bool,
    /// Most points of one award; null where it left them as they were.
    #[schema(minimum = 1, maximum = 10_000, example = 2)]
    points: Option<i32>,
    /// Most points a day; null where it left the cap as it was.
    #[schema(minimum = 1, maximum = 10_000, example = 4)]
    cap_day: Option<i32>,
    /// Most points a month; null where it left the cap as it was.
    #[schema(minimum = 1, maximum = 10_000)]
    cap_month: Option<i32>,
    /// The first day it holds.
    valid_from: NaiveDate,
    /// The first day it holds no more; null without an end.
    valid_to: Option<NaiveDate>,
}

impl From<&LimitRow> for RuleNarrowing {
    fn from(row: &LimitRow) -> Self {
        Self {
            unit_id: row.unit_id,
            unit_name: row.unit_name.clone(),
            switched_off: row.switched_off,
            points: row.points,
            cap_day: row.cap_day,
            cap_month: row.cap_month,
            valid_from: row.valid_from,
            valid_to: row.valid_to,
        }
    }
}

/// A rule, as it holds in a unit on a day.
#[derive(Debug, Serialize, ToSchema)]
pub struct PointRule {
    /// Its code.
    #[schema(max_length = 60, pattern = "^[a-z_]+$", example = "document_read")]
    code: String,
    /// Its version, which entries name.
    #[schema(minimum = 1, maximum = 100_000, example = 1)]
    version: i32,
    /// What it listens to.
    #[schema(max_length = 60, pattern = "^[a-z_.]+$", example = "document.read")]
    event: String,
    /// Whom it is for; `nobody` where a unit has switched it off.
    audience: Audience,
    /// What it rewards, in the language of the request.
    #[schema(max_length = 200, example = "Đọc xong tài liệu")]
    title: String,
    /// Points of one award, the most where the result decides.
    #[schema(minimum = 1, maximum = 10_000, example = 3)]
    points: i32,
    /// Points by share of right answers, where the result decides; empty elsewhere.
    #[schema(max_items = 10)]
    tiers: Vec<RuleTier>,
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
    /// False when a unit has switched it off: then it gives nothing.
    in_force: bool,
    /// Which units narrowed it, the highest first; points and caps above are what they left.
    #[schema(max_items = 20)]
    narrowed_by: Vec<RuleNarrowing>,
    /// The first day of this version; what units narrowed has days of its own.
    valid_from: NaiveDate,
    /// The first day it holds no more; null without an end.
    valid_to: Option<NaiveDate>,
}

/// Of which unit and day the rules are shown.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RuleQuery {
    /// The unit. When left out: the caller's cell on that day, or the whole system for callers without a cell.
    #[param(nullable = false)]
    unit_id: Option<Uuid>,
    /// The day; today when left out. A future day shows what is published for it so far.
    #[param(nullable = false, example = "2026-11-20")]
    day: Option<NaiveDate>,
}

/// List the rules in force
///
/// Every rule by which points are given on a day, as units above have narrowed it or switched it off, and which unit
/// did; public inside the app. To explain an award, look up its `rule` and `rule_version` on the entry's `day` in the
/// member's cell.
#[utoipa::path(tag = "Rules", security(("bearer" = []), ("oauth2" = ["points:read"])), params(PageQuery, RuleQuery), responses(
    (status = 404, description = "There is no such unit on that day, or the caller may not know that there is.")))]
#[get("/point-rules")]
pub async fn list_rules(
    mut request: ReadRequest<Anyone>,
    page: Query<PageQuery>,
    query: Query<RuleQuery>,
) -> Result<Reply<Page<PointRule>>, Problem> {
    let after: Option<String> = page.0.after()?;
    let today = day_of(request.scope.now);
    let day = query.0.day.unwrap_or(today);
    let path = path(&mut request.conn, &request.scope.caller, query.0.unit_id, day, today).await?;
    let limits = limits(&request.conn, &path, day).await?;
    let left: Vec<Limit> = limits.iter().cloned().map(Limit::from).collect();
    let mut rules = narrowed(&rules_for(&mut request.conn, &[], day).await?, &left);
    rules.retain(|rule| after.as_ref().is_none_or(|after| rule.code > *after));
    let language = request.scope.context.language;
    request.reply(&page.0.page(rules, |rule| rule.code.clone(), |rule| show(rule, &limits, language)))
}

/// The unit and its ancestors on the day. Access is decided by the unit's place in the tree today.
async fn path(
    conn: &mut Conn,
    caller: &Principal,
    unit_id: Option<Uuid>,
    day: NaiveDate,
    today: NaiveDate,
) -> Result<Vec<Uuid>, Problem> {
    let unit_id = match unit_id {
        Some(unit_id) => {
            caller.require(&units::last_path(conn, unit_id, today).await?, Permission::ReadUnit)?;
            Some(unit_id)
        }
        None if day == today => return Ok(caller.home.clone()),
        None => cell_of(conn, caller.account_id, day).await?,
    };
    match unit_id {
        Some(unit_id) => units::path(conn, unit_id, day).await,
        None => Ok(Vec::new()),
    }
}

fn show(rule: Rule, limits: &[LimitRow], language: Language) -> PointRule {
    PointRule {
        title: rule.title(language).to_owned(),
        version: rule.version,
        audience: rule.audience,
        valid_from: rule.valid_from,
        valid_to: rule.valid_to,
        points: rule.points,
        tiers: rule.tiers.iter().copied().map(RuleTier::from).collect(),
        cap_day: rule.cap_day,
        cap_month: rule.cap_month,
        self_service: rule.self_service,
        in_force: rule.audience != Audience::Nobody,
        narrowed_by: limits.iter().filter(|l| l.rule_code == rule.code).map(RuleNarrowing::from).collect(),
        attested_by: rule.attested_by,
        event: rule.event,
        code: rule.code,
    }
}
