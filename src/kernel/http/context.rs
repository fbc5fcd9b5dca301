//! The outermost middleware: request ids, language, budgets, document rules, problems, logging.

use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpRequest, HttpResponse, web};
use tracing::Instrument;
use uuid::Uuid;

use super::body::{Paced, ReadRate, Sender};
use super::connections::{Busy, Connection};
use super::encoding;
use super::problem::{Code, Language, Problem, text};
use super::rate_limit::{Budget, BudgetPurpose, Payer};
use crate::kernel::openapi::operations::{BodyKind, ErrorStyle, Operation, Operations};
use crate::kernel::pages::error_page;
use crate::kernel::pages::visit::Visit;
use crate::kernel::security::auth::{Claims, bearer};
use crate::kernel::state::State;

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// Requests that take longer than this are logged.
const SLOW: Duration = Duration::from_secs(1);
/// Whether it was told that a proxy is in front of us that the settings do not know.
static PROXY_NAMED: AtomicBool = AtomicBool::new(false);
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The data of every request that are known before its handler runs.
#[derive(Clone)]
pub struct RequestContext {
    pub request_id: String,
    pub language: Language,
    /// The caller's address, as far as trusted proxies report it.
    pub address: IpAddr,
    /// The claims of a valid access token.
    pub claims: Option<Arc<Claims>>,
    /// The pattern of the path, if there is a route.
    pattern: Option<Arc<str>>,
    /// The operation of the OpenAPI document, if the path belongs to one.
    pub operation: Option<Arc<Operation>>,
    /// Seconds until the address has a budget again, when only a token in the body can still pay for the request.
    pub unpaid: Option<u64>,
}

/// Marks a response of a failure whose body is not to be replaced.
pub struct Rendered;

impl RequestContext {
    fn purpose(&self) -> BudgetPurpose {
        self.operation.as_ref().map_or(BudgetPurpose::Anonymous, |operation| operation.purpose)
    }

    pub fn of(req: &HttpRequest) -> Self {
        req.extensions().get::<Self>().cloned().unwrap_or_else(|| Self {
            request_id: String::new(),
            language: Language::default(),
            address: IpAddr::from([0, 0, 0, 0]),
            claims: None,
            pattern: None,
            operation: None,
            unpaid: None,
        })
    }
}

/// The pattern of the route that the router chooses for a request. It is looked up by the path as the router reads it, so
/// that a path written with escapes meets the same rules and budgets as the plain one.
pub fn route_of(req: &HttpRequest, operations: &Operations) -> Option<Arc<str>> {
    let path = req.match_info().as_str();
    // The router tries one pattern after the other; a path without parameters is its own pattern.
    operations.pattern(path).or_else(|| req.resource_map().match_pattern(path).map(Arc::from))
}

/// Wraps the whole application.
pub async fn middleware(
    mut req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let started = Instant::now();
    let Some(state) = req.app_data::<web::Data<State>>().cloned() else {
        return next.call(req).await.map(ServiceResponse::map_into_boxed_body);
    };
    let connection = req.conn_data::<Rc<Connection>>().cloned();
    let _busy = connection.clone().map(Busy::new);
    let method = req.method().clone();
    // Answered like a GET, of which it has no part; the server leaves the body out.
    if method == Method::HEAD {
        req.head_mut().method = Method::GET;
        req.headers_mut().remove(header::RANGE);
    }
    encoding::settle(req.headers_mut());
    let mut context = read(&req, &state);
    let pattern = context.pattern.clone();
    let budget = payer(&req, &context).map(|payer| state.limits.take(payer));
    let purse = budget.and_then(|budget| budget.retry_after);
    if purse.is_some() && context.claims.is_none() && context.purpose().takes_tokens() {
        context.unpaid = purse;
    }
    req.extensions_mut().insert(context.clone());
    // Every line logged on the way carries the request's id, and the caller's trace if there is one.
    let span = tracing::info_span!("request", id = %context.request_id, trace = trace_id(&req));

    let refusal = match purse {
        Some(wait) if context.unpaid.is_none() => Some(Problem::new(Code::TooManyRequests).retry_after(wait)),
        _ => check_app(&context).and_then(|()| check_shape(&req, &context)).err(),
    };
    keep_pace(&mut req, &context, &state, connection);
    let mut response = match refusal {
        Some(problem) => req.error_response(problem),
        None => match next.call(req).instrument(span.clone()).await {
            Ok(response) => response.map_into_boxed_body(),
            Err(error) => return Err(error),
        },
    };
    if let Err(problem) = note_reading(&response, &state, &context).await {
        response = response.error_response(problem);
    }
    response = render_problem(response, &state, &context);
    let paid = response.request().extensions().get::<Budget>().copied();
    add_headers(&mut response, &context, paid.or(budget));
    let _entered = span.enter();
    log(&method, pattern.as_deref().unwrap_or("-"), response.status(), started.elapsed());
    Ok(response)
}

