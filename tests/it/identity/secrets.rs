//! Nothing secret reaches the log.

use std::io::Write;
use std::sync::{Mutex, PoisonError};

use super::support::*;
use crate::support::World;

static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Capture;

impl Write for Capture {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        LOG.lock().unwrap_or_else(PoisonError::into_inner).extend(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[actix_web::test]
async fn a_sign_in_leaves_no_secret_in_the_log() {
    // The client of the tests lives in this process too; only what the program writes counts.
    tracing_subscriber::fmt()
        .with_env_filter("sotay=trace,actix_web=trace,tokio_postgres=trace")
        .with_writer(|| Capture)
        .init();
    let world = World::new().await;
    let (app, person) = (&world.app, active(&world).await);
    sign_in(app, &person.citizen_id, "một lần gõ nhầm", None).await.expect(401);
    let tokens = sign_in(app, &person.citizen_id, PASSWORD, None).await.expect(201).body;
    refresh(app, &text(&tokens, "refresh_token")).await.expect(200);
    let log = LOG.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let log = String::from_utf8_lossy(&log);
    assert!(log.contains("/v1/auth/sessions/refresh"), "the log was captured");
    let secrets = ["access_token", "refresh_token", "device_token"].map(|name| text(&tokens, name));
    for secret in
        secrets.iter().map(String::as_str).chain([PASSWORD, "một lần gõ nhầm", &person.citizen_id, &person.phone])
    {
        assert!(!log.contains(secret));
    }
}
