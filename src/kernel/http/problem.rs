//! The one table of error codes, and problem+json (RFC 9457) made from it.

use std::borrow::Cow;
use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::HeaderName;
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use utoipa::ToSchema;

use crate::kernel::db::violations;

mod bilingual;

pub use bilingual::{Language, Text, text};

macro_rules! codes {
    ($($variant:ident = $code:literal, $status:literal, $vi:literal, $en:literal, $doc:literal;)*) => {
        /// Every error the API can answer with. Clients rely on the code, not on the text.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $($variant),* }

        impl Code {
            pub const ALL: &'static [Code] = &[$(Code::$variant),*];

            /// The stable, machine-readable name.
            pub fn as_str(self) -> &'static str { match self { $(Code::$variant => $code),* } }
            /// The HTTP status it always comes with.
            pub fn status(self) -> u16 { match self { $(Code::$variant => $status),* } }
            /// The short title shown to people.
            pub fn title(self) -> Text { match self { $(Code::$variant => text($vi, $en)),* } }
            /// What a developer should know and do.
            pub fn documentation(self) -> &'static str { match self { $(Code::$variant => $doc),* } }
            /// The name of the variant, by which a test finds where the code is used.
            pub fn variant(self) -> &'static str { match self { $(Code::$variant => stringify!($variant)),* } }
        }
    };
}

