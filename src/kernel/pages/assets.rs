//! Stylesheets and scripts of the pages: parts of the program, under paths that name their content.

use std::sync::LazyLock;

use actix_web::http::header;
use actix_web::{HttpResponse, get, web};

use crate::kernel::http::problem::Problem;
use crate::kernel::security::crypto::to_text;

/// A file of the program.
pub struct Asset {
    name: &'static str,
    extension: &'static str,
    content: &'static str,
}

/// The style of all pages.
pub static STYLESHEET: Asset = Asset { name: "pages", extension: "css", content: include_str!("pages.css") };

/// The script of the console.
pub static CONSOLE: Asset = Asset { name: "console", extension: "js", content: include_str!("console.js") };

static ALL: [&Asset; 2] = [&STYLESHEET, &CONSOLE];

/// The paths of all assets, in the order of [`ALL`].
static PATHS: LazyLock<Vec<String>> = LazyLock::new(|| ALL.iter().map(|asset| asset.hashed_path()).collect());

impl Asset {
    fn hashed_path(&self) -> String {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, self.content.as_bytes());
        format!("/assets/{}.{}.{}", self.name, to_text(&digest.as_ref()[..9]), self.extension)
    }

    /// The address, which changes with the content.
    pub fn path(&self) -> &'static str {
        let place = ALL.iter().position(|asset| asset.name == self.name && asset.extension == self.extension);
        place.map_or("", |place| PATHS[place].as_str())
    }

    fn media_type(&self) -> &'static str {
        match self.extension {
            "css" => "text/css; charset=utf-8",
            _ => "text/javascript; charset=utf-8",
        }
    }
}

/// An asset under its address; browsers keep it for a year.
#[get("/assets/{file}")]
pub async fn serve_asset(path: web::Path<String>) -> Result<HttpResponse, Problem> {
    let wanted = format!("/assets/{}", path.as_str());
    let found = ALL.iter().zip(PATHS.iter()).find(|(_, path)| **path == wanted);
    let (asset, _) = found.ok_or_else(Problem::not_found)?;
    Ok(HttpResponse::Ok()
        .content_type(asset.media_type())
        .insert_header((header::CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .body(asset.content))
}
