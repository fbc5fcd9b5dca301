//! Members over HTTP.

use actix_web::http::header;
use actix_web::{HttpRequest, get, patch, post};
use serde::Deserialize;
use serde_json::json;
use utoipa::IntoParams;

use crate::kernel::clock::day_of;
use crate::kernel::extract::{Query, ReadRequest, WriteRequest};
use crate::kernel::http::page::{Page, PageQuery};
use crate::kernel::http::problem::{Code, Problem, text};
use crate::kernel::http::reply;
use crate::kernel::http::reply::{Created, Reply};
use crate::kernel::outbox;
use crate::kernel::security::access::Permission;
use crate::kernel::security::access::needs::{ListMembers, ManageMembers, ReadMember};
use crate::kernel::security::audit;
use crate::organisation::grants::{self, Rank};
use crate::organisation::lookups::{self, Asker};
use crate::organisation::memberships::lock_member;
use crate::organisation::{OnMember, OnUnit, units};

use super::changes::{self, lock_numbers, require_free};
use super::entry::{self, MemberIn, MemberPatch};
use super::handles::HandleKind;
use super::list::{self, ListedMember};
use super::own_record::require_other;
use super::profile::{self, Profile, record_view};
use super::store::{Origin, admit, handles};

/// Which members are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct MemberQuery {
    /// Part of a name, with or without accents.
    #[param(nullable = false, min_length = 1, max_length = 100, pattern = r"\S")]
    q: Option<String>,
}

/// List a unit's members
///
/// Lists the members of the cell, or of every cell below a committee, by given name in Vietnamese order. Contains no
/// personal numbers.
#[utoipa::path(tag = "Members", params(PageQuery, MemberQuery, ("unit_id" = Uuid, Path, description = "The unit.")))]
#[get("/units/{unit_id}/members")]
pub async fn list_members(
    mut request: ReadRequest<OnUnit<ListMembers>>,
    page: Query<PageQuery>,
    query: Query<MemberQuery>,
) -> Result<Reply<Page<ListedMember>>, Problem> {
    let (unit_id, today) = (request.scope.on.unit_id, day_of(request.scope.now));
    let after = page.0.after()?;
    let search = query.0.q.as_deref();
    // Punctuation alone is no part of a name, and finds nobody.
    let rows = match search.is_some_and(|search| !search.chars().any(char::is_alphanumeric)) {
        true => Vec::new(),
        false => list::page(&mut request.conn, unit_id, today, search, after, page.0.fetch()).await?,
    };
    let place = |row: &ListedMember| (row.given_name.clone(), row.full_name.clone(), row.id);
    request.reply(&page.0.page(rows, place, |row| row))
}

/// Admit a member
///
/// Admits a person into a cell from today on. A person who is in the system already needs a transfer instead.
#[utoipa::path(tag = "Members", params(("unit_id" = Uuid, Path, description = "The cell.")), request_body = MemberIn, responses(
    (status = 409, description = "The citizen ID or the card number is in the system already."),
    (status = 422, description = "The unit holds no members.")))]
#[post("/units/{unit_id}/members")]
pub async fn admit_member(request: WriteRequest<MemberIn, OnUnit<ManageMembers>>) -> Result<Created<Profile>, Problem> {
    let person = entry::check(&request.body, day_of(request.now))?;
    let digests: Vec<_> = handles(&request.state.crypto, &person).map(|(_, digest)| digest).collect();
    let (state, asker) = (request.state.clone(), Asker::of(&request, request.on.unit_id));
    let admitted = request.commit(async |conn, scope| {
        let (today, unit_id) = (day_of(scope.now), scope.on.unit_id);
        let crypto = &scope.state.crypto;
        units::require_cell(conn, unit_id).await?;
        lock_numbers(conn).await?;
        let citizen_id = &person.citizen_id;
        require_free(conn, crypto, HandleKind::CitizenId, citizen_id, None).await?;
        if let Some(card) = &person.card_number {
            require_free(conn, crypto, HandleKind::CardNumber, card, None).await?;
        }
        let ids =
            admit(conn, crypto, std::slice::from_ref(&person), unit_id, Origin::Admitted, today, scope.now).await?;
        let id = ids.first().copied().ok_or_else(|| Problem::internal("no member was admitted"))?;
        let event = audit::AuditEvent {
            unit_id: Some(unit_id),
            member_id: Some(id),
            ..scope.audit("member.admitted", "member", id)
        };
        audit::record(conn, event, scope.now).await?;
        Ok(profile::full(conn, crypto, id, today).await?.masked())
    });
    match admitted.await {
        Err(problem) => Err(lookups::after_refusal(&state, &asker, &digests, problem).await),
        admitted => admitted,
    }
}

