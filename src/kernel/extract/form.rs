//! Forms, as OAuth's endpoints and pages take them: parameters that are not known are ignored, repeated ones refused.

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest, web};
use chrono::{DateTime, Utc};
use futures_util::future::LocalBoxFuture;
use serde::de::DeserializeOwned;

use super::{read_body, state_of};
use crate::kernel::http::context::RequestContext;
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::state::State;

/// The media type of forms.
pub const FORM: &str = "application/x-www-form-urlencoded";

/// A request with a form and without a sign-in.
pub struct FormRequest<B> {
    pub state: web::Data<State>,
    pub context: RequestContext,
    pub form: B,
    pub now: DateTime<Utc>,
    pub request: HttpRequest,
}

/// Reads parameters as they stand in a query or a form.
///
/// # Errors
/// 400 when a parameter that is known is repeated or cannot be read.
pub fn parameters<B: DeserializeOwned>(text: &str) -> Result<B, Problem> {
    // PostgreSQL stores no NUL in text.
    let unreadable = || {
        Problem::with(
            Code::InvalidRequest,
            "Tham số bị lặp lại hoặc không đọc được.",
            "A parameter is repeated or cannot be read.",
        )
    };
    if text.contains("%00") || text.contains('\0') {
        return Err(unreadable());
    }
    web::Query::<B>::from_query(text).map(web::Query::into_inner).map_err(|_| unreadable())
}

impl<B: DeserializeOwned + 'static> FromRequest for FormRequest<B> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = req.clone();
        let mut payload = payload.take();
        Box::pin(async move {
            let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
            let essence = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim();
            if !essence.eq_ignore_ascii_case(FORM) {
                let (vi, en) = (format!("Hãy gửi {FORM}."), format!("Send {FORM}."));
                return Err(Problem::with(Code::UnsupportedMediaType, vi, en));
            }
            let bytes = read_body(&request, &mut payload).await?;
            let text = std::str::from_utf8(&bytes).map_err(|_| Problem::new(Code::MalformedBody))?;
            let (state, context) = (state_of(&request)?, RequestContext::of(&request));
            Ok(Self { now: state.clock.now(), form: parameters(text)?, state, context, request })
        })
    }
}
