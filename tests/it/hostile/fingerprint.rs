//! A digest of every table of the database, and of the files that the program keeps.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Text, Timestamptz};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use sotay::jobs;

use crate::support::{World, database_url_as};

/// Tables that move without a request, and why.
const LEFT_OUT: &[(&str, &str)] = &[
    ("leases", "background loops renew theirs as long as they run"),
    ("projections", "the projector notes how far it has looked"),
    ("__diesel_schema_migrations", "the list of migrations, which the program does not write while it serves"),
];

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

#[derive(QueryableByName)]
struct Digest {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    digest: String,
}

#[derive(QueryableByName)]
struct WaitingTopics {
    #[diesel(sql_type = Text)]
    topics: String,
}

#[derive(QueryableByName)]
struct Waiting {
    #[diesel(sql_type = BigInt)]
    waiting: i64,
}

/// Everything that a refused request must leave as it is, by table.
#[derive(Debug, PartialEq, Eq)]
pub struct Fingerprint(BTreeMap<String, String>);

impl Fingerprint {
    /// The names of what differs.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let names = self.0.keys().chain(other.0.keys()).collect::<BTreeSet<_>>();
        names.into_iter().filter(|name| self.0.get(*name) != other.0.get(*name)).cloned().collect()
    }
}

/// Looks at one world.
pub struct Watch<'a> {
    world: &'a World,
    owner: AsyncPgConnection,
    query: String,
}

impl<'a> Watch<'a> {
    pub async fn over(world: &'a World) -> Self {
        let mut owner = AsyncPgConnection::establish(&database_url_as(&world.app, "sotay_owner")).await.unwrap();
        let tables = tables(&mut owner).await;
        assert!(tables.len() > 50, "only {} tables are watched", tables.len());
        let digests: Vec<String> = tables.iter().map(|table| digest_of(table)).collect();
        Self { world, owner, query: digests.join(" UNION ALL ") }
    }

    pub async fn take(&mut self) -> Fingerprint {
        let digests: Vec<Digest> = diesel::sql_query(&self.query).load(&mut self.owner).await.unwrap();
        let mut found: BTreeMap<String, String> = digests.into_iter().map(|row| (row.name, row.digest)).collect();
        found.insert("files".to_owned(), files(self.world.app.folder()).join("\n"));
        Fingerprint(found)
    }

    /// Waits until the background loops have nothing left to do: what they do later would look like the work of a request.
    pub async fn settle(&mut self) {
        let state = &self.world.app.state;
        for _ in 0..400 {
            while jobs::deliver(state).await.unwrap() > 0 {}
            while jobs::project(state).await.unwrap() {}
            while jobs::keep_boards(state).await.unwrap() {}
            while jobs::look_for_regularity(state).await.unwrap() {}
            if self.waiting().await == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let topics = "SELECT coalesce(string_agg(DISTINCT topic || ' ' || attempts, ', '), '') AS topics FROM outbox WHERE done_at IS NULL";
        let waiting: WaitingTopics = diesel::sql_query(topics).get_result(&mut self.owner).await.unwrap();
        panic!("the background loops do not come to an end: {}", waiting.topics);
    }

    async fn waiting(&mut self) -> i64 {
        // An event of a later hour, which a stage made, stays as it is.
        let query = "SELECT (SELECT count(*) FROM point_changes)
            + (SELECT count(*) FROM outbox WHERE done_at IS NULL AND (available_at <= $1 OR attempts > 0)) AS waiting";
        let query = diesel::sql_query(query).bind::<Timestamptz, _>(self.world.app.state.clock.now());
        query.get_result::<Waiting>(&mut self.owner).await.unwrap().waiting
    }
}

/// All tables of the program; a partitioned one stands for its partitions.
async fn tables(owner: &mut AsyncPgConnection) -> Vec<String> {
    let query = "SELECT c.relname::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND c.relkind IN ('r', 'p')
            AND NOT c.relispartition ORDER BY 1";
    let names: Vec<Name> = diesel::sql_query(query).load(owner).await.unwrap();
    let names: Vec<String> = names.into_iter().map(|row| row.name).collect();
    for (left_out, _) in LEFT_OUT {
        assert!(names.iter().any(|name| name == left_out), "{left_out} is no table");
    }
    names.into_iter().filter(|name| LEFT_OUT.iter().all(|(left_out, _)| left_out != name)).collect()
}

fn digest_of(table: &str) -> String {
    format!(
        "SELECT '{table}' AS name, md5(coalesce(string_agg(x::text, '|' ORDER BY x::text), '')) AS digest FROM {table} x"
    )
}

/// The paths of all files below a folder, with their sizes.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if let Ok(known) = entry.metadata() {
            found.push(format!("{} {}", path.display(), known.len()));
        }
    }
    found.sort();
    found
}
