//! The library: documents, their files, and reading time measured by the server.
//! The API for other features.

mod carry_over;
mod files;
mod library;
mod model;
mod publishing;
mod readership;
mod reading;
mod store;
mod targets;

use utoipa_actix_web::service_config::ServiceConfig;

pub use carry_over::consume;
pub use files::{StoredFile, attach, keep};
pub use library::LibraryLoader;
pub use model::{DocumentKind, Media};
pub use publishing::{NewDocument, draft, publish};
pub use reading::sweep as sweep_readings;

/// What the ledger calls a document.
const OBJECT_KIND: &str = "document";

/// Operations that every client calls daily.
pub fn daily_routes(config: &mut ServiceConfig) {
    config.service(library::routes::list_documents).service(library::routes::list_document_kinds);
}

/// The other operations of this feature.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(library::routes::get_document)
        .service(publishing::routes::list_unit_documents)
        .service(publishing::routes::create_document)
        .service(publishing::routes::update_document)
        .service(publishing::routes::publish_document)
        .service(publishing::routes::recall_document)
        .service(files::routes::add_document_file)
        .service(files::routes::download_document_file)
        .service(reading::routes::acknowledge_document)
        .service(reading::routes::start_reading)
        .service(reading::routes::send_heartbeat)
        .service(reading::routes::complete_reading)
        .service(readership::routes::list_document_readers)
        .service(readership::routes::get_document_readership);
}
