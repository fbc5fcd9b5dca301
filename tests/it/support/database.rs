//! A database for each test: cloned from one that was migrated once.

use std::sync::atomic::{AtomicU32, Ordering};

use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
use secrecy::SecretString;
use tokio::sync::OnceCell;

static TEMPLATE: OnceCell<String> = OnceCell::const_new();
static NUMBER: AtomicU32 = AtomicU32::new(0);

fn admin_url() -> String {
    std::env::var("SOTAY_TEST_POSTGRES_URL")
        .expect("SOTAY_TEST_POSTGRES_URL is not set: run the tests with scripts/test")
}

/// The same server, another role and database.
pub fn url_as(role: &str, database: &str) -> String {
    let admin = admin_url();
    let (head, query) = admin.split_once('?').unwrap_or((&admin, ""));
    let authority = head.trim_start_matches("postgres://").split('/').next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let kept: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("user=")).collect();
    format!("postgres://{role}@{host}/{database}?{}", kept.join("&"))
}

/// A superuser of the server that all tests share.
pub async fn admin() -> AsyncPgConnection {
    AsyncPgConnection::establish(&admin_url()).await.expect("PostgreSQL for tests is there")
}

async fn template() -> String {
    let name = format!("sotay_template_{}", std::process::id());
    let mut conn = admin().await;
    for role in ["sotay_owner", "sotay_app"] {
        let made = format!(
            "DO $$ BEGIN CREATE ROLE {role} LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
        );
        conn.batch_execute(&made).await.unwrap();
    }
    // As `deploy/postgres-init.sh` has it.
    let limits = "ALTER ROLE sotay_app SET statement_timeout = '10s'; \
        ALTER ROLE sotay_app SET idle_in_transaction_session_timeout = '60s'";
    conn.batch_execute(limits).await.unwrap();
    conn.batch_execute(&format!("CREATE DATABASE {name} OWNER sotay_owner ENCODING 'UTF8' TEMPLATE template0"))
        .await
        .unwrap();
    sotay::kernel::db::migrate(&SecretString::from(url_as("sotay_owner", &name))).await.unwrap();
    name
}

/// Makes a database and returns its address for the application role.
pub async fn fresh() -> String {
    let template = TEMPLATE.get_or_init(template).await;
    let name = format!("sotay_test_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::SeqCst));
    admin()
        .await
        .batch_execute(&format!("CREATE DATABASE {name} OWNER sotay_owner TEMPLATE {template}"))
        .await
        .unwrap();
    url_as("sotay_app", &name)
}

/// An empty database and its address for the owner role.
pub async fn empty() -> String {
    TEMPLATE.get_or_init(template).await;
    let name = format!("sotay_empty_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::SeqCst));
    admin()
        .await
        .batch_execute(&format!("CREATE DATABASE {name} OWNER sotay_owner ENCODING 'UTF8' TEMPLATE template0"))
        .await
        .unwrap();
    url_as("sotay_owner", &name)
}
