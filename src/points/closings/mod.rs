//! Closed months: signed, immutable snapshots of a cell's month, by the secretary or automatic.

mod automatic;
mod close;
mod export;
mod gather;
mod keys;
mod mine;
mod model;
mod reopen;
mod rollup;
mod routes;
mod store;
mod target;
mod verify;
mod window;

use utoipa_actix_web::service_config::ServiceConfig;

pub use automatic::{close_due, close_due_slice};
pub use close::{Closer, close_cells};
pub use keys::published_keys;
pub use mine::{ClosedFigure, of_members, of_months};
pub use verify::{TrustedKeys, Verdict, verify_file};

/// How signed reports are made and checked: canonical JSON, hashes, the report key.
pub mod signing {
    pub use super::keys::{Signer, public, signer};
    pub use super::model::{ReportKey, canonical, hash, hex, normal};
    pub use super::verify::is_signed;
}

/// The operations on closings.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(routes::close_month)
        .service(routes::list_closings)
        .service(routes::get_closing)
        .service(routes::list_closing_rows)
        .service(reopen::reopen_month)
        .service(export::export_closing_report)
        .service(export::export_closing_xlsx)
        .service(export::export_closing_csv)
        .service(export::export_closing_page)
        .service(rollup::routes::get_closing_summary)
        .service(rollup::routes::export_summary_xlsx)
        .service(rollup::routes::export_summary_csv)
        .service(rollup::routes::export_summary_page)
        .service(rollup::bundle::export_closing_reports);
}
