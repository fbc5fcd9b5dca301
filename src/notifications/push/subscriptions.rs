//! Subscriptions: the phones of an account that want to be told.

use actix_web::{HttpRequest, delete, get, post};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::db::schema::push_subscriptions;
use crate::kernel::extract::{Anyone, Empty, Query, ReadRequest, Scope, WriteRequest, path_id};
use crate::kernel::http::page::{Page, PageQuery};
use crate::kernel::http::problem::{Code, Fault, Problem, text};
use crate::kernel::http::reply::{Created, NoContent, Reply};
use crate::kernel::ids::new_id;
use crate::kernel::security::audit;
use crate::kernel::security::crypto::{Crypto, from_text};

use super::encryption::encrypt;

/// Phones of an account at most.
const MOST: i64 = 10;
const FIELD: &str = "push_subscription";

/// The keys of a phone.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PushSubscriptionKeys {
    /// Its public key on the curve P-256, in base64url.
    #[schema(
        min_length = 80,
        max_length = 100,
        pattern = "^[A-Za-z0-9_-]+=*$",
        example = "BLn9b-VR0ca83knDNZ32dCHGyjJp-1riX9ZTN40MqV8K_LpQmLqxC_DoHvqvFXO_nGdAB4W9dogZb_sM-uV4JbY"
    )]
    pub p256dh: String,
    /// Its secret of 16 bytes, in base64url.
    #[schema(min_length = 20, max_length = 30, pattern = "^[A-Za-z0-9_-]+=*$", example = "_ordMnz7uTCmrpBTeUV4Bw")]
    pub auth: String,
}

/// A phone that wants to be told, as `PushSubscription.toJSON()` of a browser says it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PushSubscriptionIn {
    /// Where its push service takes messages for it: HTTPS, on the public internet.
    #[schema(
        format = "uri",
        min_length = 8,
        max_length = 2000,
        pattern = r"^https?://[!-~]+$",
        example = "https://push.example/send/c2FtcGxl"
    )]
    pub endpoint: String,
    /// Its keys.
    pub keys: PushSubscriptionKeys,
}

impl PushSubscriptionIn {
    /// The keys as bytes; empty where they are none.
    pub fn phone_keys(&self) -> (Vec<u8>, Vec<u8>) {
        let read = |text: &str| from_text(text.trim_end_matches('=')).unwrap_or_default();
        (read(&self.keys.p256dh), read(&self.keys.auth))
    }

    /// What is stored, sealed for the row.
    fn seal(&self, crypto: &Crypto, id: Uuid) -> Result<Vec<u8>, Problem> {
        let plain = serde_json::to_vec(self).map_err(Problem::internal)?;
        crypto.seal(id, FIELD, &plain).map_err(Problem::internal)
    }

    /// Reads what is stored.
    ///
    /// # Errors
    /// When it does not open with the master key.
    pub fn open(crypto: &Crypto, id: Uuid, sealed: &[u8]) -> Result<Self, Problem> {
        let plain = crypto.open(id, FIELD, sealed).map_err(Problem::internal)?;
        serde_json::from_slice(&plain).map_err(Problem::internal)
    }
}

/// A new subscription.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct CreatedPushSubscription {
    /// The subscription.
    id: Uuid,
}

/// Have a phone told
///
/// From now on the phone of this session is told when there is something new: "Bạn có thông báo mới", without a title, a unit or a name,
/// since others see its screen. Not from 21:00 to 06:00 in Viet Nam, unless the account may be in a stranger's hands. The same address
/// again takes the place of the former one; the subscription ends with the session. An account has 10 at most.
#[utoipa::path(tag = "Me", request_body = PushSubscriptionIn, responses(
    (status = 422, description = "The address is not fit to be called, the keys are none, or the account has 10 subscriptions (`rule_not_met`).")))]
#[post("/me/push-subscriptions")]
pub async fn create_push_subscription(
    request: WriteRequest<PushSubscriptionIn, Anyone>,
) -> Result<Created<CreatedPushSubscription>, Problem> {
    let unmet = |pointer: &str, code, detail| {
        Problem::faults(Code::RuleNotMet, vec![Fault { pointer: pointer.to_owned(), code, detail }])
    };
    if request.state.outward.judge_resolved(&request.body.endpoint).await.is_err() {
        let detail = text("Địa chỉ không gọi được.", "The address is not fit to be called.");
        return Err(unmet("/endpoint", "private_address", detail));
    }
    let (phone, auth) = request.body.phone_keys();
    if encrypt(b"", &phone, &auth).is_err() {
        return Err(unmet("/keys", "not_a_key", text("Khóa không dùng được.", "The keys cannot be used.")));
    }
    request.commit(async |conn, scope| insert(conn, scope).await).await
}

