//! The composition root: state, features, middleware in order, the server's life.

use std::net::TcpListener;
use std::sync::{Arc, LazyLock, OnceLock};
use std::time::Duration;

use actix_cors::Cors;
use actix_web::dev::{HttpServiceFactory, ServerHandle};
use actix_web::http::header;
use actix_web::middleware::{Compress, from_fn};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use serde_json::Value;
use utoipa_actix_web::AppExt;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::apps;
use crate::kernel::batching::cache_invalidation::ChangeLog;
use crate::kernel::batching::change_poller::{self, ChangePoller};
use crate::kernel::batching::command::{self, BatchWriter};
use crate::kernel::batching::loader::{self, BatchLoader};
use crate::kernel::batching::queue::Workers;
use crate::kernel::clock::Clock;
use crate::kernel::config::{Config, Mode};
use crate::kernel::db::Db;
use crate::kernel::http::connections;
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::http::rate_limit::RateLimits;
use crate::kernel::http::{context, health, problem_pages};
use crate::kernel::ids::new_id;
use crate::kernel::memory;
use crate::kernel::openapi;
use crate::kernel::openapi::operations::{self, Operations};
use crate::kernel::openapi::served::ServedDocument;
use crate::kernel::outbox::Consumer;
use crate::kernel::outward::OutwardClient;
use crate::kernel::pages::assets;
use crate::kernel::redis::Redis;
use crate::kernel::security::app_reads::AppReads;
use crate::kernel::security::auth::Keys;
use crate::kernel::security::crypto::Crypto;
use crate::kernel::state::State;
use crate::organisation::decisions::{DecisionKind, Registry};
use crate::{
    audit_trail, cases, deliveries, docs, documents, identity, jobs, leaderboards, notifications, organisation, points,
    quizzes, sync, webhooks,
};

/// The kinds of decisions that take two officers. Each feature lists its own here.
static KINDS: [&dyn DecisionKind; 12] = [
    &organisation::grants::ROLE_GRANT,
    &identity::ROLE_HOLDER_SLIP,
    &organisation::exemptions::EXEMPTION,
    &organisation::exemptions::EXEMPTION_END,
    &points::POINT_PARAMETER,
    &points::ATTESTATION,
    &points::ADJUSTMENT,
    &documents::DOCUMENT_PUBLICATION,
    &documents::ASSISTED_READING,
    &quizzes::QUESTION_VOID,
    &quizzes::PAPER_ANSWERS,
    &quizzes::QUESTION_REVIEW,
];
/// The same kinds, for look-ups.
pub static DECISION_KINDS: Registry = Registry::new(&KINDS);

/// Who reacts to which events of the outbox. Each feature lists its own here.
pub static CONSUMERS: [Consumer; 6] = [
    Consumer {
        name: "notifications",
        topics: &["notify.", "announce.", "pushes.", "document.recalled"],
        consume: |conn, event, now| Box::pin(notifications::consume(conn, event, now)),
    },
    Consumer {
        name: "documents",
        topics: &["units.reorganised", "documents.version_published"],
        consume: |conn, event, now| Box::pin(documents::consume(conn, event, now)),
    },
    Consumer {
        name: "quizzes",
        topics: &["units.reorganised"],
        consume: |conn, event, _| Box::pin(quizzes::consume(conn, event)),
    },
    Consumer {
        name: "webhooks",
        topics: webhooks::TOPICS,
        consume: |conn, event, now| Box::pin(webhooks::consume(conn, event, now)),
    },
    Consumer {
        name: "cases.patterns",
        topics: &["identity.", "documents.published_again", organisation::lookups::TOO_MANY],
        consume: |conn, event, now| Box::pin(cases::look_for_patterns(conn, event, now)),
    },
    Consumer {
        name: "cases.reveals",
        topics: &["identity.slip_issued", "identity.slip_redeemed"],
        consume: |conn, event, now| Box::pin(cases::look_for_reveals(conn, event, now)),
    },
];

/// Files held in memory at a time, each up to 20 MiB.
const UPLOADS_AT_ONCE: usize = 4;
/// Jobs of an instance: each loop may have one, and a rebuild of boards three.
const WORK_CONNECTIONS: usize = 12;
/// How long the head of a connection's first request may take.
const HEAD: Duration = Duration::from_secs(10);
/// Clients that wait to be let in, when thousands come at once.
const BACKLOG: i32 = 1024;

