//! A member's own points over HTTP: visits, the month with what is missing and what could be done, the entries.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, get, post};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::kernel::call::{Ask, Call, Empty, Myself, Query};
use crate::kernel::clock::{Period, day_of};
use crate::kernel::db::Conn;
use crate::kernel::page::{Page, PageQuery};
use crate::kernel::problem::{Language, Problem, text};
use crate::kernel::schema::point_entries;

use super::closings::{self, ClosedFigure};
use super::model::{Award, Deed, Entry, ObjectRef, Status};
use super::rules::{self, Rule};
use super::store::{self, MemberFacts, Month, OpenOffer};

/// Which month.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PeriodQuery {
    /// The month; the present one when left out. Months to come are refused.
    #[param(nullable = false)]
    pub period: Option<Period>,
}

impl PeriodQuery {
    /// The month asked for.
    ///
    /// # Errors
    /// 400 for a month to come.
    pub fn resolve(&self, today: NaiveDate) -> Result<Period, Problem> {
        let present = Period::containing(today);
        let period = self.period.unwrap_or(present);
        if period > present {
            let detail = text("Tháng này chưa đến.", "That month has not come yet.");
            return Err(Problem::fault("period", "too_large", detail));
        }
        Ok(period)
    }
}

/// Record a visit
///
/// The first visit of a day earns what the rule `daily_visit` gives; later ones earn nothing and say why.
#[utoipa::path(tag = "Points", request_body = Empty, responses((status = 200, description = "What the visit earned.", body = Award)))]
#[post("/me/visits")]
pub async fn record_visit(call: Call<Empty, Myself>) -> Result<HttpResponse, Problem> {
    call.commit(StatusCode::OK, async |conn, scope| {
        let deed = Deed {
            event: super::VISIT,
            object_kind: "day",
            object_id: day_of(scope.now).to_string(),
            attested_by: None,
            percent: None,
        };
        super::award(conn, scope.caller.account_id, &deed, scope.now).await
    })
    .await
}

/// What one rule has given in a month, and may still give.
#[derive(Debug, Serialize, ToSchema)]
pub struct RulePoints {
    /// Code of the rule.
    #[schema(max_length = 60, pattern = "^[a-z_]+$", example = "document_read")]
    rule: String,
    /// What it rewards, in the language of the request.
    #[schema(max_length = 200, example = "Đọc xong tài liệu")]
    title: String,
    /// Points of the month.
    #[schema(minimum = -10_000, maximum = 10_000, example = 9)]
    points: i32,
    /// Most points a day; null without a cap.
    #[schema(minimum = 1, maximum = 10_000, example = 6)]
    cap_day: Option<i32>,
    /// Most points a month; null without a cap.
    #[schema(minimum = 1, maximum = 10_000)]
    cap_month: Option<i32>,
}

/// Something that would earn points now.
#[derive(Debug, Serialize, ToSchema)]
pub struct Suggestion {
    /// Code of the rule.
    #[schema(max_length = 60, pattern = "^[a-z_]+$", example = "document_read")]
    rule: String,
    /// Points it gives, before caps.
    #[schema(minimum = 1, maximum = 10_000, example = 3)]
    points: i32,
    /// What to do, in the language of the request.
    #[schema(max_length = 700, example = "Đọc xong tài liệu: Kế hoạch học tập quý IV")]
    title: String,
    /// What to do it with.
    object: ObjectRef,
}

/// A member's month.
#[derive(Debug, Serialize, ToSchema)]
pub struct MyPoints {
    /// The month.
    period: Period,
    /// Points so far.
    #[schema(minimum = -10_000, maximum = 10_000, example = 21)]
    points: i32,
    /// Points to reach.
    #[schema(minimum = 0, maximum = 10_000, example = 30)]
    threshold: i32,
    /// Whether the threshold is smaller because the membership began during the month.
    prorated: bool,
    /// Where the member stands.
    status: Status,
    /// Points missing; 0 when the threshold is reached.
    #[schema(minimum = 0, maximum = 20_000, example = 9)]
    remaining: i32,
    /// Days that can still earn points, today included.
    #[schema(minimum = 0, maximum = 31, example = 11)]
    days_left: i32,
    /// Points that what is on offer can still give under all caps.
    #[schema(minimum = 0, maximum = 100_000, example = 24)]
    attainable: i32,
    /// The month as it was closed; null while it is open.
    closed: Option<ClosedFigure>,
    /// By rule, those in force and those that gave points.
    #[schema(max_items = 100)]
    by_rule: Vec<RulePoints>,
    /// What could be done next, at most 10.
    #[schema(max_items = 10)]
    suggestions: Vec<Suggestion>,
}

/// Get my points of a month
///
/// What was earned by which rule, what is missing, how many days are left and what could be done next. Of a closed month both
/// the closed figure and the one with late corrections.
#[utoipa::path(tag = "Points", params(PeriodQuery), responses((status = 200, description = "The month.", body = MyPoints)))]
#[get("/me/points")]
pub async fn get_my_points(mut ask: Ask<Myself>, query: Query<PeriodQuery>) -> Result<HttpResponse, Problem> {
    let today = day_of(ask.scope.now);
    let period = query.0.resolve(today)?;
    let member_id = ask.scope.caller.account_id;
    let mut body = month_of(&mut ask.conn, member_id, period, today, ask.scope.context.language).await?;
    if period < Period::containing(today) {
        body.closed = closings::of_member(&mut ask.conn, member_id, period).await?;
    }
    ask.reply(&body)
}