codes! {
    InvalidRequest = "invalid_request", 400, "Yêu cầu không hợp lệ", "The request is not valid",
        "The body, the query or a header does not match the OpenAPI document. `errors` names every fault with a JSON pointer. Correct them and send again.";
    MalformedBody = "malformed_body", 400, "Không đọc được nội dung gửi lên", "The body cannot be read",
        "The body is not UTF-8 JSON, or is nested too deeply.";
    InvalidGrant = "invalid_grant", 400, "Mã ủy quyền không dùng được", "The grant is not valid",
        "The authorization code or the refresh token is unknown, over, used before, or another client's; or its proof or address is wrong. Send the person to the consent page again.";
    InvalidScope = "invalid_scope", 400, "Phạm vi yêu cầu không được phép", "The scope cannot be had",
        "A scope is unknown, or more than the client registered or the person allowed.";
    UnauthorizedClient = "unauthorized_client", 400, "Ứng dụng không được dùng cách này", "The client cannot use this grant",
        "Only confidential clients act for no person.";
    UnsupportedGrantType = "unsupported_grant_type", 400, "Cách cấp quyền không được hỗ trợ", "The grant type is not supported",
        "Send `authorization_code`, `refresh_token` or `client_credentials`.";
    InvalidClient = "invalid_client", 401, "Không nhận ra ứng dụng", "The client is not known",
        "The client is unknown, not approved, suspended, or its secret is wrong.";
    Unauthenticated = "unauthenticated", 401, "Cần đăng nhập", "Sign-in is required",
        "There is no access token, or it is no longer valid. Sign in, or refresh the session, and send the new token.";
    InvalidCredentials = "invalid_credentials", 401, "Sai tài khoản hoặc mật khẩu", "The login or the password is wrong",
        "The answer is the same whether the account exists or not.";
    RefreshTokenInvalid = "refresh_token_invalid", 401, "Phiên đăng nhập không còn hiệu lực",
        "The session is no longer valid",
        "The refresh token is unknown, expired, revoked, or was used before. A reused token ends its session: sign in again.";
    Forbidden = "forbidden", 403, "Không có quyền thực hiện", "Not allowed",
        "You may know of the object but may not do this with it.";
    InsufficientScope = "insufficient_scope", 403, "Ứng dụng không được phép làm việc này", "The app is not allowed to do this",
        "A token of an app needs one of the scopes that the OpenAPI document names for the operation; `WWW-Authenticate` names them too. Operations without scopes are for the handbook's own app alone.";
    SecondOfficerRequired = "second_officer_required", 403, "Cần người thứ hai quyết định", "A second officer must decide",
        "The officer who recorded or proposed something cannot decide on it. \
         Another officer with the right to decide must do so.";
    OwnInterest = "own_interest", 403, "Không tự quyết định việc của mình", "You cannot decide your own matters",
        "The caller's points, or an entry for which the caller vouched, are at stake. Another officer must decide.";
    DecisionsRest = "decisions_rest", 403, "Quyền quyết định tạm nghỉ", "The right to decide is suspended",
        "The account was activated less than 72 hours ago with a slip that one person issued alone. \
         Until the 72 hours have passed it may admit, import, publish and read, but not decide. \
         `detail` says until when; a slip that a second officer released causes no suspension.";
    NotFound = "not_found", 404, "Không tìm thấy", "Not found",
        "There is no such thing, or you may not know that there is.";
    MethodNotAllowed = "method_not_allowed", 405, "Phương thức không được hỗ trợ", "The method is not supported here",
        "The `Allow` header lists the methods of this path.";
    RequestTimeout = "request_timeout", 408, "Nội dung được gửi quá chậm", "The body arrived too slowly",
        "A body of JSON has 30 seconds. A file arrives at 1 kB a second or more, within an hour. Send it again over a better line.";
    Conflict = "conflict", 409, "Xung đột với trạng thái hiện tại", "In conflict with the current state",
        "`detail` names the obstacle. Read the object again before you decide.";
    QuizNotOpen = "quiz_not_open", 409, "Bài thi không mở lúc này", "The quiz is not open",
        "`opens_at` and `closes_at` of the quiz name its window.";
    AttemptsUsedUp = "attempts_used_up", 409, "Đã hết số lần làm bài", "All attempts are used up",
        "An attempt that was opened counts as used, submitted or not.";
    AttemptTooSoon = "attempt_too_soon", 409, "Chưa đến lúc làm lại", "The pause between two attempts is not over",
        "Wait for the number of seconds in `Retry-After`.";
    AttemptOver = "attempt_over", 409, "Lần làm bài đã kết thúc", "The attempt has ended",
        "It was submitted, or its deadline and 15 seconds have passed. What was saved in time counts.";
    IdempotencyInFlight = "idempotency_in_flight", 409, "Yêu cầu cùng khóa đang được xử lý", "A request with this key is being processed",
        "The first request with this `Idempotency-Key` has not been answered yet. Wait a second and repeat it unchanged.";
    ReadingTooShort = "reading_too_short", 409, "Chưa đọc đủ thời gian", "Not read for long enough",
        "The server has measured less reading time than the document requires. `detail` says how much is missing; go on reading and complete again.";
    ReadingPaused = "reading_paused", 409, "Phiên đọc đang tạm dừng", "The reading session is paused",
        "Another document is being read by the same member; one clock runs at a time. Send a heartbeat to go on with this one.";
    DocumentChanged = "document_changed", 409, "Tài liệu đã được thay thế", "The document was changed meanwhile",
        "The session was opened for an earlier version. Start a new reading session.";
    DecisionExpired = "decision_expired", 410, "Đề nghị đã quá hạn", "The proposal has expired",
        "No officer decided in time. Propose it again.";
    ReadingExpired = "reading_expired", 410, "Phiên đọc đã hết hạn", "The reading session has expired",
        "Reading sessions have a bounded lifetime. Start a new one.";
    SyncExpired = "sync_expired", 410, "Cần đồng bộ lại từ đầu", "Synchronise from the beginning",
        "The cursor is older than 90 days, the member has moved, or the server was restored. Forget what the phone has and begin without a cursor.";
    SlipInvalid = "slip_invalid", 410, "Phiếu kích hoạt không dùng được", "The activation slip cannot be used",
        "The code is unknown, expired, used, or does not belong to the personal data given. Ask the cell secretary for a new slip.";
    PreconditionFailed = "precondition_failed", 412, "Dữ liệu đã bị người khác thay đổi",
        "The object was changed meanwhile",
        "`If-Match` is not the current `ETag`. Read the object again and repeat the change on it.";
    TooLarge = "too_large", 413, "Nội dung gửi lên quá lớn", "The body is too large",
        "`detail` names the limit.";
    UnsupportedMediaType = "unsupported_media_type", 415, "Định dạng không được hỗ trợ", "The media type is not supported",
        "Send the media type that the OpenAPI document names for this operation.";
    RangeNotSatisfiable = "range_not_satisfiable", 416, "Đoạn tệp yêu cầu không tồn tại", "The requested range does not exist",
        "`Content-Range` carries the size of the file.";
    IdempotencyKeyReused = "idempotency_key_reused", 422, "Khóa đã dùng cho yêu cầu khác", "The key was used for another request",
        "An `Idempotency-Key` stands for one request. Use a new key for a new request.";
    RosterFaulty = "roster_faulty", 422, "Danh sách có lỗi", "The roster has faults",
        "`errors` names every fault with its row and column. Nothing was imported. Correct the file and send it again.";
    QuestionsFaulty = "questions_faulty", 422, "Tệp câu hỏi có lỗi", "The file of questions has faults",
        "`errors` names every fault with its place. Nothing was imported. Correct the file and send it again.";
    FileUnreadable = "file_unreadable", 422, "Không đọc được tệp", "The file cannot be read",
        "The file is not of the kind it claims to be, is damaged, or is built to exhaust the server.";
    SecretMarking = "secret_marking", 422, "Tài liệu mang dấu chỉ độ mật", "The document carries a secrecy marking",
        "State secrets must not be on a networked system (Law 117/2025/QH15). The document was refused.";
    RuleNotMet = "rule_not_met", 422, "Không đáp ứng quy định", "A rule of the organisation is not met",
        "`detail` names the rule; where a part of the request is at fault, `errors` points at it.";
    RuleWidened = "rule_widened", 422, "Không được nới rộng quy tắc của cấp trên", "A unit may not widen a rule of its superior",
        "A unit narrows or switches off the rules of its superior for itself and everything below it. `errors` names every field that would widen one.";
    TooManyRequests = "too_many_requests", 429, "Quá nhiều yêu cầu", "Too many requests",
        "Wait for the number of seconds in `Retry-After`. `RateLimit` and `RateLimit-Policy` state the budget.";
    SignInThrottled = "sign_in_throttled", 429, "Thử đăng nhập sai quá nhiều lần", "Too many failed sign-ins",
        "Wait for the number of seconds in `Retry-After`. A device that signed in before has a separate allowance.";
    Internal = "internal", 500, "Lỗi của hệ thống", "A system error",
        "It was recorded under `request_id`. Repeating the request with the same `Idempotency-Key` is safe.";
    Unavailable = "unavailable", 503, "Hệ thống tạm thời gián đoạn", "Temporarily unavailable",
        "Nothing was lost. Repeat after `Retry-After` seconds, with the same `Idempotency-Key`.";
}