/// Fast successes are logged at debug level only (`SOTAY_LOG=sotay=debug`): thousands of lines a second are of no use.
fn log(method: &Method, route: &str, status: StatusCode, took: Duration) {
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    let status = status.as_u16();
    if status >= 500 || took >= SLOW {
        tracing::info!(%method, route, status, micros, "request");
    } else {
        tracing::debug!(%method, route, status, micros, "request");
    }
}

/// Nobody pays for asking whether the program lives.
fn payer(req: &ServiceRequest, context: &RequestContext) -> Option<Payer> {
    let path = req.match_info().as_str();
    let documented = path.starts_with("/v1/") || context.operation.is_some();
    let purpose = if documented { context.purpose() } else { BudgetPurpose::of_path(path)? };
    let of_account = context.claims.as_ref().map(|claims| match claims.client_id {
        Some(client_id) => Payer::App(client_id, claims.sub),
        None => Payer::Account(claims.sub),
    });
    Some(of_account.unwrap_or(Payer::Address(purpose, context.address)))
}

/// A body that is read must keep a pace.
fn keep_pace(req: &mut ServiceRequest, context: &RequestContext, state: &State, connection: Option<Rc<Connection>>) {
    // Some read a body that the document does not know of, to say so.
    let Some(operation) = &context.operation else { return };
    let payload = req.take_payload();
    if matches!(payload, Payload::None) {
        return;
    }
    let (pace, sender) = match operation.body_kind {
        Some(BodyKind::File) => (ReadRate::file(&state.config), None),
        _ => {
            let turns = state.slow_bodies.clone();
            let sender = context.claims.as_ref().map(|claims| Sender { turns, account_id: claims.sub });
            (ReadRate::json(&state.config), sender)
        }
    };
    req.set_payload(Payload::Stream { payload: Box::pin(Paced::new(payload, pace, sender, connection)) });
}

/// An app of a third party gets in by the scopes that the document names for the operation, and nowhere without.
fn check_app(context: &RequestContext) -> Result<(), Problem> {
    let (Some(claims), Some(operation)) = (&context.claims, &context.operation) else { return Ok(()) };
    if claims.client_id.is_none() || operation.apps.admits(claims).is_some() {
        return Ok(());
    }
    let challenge = format!("Bearer error=\"insufficient_scope\", scope=\"{}\"", operation.apps.asked(claims));
    Err(Problem::new(Code::InsufficientScope).header(header::WWW_AUTHENTICATE, challenge))
}

/// What an app was shown of a person's data stands in their access log before it is sent.
async fn note_reading(
    response: &ServiceResponse<BoxBody>,
    state: &State,
    context: &RequestContext,
) -> Result<(), Problem> {
    let shown = !response.status().is_client_error() && !response.status().is_server_error();
    let (Some(claims), Some(operation), true) = (&context.claims, &context.operation, shown) else { return Ok(()) };
    match operation.apps.admits(claims) {
        Some(scope) => state.app_reads.note(&state.db, (claims, scope), state.clock.now()).await,
        None => Ok(()),
    }
}

/// Query parameters the document does not know are refused, and so are encoded bodies.
fn check_shape(req: &ServiceRequest, context: &RequestContext) -> Result<(), Problem> {
    match &context.operation {
        Some(operation) => {
            if operation.body_kind.is_some() {
                encoding::require_plain(req.headers())?;
            }
            operation.check_query(req.query_string())
        }
        None => Ok(()),
    }
}

fn read(req: &ServiceRequest, state: &State) -> RequestContext {
    let header = |name: HeaderName| req.headers().get(name).and_then(|value| value.to_str().ok());
    let request_id = header(REQUEST_ID)
        .filter(|id| {
            (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        })
        .map_or_else(|| Uuid::now_v7().simple().to_string(), str::to_owned);
    let claims =
        header(header::AUTHORIZATION).and_then(bearer).and_then(|token| state.keys.verify(token, state.clock.now()));
    let pattern = route_of(req.request(), &state.operations);
    let operation = pattern.as_deref().and_then(|pattern| state.operations.find(req.method().as_str(), pattern));
    RequestContext {
        request_id,
        language: header(header::ACCEPT_LANGUAGE).map(Language::from_header).unwrap_or_default(),
        address: address(req, state.config.trusted_proxies.unwrap_or(0)),
        claims,
        pattern,
        operation,
        unpaid: None,
    }
}

/// The trace a caller's `traceparent` names (W3C Trace Context), if it is well-formed.
fn trace_id(req: &ServiceRequest) -> Option<&str> {
    let header = req.headers().get("traceparent")?.to_str().ok()?;
    let id = header.split('-').nth(1)?;
    (id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit())).then_some(id)
}

