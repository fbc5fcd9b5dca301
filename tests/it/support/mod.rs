//! A program of its own for each test: own database, own clock, real HTTP.

mod client;
mod contract;
mod database;
mod ledger;
mod process;
mod servers;
mod world;

pub use client::{Reply, Request};
pub use contract::compile as strict_validator;
pub use database::empty as empty_database;
pub use ledger::{Standing, points_everywhere, standings, sum_of_entries};
pub use process::{Program, run, run_to};
pub use servers::{Postgres, Redis, Stop};
pub use world::{Actor, World, confirm_waiting, confirmed};

use std::net::TcpListener;

use actix_web::dev::ServerHandle;
use actix_web::web::Data;
use chrono::{DateTime, Utc};
use secrecy::SecretString;
use sotay::kernel::clock::Clock;
use sotay::kernel::config::Config;
use sotay::kernel::state::State;
use sotay::{app, identity};

/// When tests begin: Friday 20 November 2026, 10:00 in Viet Nam.
pub const START: &str = "2026-11-20T03:00:00Z";

/// A running program.
pub struct TestApp {
    pub state: Data<State>,
    pub base_url: String,
    data_dir: tempfile::TempDir,
    /// None when it answers nothing.
    handle: Option<ServerHandle>,
}

/// A test may run through many programs; each gives back its connections.
impl Drop for TestApp {
    fn drop(&mut self) {
        // Sent at once, without waiting for the end.
        drop(self.handle.as_ref().map(|handle| handle.stop(false)));
    }
}

impl TestApp {
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// Starts with settings of the test's own.
    pub async fn start_with(adjust: impl FnOnce(&mut Config)) -> Self {
        let url = database::fresh().await;
        Self::over(&url, adjust).await
    }

    /// Another instance of the program over a database that is there already, with the same keys and the same clock.
    pub async fn beside(other: &TestApp) -> Self {
        let config = other.state.config.clone();
        let clock = other.state.clock.clone();
        Self::launch(config, clock, tempfile::tempdir().unwrap()).await
    }

    /// Runs by the machine's clock, as a program started beside it does.
    pub async fn on_system_clock() -> Self {
        Self::on_system_clock_with(|_| {}).await
    }

    /// The same with settings of the test's own.
    pub async fn on_system_clock_with(adjust: impl FnOnce(&mut Config)) -> Self {
        let (mut config, data_dir) = config(&database::fresh().await);
        adjust(&mut config);
        Self::launch(config, Clock::System, data_dir).await
    }

    /// Settings, keys and a look into a database that is there already, for programs that a test starts over it. It answers
    /// nothing and works on nothing itself.
    pub async fn silent(url: &str, adjust: impl FnOnce(&mut Config)) -> Self {
        let (mut config, data_dir) = config(url);
        adjust(&mut config);
        let state = Data::new(app::state(config, Clock::System, String::new()).unwrap());
        identity::refresh_keys(&state).await.unwrap();
        Self { state, base_url: String::new(), data_dir, handle: None }
    }

    async fn over(url: &str, adjust: impl FnOnce(&mut Config)) -> Self {
        let (mut config, data_dir) = config(url);
        adjust(&mut config);
        let clock = Clock::manual(START.parse::<DateTime<Utc>>().unwrap());
        Self::launch(config, clock, data_dir).await
    }

    async fn launch(config: Config, clock: Clock, data_dir: tempfile::TempDir) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let state = Data::new(app::state(config, clock, base_url.clone()).unwrap());
        identity::refresh_keys(&state).await.unwrap();
        let (handle, server) = app::serve(state.clone(), listener).unwrap();
        actix_web::rt::spawn(server);
        Self { state, base_url, data_dir, handle: Some(handle) }
    }

    /// Moves the clock on.
    pub fn advance(&self, seconds: i64) {
        self.state.clock.advance(chrono::Duration::seconds(seconds));
    }

    /// Sets the clock to an instant in RFC 3339.
    pub fn set_time(&self, at: &str) {
        self.state.clock.set(at.parse::<DateTime<chrono::FixedOffset>>().unwrap().to_utc());
    }

    /// A request without a sign-in.
    pub fn request(&self, method: &str, path: &str) -> Request {
        Request::new(method, &format!("{}{path}", self.base_url))
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.request("GET", path).send().await
    }

    /// A folder that lives as long as the program.
    pub fn folder(&self) -> &std::path::Path {
        self.data_dir.path()
    }
}

/// The address of a program's database for another role.
pub fn database_url_as(app: &TestApp, role: &str) -> String {
    use secrecy::ExposeSecret;
    let url = app.state.config.database_url.as_ref().unwrap().expose_secret();
    let name = url.split('?').next().unwrap().rsplit('/').next().unwrap();
    database::url_as(role, name)
}

/// The Redis of all tests; each has units, and so keys, of its own.
pub fn redis_url() -> String {
    std::env::var("SOTAY_TEST_REDIS_URL").expect("SOTAY_TEST_REDIS_URL is not set: run the tests with scripts/test")
}

/// A connection to it beside the program.
pub async fn redis_itself() -> redis::aio::MultiplexedConnection {
    redis::Client::open(redis_url()).unwrap().get_multiplexed_async_connection().await.unwrap()
}

/// Settings of a test: small, fast, and with a key of their own.
fn config(url: &str) -> (Config, tempfile::TempDir) {
    let data_dir = tempfile::tempdir().unwrap();
    let mut config = Config::defaults();
    config.database_url = Some(SecretString::from(url.to_owned()));
    config.master_key = Some(SecretString::from("BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=".to_owned()));
    config.data_dir = data_dir.path().to_owned();
    config.workers = 1;
    // The program of the tests knows no commands.
    config.parser = Some(env!("CARGO_BIN_EXE_sotay").into());
    // Tests close months when they mean to.
    config.automatic_closing = false;
    config.database_connections = 12;
    config.password_memory_kib = 8;
    config.requests_per_minute = 100_000;
    config.anonymous_requests_per_minute = 100_000;
    (config, data_dir)
}