/// One fault of a request.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FieldError {
    /// JSON pointer (RFC 6901) into the body, or the name of a query parameter or header.
    #[schema(max_length = 500, example = "/login")]
    pub pointer: String,
    /// Stable name of the kind of fault.
    #[schema(max_length = 60, pattern = "^[a-z][a-z0-9_]*$", example = "required")]
    pub code: String,
    /// What is wrong, in the language of the request.
    #[schema(max_length = 1000, example = "Thiếu trường bắt buộc.")]
    pub detail: String,
}

/// A fault before a language is chosen.
#[derive(Debug, Clone)]
pub struct Fault {
    pub pointer: String,
    pub code: &'static str,
    pub detail: Text,
}

/// An error answer as RFC 9457 problem details.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemOut {
    /// Address of the documentation of this code, on this server.
    #[serde(rename = "type")]
    #[schema(format = "uri", max_length = 500, example = "https://sotay.example/problems/invalid_request")]
    pub kind: String,
    /// The code's short title, in the language of the request.
    #[schema(max_length = 200, example = "Yêu cầu không hợp lệ")]
    pub title: String,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599, example = 400)]
    pub status: i32,
    /// Stable, machine-readable code; rely on this alone.
    #[schema(max_length = 60, pattern = "^[a-z][a-z0-9_]*$", example = "invalid_request")]
    pub code: String,
    /// What is wrong this time and what to do, in the language of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 2000, nullable = false, example = "Có 1 lỗi trong yêu cầu.")]
    pub detail: Option<String>,
    /// Identifies the request in the server's records; quote it when you ask for help.
    #[schema(max_length = 100, pattern = "^[A-Za-z0-9._-]*$", example = "0192f0c1")]
    pub request_id: String,
    /// Every fault of the request, for `invalid_request`, `roster_faulty`, `questions_faulty`, `rule_widened` and some of `rule_not_met`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 1000)]
    pub errors: Vec<FieldError>,
    /// The text that stands now, when a change of a private note was based on an older one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 10_000, nullable = false, example = "Hỏi đồng chí bí thư về Điều 2.")]
    pub current: Option<String>,
}

