//! Reads texts of files, soon after the upload or in a job, and sweeps unused contents.

use bytes::BytesMut;
use chrono::{DateTime, Duration, Utc};
use futures_util::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

use crate::documents::extraction::{self, Extracted};
use crate::documents::model::Media;
use crate::kernel::config::Config;
use crate::kernel::http::problem::Problem;
use crate::kernel::state::State;

use super::backend::sweep_unfinished;
use super::{content, contents};

/// How long an upload waits for its text; what takes longer is read afterwards.
const LONGEST_WAIT: std::time::Duration = std::time::Duration::from_secs(20);
/// Contents without a row may belong to an upload that goes on.
const LEFT_OVER_AFTER: Duration = Duration::days(1);
/// Contents whose rows are looked for in one statement.
const ASKED_TOGETHER: usize = 1_000;
/// Left-over contents removed in one round, about.
const MOST_REMOVED: usize = 1_000;

/// Reads the text of contents that are in the store.
///
/// # Errors
/// 503 when the store is away or too many files wait.
async fn read(config: &Config, files: &dyn ObjectStore, key: &str, media: Media) -> Result<Extracted, Problem> {
    let mut bytes = BytesMut::new();
    let mut stream = content::open(files, key, None).await?;
    while let Some(part) = stream.next().await {
        bytes.extend_from_slice(&part.map_err(content::store_away)?);
    }
    extraction::extract(config, media, &bytes).await
}

/// The text of a file that has just come; none when reading it takes long, or there is none to read.
pub async fn read_soon(config: &Config, files: &dyn ObjectStore, key: &str, media: Media) -> Option<Extracted> {
    if !extraction::is_read(media) {
        return None;
    }
    match tokio::time::timeout(LONGEST_WAIT, read(config, files, key, media)).await {
        Ok(Ok(read)) => Some(read),
        Ok(Err(problem)) => {
            tracing::warn!(%problem, "a file will be read later");
            None
        }
        Err(_) => None,
    }
}

/// Reads the file that has waited longest. Returns whether there was one.
///
/// # Errors
/// 503 when the database or the store cannot be reached.
pub async fn read_next(state: &State) -> Result<bool, Problem> {
    let now = state.clock.now();
    let Some(taken) = contents::take(&mut *state.work.conn().await?, now).await? else {
        return Ok(false);
    };
    let text = read(&state.config, state.files.as_ref(), &taken.storage_key, taken.media).await?;
    state.work.transaction(async |conn| contents::put_text(conn, &taken, &text, now).await).await?;
    Ok(true)
}

/// Removes contents that no document has: of uploads that were refused or broke off. Returns how many.
///
/// # Errors
/// 503 when the database or the store cannot be reached.
pub async fn sweep(state: &State, now: DateTime<Utc>) -> Result<usize, Problem> {
    let (files, config) = (state.files.as_ref(), state.config.clone());
    let before = now - LEFT_OVER_AFTER;
    let mut removed =
        tokio::task::spawn_blocking(move || sweep_unfinished(&config, before)).await.map_err(Problem::internal)?;
    let mut listed = files.list(Some(&Path::from("documents")));
    let mut old = Vec::new();
    while let Some(found) = listed.try_next().await.map_err(content::store_away)? {
        if found.last_modified < before {
            old.push(found.location);
        }
        if old.len() == ASKED_TOGETHER {
            removed += remove_unkept(state, std::mem::take(&mut old)).await?;
        }
        if removed >= MOST_REMOVED {
            break;
        }
    }
    Ok(removed + remove_unkept(state, old).await?)
}

async fn remove_unkept(state: &State, found: Vec<Path>) -> Result<usize, Problem> {
    let keys: Vec<&str> = found.iter().map(AsRef::as_ref).collect();
    let kept = contents::kept(&mut *state.work.conn().await?, &keys).await?;
    let unkept: Vec<&Path> = found.iter().filter(|path| !kept.contains(path.as_ref())).collect();
    for path in &unkept {
        state.files.delete(path).await.map_err(content::store_away)?;
    }
    Ok(unkept.len())
}
