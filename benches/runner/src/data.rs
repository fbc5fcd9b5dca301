//! Data of the benches: generated once, kept as a cluster in the cache, copied for each run.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use crate::cluster::Postgres;
use crate::place::{Account, Place};
use crate::server::{Settings, product_command};

/// The database that others are copied from.
pub const TEMPLATE: &str = "bench";
/// Seals personal data of invented people.
pub const MASTER_KEY: &str = "YmVuY2hlcyBtZWFzdXJlIGludmVudGVkIHBlb3BsZSE=";
/// The roles have no passwords: only this machine can connect, see `listen_addresses` and the folder's mode.
const ROLES: &str = "CREATE ROLE sotay_owner LOGIN; CREATE ROLE sotay_app LOGIN";

/// A cluster with data of a scale in the database [`TEMPLATE`].
pub async fn cluster(place: &Place, programs: &Path, bin: &Path, scale: &str) -> Result<Postgres, String> {
    let data = place.path.join("data");
    let kept = kept_folder(scale, bin).await?;
    if !kept.join("PG_VERSION").exists() {
        make(place, programs, bin, scale, &data).await?;
        keep(&data, &kept, scale).await?;
    }
    if !data.exists() {
        copy(&kept, &data).await?;
    }
    Postgres::start(place, bin, &data).await
}

/// Where data of this scale, these migrations and this month are kept.
async fn kept_folder(scale: &str, bin: &Path) -> Result<PathBuf, String> {
    let base = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let base = base.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")));
    let mut hash = DefaultHasher::new();
    for folder in ["migrations", "src/demo"] {
        for file in files(Path::new(folder))? {
            file.hash(&mut hash);
            fs::read(&file).map_err(|e| format!("{}: {e}", file.display()))?.hash(&mut hash);
        }
    }
    bin.hash(&mut hash);
    let month = output(Command::new("date").args(["+%Y-%m"]).env("TZ", "Asia/Ho_Chi_Minh")).await?;
    let name = format!("{scale}-{month}-{:016x}", hash.finish());
    Ok(base.ok_or("neither XDG_CACHE_HOME nor HOME is set")?.join("sotay/bench").join(name))
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(|e| e.to_string())?.path();
        if path.is_dir() { found.extend(files(&path)?) } else { found.push(path) }
    }
    found.sort();
    Ok(found)
}

async fn make(place: &Place, programs: &Path, bin: &Path, scale: &str, data: &Path) -> Result<(), String> {
    eprintln!("Making data ({scale}); they are kept for the next run.");
    place.folder("data")?;
    let mut initdb = Command::new(bin.join("initdb"));
    initdb.args(["--encoding=UTF8", "--locale=C.UTF-8", "--auth=trust", "--username=postgres", "--pgdata"]).arg(data);
    initdb.current_dir(data);
    if let Some(Account { uid, gid }) = place.account {
        initdb.uid(uid).gid(gid);
    }
    output(&mut initdb).await?;
    let postgres = Postgres::start(place, bin, data).await?;
    postgres.sql("postgres", ROLES).await?;
    empty_database(&postgres, TEMPLATE).await?;
    // It listens before it fills, and on its usual port unless another is set.
    let fill = ["demo", "--configured-database", "--fill-only", "--port", "0", "--scale", scale];
    run(programs, &postgres, place, TEMPLATE, &fill).await?;
    postgres.stop().await
}

/// A database of the owner role with nothing in it.
pub async fn empty_database(postgres: &Postgres, name: &str) -> Result<(), String> {
    postgres.sql("postgres", &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await?;
    postgres.sql("postgres", &format!("CREATE DATABASE {name} OWNER sotay_owner TEMPLATE template0")).await?;
    postgres.sql(name, "ALTER SCHEMA public OWNER TO sotay_owner").await.map(drop)
}

/// The settings of a command of the product over a database, as its owner.
pub fn settings<'a>(
    postgres: &Postgres,
    place: &'a Place,
    database: &str,
    more: &'a [(&'a str, &'a str)],
) -> Settings<'a> {
    Settings {
        database_url: postgres.url("sotay_app", database),
        redis_port: None,
        master_key: MASTER_KEY,
        folder: &place.path,
        more,
    }
}

/// Runs a command of the product over a database; it says how far it is on standard error.
pub async fn run(
    programs: &Path,
    postgres: &Postgres,
    place: &Place,
    database: &str,
    arguments: &[&str],
) -> Result<(), String> {
    let owner =
        [("SOTAY_DATABASE_OWNER_URL", &*postgres.url("sotay_owner", database)), ("SOTAY_LISTEN", "127.0.0.1:0")];
    let mut command = product_command(programs, &settings(postgres, place, database, &owner));
    let status =
        command.args(arguments).env("SOTAY_LOG", "warn").stdin(Stdio::null()).stdout(Stdio::null()).status().await;
    let status = status.map_err(|e| format!("sotay: {e}"))?;
    if status.success() { Ok(()) } else { Err(format!("sotay {} ended with {status}", arguments.join(" "))) }
}

/// Keeps the data in place of older ones of the scale.
async fn keep(data: &Path, kept: &Path, scale: &str) -> Result<(), String> {
    let folder = kept.parent().ok_or("no cache")?;
    fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    for entry in fs::read_dir(folder).map_err(|e| e.to_string())?.flatten() {
        if entry.file_name().to_string_lossy().starts_with(&format!("{scale}-")) {
            fs::remove_dir_all(entry.path()).map_err(|e| e.to_string())?;
        }
    }
    // Beside its name first: a copy that was interrupted is never mistaken for a whole one.
    let unfinished = kept.with_extension("unfinished");
    copy(data, &unfinished).await?;
    fs::rename(&unfinished, kept).map_err(|e| e.to_string())
}

async fn copy(from: &Path, to: &Path) -> Result<(), String> {
    output(Command::new("cp").arg("-a").arg("--reflink=auto").arg(from).arg(to)).await.map(drop)
}

/// Runs a program to its end. What it printed.
pub async fn output(command: &mut Command) -> Result<String, String> {
    let done = command.stdin(Stdio::null()).kill_on_drop(true).output().await.map_err(|e| e.to_string())?;
    if !done.status.success() {
        return Err(format!("{:?}: {}", command.as_std(), String::from_utf8_lossy(&done.stderr).trim()));
    }
    Ok(String::from_utf8_lossy(&done.stdout).trim().to_owned())
}
