//! What a reply says of a permission: let in, refused within, or refused at the door. Anything else proves nothing.

use serde_json::Value;
use sotay::kernel::http::problem::Code;

use crate::support::Reply;

/// Refusals of a caller for who they are. What is refused for how it looks is no answer to the question.
const AT_THE_DOOR: &[Code] = &[Code::Unauthenticated, Code::Forbidden, Code::NotFound];

/// `in`, `in` with the status of a refusal within, or the status of a refusal at the door.
///
/// # Errors
/// What the reply was, when it says nothing of the permission.
pub fn verdict(reply: &Reply) -> Result<String, String> {
    if (200..400).contains(&reply.status) {
        return within(&reply.body);
    }
    at_the_door(reply.code()).ok_or_else(|| format!("{} {}", reply.status, reply.body))
}

fn at_the_door(code: &str) -> Option<String> {
    AT_THE_DOOR.iter().find(|door| door.as_str() == code).map(|door| door.status().to_string())
}

/// A batch is answered 200 whatever becomes of its parts, and each part has a door of its own.
fn within(body: &Value) -> Result<String, String> {
    let problems = body["items"].as_array().into_iter().flatten().filter_map(|item| item["problem"]["code"].as_str());
    match problems.into_iter().next() {
        None => Ok("in".to_owned()),
        Some(code) => {
            at_the_door(code).map(|status| format!("in{status}")).ok_or_else(|| format!("200, and within it {body}"))
        }
    }
}
