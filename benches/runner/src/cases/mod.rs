//! The cases, and what they share: services, data, people with tokens.

mod awards;
mod board;
mod process;
mod quiz;
mod rank;
mod reads;
mod rebuild;
mod roll_up;
mod roster;
mod rush;
mod search;

use std::cell::RefCell;
use std::fs;
use std::path::PathBuf;

use crate::Arguments;
use crate::cluster::{Postgres, Redis};
use crate::data::{self, TEMPLATE};
use crate::place::Place;
use crate::report::Figure;
use crate::server::Server;

/// The connections that requests come over.
pub const CONNECTIONS: usize = 64;

/// Each case, and the scales of data it runs on by itself.
const CASES: [(&str, &[&str]); 13] = [
    ("P1", &["province"]),
    ("P2", &["province"]),
    ("P3", &["province"]),
    ("P4", &["province", "country"]),
    ("P5", &["province"]),
    ("P6", &["province", "country"]),
    ("P7", &["province"]),
    ("P8", &["country"]),
    ("P9", &["province"]),
    ("P10", &["province"]),
    ("P11", &["province"]),
    ("P12", &["province"]),
    ("P13", &["province"]),
];

/// The requested cases, in order.
pub fn choose(names: &[String], scale: &str) -> Result<Vec<&'static str>, String> {
    if !["ward", "province", "country"].contains(&scale) {
        return Err(format!("there is no scale {scale}: ward, province or country"));
    }
    if names.is_empty() {
        return Ok(CASES.iter().filter(|(_, scales)| scales.contains(&scale)).map(|(name, _)| *name).collect());
    }
    let find = |name: &String| CASES.iter().find(|(case, _)| case.eq_ignore_ascii_case(name)).map(|(case, _)| *case);
    names.iter().map(|name| find(name).ok_or_else(|| format!("there is no case {name}"))).collect()
}

/// Runs a case.
pub async fn run(case: &str, bench: &Bench<'_>) -> Result<Vec<Figure>, String> {
    match case {
        "P1" => awards::against_yardstick(bench).await,
        "P2" => awards::against_single_transactions(bench).await,
        "P3" => reads::own_points(bench).await,
        "P4" => rank::among_millions(bench).await,
        "P5" => board::of_a_cell(bench).await,
        "P6" => roll_up::of_large_units(bench).await,
        "P7" => rush::at_the_end_of_the_month(bench).await,
        "P8" => rebuild::of_all_boards(bench).await,
        "P9" => roster::import(bench).await,
        "P10" => process::figures(bench).await,
        "P11" => quiz::start_gun(bench).await,
        "P12" => quiz::answers_against_awards(bench).await,
        "P13" => search::among_many_documents(bench).await,
        _ => Err("there is no such case".to_owned()),
    }
}

/// What cases work with.
pub struct Bench<'a> {
    pub postgres: Postgres,
    pub redis: Redis,
    pub place: &'a Place,
    pub programs: PathBuf,
    pub scale: String,
    pub pairs: usize,
    pub seconds: f64,
    /// Members with their tokens and cells, in no order.
    pub people: PathBuf,
    /// Those of them whom a visit today earns a point.
    pub visitors: PathBuf,
    /// The database that holds the country at the moment.
    country: RefCell<String>,
}

impl<'a> Bench<'a> {
    pub async fn open(place: &'a Place, arguments: &Arguments) -> Result<Self, String> {
        let programs = fs::canonicalize(&arguments.programs).map_err(|e| format!("the programs: {e}"))?;
        let postgres = data::cluster(place, &programs, &arguments.postgres, &arguments.scale).await?;
        let redis = Redis::start(place).await?;
        let bench = Self {
            postgres,
            redis,
            place,
            programs,
            scale: arguments.scale.clone(),
            pairs: arguments.pairs,
            seconds: arguments.seconds,
            people: place.path.join("people"),
            visitors: place.path.join("visitors"),
            country: RefCell::new(TEMPLATE.to_owned()),
        };
        bench.sign_in().await?;
        Ok(bench)
    }

    /// Gives members sessions in the template and writes down their tokens.
    async fn sign_in(&self) -> Result<(), String> {
        let tokens = self.tokens(TEMPLATE, "tokens", None).await?;
        let text = fs::read_to_string(&tokens).map_err(|e| format!("{}: {e}", tokens.display()))?;
        let mut lines: Vec<&str> = text.lines().collect();
        shuffle(&mut lines);
        let earning = self.postgres.sql(TEMPLATE, EARNING).await?;
        let earning: std::collections::HashSet<&str> = earning.lines().collect();
        let member = |line: &&&str| line.split('\t').nth(1).is_some_and(|id| earning.contains(id));
        let visitors: Vec<&str> = lines.iter().filter(member).copied().collect();
        eprintln!("{} members signed in, {} of them have a visit to make.", lines.len(), visitors.len());
        fs::write(&self.people, lines.join("\n")).map_err(|e| e.to_string())?;
        fs::write(&self.visitors, visitors.join("\n")).map_err(|e| e.to_string())
    }

