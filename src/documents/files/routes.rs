//! Adding and downloading files over HTTP.

use std::ops::Range;

use actix_web::body::SizedStream;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, ContentEncoding};
use actix_web::{FromRequest, HttpRequest, HttpResponse, get, post, web};
use futures_util::TryStreamExt;
use serde::Deserialize;
use serde_json::json;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::documents::model::{Media, name_carries_secret_marking};
use crate::documents::store::note_opening;
use crate::documents::targets::{OnDocument, Readable};
use crate::kernel::db::Conn;
use crate::kernel::extract::{Query, ReadRequest, Scope, is_any_file, names, path_id, place, receive};
use crate::kernel::http::idempotency::{self, Claim, Key};
use crate::kernel::http::problem::{Code, Problem, text};
use crate::kernel::http::reply::matches_any;
use crate::kernel::http::reply::{AnyFile, Created, Reply};
use crate::kernel::security::access::needs::PublishDocuments;
use crate::kernel::security::audit;
use crate::kernel::security::crypto::to_text;
use crate::kernel::state::State;
use crate::kernel::text::one_line;

use super::content::{self, StoredFile};
use super::range::{RangeRequest, wanted};
use super::store::{self, FileOut, FileRow, FileText};
use super::{contents, reader};

/// What the file is called.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct FileQuery {
    /// Its name, without a path, ending as names of its type do.
    #[param(min_length = 1, max_length = 200, pattern = r"^[^/\\]*[^/\\\s][^/\\]*$", example = "98-KH-ĐU.pdf")]
    filename: String,
}

/// Add a file
///
/// The body is the file itself: PDF, DOCX, XLSX, PNG, JPEG or MP3, by `Content-Type`, or by the end of its name where that is
/// `application/octet-stream`. What the file is not is refused, and so is a file with a secrecy marking in its name, its metadata or
/// its text. The file belongs to the version that is being written: the draft of a document, or a new version of a published one.
/// Its text is read at once, or soon after when that takes longer: `text_state` is `being_read` until then.
#[utoipa::path(tag = "Documents", params(("document_id" = Uuid, Path, description = "The document."), FileQuery),
    request_body(description = "The file.", content(
        ("application/octet-stream"),
        ("application/pdf"),
        ("application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("image/png"),
        ("image/jpeg"),
        ("audio/mpeg"))),
    extensions(("x-body-bytes" = json!(26_214_400))),
    responses((status = 409, description = "The document was recalled, waits for review or for its time, or is published and no version is being written."),
        (status = 422, description = "The file is not of the type it is said to be, carries a secrecy marking (`secret_marking`, `file_unreadable`), or the document has twenty files.")))]
#[post("/documents/{document_id}/files")]
pub async fn add_document_file(
    request: ReadRequest<OnDocument<PublishDocuments>>,
    query: Query<FileQuery>,
    payload: web::Payload,
) -> Result<Created<FileOut>, Problem> {
    let ReadRequest { conn, scope, request } = request;
    // A slow upload must not hold a connection.
    drop(conn);
    let media = media_of(&request, &query.0.filename)?;
    let name = file_name(&query.0.filename, media)?;
    // What is refused for its key is not kept first.
    key_header(&request)?;
    let state = scope.state;
    let most = state.config.file_bytes;
    let payload = payload.into_inner();
    let (_turn, spooled) = receive(&request, &state, scope.caller.account_id, payload, most).await?;
    let _place = place(&state).await?;
    let files = state.files.as_ref();
    let mut file = content::keep(files, media, most, spooled.into_stream()).await?;
    if let Err(problem) = look_into(&state, &mut file).await {
        content::discard(files, &file).await;
        return Err(problem);
    }
    // The right to add files may have been lost during a slow upload.
    let scope = match ReadRequest::<OnDocument<PublishDocuments>>::extract(&request).await {
        Ok(again) => again.scope,
        Err(problem) => {
            content::discard(files, &file).await;
            return Err(problem);
        }
    };
    let key = key_of(&request, scope.caller.account_id, &file)?;
    let added = scope.state.db.transaction(async |conn| add(conn, &scope, key.as_ref(), &name, &file).await).await;
    // When it is not known whether the row was committed, contents without a row are the lesser evil.
    let unused = match &added {
        Ok(_) => !is_kept(&scope.state, &file).await,
        Err(problem) => !matches!(problem.code, Code::Unavailable | Code::Internal),
    };
    if unused {
        content::discard(files, &file).await;
    }
    let (answer, replayed) = added?;
    let reply = Created::json(&answer).described_as();
    Ok(if replayed { reply.with(("Idempotency-Replayed", "true")) } else { reply })
}

