//! Apps that are there without the way through registration and consent.

use chrono::Duration;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use sotay::kernel::db::schema::{accounts, oauth_clients, sessions};
use sotay::kernel::ids::new_id;
use sotay::kernel::security::auth::Claims;
use sotay::kernel::security::scopes::AppScopes;
use uuid::Uuid;

use crate::support::{Actor, World};

pub const ALL: &str =
    "profile:read points:read documents:read quizzes:read leaderboards:read units:read webhooks:manage";

/// An approved app of the ward.
pub async fn app(world: &World) -> Uuid {
    let (now, by) = (world.app.state.clock.now(), world.member().await.id);
    let id = new_id(now);
    let mut conn = world.app.state.db.conn().await.unwrap();
    diesel::insert_into(accounts::table)
        .values((
            accounts::id.eq(id),
            accounts::kind.eq("client"),
            accounts::display_name.eq("Ứng dụng thử"),
            accounts::created_at.eq(now),
        ))
        .execute(&mut *conn)
        .await
        .unwrap();
    diesel::insert_into(oauth_clients::table)
        .values((
            oauth_clients::id.eq(id),
            oauth_clients::unit_id.eq(world.ward),
            oauth_clients::name.eq("Ứng dụng thử"),
            oauth_clients::kind.eq("confidential"),
            oauth_clients::redirect_uris.eq(vec!["https://app.example/callback"]),
            oauth_clients::scopes.eq(AppScopes::all().names()),
            oauth_clients::state.eq("approved"),
            oauth_clients::secret_digest.eq(b"none".to_vec()),
            oauth_clients::registered_by.eq(by),
            oauth_clients::created_at.eq(now),
        ))
        .execute(&mut *conn)
        .await
        .unwrap();
    id
}

/// Claims of an app that acts for an account, or for itself, over a session that lives a year.
pub async fn claims(world: &World, app: Uuid, account: Uuid, scope: &str) -> Claims {
    let now = world.app.state.clock.now();
    let (session, until, scope) = (new_id(now), now + Duration::days(365), AppScopes::parse(scope).unwrap());
    let mut conn = world.app.state.db.conn().await.unwrap();
    diesel::insert_into(sessions::table)
        .values((
            sessions::id.eq(session),
            sessions::account_id.eq(account),
            sessions::device_name.eq("Ứng dụng thử"),
            sessions::created_at.eq(now),
            sessions::last_used_at.eq(now),
            sessions::expires_at.eq(until),
            sessions::generation.eq(0),
            sessions::rotated_at.eq(now),
            sessions::client_id.eq(app),
            sessions::scopes.eq(scope.names()),
        ))
        .execute(&mut *conn)
        .await
        .unwrap();
    let own = Claims::first_party(account, session, now.timestamp(), until.timestamp());
    own.of_app(&world.app.state.public_url, app, scope)
}

pub fn sign(world: &World, claims: &Claims) -> String {
    world.app.state.keys.current().sign(claims).unwrap()
}

/// The app, as it calls for an account, or for itself.
pub async fn acting(world: &World, app: Uuid, account: Uuid, scope: &str) -> Actor {
    let claims = claims(world, app, account, scope).await;
    let mut actor = world.sign_in(account).await;
    actor.session = claims.sid;
    actor.with_token(sign(world, &claims))
}

/// What the token gets where the profile is read.
pub async fn status_with(world: &World, token: &str) -> u16 {
    world.app.request("GET", "/v1/me").token(token).send().await.status
}
