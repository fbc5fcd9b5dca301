//! Starts real clusters; needs PostgreSQL's programs on the machine.

use std::os::unix::fs::PermissionsExt;

use rustix::process::{Pid, getsid};
use tokio_postgres::{Client, NoTls};

use super::*;

/// A folder that the account which runs PostgreSQL can reach, root or not.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::Builder::new().prefix("pg-").tempdir_in("/tmp").unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

fn server_pid(postgres: &PrivatePostgres) -> i32 {
    let text = fs::read_to_string(postgres.place.cluster().join("postmaster.pid")).unwrap();
    text.lines().next().unwrap().parse().unwrap()
}

async fn text(client: &Client, query: &str) -> String {
    client.query_one(query, &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn starts_serves_both_roles_and_stops() {
    let folder = folder();
    let data = folder.path().join("postgres");
    let postgres = PrivatePostgres::start(&data).await.unwrap();

    let owner = connect(&postgres.url(ClusterRole::Owner)).await;
    assert_eq!(text(&owner, "SHOW server_encoding").await, "UTF8");
    assert_eq!(text(&owner, "SHOW listen_addresses").await, "");
    owner.batch_execute("CREATE TABLE notes (body text); GRANT SELECT ON notes TO sotay_app").await.unwrap();

    let application = connect(&postgres.url(ClusterRole::Application)).await;
    application.query("SELECT body FROM notes", &[]).await.unwrap();
    for forbidden in
        ["CREATE TABLE mine ()", "DROP TABLE notes", "INSERT INTO notes VALUES ('x')", "CREATE SCHEMA mine"]
    {
        assert!(application.batch_execute(forbidden).await.is_err(), "{forbidden}");
    }

    for private in [postgres.folder(), &postgres.place.cluster(), &postgres.socket] {
        assert_eq!(fs::metadata(private).unwrap().permissions().mode() & 0o777, 0o700, "{}", private.display());
    }
    let pid = Pid::from_raw(server_pid(&postgres)).unwrap();
    assert_eq!(getsid(Some(pid)).unwrap(), pid, "Ctrl-C must not reach the server");

    let socket = postgres.socket.clone();
    postgres.stop().await.unwrap();
    assert!(!socket.exists());
    assert!(!data.join("cluster/postmaster.pid").exists());
}

#[tokio::test]
async fn the_next_start_adopts_a_cluster_whose_owner_was_killed() {
    let folder = folder();
    let first = PrivatePostgres::start(folder.path()).await.unwrap();
    connect(&first.url(ClusterRole::Owner)).await.batch_execute("CREATE TABLE kept ()").await.unwrap();
    let pid = server_pid(&first);
    // What `kill -9` does to the owner: no stop, and the system lets go of the lock.
    drop(first);

    let second = PrivatePostgres::start(folder.path()).await.unwrap();
    assert_eq!(server_pid(&second), pid);
    connect(&second.url(ClusterRole::Owner)).await.query("SELECT FROM kept", &[]).await.unwrap();
    second.stop().await.unwrap();

    let third = PrivatePostgres::start(folder.path()).await.unwrap();
    assert_ne!(server_pid(&third), pid);
    connect(&third.url(ClusterRole::Owner)).await.query("SELECT FROM kept", &[]).await.unwrap();
    third.stop().await.unwrap();
}

#[tokio::test]
async fn starts_again_after_the_server_itself_was_killed() {
    let folder = folder();
    let first = PrivatePostgres::start(folder.path()).await.unwrap();
    let socket = first.socket.clone();
    let pid = Pid::from_raw(server_pid(&first)).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    drop(first);

    let second = PrivatePostgres::start(folder.path()).await.unwrap();
    assert!(!socket.exists(), "the dead server's socket folder is litter");
    second.stop().await.unwrap();
}

#[tokio::test]
async fn a_second_process_attaches_and_does_not_stop_what_it_did_not_start() {
    let folder = folder();
    let (serve, verify) = tokio::join!(PrivatePostgres::start(folder.path()), async {
        // While the other is still making the cluster.
        sleep(Duration::from_millis(100)).await;
        PrivatePostgres::attach(folder.path()).await
    });
    let (serve, verify) = (serve.unwrap(), verify.unwrap());
    assert_eq!(serve.url(ClusterRole::Application), verify.url(ClusterRole::Application));
    assert!(matches!(PrivatePostgres::start(folder.path()).await, Err(Error::InUse(_))));
    verify.stop().await.unwrap();
    assert!(roles::answers(&serve.socket, ClusterRole::Application).await);
    serve.stop().await.unwrap();
}

#[tokio::test]
async fn attach_starts_and_stops_a_cluster_when_none_runs() {
    let folder = folder();
    let verify = PrivatePostgres::attach(folder.path()).await.unwrap();
    let socket = verify.socket.clone();
    assert!(roles::answers(&socket, ClusterRole::Owner).await);
    verify.stop().await.unwrap();
    assert!(!roles::answers(&socket, ClusterRole::Owner).await);
}

#[tokio::test]
async fn an_interrupted_creation_is_begun_again() {
    let folder = folder();
    let unfinished = folder.path().join("cluster.unfinished");
    fs::create_dir(&unfinished).unwrap();
    fs::write(unfinished.join("PG_VERSION"), "15").unwrap();
    fs::write(folder.path().join("lock"), "").unwrap();
    PrivatePostgres::start(folder.path()).await.unwrap().stop().await.unwrap();
    assert!(!unfinished.exists());
}

#[tokio::test]
async fn root_gets_another_folder_when_only_root_can_enter_the_wanted_one() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let home = folder();
    fs::set_permissions(home.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let wanted = home.path().join("postgres");
    let first = PrivatePostgres::start(&wanted).await.unwrap();
    let used = first.folder().to_owned();
    first.stop().await.unwrap();
    // The same one the next time, or the data would seem lost.
    let second = PrivatePostgres::start(&wanted).await.unwrap();
    let again = second.folder().to_owned();
    second.stop().await.unwrap();
    fs::remove_dir_all(&used).unwrap();
    assert_eq!(used, again);
    assert!(used.starts_with("/var/lib/sotay") && !wanted.exists());
}
