//! Calls beside each other: one that hangs keeps its own place and holds up no other.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use crate::kernel::http::problem::Problem;

/// Calls of a kind at a time by an instance. One that hangs keeps a place for 15 seconds, ever more rarely.
const PLACES: usize = 32;
/// How often places that are free are given to what has become due meanwhile.
const LOOK: Duration = Duration::from_millis(500);

/// Claims what is due and works on it, until nothing is. Returns how much was done, as the workers count it.
///
/// # Errors
/// What claiming returns. What was claimed then is left to the next claim.
pub async fn work_off<T, F: Future<Output = usize>>(
    claim: impl AsyncFn(usize) -> Result<Vec<T>, Problem>,
    work: impl Fn(T) -> F,
) -> Result<usize, Problem> {
    let mut running = FuturesUnordered::new();
    let mut done = 0;
    loop {
        let free = PLACES.saturating_sub(running.len());
        if free > 0 {
            running.extend(claim(free).await?.into_iter().map(&work));
        }
        match tokio::time::timeout(LOOK, running.next()).await {
            Ok(None) => return Ok(done),
            Ok(Some(more)) => done += more,
            Err(_) => {}
        }
    }
}