    /// A file with the tokens of members, of those with a role if one is named: token, member, cell, refresh token.
    pub async fn tokens(&self, database: &str, name: &str, role: Option<&str>) -> Result<PathBuf, String> {
        let path = self.place.path.join(name);
        let out = path.display().to_string();
        // In the country, a province's worth of people is enough.
        let mut command = vec!["demo-tokens", "--count", "108600", "--hours", "12", "--out", &out];
        command.extend(role.iter().flat_map(|role| ["--role", role]));
        data::run(&self.programs, &self.postgres, self.place, database, &command).await?;
        Ok(path)
    }

    /// The product over a copy of the template.
    pub async fn product(&self, database: &str, more: &[(&str, &str)]) -> Result<Server, String> {
        // The generated months were never closed: the server would close them all, a minute after its start, and that is not
        // what is measured.
        let more = [&[("SOTAY_AUTOMATIC_CLOSING", "false")], more].concat();
        let mut settings = data::settings(&self.postgres, self.place, database, &more);
        settings.redis_port = Some(self.redis.port);
        Server::product(&self.programs, &settings).await
    }

    pub async fn yardstick(&self) -> Result<Server, String> {
        Server::yardstick(&self.programs).await
    }

    /// The template under this name, a fresh copy of it but for the country, with what requests touch in memory, as where a server has run for long.
    pub async fn fresh(&self, database: &str) -> Result<(), String> {
        if self.scale == "country" {
            // Copies of it would fill most disks. Its cases hardly write, and take turns with the one there is.
            let before = self.country.replace(database.to_owned());
            self.postgres.sql("postgres", &format!("ALTER DATABASE {before} RENAME TO {database}")).await?;
        } else {
            self.postgres.copy(TEMPLATE, database).await?;
        }
        // Boards of another copy have the same units, and steps that this one never took.
        self.redis.flush().await?;
        self.postgres.sql(database, "CREATE EXTENSION IF NOT EXISTS pg_prewarm").await?;
        self.postgres.sql(database, TOUCHED).await.map(drop)
    }

    /// A token for reading boards of a unit: one of the people gets the role there, in this database.
    pub async fn officer(&self, database: &str, unit: &str, role: &str) -> Result<String, String> {
        let people = fs::read_to_string(&self.people).map_err(|e| e.to_string())?;
        let mut columns = people.lines().next().unwrap_or_default().split('\t');
        let (token, member) = (columns.next().unwrap_or_default(), columns.next().unwrap_or_default());
        let grant = format!(
            "INSERT INTO grants (id, account_id, role, unit_id, valid_from, created_at)
             VALUES (gen_random_uuid(), '{member}', '{role}', '{unit}', '2020-01-01', now()) ON CONFLICT DO NOTHING"
        );
        self.postgres.sql(database, &grant).await?;
        Ok(token.to_owned())
    }
}

/// Reads what requests touch into PostgreSQL's own memory; of a country, what fits.
const TOUCHED: &str = "
    SELECT sum(pg_prewarm(oid::regclass)) FROM pg_class WHERE relkind IN ('r', 'i') AND pg_relation_size(oid) < 1e9 AND relname ~
        '^(member_months|point_entries|sessions|accounts|members|memberships|exemptions|unit)'";

/// Who has a device, was not here today, and has not had all the visits of the month.
const EARNING: &str = "
    WITH today AS (SELECT (now() AT TIME ZONE 'Asia/Ho_Chi_Minh')::date AS day)
    SELECT m.id FROM members m CROSS JOIN today
    LEFT JOIN member_months mm ON mm.member_id = m.id AND mm.period = date_trunc('month', today.day)::date
    WHERE NOT m.without_device
      AND coalesce((mm.counters -> 'rules' ->> 'daily_visit')::int, 0) < 8
      AND NOT EXISTS (SELECT 1 FROM point_entries e
        WHERE e.member_id = m.id AND e.rule_code = 'daily_visit' AND e.object_id = today.day::text)";

/// Puts lines in no particular order, always the same.
fn shuffle(lines: &mut [&str]) {
    let mut state: u64 = 19_300_203;
    for last in (1..lines.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let place = usize::try_from(state >> 33).unwrap_or(0) % (last + 1);
        lines.swap(last, place);
    }
}