/// Everything under `/v1`, declared once for actix and for the document.
fn features(config: &mut ServiceConfig) {
    // The router tries routes in order, and matching a path with parameters is slow: the most frequent routes come
    // first.
    points::daily_routes(config);
    documents::daily_routes(config);
    leaderboards::routes(config);
    identity::routes(config);
    notifications::routes(config);
    sync::routes(config);
    points::routes(config);
    audit_trail::routes(config);
    apps::routes(config);
    organisation::routes(config);
    documents::routes(config);
    quizzes::routes(config);
    cases::routes(config);
    deliveries::routes(config);
    webhooks::routes(config);
}

fn api() -> utoipa_actix_web::scope::Scope<
    impl actix_web::dev::ServiceFactory<
        actix_web::dev::ServiceRequest,
        Config = (),
        Response = actix_web::dev::ServiceResponse,
        Error = actix_web::Error,
        InitError = (),
    >,
> {
    utoipa_actix_web::scope("/v1").configure(features)
}

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let (_, mut api) = App::new().into_utoipa_app().service(api()).configure(apps::oauth_routes).split_for_parts();
    openapi::add_schemas(&mut api);
    openapi::finish(&api, &webhooks::documented())
});

static PUBLISHED: LazyLock<Value> = LazyLock::new(|| openapi::compact::compact(DOCUMENT.clone()));

/// The rules of the document for each operation, read once: compiling its schemas is the slowest part of the start.
static OPERATIONS: LazyLock<Result<Arc<Operations>, String>> =
    LazyLock::new(|| Operations::from_document(&DOCUMENT).map(Arc::new));

/// The OpenAPI document with every response and parameter written out where it belongs.
pub fn document() -> &'static Value {
    &DOCUMENT
}

/// The OpenAPI document as served and as checked in under `openapi/`: what operations share stands once.
pub fn published_document() -> &'static Value {
    &PUBLISHED
}

/// Builds the state of a process. `database_url` is that of the application role.
///
/// # Errors
/// When keys cannot be read or derived, or the data directory cannot be used.
pub fn state(config: Config, clock: Clock, public_url: String) -> Result<State, String> {
    let url = config.database_url.clone().ok_or("no database")?;
    // Created first, because the key file lives in its parent folder.
    let spool = config.data_dir.join("uploads");
    std::fs::create_dir_all(&spool).map_err(|e| format!("the folder {} cannot be made: {e}", spool.display()))?;
    let master_key = match &config.master_key {
        Some(key) => key.clone(),
        None if config.mode == Mode::Production => {
            return Err("master_key is required in production mode".to_owned());
        }
        None => Crypto::key_from_file(&config.data_dir.join("master.key")).map_err(|e| e.to_string())?,
    };
    Ok(State {
        instance: new_id(clock.now()),
        db: Db::new(&url, config.database_connections).map_err(|e| e.to_string())?,
        work: Db::for_work(&url, WORK_CONNECTIONS).map_err(|e| e.to_string())?,
        redis: config.redis_url.as_ref().map(Redis::new).transpose()?,
        changes: ChangeLog::default(),
        clock,
        crypto: Crypto::new(&master_key).map_err(|e| e.to_string())?,
        keys: Keys::default(),
        authenticator: Box::new(identity::Authentication::default()),
        app_reads: AppReads::default(),
        limits: RateLimits::new(config.requests_per_minute, config.anonymous_requests_per_minute),
        operations: OPERATIONS.clone()?,
        files: documents::open_file_store(&config)?,
        password_slots: tokio::sync::Semaphore::new(config.password_concurrency),
        upload_places: Arc::new(tokio::sync::Semaphore::new(UPLOADS_AT_ONCE)),
        uploads: Arc::default(),
        slow_bodies: Arc::default(),
        outward: OutwardClient::new(config.webhook_allow_loopback)?,
        spool,
        demo_logins: OnceLock::new(),
        public_url,
        config,
    })
}

/// Starts serving on the listener. Returns the handle that stops the server, and what ends with it. Signing keys must
/// be in place (see [`identity::refresh_keys`]).
///
/// # Errors
/// When the listener cannot be used.
pub fn serve(
    state: web::Data<State>,
    listener: TcpListener,
) -> std::io::Result<(ServerHandle, impl Future<Output = std::io::Result<()>>)> {
    let document = web::Data::new(published_document().clone());
    let served = web::Data::new(ServedDocument::new(published_document(), &state.public_url));
    let workers = match state.config.workers {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        n => n,
    };
    let most = connections::most_each(workers);
    let silence = Duration::from_secs(state.config.body_seconds.into());
    let limits = connections::Limits { most, silence };
    rustix::net::listen(&listener, BACKLOG)?;
    let jobs = jobs::start(state.clone());
    let (together, lanes) = Together::start(&state).map_err(std::io::Error::other)?;
    let server = HttpServer::new(move || {
        let (app, _) = App::new()
            .into_utoipa_app()
            .app_data(state.clone())
            .app_data(document.clone())
            .app_data(served.clone())
            .app_data(web::Data::new(DECISION_KINDS))
            .app_data(web::PayloadConfig::new(operations::BODY_BYTES))
            .service(api())
            .configure(apps::oauth_routes)
            .split_for_parts();
        memory::give_back();
        app.configure(|config| together.give(config))
            .service(outside_v1())
            .default_service(web::to(unknown_path))
            .wrap(Compress::default())
            .wrap(from_fn(context::middleware))
            .wrap(cors())
    })
    .workers(workers)
    .max_connections(most)
    .client_request_timeout(HEAD)
    .on_connect(move |io, data| connections::accept(io, data, limits))
    .shutdown_timeout(20)
    .listen(listener)?
    .run();
    let handle = server.handle();
    memory::give_back();
    let ended = async move {
        let served = server.await;
        // Dropped before the caller stops the database, which the jobs still need.
        drop((jobs, lanes));
        served
    };
    Ok((handle, ended))
}

