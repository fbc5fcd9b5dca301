//! `sotay verify`: recomputes what is derived and names every difference.

use crate::kernel::config::Config;
use crate::kernel::db::Db;
use crate::points;

use super::runtime;

/// Runs all checks against the configured database, or the private one, also while a server runs on it.
///
/// # Errors
/// When the database cannot be reached, or something differs.
pub async fn run(mut config: Config) -> Result<(), String> {
    let database = runtime::open(&mut config, runtime::Private::Join).await?;
    let url = config.database_url.clone().ok_or("no database")?;
    let found = check(&Db::new(&url, 1).map_err(|e| e.to_string())?).await;
    database.close().await;
    match found? {
        0 => Ok(()),
        n => Err(format!("{n} difference(s) found")),
    }
}

async fn check(db: &Db) -> Result<usize, String> {
    let mut conn = db.conn().await.map_err(|e| e.to_string())?;
    points::verify(&mut conn, |proves, differences| {
        println!("{} {proves}", if differences.is_empty() { "ok  " } else { "FAIL" });
        for line in differences {
            println!("     {line}");
        }
    })
    .await
    .map_err(|e| e.to_string())
}
