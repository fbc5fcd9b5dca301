//! While PostgreSQL is away, every operation is refused as temporarily unavailable.

use serde_json::json;

use super::Site;
use crate::stage::{operations, path_of_nothing};

/// Tries each operation as a signed-in user, at one of the programs. What its form alone condemns may be condemned at
/// once.
pub async fn each_is_refused_for_the_moment(site: &Site) {
    let (officer, mut unavailable) = (site.member(0, 0), 0);
    // What the server says of itself needs no database.
    for operation in operations().into_iter().filter(|operation| !operation.path.starts_with("/.well-known/")) {
        let (method, path) = (operation.method.as_str(), path_of_nothing(&operation, &site.world));
        let request = officer.request(method, &path);
        let reply = if method == "GET" { request.send().await } else { request.json(&json!({})).send().await };
        if reply.status == 503 {
            assert!(
                !reply.header("retry-after").is_empty()
                    && (path.starts_with("/oauth/") || reply.code() == "unavailable"),
                "{method} {path}"
            );
            unavailable += 1;
        } else {
            assert!([400, 415].contains(&reply.status), "{method} {path}: {} {}", reply.status, reply.body);
        }
    }
    println!("{unavailable} operations asked PostgreSQL");
    assert!(unavailable > 50, "only {unavailable} operations asked PostgreSQL");
}