/// The public error: what a client may know. Causes stay in the log.
#[derive(Debug, Clone)]
pub struct Problem {
    pub code: Code,
    pub detail: Option<Text>,
    pub faults: Vec<Fault>,
    pub retry_after: Option<u64>,
    /// A header that belongs to the code, for example `Allow`.
    pub header: Option<Box<(HeaderName, String)>>,
    /// A deadlock or serialisation failure: the transaction may be run again.
    pub conflict: bool,
    /// What stands now, where a client needs it to go on.
    pub current: Option<Box<str>>,
}

impl Problem {
    pub fn new(code: Code) -> Self {
        Self { code, detail: None, faults: Vec::new(), retry_after: None, header: None, conflict: false, current: None }
    }

    pub fn with(code: Code, vi: impl Into<Cow<'static, str>>, en: impl Into<Cow<'static, str>>) -> Self {
        let mut problem = Self::new(code);
        problem.detail = Some(text(vi, en));
        problem
    }

    pub fn not_found() -> Self {
        Self::new(Code::NotFound)
    }

    /// Faults of a request, all at once.
    pub fn faults(code: Code, faults: Vec<Fault>) -> Self {
        let count = faults.len();
        let mut problem =
            Self::with(code, format!("Có {count} lỗi trong yêu cầu."), format!("The request has {count} fault(s)."));
        problem.faults = faults;
        problem
    }

    /// A single part of a request that breaks a rule which the document cannot state.
    pub fn fault(pointer: impl Into<String>, code: &'static str, detail: Text) -> Self {
        let pointer = pointer.into();
        Self::faults(Code::RuleNotMet, vec![Fault { pointer, code, detail }])
    }

    /// A header or a parameter that is not as the document says.
    pub fn malformed(name: impl Into<String>, code: &'static str, detail: Text) -> Self {
        let pointer = name.into();
        Self::faults(Code::InvalidRequest, vec![Fault { pointer, code, detail }])
    }

    /// Says how many seconds to wait before trying again.
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Adds the header that belongs to the code.
    pub fn header(mut self, name: HeaderName, value: String) -> Self {
        self.header = Some(Box::new((name, value)));
        self
    }

    /// An internal error: the cause goes to the log and is not shown to the client.
    pub fn internal(cause: impl fmt::Display) -> Self {
        tracing::error!(%cause, "internal error");
        Self::new(Code::Internal)
    }

    /// PostgreSQL cannot be reached; nothing was lost.
    pub fn unavailable(cause: impl fmt::Display) -> Self {
        tracing::warn!(%cause, "database unavailable");
        Self::new(Code::Unavailable).retry_after(2)
    }

    /// The transaction lost against another one and may be run again.
    pub fn repeatable(cause: impl fmt::Display) -> Self {
        let mut problem = Self::new(Code::Unavailable).retry_after(1);
        problem.conflict = true;
        tracing::debug!(%cause, "conflict");
        problem
    }

    /// The problem document sent to the client.
    pub fn render(&self, language: Language, base_url: &str, request_id: &str) -> ProblemOut {
        let pick = |t: &Text| language.pick(t).to_owned();
        ProblemOut {
            kind: format!("{base_url}/problems/{}", self.code.as_str()),
            title: pick(&self.code.title()),
            status: i32::from(self.code.status()),
            code: self.code.as_str().to_owned(),
            detail: self.detail.as_ref().map(pick),
            request_id: request_id.to_owned(),
            current: self.current.as_deref().map(str::to_owned),
            errors: self
                .faults
                .iter()
                .map(|f| FieldError { pointer: f.pointer.clone(), code: f.code.to_owned(), detail: pick(&f.detail) })
                .collect(),
        }
    }
}

