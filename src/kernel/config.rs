//! Typed configuration from a TOML file and the environment; every fault is named at once.

use std::net::SocketAddr;
use std::path::PathBuf;

use figment::providers::{Env, Format, Toml};
use figment::{Figment, Provider};
use secrecy::SecretString;
use serde::Deserialize;

/// How strict the program is about missing settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Missing settings are provided: a private PostgreSQL, a generated key.
    Development,
    /// Missing settings are errors.
    Production,
}

macro_rules! settings {
    ($($(#[$doc:meta])* $name:ident: $type:ty = $default:expr;)*) => {
        /// All settings. Each is read from `SOTAY_<NAME>` or the key `<name>` of the file `SOTAY_CONFIG` names.
        #[derive(Debug, Clone)]
        pub struct Config { $($(#[$doc])* pub $name: $type),* }

        impl Config {
            const NAMES: &'static [&'static str] = &[$(stringify!($name)),*];

            fn extract(figment: &Figment, faults: &mut Vec<String>) -> Option<Self> {
                $(let $name: Option<$type> = match figment.find_value(stringify!($name)) {
                    Err(_) => Some($default),
                    Ok(_) => figment
                        .extract_inner(stringify!($name))
                        // The value itself may be a secret: name the setting and the kind of fault only.
                        .map_err(|e| faults.push(format!("{}: {}", stringify!($name), describe(&e.kind))))
                        .ok(),
                };)*
                Some(Self { $($name: $name?),* })
            }
        }
    };
}

settings! {
    /// `development` or `production`.
    mode: Mode = Mode::Development;
    /// Address and port to listen on; port 0 picks a free one.
    listen: SocketAddr = SocketAddr::from(([127, 0, 0, 1], 8080));
    /// The address clients use, without a slash at the end; links in answers begin with it.
    public_url: Option<String> = None;
    /// Where the private database, files and keys live.
    data_dir: PathBuf = default_data_dir();
    /// PostgreSQL as the application role; also read from `DATABASE_URL`.
    database_url: Option<SecretString> = None;
    /// PostgreSQL as the owner role, for migrations only.
    database_owner_url: Option<SecretString> = None;
    /// Redis for the boards of provinces and the country; also read from `REDIS_URL`.
    redis_url: Option<SecretString> = None;
    /// 32 bytes in base64: seals personal data, derives the lookup and token keys. Lives outside the database.
    master_key: Option<SecretString> = None;
    /// Connections to PostgreSQL for individual requests; batched requests have a dozen more.
    database_connections: usize = 16;
    /// Maximum number of awards in one transaction; 1 gives each its own.
    award_batch: usize = 256;
    /// Concurrent transactions of awards; as many statements for reads of points, and for ranks.
    award_lanes: usize = 2;
    /// Awards, reads of points, and ranks that may be queued; beyond that the answer is 503.
    award_queue: usize = 4096;
    /// Threads that answer requests; 0 means one per core.
    workers: usize = 0;
    /// Requests per minute for one signed-in principal.
    requests_per_minute: u32 = 600;
    /// Requests per minute for one address without a sign-in; a whole village may share it.
    anonymous_requests_per_minute: u32 = 3000;
    /// Reverse proxies in front whose `X-Forwarded-For` is believed; 0 where clients connect directly.
    trusted_proxies: Option<usize> = None;
    /// How long a body of JSON may take, and how long a file may come in at less than 1 kB a second, seconds.
    body_seconds: u32 = 30;
    /// How long a file may take to come in, seconds.
    file_seconds: u32 = 3600;
    /// Words per minute of an unhurried reader.
    reading_words_per_minute: u32 = 250;
    /// Least reading time of a document, seconds.
    reading_floor_seconds: u32 = 30;
    /// Greatest reading time of a document, seconds.
    reading_ceiling_seconds: u32 = 900;
    /// Most that one gap between two heartbeats credits, seconds.
    reading_gap_seconds: u32 = 90;
    /// Lifetime of a reading session, seconds.
    reading_session_seconds: u32 = 7200;
    /// Memory of one password hash, KiB (argon2id).
    password_memory_kib: u32 = 19_456;
    /// Passwords hashed at the same time.
    password_concurrency: usize = 2;
    /// Lifetime of an access token, seconds; at most 900.
    access_token_seconds: u32 = 900;
    /// Lifetime of an unused device session, days.
    session_days: u32 = 60;
    /// Lifetime of an activation slip, days.
    slip_days: u32 = 7;
    /// Where files of documents are kept: `s3://bucket` or `s3://bucket/prefix`; without it the folder `files` of `data_dir`.
    files_url: Option<String> = None;
    /// The address of an S3-compatible server; without it that of AWS.
    files_endpoint: Option<String> = None;
    /// The region of the bucket.
    files_region: Option<String> = None;
    /// The key pair for S3; without it, what `AWS_*` or the machine's role gives.
    files_access_key: Option<SecretString> = None;
    /// See `files_access_key`.
    files_secret_key: Option<SecretString> = None;
    /// Largest file of a document, bytes.
    file_bytes: usize = 25 * 1024 * 1024;
    /// The program that parses uploaded files in processes of its own; this one, unless another is named.
    parser: Option<PathBuf> = None;
    /// Whether this instance closes months automatically when the secretaries' days are over; one of several suffices.
    automatic_closing: bool = true;
    /// Whether webhooks and push services may be on this machine, over HTTP too: for a demo and for tests.
    webhook_allow_loopback: bool = false;
    /// How log lines are written: `text` or `json`.
    log_format: String = "text".to_owned();
}

fn default_data_dir() -> PathBuf {
    let base = std::env::var_os("XDG_DATA_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share")));
    base.unwrap_or_else(|| PathBuf::from("/var/lib")).join("sotay")
}

fn describe(kind: &figment::error::Kind) -> String {
    use figment::error::Kind;
    match kind {
        Kind::InvalidType(_, expected) | Kind::InvalidValue(_, expected) => {
            format!("expected {expected}")
        }
        Kind::UnknownVariant(_, expected) => format!("expected one of {}", expected.join(", ")),
        Kind::Message(_) => "the value cannot be read".to_owned(),
        _ => "the value does not fit".to_owned(),
    }
}

/// All faults of the configuration.
#[derive(Debug, thiserror::Error)]
#[error("the configuration has {} fault(s):\n  {}", .0.len(), .0.join("\n  "))]
pub struct ConfigError(pub Vec<String>);

impl Config {
    /// Reads the file named by `SOTAY_CONFIG`, then the environment, which wins.
    pub fn load() -> Result<Self, ConfigError> {
        let mut figment = Figment::new();
        let mut faults = Vec::new();
        if let Some(path) = std::env::var_os("SOTAY_CONFIG") {
            if !std::path::Path::new(&path).is_file() {
                faults.push("SOTAY_CONFIG names a file that does not exist".to_owned());
            }
            figment = figment.merge(Toml::file(path));
        }
        figment = figment
            .merge(Env::raw().only(&["DATABASE_URL", "REDIS_URL"]))
            .merge(Env::prefixed("SOTAY_").ignore(&["config", "log"]));
        Self::from_figment(&figment, faults)
    }

    /// The defaults, as a test or a demo starts from.
    pub fn defaults() -> Self {
        Self::extract(&Figment::new(), &mut Vec::new()).unwrap_or_else(|| unreachable!("every setting has a default"))
    }

    fn from_figment(figment: &Figment, mut faults: Vec<String>) -> Result<Self, ConfigError> {
        match figment.data() {
            Ok(profiles) => {
                for key in profiles.values().flat_map(|dict| dict.keys()) {
                    // The test suite's own settings share the prefix.
                    if !Self::NAMES.contains(&key.as_str()) && !key.starts_with("test_") {
                        faults.push(format!("{key}: there is no such setting"));
                    }
                }
            }
            Err(error) => faults.push(format!("the file cannot be read: {}", describe(&error.kind))),
        }
        let config = Self::extract(figment, &mut faults);
        match config {
            Some(config) => {
                config.check(&mut faults);
                if faults.is_empty() { Ok(config) } else { Err(ConfigError(faults)) }
            }
            None => Err(ConfigError(faults)),
        }
    }

    fn check(&self, faults: &mut Vec<String>) {
        let mut demand = |ok: bool, fault: &str| {
            if !ok {
                faults.push(fault.to_owned());
            }
        };
        if self.mode == Mode::Production {
            demand(self.database_url.is_some(), "database_url: required in production mode");
            demand(self.master_key.is_some(), "master_key: required in production mode");
            demand(self.public_url.is_some(), "public_url: required in production mode");
            demand(
                self.trusted_proxies.is_some(),
                "trusted_proxies: required in production mode: the number of reverse proxies in front, 0 for none; \
                 behind a proxy that is not counted everybody shares one address and its budgets",
            );
        }
        demand((1..=500).contains(&self.database_connections), "database_connections: 1 to 500");
        demand((1..=900).contains(&self.access_token_seconds), "access_token_seconds: 1 to 900");
        demand(self.reading_words_per_minute > 0, "reading_words_per_minute: at least 1");
        demand(
            self.reading_floor_seconds <= self.reading_ceiling_seconds,
            "reading_floor_seconds: not above reading_ceiling_seconds",
        );
        demand(self.requests_per_minute > 0, "requests_per_minute: at least 1");
        demand(self.anonymous_requests_per_minute > 0, "anonymous_requests_per_minute: at least 1");
        demand((1..=600).contains(&self.body_seconds), "body_seconds: 1 to 600");
        demand((1..=86_400).contains(&self.file_seconds), "file_seconds: 1 to 86400");
        demand(self.password_memory_kib >= 8, "password_memory_kib: at least 8");
        demand(self.password_concurrency > 0, "password_concurrency: at least 1");
        demand((1..=365).contains(&self.session_days), "session_days: 1 to 365");
        demand((1..=30).contains(&self.slip_days), "slip_days: 1 to 30");
        demand(matches!(self.log_format.as_str(), "text" | "json"), "log_format: text or json");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use figment::providers::Serialized;

    #[test]
    fn every_fault_is_named_at_once_and_no_value_is_shown() {
        let figment = Figment::new()
            .merge(Serialized::default("workers", "many"))
            .merge(Serialized::default("mode", "production"))
            .merge(Serialized::default("databse_url", "postgres://user:hunter2@db/x"));
        let error = Config::from_figment(&figment, Vec::new()).unwrap_err().to_string();
        assert!(error.contains("workers: expected"), "{error}");
        assert!(error.contains("databse_url: there is no such setting"), "{error}");
        assert!(!error.contains("hunter2") && !error.contains("many"), "{error}");
    }

    #[test]
    fn production_provides_nothing_by_itself() {
        let figment = Figment::new().merge(Serialized::default("mode", "production"));
        let error = Config::from_figment(&figment, Vec::new()).unwrap_err();
        assert_eq!(error.0.len(), 4, "{error}");
        assert!(error.to_string().contains("trusted_proxies"), "{error}");
    }

    #[test]
    fn secrets_do_not_show() {
        let figment = Figment::new().merge(Serialized::default("database_url", "postgres://u:hunter2@db/x"));
        let config = Config::from_figment(&figment, Vec::new()).unwrap();
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}
