//! The yardstick of the benches: actix-web with one empty route and nothing else.
//!
//!     yardstick ADDRESS WORKERS      (0 workers: one a core)

use std::env;
use std::io;

use actix_web::{App, HttpResponse, HttpServer, web};

#[actix_web::main]
async fn main() -> io::Result<()> {
    let mut arguments = env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:8081".to_owned());
    let workers = match arguments.next().and_then(|workers| workers.parse().ok()).unwrap_or(0) {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        workers => workers,
    };
    HttpServer::new(|| App::new().route("/", web::to(async || HttpResponse::Ok().finish())))
        .workers(workers)
        .bind(address)?
        .run()
        .await
}