/// An error answer of an endpoint of OAuth (RFC 6749 §5.2).
#[derive(Debug, Serialize, ToSchema)]
pub struct OauthError {
    /// Stable, machine-readable code.
    #[schema(max_length = 60, pattern = "^[a-z][a-z0-9_]*$", example = "invalid_grant")]
    error: &'static str,
    /// What is wrong, for developers.
    #[schema(max_length = 500, pattern = r"^[\x20-\x21\x23-\x5B\x5D-\x7E]*$", example = "The grant is not valid")]
    error_description: String,
    /// Address of the documentation of this code, on this server.
    #[schema(format = "uri", max_length = 500, example = "https://sotay.example/problems/invalid_grant")]
    error_uri: String,
}

impl Problem {
    /// The same for a client of OAuth.
    pub fn render_oauth(&self, base_url: &str) -> OauthError {
        let error = match self.code {
            Code::Internal => "server_error",
            Code::Unavailable => "temporarily_unavailable",
            Code::MalformedBody | Code::TooLarge | Code::UnsupportedMediaType | Code::RequestTimeout => {
                "invalid_request"
            }
            code => code.as_str(),
        };
        let words = self.detail.clone().unwrap_or_else(|| self.code.title());
        let allowed = |c: &char| (' '..='~').contains(c) && !matches!(c, '"' | '\\');
        let error_uri = format!("{base_url}/problems/{}", self.code.as_str());
        OauthError { error, error_description: words.en.chars().filter(allowed).collect(), error_uri }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.as_str())
    }
}

impl std::error::Error for Problem {}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The body is written by the outermost middleware, which knows the language and the request id.
    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.status_code())
    }
}

impl From<diesel::result::Error> for Problem {
    fn from(error: diesel::result::Error) -> Self {
        use diesel::result::DatabaseErrorKind as Kind;
        use diesel::result::Error;
        match &error {
            Error::NotFound => Self::not_found(),
            Error::DatabaseError(Kind::SerializationFailure, _) => Self::repeatable(error),
            Error::DatabaseError(_, info) if info.message().contains("deadlock detected") => Self::repeatable(error),
            Error::DatabaseError(Kind::ClosedConnection | Kind::UnableToSendCommand, _) => Self::unavailable(error),
            Error::DatabaseError(_, info) if connection_lost(info.message()) => Self::unavailable(error),
            Error::DatabaseError(_, info) if out_of_time(info.message()) => Self::unavailable(error),
            // Requested only where another transaction may hold the lock.
            Error::DatabaseError(_, info) if info.message().contains("due to lock timeout") => {
                Self::new(Code::Conflict)
            }
            // Another statement of the transaction failed, and reports the cause.
            Error::DatabaseError(_, info) if info.message().starts_with("current transaction is aborted") => {
                Self::new(Code::Internal)
            }
            Error::BrokenTransactionManager => Self::unavailable(error),
            Error::DatabaseError(kind, info) => {
                violations::problem_of(kind, info.as_ref()).unwrap_or_else(|| Self::internal(error))
            }
            _ => Self::internal(error),
        }
    }
}

/// A statement that took longer than `statement_timeout`, or was cancelled (57014).
fn out_of_time(message: &str) -> bool {
    const SIGNS: [&str; 2] = ["due to statement timeout", "due to user request"];
    SIGNS.iter().any(|sign| message.contains(sign))
}

/// PostgreSQL reports going down or coming up in text only; the client library hides the class.
fn connection_lost(message: &str) -> bool {
    const SIGNS: [&str; 7] = [
        "terminating connection",
        "the database system is",
        "connection closed",
        "error communicating with the server",
        "error connecting to server",
        "sorry, too many clients",
        "remaining connection slots",
    ];
    SIGNS.iter().any(|sign| message.contains(sign))
}