async fn insert(
    conn: &mut Conn,
    scope: &Scope<PushSubscriptionIn, Anyone>,
) -> Result<CreatedPushSubscription, Problem> {
    let (crypto, caller, now) = (&scope.state.crypto, &scope.caller, scope.now);
    let (id, digest) = (new_id(now), crypto.digest(FIELD, &scope.body.endpoint));
    let former = push_subscriptions::table.filter(push_subscriptions::endpoint_digest.eq(&digest));
    diesel::delete(former).execute(conn).await?;
    let own = push_subscriptions::table.filter(push_subscriptions::account_id.eq(caller.account_id));
    let count: i64 = own.count().get_result(conn).await?;
    if count >= MOST {
        let (vi, en) = ("Tài khoản đã có 10 thiết bị nhận thông báo.", "The account has 10 subscriptions already.");
        return Err(Problem::with(Code::RuleNotMet, vi, en));
    }
    diesel::insert_into(push_subscriptions::table)
        .values((
            push_subscriptions::id.eq(id),
            push_subscriptions::account_id.eq(caller.account_id),
            push_subscriptions::session_id.eq(caller.session_id),
            push_subscriptions::endpoint_digest.eq(digest),
            push_subscriptions::sealed.eq(scope.body.seal(crypto, id)?),
            push_subscriptions::created_at.eq(now),
            push_subscriptions::requests.eq(0),
            push_subscriptions::urgent.eq(false),
            push_subscriptions::attempts.eq(0),
        ))
        .execute(conn)
        .await?;
    audit::record(conn, scope.audit("push_subscription.created", "push_subscription", id), now).await?;
    Ok(CreatedPushSubscription { id })
}

/// A phone that is told.
#[derive(Debug, Serialize, ToSchema)]
pub struct PushSubscriptionOut {
    /// The subscription.
    id: Uuid,
    /// The device of its session.
    #[schema(max_length = 100, example = "Điện thoại của An")]
    device_name: String,
    /// Whether it belongs to the session of this request.
    current: bool,
    /// When it was made.
    created_at: DateTime<Utc>,
}

#[derive(QueryableByName)]
struct SubscriptionRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    device_name: String,
    #[diesel(sql_type = Bool)]
    current: bool,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
}

/// List one's phones that are told
///
/// The caller's subscriptions whose sessions are alive, newest first.
#[utoipa::path(tag = "Me", params(PageQuery))]
#[get("/me/push-subscriptions")]
pub async fn list_push_subscriptions(
    mut request: ReadRequest<Anyone>,
    page: Query<PageQuery>,
) -> Result<Reply<Page<PushSubscriptionOut>>, Problem> {
    let Query(page) = page;
    let caller = &request.scope.caller;
    let query = diesel::sql_query(
        "SELECT p.id, s.device_name, s.id = $2 AS current, p.created_at
         FROM push_subscriptions p JOIN sessions s ON s.id = p.session_id
         WHERE p.account_id = $1 AND s.revoked_at IS NULL AND s.expires_at > $3 AND ($4 IS NULL OR p.id < $4)
         ORDER BY p.id DESC LIMIT $5",
    )
    .bind::<SqlUuid, _>(caller.account_id)
    .bind::<SqlUuid, _>(caller.session_id)
    .bind::<Timestamptz, _>(request.scope.now)
    .bind::<Nullable<SqlUuid>, _>(page.after::<Uuid>()?)
    .bind::<BigInt, _>(page.fetch());
    let rows: Vec<SubscriptionRow> = query.load(&mut *request.conn).await?;
    let show = |row: SubscriptionRow| PushSubscriptionOut {
        id: row.id,
        device_name: row.device_name,
        current: row.current,
        created_at: row.created_at,
    };
    request.reply(&page.page(rows, |row| row.id, show))
}

/// Stop telling a phone
///
/// Ends one of the caller's subscriptions.
#[utoipa::path(tag = "Me", params(("subscription_id" = Uuid, Path, description = "The subscription.")))]
#[delete("/me/push-subscriptions/{subscription_id}")]
pub async fn delete_push_subscription(
    request: WriteRequest<Empty, Anyone>,
    path: HttpRequest,
) -> Result<NoContent, Problem> {
    let id = path_id(&path, "subscription_id")?;
    request
        .commit(async |conn, scope| {
            let own = push_subscriptions::table
                .filter(push_subscriptions::id.eq(id))
                .filter(push_subscriptions::account_id.eq(scope.caller.account_id));
            if diesel::delete(own).execute(conn).await? == 0 {
                return Err(Problem::not_found());
            }
            audit::record(conn, scope.audit("push_subscription.deleted", "push_subscription", id), scope.now).await
        })
        .await
}
