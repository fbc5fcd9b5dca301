//! Opens many demo sessions at once, without passwords: for load tests, never in production mode.

use chrono::{DateTime, Duration, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::config::Mode;
use crate::kernel::db::schema::sessions;
use crate::kernel::http::problem::Problem;
use crate::kernel::ids::new_id;
use crate::kernel::security::auth::Claims;
use crate::kernel::state::State;

use super::tokens::refresh_token;

/// Rows per statement.
const CHUNK: usize = 2_000;

/// The tokens of a demo account.
pub struct DemoTokens {
    pub access: String,
    pub refresh: String,
}

/// Opens a session for each account and makes its tokens, in the order of the accounts.
///
/// # Errors
/// In production mode, when no signing key is in force, or when the database cannot be reached.
pub async fn open_demo_sessions(state: &State, accounts: &[Uuid], hours: u32) -> Result<Vec<DemoTokens>, Problem> {
    if state.config.mode == Mode::Production {
        return Err(Problem::internal("sessions without a password are for demo data"));
    }
    let now = state.clock.now();
    let until = now + Duration::hours(i64::from(hours));
    let opened: Vec<(Uuid, Uuid)> = accounts.iter().map(|account| (*account, new_id(now))).collect();
    let mut conn = state.work.conn().await?;
    for chunk in opened.chunks(CHUNK) {
        let rows: Vec<_> = chunk
            .iter()
            .map(|(account_id, id)| {
                (
                    sessions::id.eq(*id),
                    sessions::account_id.eq(*account_id),
                    sessions::device_name.eq("demo-tokens"),
                    sessions::created_at.eq(now),
                    sessions::last_used_at.eq(now),
                    sessions::expires_at.eq(until),
                    sessions::generation.eq(0),
                    sessions::rotated_at.eq(now),
                )
            })
            .collect();
        diesel::insert_into(sessions::table).values(rows).execute(&mut *conn).await?;
    }
    let tokens = |(account_id, session_id): &(Uuid, Uuid)| {
        let access = sign(state, *account_id, *session_id, now, until)?;
        Ok(DemoTokens { access, refresh: refresh_token(&state.crypto, *session_id, 0) })
    };
    opened.iter().map(tokens).collect()
}

fn sign(state: &State, sub: Uuid, sid: Uuid, now: DateTime<Utc>, until: DateTime<Utc>) -> Result<String, Problem> {
    state.keys.current().sign(&Claims::first_party(sub, sid, now.timestamp(), until.timestamp()))
}
