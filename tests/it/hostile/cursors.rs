//! Cursors forged with knowledge of their format.

use serde_json::{Value, json};

use crate::permissions::first_let_in;
use crate::stage::{self, Cast, operations};

fn forged_cursors() -> Vec<Value> {
    const ID: &str = "01949d6c-7c00-7000-8000-000000000001";
    let mut cursors =
        vec![json!("a\u{0}"), json!(["a\u{0}", ID]), json!(["a\u{0}", "b", ID]), json!(["a", "b\u{0}", ID])];
    for day in ["-262143-01-01", "-4800-01-01", "0000-01-01", "+262142-12-31"] {
        cursors.extend([json!([day, ID]), json!([format!("{day}T00:00:00Z"), ID])]);
    }
    cursors
}

#[actix_web::test]
async fn a_forged_cursor_breaks_no_list() {
    let cast = Cast::new().await;
    for operation in operations() {
        if !operation.parameters("query").any(|parameter| parameter["name"] == "cursor") {
            continue;
        }
        let scene = stage::set(&cast, &operation, first_let_in(&operation.id)).await;
        for cursor in forged_cursors() {
            let mut forged = scene.clone();
            forged
                .query
                .push(("cursor".to_owned(), sotay::kernel::security::crypto::to_text(cursor.to_string().as_bytes())));
            let reply = forged.send().await;
            let reached = reply.status < 300 || reply.code() == "invalid_request";
            assert!(reached, "{}: {cursor}: {} {}", operation.id, reply.status, reply.body);
        }
        assert_eq!(scene.send().await.status, 200, "{}", operation.id);
    }
}