/// The queues of batched requests.
#[derive(Clone)]
struct Together {
    lookout: web::Data<ChangePoller>,
    points: web::Data<points::Queues>,
    entries: web::Data<BatchLoader<points::EntryLoader>>,
    ranks: web::Data<leaderboards::Ranks>,
    people: web::Data<BatchLoader<identity::Mirror>>,
    notifications: web::Data<BatchLoader<notifications::InboxLoader>>,
    documents: web::Data<BatchLoader<documents::LibraryLoader>>,
    answers: web::Data<BatchWriter<quizzes::AnswerSaver>>,
}

impl Together {
    /// Opens the queues and starts their workers, which end when dropped.
    fn start(state: &web::Data<State>) -> Result<(Self, Vec<Workers>), String> {
        let (lookout, looking) = change_poller::start(state)?;
        let (points, awarding) = points::start(state)?;
        let (ranks, ranking) = leaderboards::start(state)?;
        let db = loader::connections(state)?;
        let (entries, listing) = loader::open(state, &db);
        let (people, telling) = loader::open(state, &db);
        let (notifications, notifying) = loader::open(state, &db);
        let (documents, showing) = loader::open(state, &db);
        let (answers, saving) = command::open(state, &command::connections(state)?);
        let (lookout, points, ranks) = (web::Data::new(lookout), web::Data::new(points), web::Data::new(ranks));
        let together = Self { lookout, points, entries, ranks, people, notifications, documents, answers };
        Ok((together, vec![looking, awarding, ranking, listing, telling, notifying, showing, saving]))
    }

    /// Registers the queues for the handlers.
    fn give(&self, config: &mut web::ServiceConfig) {
        config
            .app_data(self.lookout.clone())
            .app_data(self.points.clone())
            .app_data(self.entries.clone())
            .app_data(self.ranks.clone())
            .app_data(self.people.clone())
            .app_data(self.notifications.clone())
            .app_data(self.documents.clone())
            .app_data(self.answers.clone());
    }
}

/// Routes that are not part of the API proper: health, keys, documentation.
fn outside_v1() -> impl HttpServiceFactory + 'static {
    (
        health::healthz,
        health::readyz,
        identity::jwks,
        points::published_keys,
        problem_pages::catalogue,
        problem_pages::one,
        assets::serve_asset,
        docs::pages(),
        openapi::served::document_route,
    )
}

/// Tokens travel in a header, never in a cookie, so any origin may call.
fn cors() -> Cors {
    Cors::default()
        .allow_any_origin()
        .send_wildcard()
        .allow_any_method()
        .allow_any_header()
        .expose_headers([
            "Content-Disposition",
            "Content-Range",
            "ETag",
            "RateLimit",
            "RateLimit-Policy",
            "Retry-After",
            "X-Request-Id",
            "Idempotency-Replayed",
        ])
        .max_age(3600)
}

/// 404, or 405 with `Allow` when the path exists under other methods.
async fn unknown_path(
    req: HttpRequest,
    state: web::Data<State>,
    document: web::Data<Value>,
) -> Result<HttpResponse, Problem> {
    let Some(pattern) = context::route_of(&req, &state.operations) else {
        return Err(Problem::not_found());
    };
    let mut methods: Vec<String> = document["paths"][&*pattern]
        .as_object()
        .into_iter()
        .flat_map(|item| item.keys().map(|method| method.to_ascii_uppercase()))
        .collect();
    if methods.is_empty() {
        return Err(Problem::not_found());
    }
    if methods.iter().any(|method| method == "GET") {
        methods.push("HEAD".to_owned());
    }
    Err(Problem::new(Code::MethodNotAllowed).header(header::ALLOW, methods.join(", ")))
}
