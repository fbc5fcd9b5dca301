//! Finds PostgreSQL's server programs on this machine.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use super::Error;

/// A folder with `initdb`, `pg_ctl` and `postgres` of one version.
#[derive(Debug)]
pub(super) struct Binaries {
    pub(super) folder: PathBuf,
}

impl Binaries {
    /// The first usable ones; for a cluster that exists, those of its own major version, as no other opens it.
    pub(super) async fn find(cluster: &Path) -> Result<Self, Error> {
        let needed = fs::read_to_string(cluster.join("PG_VERSION")).ok().map(|version| version.trim().to_owned());
        let mut found = Vec::new();
        for folder in candidates() {
            let Some(version) = major_version(&folder).await else {
                continue;
            };
            if needed.as_ref().is_none_or(|needed| *needed == version) {
                return Ok(Self { folder });
            }
            found.push(version);
        }
        match needed {
            Some(needed) if !found.is_empty() => Err(Error::OtherVersion {
                cluster: cluster.to_owned(),
                command: install_command(Some(&needed)),
                needed,
                found: found.join(", "),
            }),
            needed => Err(Error::NoBinaries { command: install_command(needed.as_deref()) }),
        }
    }
}

/// Every folder that holds the three programs, in the order in which they are tried.
fn candidates() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    for folder in env::var_os("PATH").iter().flat_map(env::split_paths) {
        // A link on PATH leads to one program; the others are beside its target.
        if let Ok(program) = fs::canonicalize(folder.join("initdb")) {
            folders.extend(program.parent().map(Path::to_owned));
        }
    }
    folders.extend(newest_first("/usr/lib/postgresql", "").into_iter().map(|folder| folder.join("bin")));
    for prefix in ["/opt/homebrew/opt", "/usr/local/opt"] {
        folders.extend(newest_first(prefix, "postgresql@").into_iter().map(|folder| folder.join("bin")));
    }
    folders.retain(|folder| ["initdb", "pg_ctl", "postgres"].iter().all(|program| folder.join(program).is_file()));
    folders
}

/// The subfolders called `prefix` and a version, highest version first.
fn newest_first(parent: &str, prefix: &str) -> Vec<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir(parent)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.strip_prefix(prefix)?.parse().ok()?;
            Some((version, entry.path()))
        })
        .collect();
    versions.sort();
    versions.into_iter().rev().map(|(_, path)| path).collect()
}

/// "15" from "postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)".
async fn major_version(folder: &Path) -> Option<String> {
    let output = Command::new(folder.join("postgres")).arg("--version").output().await.ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let version = text.split_whitespace().find(|word| word.starts_with(|first: char| first.is_ascii_digit()))?;
    version.split(|character: char| !character.is_ascii_digit()).next().map(str::to_owned)
}

/// The command that installs PostgreSQL on this machine.
fn install_command(version: Option<&str>) -> String {
    let has = |program: &str| {
        env::var_os("PATH").iter().flat_map(env::split_paths).any(|folder| folder.join(program).is_file())
    };
    if cfg!(target_os = "macos") {
        format!("brew install postgresql@{}", version.unwrap_or("16"))
    } else if has("dnf") {
        "sudo dnf install postgresql-server".to_owned()
    } else if has("pacman") {
        "sudo pacman -S postgresql".to_owned()
    } else if has("apk") {
        format!("sudo apk add postgresql{}", version.unwrap_or("16"))
    } else {
        match version {
            Some(version) => format!("sudo apt-get install postgresql-{version}"),
            None => "sudo apt-get install postgresql".to_owned(),
        }
    }
}