/// Whether the store keeps these contents; when that is not known, they stay for the sweep.
async fn is_kept(state: &State, file: &StoredFile) -> bool {
    match state.db.conn().await {
        Ok(mut conn) => contents::is_kept(&mut conn, &file.key).await.unwrap_or(true),
        Err(_) => true,
    }
}

/// Reads the text of a file, unless the same file is known; refuses one that is marked.
async fn look_into(state: &State, file: &mut StoredFile) -> Result<(), Problem> {
    let known = contents::known(&mut *state.db.conn().await?, file).await?;
    let marked = match known {
        Some(known) if !known.being_read => known.marked,
        _ => {
            file.read = reader::read_soon(&state.config, state.files.as_ref(), &file.key, file.media).await;
            file.read.as_ref().is_some_and(|read| read.marked)
        }
    };
    if marked { Err(Problem::new(Code::SecretMarking)) } else { Ok(()) }
}

/// Adds the row, or finds the answer of the same request. The second part says which.
async fn add(
    conn: &mut Conn,
    scope: &Scope<(), OnDocument<PublishDocuments>>,
    key: Option<&Key>,
    name: &str,
    file: &StoredFile,
) -> Result<(serde_json::Value, bool), Problem> {
    if let Some(key) = key
        && let Claim::Done(_, answer) = idempotency::claim(conn, key, scope.now).await?
    {
        return Ok((answer, true));
    }
    let (id, by) = (scope.on.document_id, scope.caller.account_id);
    let added = store::attach(conn, id, name, file, by, scope.now).await?;
    let event = audit::AuditEvent {
        unit_id: Some(scope.on.unit_id),
        details: json!({"file_id": added.id}),
        ..scope.audit("document.file_added", "document", id)
    };
    audit::record(conn, event, scope.now).await?;
    let answer = serde_json::to_value(added).map_err(Problem::internal)?;
    if let Some(key) = key {
        let status = StatusCode::CREATED.as_u16();
        idempotency::store(conn, key, status, &answer, scope.now).await?;
    }
    Ok((answer, false))
}

fn key_header(req: &HttpRequest) -> Result<Option<&str>, Problem> {
    let header = req.headers().get("idempotency-key");
    header.map(|key| idempotency::parse(key.to_str().unwrap_or_default())).transpose()
}

fn key_of(req: &HttpRequest, caller: Uuid, file: &StoredFile) -> Result<Option<Key>, Problem> {
    let Some(key) = key_header(req)? else {
        return Ok(None);
    };
    Ok(Some(Key { principal_id: caller, operation: names(req)?, key: key.to_owned(), body_hash: file.sha256.clone() }))
}

/// Invisible marks that change the direction of writing, so that `fdp.exe` reads as `exe.pdf`.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

fn file_name(name: &str, media: Media) -> Result<String, Problem> {
    let name = name.trim();
    if name.chars().any(is_invisible) {
        let detail = text("Tên tệp không được chứa ký tự điều khiển.", "A file name has no control characters.");
        return Err(Problem::malformed("filename", "pattern", detail));
    }
    if !media.fits(name) {
        let ends = media.extensions().join(", .");
        let detail = text(format!("Tên tệp phải kết thúc bằng .{ends}."), format!("The name must end in .{ends}."));
        return Err(Problem::malformed("filename", "extension", detail));
    }
    let name = one_line(name);
    if name_carries_secret_marking(&name) {
        return Err(Problem::new(Code::SecretMarking));
    }
    Ok(name)
}

/// The kind of file that the sender names. Generated clients send any file as a stream of bytes: then its name tells.
fn media_of(req: &HttpRequest, name: &str) -> Result<Media, Problem> {
    let header = req.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let named = match is_any_file(header) {
        true => Media::of_name(name.trim()),
        false => Media::of_content_type(header),
    };
    named.ok_or_else(|| {
        Problem::with(
            Code::UnsupportedMediaType,
            "Hãy gửi PDF, DOCX, XLSX, PNG, JPEG hoặc MP3.",
            "Send PDF, DOCX, XLSX, PNG, JPEG or MP3.",
        )
    })
}

/// Download a file
///
/// Honours `Range` for one range of bytes, `If-Range` and `If-None-Match`.
#[utoipa::path(tag = "Documents", security(("bearer" = []), ("oauth2" = ["documents:read"])), params(("document_id" = Uuid, Path, description = "The document."),
        ("file_id" = Uuid, Path, description = "The file."),
        ("Range" = Option<String>, Header, description = "Which bytes are wanted, for example `bytes=0-1023`.", max_length = 200, pattern = "^.+$", nullable = false),
        ("If-Range" = Option<String>, Header, description = "The `ETag` the part must belong to; otherwise the whole file comes.", max_length = 200, pattern = "^.+$", nullable = false),
        ("If-None-Match" = Option<String>, Header, description = "The `ETag` of the copy the client has.", max_length = 500, pattern = "^.+$", nullable = false)),
    responses((status = 200, description = "The file.", content(("application/octet-stream"), ("application/pdf"),
            ("application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
            ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
            ("image/png"), ("image/jpeg"), ("audio/mpeg"))),
        (status = 206, description = "The wanted part of the file.", content(("application/octet-stream"), ("application/pdf"),
            ("application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
            ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
            ("image/png"), ("image/jpeg"), ("audio/mpeg"))),
        (status = 304, description = "The client's copy is still right."),
        (status = 416, description = "The file has no such bytes.")))]