/// How much of a profile is shown.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ProfileQuery {
    /// Show personal numbers in full.
    #[serde(default)]
    #[param(nullable = false, default = false)]
    reveal: bool,
}

/// Get a member's profile
///
/// Personal numbers show their last four digits unless `reveal` is true. Each access is recorded in the audit log,
/// where the member sees it. A change needs the `ETag` as `If-Match`.
#[utoipa::path(tag = "Members", params(ProfileQuery, ("member_id" = Uuid, Path, description = "The member.")))]
#[get("/members/{member_id}")]
pub async fn get_member(
    mut request: ReadRequest<OnMember<ReadMember>>,
    query: Query<ProfileQuery>,
) -> Result<Reply<Profile>, Problem> {
    let (member_id, today) = (request.scope.on.member_id, day_of(request.scope.now));
    let reveal = query.0.reveal;
    record_view(&mut request.conn, &request.scope, json!({"revealed": reveal})).await?;
    let full = profile::full(&mut request.conn, &request.scope.state.crypto, member_id, today).await?;
    if !reveal {
        return request.reply(&full.masked());
    }
    // Full numbers are for this moment and must not be cached. A change needs the tag of the masked profile.
    let tag = reply::tag(&full.clone().masked())?;
    Ok(Reply::json(&full).with((header::CACHE_CONTROL, "no-store")).with((header::ETAG, tag)))
}

/// Change a member's record
///
/// Needs the `ETag` of the profile as `If-Match`; 412 when the member was changed meanwhile. What people sign in
/// with changes along, and they are told. The audit log keeps the names of the changed fields, never their values. Nobody changes
/// their own record, and what those sign in with who hold a role above is changed from there.
#[utoipa::path(tag = "Members", params(("member_id" = Uuid, Path, description = "The member."),
        ("If-Match" = String, Header, description = "The `ETag` of the profile that was read.", max_length = 500, pattern = "^.+$")),
    request_body = MemberPatch, responses(
    (status = 403, description = "It is the caller's own record, or what a role holder signs in with, which is changed from above (`own_interest`)."),
    (status = 409, description = "The citizen ID or the card number belongs to another person."),
    (status = 412, description = "The member was changed meanwhile."),
    (status = 422, description = "A field has a value that the domain does not allow; `errors` names it.")))]
#[patch("/members/{member_id}")]
pub async fn update_member(
    req: HttpRequest,
    request: WriteRequest<MemberPatch, OnMember<ManageMembers>>,
) -> Result<Reply<Profile>, Problem> {
    if !req.headers().contains_key(header::IF_MATCH) {
        let detail = text("Thiếu If-Match.", "If-Match is required.");
        return Err(Problem::malformed("If-Match", "required", detail));
    }
    let (body, crypto) = (&request.body, &request.state.crypto);
    let card = body.card_number.iter().flatten().map(|card| HandleKind::CardNumber.digest(crypto, card));
    let citizen = body.citizen_id.iter().map(|number| HandleKind::CitizenId.digest(crypto, number));
    let digests: Vec<_> = card.chain(citizen).collect();
    let (state, asker) = (request.state.clone(), Asker::of(&request, request.on.unit_id));
    let updated = request.commit(async |conn, scope| {
        let (member_id, today) = (scope.on.member_id, day_of(scope.now));
        let crypto = &scope.state.crypto;
        require_other(scope.caller.account_id, member_id)?;
        if scope.body.changes_proofs() {
            let needed = (Permission::ManageMembers, Rank::Beside);
            grants::require_rank(conn, &scope.caller, member_id, needed, scope.now).await?;
        }
        if scope.body.gives_numbers() {
            lock_numbers(conn).await?;
        }
        lock_member(conn, member_id).await?;
        let before = profile::full(conn, crypto, member_id, today).await?;
        let seen = before.clone().masked();
        if !reply::matches_any(&req, header::IF_MATCH, &reply::tag(&seen)?) {
            return Err(Problem::new(Code::PreconditionFailed));
        }
        let patch = entry::check_patch(&before, &scope.body, today)?;
        let changed = changes::apply(conn, crypto, &before, &patch, scope.now).await?;
        if !changed.is_empty() {
            let event = audit::AuditEvent {
                unit_id: Some(scope.on.unit_id),
                member_id: Some(member_id),
                details: json!({"fields": changed}),
                ..scope.audit("member.changed", "member", member_id)
            };
            audit::record(conn, event, scope.now).await?;
            outbox::tell(conn, "record_changed", &[member_id], &json!({}), scope.now).await?;
        }
        Ok(profile::full(conn, crypto, member_id, today).await?.masked())
    });
    match updated.await {
        Err(problem) => Err(lookups::after_refusal(&state, &asker, &digests, problem).await),
        updated => updated,
    }
}