/// The address, counted from the right of `X-Forwarded-For` by the number of proxies that are ours.
fn address(req: &ServiceRequest, trusted_proxies: usize) -> IpAddr {
    let peer = req.peer_addr().map_or(IpAddr::from([0, 0, 0, 0]), |peer| peer.ip());
    if trusted_proxies == 0 {
        if req.headers().contains_key("x-forwarded-for") && !PROXY_NAMED.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "requests come through a proxy, and trusted_proxies is 0: everybody shares its address and its budgets"
            );
        }
        return peer;
    }
    let forwarded: Vec<&str> = req
        .headers()
        .get_all("x-forwarded-for")
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .collect();
    let index = forwarded.len().checked_sub(trusted_proxies);
    index.and_then(|i| forwarded[i].parse().ok()).unwrap_or(peer)
}

/// Gives every error answer its body: ours from the code table, the framework's by their status.
fn render_problem(
    response: ServiceResponse<BoxBody>,
    state: &State,
    context: &RequestContext,
) -> ServiceResponse<BoxBody> {
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    // A page that says itself what is wrong.
    if response.response().extensions().contains::<Rendered>() {
        return response;
    }
    let known = response.response().error().and_then(|error| error.as_error::<Problem>().cloned());
    let problem = known.unwrap_or_else(|| of_framework(status, response.response().error()));
    let (request, _) = response.into_parts();
    let mut builder =
        HttpResponse::build(StatusCode::from_u16(problem.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
    if problem.code == Code::RequestTimeout {
        // The rest of the body, should it come, is not waited for.
        builder.force_close();
    }
    let style = context.operation.as_ref().map_or(ErrorStyle::Problem, |operation| operation.errors);
    let (visit, own) = match style {
        ErrorStyle::Problem => (error_page::visit(&request), context.language),
        ErrorStyle::Page => (Some(Visit::of(&request)), context.language),
        ErrorStyle::Oauth => (None, Language::English),
    };
    let language = visit.as_ref().map_or(own, |visit| visit.language);
    builder.insert_header((header::CONTENT_LANGUAGE, language.tag()));
    builder.insert_header((header::CACHE_CONTROL, "no-store"));
    if let Some(seconds) = problem.retry_after {
        builder.insert_header((header::RETRY_AFTER, seconds));
    }
    if problem.code.status() == 401 && style == ErrorStyle::Problem {
        builder.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
    }
    if let Some((name, value)) = problem.header.as_deref() {
        builder.insert_header((name.clone(), value.as_str()));
    }
    let body = problem.render(language, &state.public_url, &context.request_id);
    let answer = if let Some(visit) = visit {
        let (policy, page) = error_page::render(&visit, &body);
        builder.insert_header((header::CONTENT_SECURITY_POLICY, policy));
        builder.content_type("text/html; charset=utf-8").body(page)
    } else if style == ErrorStyle::Oauth {
        let body = problem.render_oauth(&state.public_url);
        builder.content_type("application/json").body(serde_json::to_vec(&body).unwrap_or_default())
    } else {
        builder.content_type("application/problem+json").body(serde_json::to_vec(&body).unwrap_or_default())
    };
    ServiceResponse::new(request, answer)
}

fn of_framework(status: StatusCode, error: Option<&actix_web::Error>) -> Problem {
    match status {
        StatusCode::NOT_FOUND => Problem::not_found(),
        StatusCode::METHOD_NOT_ALLOWED => Problem::new(Code::MethodNotAllowed),
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(Code::TooLarge),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Problem::new(Code::UnsupportedMediaType),
        status if status.is_client_error() => {
            let detail = text("Yêu cầu không đúng giao thức HTTP.", "The request does not follow HTTP.");
            let mut problem = Problem::new(Code::MalformedBody);
            problem.detail = Some(detail);
            problem
        }
        _ => Problem::internal(error.map_or_else(|| "unknown".to_owned(), ToString::to_string)),
    }
}

fn add_headers(response: &mut ServiceResponse<BoxBody>, context: &RequestContext, budget: Option<Budget>) {
    let headers = response.headers_mut();
    // It tells our own compressor to leave a file alone, and says nothing to clients.
    if headers.get(header::CONTENT_ENCODING).is_some_and(|coding| coding == "identity") {
        headers.remove(header::CONTENT_ENCODING);
    }
    let mut put = |name: HeaderName, value: String| {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    };
    put(REQUEST_ID, context.request_id.clone());
    if let Some(budget) = budget {
        let wait = budget.retry_after.unwrap_or(60);
        put(RATE_LIMIT, format!("\"default\";r={};t={wait}", budget.remaining));
        put(RATE_LIMIT_POLICY, format!("\"default\";q={};w=60", budget.quota));
    }
    put(header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned());
    put(header::REFERRER_POLICY, "no-referrer".to_owned());
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    }
}
