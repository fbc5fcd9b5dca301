//! Bulk loading without secondary indexes and foreign keys, which are rebuilt at the end.
//! Rebuilding them checks the rows. All of it is one transaction: other sessions always see the
//! tables with them.

use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Error};

use super::copy::explain;

/// What was taken off, as the statements that put it back.
pub struct Bared(Vec<String>);

/// Attempts to lock the tables.
const ATTEMPTS: usize = 10;

/// Begins a transaction and takes exclusion constraints, foreign keys and secondary indexes off the tables.
/// Needs their owner.
///
/// # Errors
/// When the connection is not the owner's, or is lost.
pub async fn begin(client: &Client, tables: &[&str]) -> Result<Bared, String> {
    for _ in 1..ATTEMPTS {
        match attempt(client, tables).await {
            // A background reader holds one of the tables and waits for another. Nothing is done yet.
            Err(error) if error.code() == Some(&SqlState::T_R_DEADLOCK_DETECTED) => {
                client.batch_execute("ROLLBACK").await.map_err(|e| explain(&e))?;
            }
            begun => return begun.map_err(|e| explain(&e)),
        }
    }
    attempt(client, tables).await.map_err(|e| explain(&e))
}

async fn attempt(client: &Client, tables: &[&str]) -> Result<Bared, Error> {
    client.batch_execute("BEGIN; SET LOCAL maintenance_work_mem = '256MB'").await?;
    let list = tables.iter().map(|table| format!("'{table}'::regclass")).collect::<Vec<_>>().join(", ");
    let constraints = client
        .query(
            &format!(
                "SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname),
                    format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
                 FROM pg_constraint WHERE conrelid IN ({list}) AND contype IN ('x', 'f') ORDER BY contype DESC, conname"
            ),
            &[],
        )
        .await?;
    let indexes = client
        .query(
            &format!(
                "SELECT format('DROP INDEX %s', indexrelid::regclass), pg_get_indexdef(indexrelid) FROM pg_index i
                 WHERE indrelid IN ({list}) AND NOT EXISTS (SELECT FROM pg_constraint c
                     WHERE c.conindid = i.indexrelid AND c.contype IN ('p', 'u', 'x')) ORDER BY indexrelid"
            ),
            &[],
        )
        .await?;
    let mut back = Vec::new();
    // Indexes come back first: foreign keys are checked with them.
    for row in indexes.iter().chain(&constraints) {
        client.batch_execute(row.get(0)).await?;
        back.push(row.get(1));
    }
    Ok(Bared(back))
}

/// Puts back what was taken off and commits.
///
/// # Errors
/// When the rows break a constraint: then nothing is written at all.
pub async fn commit(client: &Client, bared: Bared) -> Result<(), String> {
    let since = std::time::Instant::now();
    for statement in &bared.0 {
        client.batch_execute(statement).await.map_err(|e| format!("{statement}: {}", explain(&e)))?;
    }
    client.batch_execute("COMMIT").await.map_err(|e| explain(&e))?;
    eprintln!("  {:<22} {:>9}       {:>5.0} s", "indexes and keys", bared.0.len(), since.elapsed().as_secs_f32());
    Ok(())
}
