//! Creates the two roles and the database of a private cluster.
//!
//! `deploy/postgres-init.sh` does the same for a server.

use std::path::Path;

use tokio_postgres::{Client, NoTls};

use super::{ClusterRole, DATABASE, Error, address};

/// Creates whichever of them are missing. Finished halfway and run again, it ends in the same state.
pub(super) async fn prepare(socket: &Path) -> Result<(), Error> {
    let owner = ClusterRole::Owner.name();
    let application = ClusterRole::Application.name();
    let client = connect(&address(socket, ClusterRole::Superuser)).await?;
    for role in [owner, application] {
        if client.query_opt("SELECT 1 FROM pg_roles WHERE rolname = $1", &[&role]).await?.is_none() {
            client.batch_execute(&format!("CREATE ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE")).await?;
        }
    }
    // Each statement has a deadline unless the work says otherwise, and messages are those that the program knows.
    client
        .batch_execute(&format!(
            "ALTER ROLE {application} SET statement_timeout = '10s'; \
             ALTER ROLE {application} SET idle_in_transaction_session_timeout = '60s'; \
             ALTER ROLE {application} SET lc_messages = 'C'"
        ))
        .await?;
    if client.query_opt("SELECT 1 FROM pg_database WHERE datname = $1", &[&DATABASE]).await?.is_none() {
        client
            .batch_execute(&format!("CREATE DATABASE {DATABASE} OWNER {owner} TEMPLATE template0 ENCODING 'UTF8'"))
            .await?;
    }
    // The application role may connect and use what it is granted, and create nothing.
    client
        .batch_execute(&format!(
            "REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC; GRANT CONNECT ON DATABASE {DATABASE} TO {application}"
        ))
        .await?;
    let superuser = address(socket, ClusterRole::Superuser).replace("///postgres?", &format!("///{DATABASE}?"));
    let client = connect(&superuser).await?;
    client
        .batch_execute(&format!(
            "ALTER SCHEMA public OWNER TO {owner}; \
             REVOKE ALL ON SCHEMA public FROM PUBLIC; \
             GRANT USAGE ON SCHEMA public TO {application}"
        ))
        .await?;
    Ok(())
}

/// Whether the cluster accepts connections of this role.
pub(super) async fn answers(socket: &Path, role: ClusterRole) -> bool {
    match connect(&address(socket, role)).await {
        Ok(client) => client.simple_query("SELECT 1").await.is_ok(),
        Err(_) => false,
    }
}

async fn connect(url: &str) -> Result<Client, tokio_postgres::Error> {
    // A Unix socket never leaves the machine, so there is nothing to encrypt.
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    // Ends by itself when the client is dropped; its errors reach the client's calls.
    tokio::spawn(connection);
    Ok(client)
}