async fn month_of(
    conn: &mut Conn,
    member_id: Uuid,
    period: Period,
    today: NaiveDate,
    language: Language,
) -> Result<MyPoints, Problem> {
    let day = period.reference_day(today);
    let month = store::read_month(conn, member_id, period).await?;
    let rules = store::rules(conn, day).await?;
    let Some(facts) = store::member_facts(conn, member_id, day, period).await? else {
        // Not a member then: nothing to reach.
        return Ok(without_cell(period, &month, &rules, language));
    };
    let parameters = store::parameters(conn, &facts.path, day).await?;
    let days_left = period.days_left(today);
    let open = if days_left > 0 { store::open_offers(conn, member_id, &facts.path, today).await? } else { Vec::new() };
    let attainable = rules::attainable(
        &rules,
        &month.counters,
        &store::count_by_rule(&open),
        today,
        period,
        facts.without_device,
        parameters.self_service_cap,
    );
    let (threshold, prorated) = rules::threshold(parameters.threshold, parameters.prorate, facts.entered, period);
    let status = match facts.exemption.as_deref() {
        Some("exempt") => Status::Exempt,
        Some(_) => Status::Excused,
        None => rules::status(month.points, threshold, attainable, days_left == 0),
    };
    Ok(MyPoints {
        period,
        points: month.points,
        threshold,
        prorated,
        status,
        remaining: (threshold - month.points).max(0),
        days_left,
        attainable,
        closed: None,
        by_rule: by_rule(&rules, &month, language),
        suggestions: suggestions(&rules, &month, &facts, &open, today, days_left, language),
    })
}

fn without_cell(period: Period, month: &Month, rules: &[Rule], language: Language) -> MyPoints {
    MyPoints {
        period,
        points: month.points,
        threshold: 0,
        prorated: false,
        status: Status::Excused,
        remaining: 0,
        days_left: 0,
        attainable: 0,
        closed: None,
        by_rule: by_rule(rules, month, language),
        suggestions: Vec::new(),
    }
}

/// The rule's title in a language.
pub fn title(rule: &Rule, language: Language) -> &str {
    match language {
        Language::Vietnamese => &rule.title_vi,
        Language::English => &rule.title_en,
    }
}

fn by_rule(rules: &[Rule], month: &Month, language: Language) -> Vec<RulePoints> {
    let known = rules.iter().map(|rule| RulePoints {
        rule: rule.code.clone(),
        title: title(rule, language).to_owned(),
        points: month.counters.of_rule(&rule.code),
        cap_day: rule.cap_day,
        cap_month: rule.cap_month,
    });
    let is_known = |code: &str| rules.iter().any(|rule| rule.code == code);
    let gone = month.counters.rules.iter().filter(|(code, _)| !is_known(code)).map(|(code, points)| RulePoints {
        rule: code.clone(),
        title: code.clone(),
        points: *points,
        cap_day: None,
        cap_month: None,
    });
    known.chain(gone).collect()
}

fn suggestions(
    rules: &[Rule],
    month: &Month,
    facts: &MemberFacts,
    open: &[OpenOffer],
    today: NaiveDate,
    days_left: i32,
    language: Language,
) -> Vec<Suggestion> {
    const MOST: usize = 10;
    if days_left == 0 {
        return Vec::new();
    }
    let mut found = Vec::new();
    let visit = rules.iter().find(|rule| rule.event == super::VISIT && !facts.without_device);
    if let Some(rule) = visit
        && !month.counters.days.get(&today).is_some_and(|day| day.rules.contains_key(&rule.code))
        && rule.cap_month.is_none_or(|cap| month.counters.of_rule(&rule.code) < cap)
    {
        let object = ObjectRef { kind: "day".to_owned(), id: today.to_string() };
        found.push(Suggestion {
            rule: rule.code.clone(),
            points: rule.points,
            title: title(rule, language).to_owned(),
            object,
        });
    }
    for offer in open {
        let Some(rule) = rules.iter().find(|rule| rule.code == offer.rule_code) else {
            continue;
        };
        found.push(Suggestion {
            rule: rule.code.clone(),
            points: rule.points,
            title: format!("{}: {}", title(rule, language), offer.title),
            object: ObjectRef { kind: offer.object_kind.clone(), id: offer.object_id.clone() },
        });
    }
    found.truncate(MOST);
    found
}

type EntryRow = (Uuid, String, i32, i32, NaiveDate, DateTime<Utc>, String, String);

fn entry((id, rule, rule_version, points, period, occurred_at, kind, object): EntryRow) -> Entry {
    Entry {
        id,
        rule,
        rule_version,
        points,
        period: Period::containing(period),
        occurred_at,
        object: ObjectRef { kind, id: object },
    }
}

/// List my entries
///
/// The rows of the ledger, newest first; of one month when `period` is given.
#[utoipa::path(tag = "Points", params(PageQuery, PeriodQuery), responses((status = 200, description = "A page of entries.", body = Page<Entry>)))]
#[get("/me/points/entries")]
pub async fn list_my_entries(
    mut ask: Ask<Myself>,
    page: Query<PageQuery>,
    query: Query<PeriodQuery>,
) -> Result<HttpResponse, Problem> {
    let Query(page) = page;
    let mut found = point_entries::table
        .filter(point_entries::member_id.eq(ask.scope.caller.account_id))
        .order(point_entries::id.desc())
        .limit(page.fetch())
        .select((
            point_entries::id,
            point_entries::rule_code,
            point_entries::rule_version,
            point_entries::points,
            point_entries::period,
            point_entries::occurred_at,
            point_entries::object_kind,
            point_entries::object_id,
        ))
        .into_boxed();
    if let Some(period) = query.0.period {
        found = found.filter(point_entries::period.eq(period.first_day()));
    }
    if let Some(after) = page.after::<Uuid>()? {
        found = found.filter(point_entries::id.lt(after));
    }
    let rows: Vec<EntryRow> = found.load(&mut *ask.conn).await?;
    ask.reply(&page.page(rows, |row| row.0, entry))
}
