//! The library: documents, their files, and reading time measured by the server.
//! The API for other features.

mod assisted;
mod audiences;
mod carry_over;
mod changes;
mod cover_notes;
mod extraction;
mod feed;
mod files;
mod library;
mod model;
mod personal;
mod publishing;
mod readership;
mod reading;
mod readings;
mod relations;
mod search;
mod store;
mod targets;
mod terms;
mod verify;
mod versions;

use utoipa_actix_web::service_config::ServiceConfig;

pub use assisted::ASSISTED_READING;
pub use carry_over::consume;
pub use changes::{ChangedDocument, SyncReader, audiences, changed, horizon, shown};
pub use cover_notes::{NewCoverNote, write as write_cover_note};
pub use extraction::answer as read_file;
pub use feed::{REMOVED_KEPT_DAYS as SYNC_DAYS, sweep as sweep_feed};
pub use files::{StoredFile, attach, keep, open as open_file_store, read_next as read_next_file, sweep as sweep_files};
pub use library::{LibraryItem, LibraryLoader};
pub use model::{DocumentKind, Media};
pub use publishing::{DOCUMENT_PUBLICATION, NewDocument, draft, publish, publish_due};
pub use reading::{complete_by_answers, require_in_force, sweep as sweep_readings};
pub use readings::sweep as sweep_reminders;
pub use targets::Distributed;
pub use verify::verify;

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
        .service(publishing::publication_routes::publish_document)
        .service(publishing::publication_routes::recall_document)
        .service(cover_notes::routes::get_cover_note)
        .service(cover_notes::routes::set_cover_note)
        .service(cover_notes::routes::remove_cover_note)
        .service(versions::routes::create_document_version)
        .service(versions::routes::list_document_versions)
        .service(relations::routes::set_document_relations)
        .service(files::routes::add_document_file)
        .service(files::routes::download_document_file)
        .service(files::routes::get_document_file_text)
        .service(personal::routes::list_my_bookmarks)
        .service(personal::routes::set_bookmark)
        .service(personal::routes::remove_bookmark)
        .service(personal::routes::get_document_note)
        .service(personal::routes::set_document_note)
        .service(reading::routes::acknowledge_document)
        .service(reading::routes::start_reading)
        .service(reading::routes::send_heartbeat)
        .service(reading::routes::complete_reading)
        .service(readings::routes::list_unit_readings)
        .service(readings::routes::export_unit_readings)
        .service(readings::routes::send_reading_reminders)
        .service(assisted::routes::record_assisted_reading)
        .service(terms::routes::list_document_terms)
        .service(terms::routes::set_document_terms)
        .service(readership::board_routes::get_readership_board)
        .service(readership::board_routes::export_readership_board)
        .service(readership::routes::list_document_readers)
        .service(readership::routes::get_document_readership);
}