#[get("/documents/{document_id}/files/{file_id}")]
pub async fn download_document_file(request: ReadRequest<Readable>) -> Result<Reply<AnyFile>, Problem> {
    let ReadRequest { mut conn, scope, request } = request;
    let (document_id, file_id) = (scope.on.row.id, path_id(&request, "file_id")?);
    let file = store::one(&mut conn, document_id, file_id).await?;
    if !scope.on.publisher && file.version != scope.on.row.files_version {
        return Err(Problem::not_found());
    }
    note_opening(&mut conn, document_id, scope.caller.account_id, scope.now).await?;
    // A slow download must not hold a connection.
    drop(conn);
    let tag = format!("\"{}\"", to_text(&file.sha256));
    if matches_any(&request, header::IF_NONE_MATCH, &tag) {
        return Ok(Reply::of(HttpResponse::NotModified().insert_header((header::ETAG, tag)).finish()));
    }
    let range = match wanted(&request, &tag, file.bytes) {
        RangeRequest::Everything => None,
        RangeRequest::Part(range) => Some(range),
        RangeRequest::Nothing => {
            let size = format!("bytes */{}", file.bytes);
            let problem = Problem::new(Code::RangeNotSatisfiable);
            return Err(problem.header(header::CONTENT_RANGE, size));
        }
    };
    let content = content::open(scope.state.files.as_ref(), &file.storage_key, range.clone()).await?;
    Ok(Reply::of(answer(&file, tag, range, content)))
}

/// Get the text of a file
///
/// What was read from a PDF, DOCX or XLSX file, to be shown in large type without the file itself.
#[utoipa::path(tag = "Documents", security(("bearer" = []), ("oauth2" = ["documents:read"])), params(("document_id" = Uuid, Path, description = "The document."),
        ("file_id" = Uuid, Path, description = "The file.")))]
#[get("/documents/{document_id}/files/{file_id}/text")]
pub async fn get_document_file_text(mut request: ReadRequest<Readable>) -> Result<Reply<FileText>, Problem> {
    let (document_id, file_id) = (request.scope.on.row.id, path_id(&request.request, "file_id")?);
    let file = store::one(&mut request.conn, document_id, file_id).await?;
    if !request.scope.on.publisher && file.version != request.scope.on.row.files_version {
        return Err(Problem::not_found());
    }
    note_opening(&mut request.conn, document_id, request.scope.caller.account_id, request.scope.now).await?;
    let text = store::text_of(&mut request.conn, document_id, file_id).await?;
    request.reply(&text)
}

fn answer(
    file: &FileRow,
    tag: String,
    range: Option<Range<u64>>,
    content: futures_util::stream::BoxStream<'static, object_store::Result<web::Bytes>>,
) -> HttpResponse {
    let whole = u64::try_from(file.bytes).unwrap_or(0);
    let mut response = HttpResponse::Ok();
    let mut length = whole;
    if let Some(range) = range {
        length = range.end - range.start;
        let part = format!("bytes {}-{}/{whole}", range.start, range.end - 1);
        response.status(StatusCode::PARTIAL_CONTENT);
        response.insert_header((header::CONTENT_RANGE, part));
    }
    response
        .content_type(file.media_type.as_str())
        .insert_header((header::ETAG, tag))
        .insert_header((header::ACCEPT_RANGES, "bytes"))
        // Compressed on the way, its parts and its strong tag would be those of another file.
        .insert_header(ContentEncoding::Identity)
        .insert_header((header::CONTENT_DISPOSITION, disposition(&file.name)))
        .insert_header((header::CACHE_CONTROL, "private, no-cache"))
        .body(SizedStream::new(length, content.inspect_err(|error| tracing::error!(%error, "a file breaks off"))))
}

/// A name for old clients, and the real one as RFC 8187 writes it.
fn disposition(name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|c| match c {
            ' ' | '-' | '_' | '.' | '(' | ')' => c,
            c if c.is_ascii_alphanumeric() => c,
            _ => '_',
        })
        .collect();
    let encoded: String = name
        .bytes()
        .map(|byte| match byte {
            b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
            byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect();
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}")
}
