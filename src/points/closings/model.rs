//! The closed month as a verifiable document: canonical form, hashes of rows and manifest. Pure.
//!
//! Canonical form: JSON in UTF-8 without whitespace, fields in the order in which they stand here, absent values as `null`,
//! whole numbers only, text in Unicode NFC, escaped as JSON demands and no further. A row's hash is the SHA-256 of its canonical
//! form; the manifest lists them in order; the signature (Ed25519) is over the canonical form of the manifest.

use aws_lc_rs::digest::{SHA256, digest};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::clock::Period;
use crate::kernel::http::problem::Problem;
use crate::points::model::Status;

/// What the first version of the form is called.
pub const FORMAT: &str = "sotay/closing/1";
/// The same of a bundle of reports.
pub const BUNDLE_FORMAT: &str = "sotay/closing-bundle/1";

/// What one rule gave in the month, reversals and adjustments counted.
///
/// Canonical order: `rule`, `points`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClosedRule {
    /// Code of the rule.
    #[schema(max_length = 60, pattern = "^[a-z_]+$", example = "document_read")]
    pub rule: String,
    /// Its points.
    #[schema(minimum = -10_000, maximum = 10_000, example = 9)]
    pub points: i32,
}

/// One member's month as it was closed.
///
/// Canonical order: `position`, `member_id`, `full_name`, `points`, `threshold`, `prorated`, `status`, `by_rule`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClosedRow {
    /// Its place in the list, from 1.
    #[schema(minimum = 1, maximum = 100_000, example = 1)]
    pub position: i32,
    /// The member.
    pub member_id: Uuid,
    /// The name on that day.
    #[schema(max_length = 100, example = "Nguyễn Văn An")]
    pub full_name: String,
    /// Points of the month.
    #[schema(minimum = -10_000, maximum = 10_000, example = 28)]
    pub points: i32,
    /// The member's own threshold.
    #[schema(minimum = 0, maximum = 10_000, example = 30)]
    pub threshold: i32,
    /// Whether it is smaller because the membership began during the month.
    pub prorated: bool,
    /// `met`, `below`, `exempt` or `excused`.
    pub status: Status,
    /// The points by rule, by code.
    #[schema(max_items = 100)]
    pub by_rule: Vec<ClosedRule>,
}

/// The closing of the same month before it was reopened.
///
/// Canonical order: `closing_id`, `manifest_hash`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FormerClosing {
    /// Identifier.
    pub closing_id: Uuid,
    /// SHA-256 of its manifest's canonical form.
    #[schema(
        min_length = 64,
        max_length = 64,
        pattern = "^[0-9a-f]{64}$",
        example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
    )]
    pub manifest_hash: String,
}

/// What is signed: whose month it is, the counts, and the hash of every row.
///
/// Canonical order: `format`, `closing_id`, `unit_id`, `unit_name`, `period`, `generation`, `former`, `closed_at`, `closed_by`,
/// `threshold`, `members`, `counted`, `exempt`, `excused`, `met`, `row_hashes`, `kid`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClosingManifest {
    /// The form, always `sotay/closing/1`.
    #[schema(max_length = 40, pattern = "^sotay/closing/1$", example = "sotay/closing/1")]
    pub format: String,
    /// Identifier of the closing.
    pub closing_id: Uuid,
    /// The cell.
    pub unit_id: Uuid,
    /// Its name on the day of the closing.
    #[schema(max_length = 200, example = "Chi bộ Tổ dân phố số 5")]
    pub unit_name: String,
    /// The month.
    pub period: Period,
    /// 1 for the first closing of the month, one more after each reopening.
    #[schema(minimum = 1, maximum = 1_000, example = 1)]
    pub generation: i32,
    /// The closing it replaces; null for the first.
    pub former: Option<FormerClosing>,
    /// When it was closed.
    pub closed_at: DateTime<Utc>,
    /// By whom; null when the month closed by itself.
    pub closed_by: Option<Uuid>,
    /// The cell's threshold before proration.
    #[schema(minimum = 0, maximum = 10_000, example = 30)]
    pub threshold: i32,
    /// All members who belonged to the cell on the last day.
    #[schema(minimum = 0, maximum = 100_000, example = 135)]
    pub members: i32,
    /// The denominator: members without the exempt and the excused.
    #[schema(minimum = 0, maximum = 100_000, example = 81)]
    pub counted: i32,
    /// Members who are exempt.
    #[schema(minimum = 0, maximum = 100_000, example = 54)]
    pub exempt: i32,
    /// Members who are excused.
    #[schema(minimum = 0, maximum = 100_000, example = 0)]
    pub excused: i32,
    /// Counted members who reached their threshold.
    #[schema(minimum = 0, maximum = 100_000, example = 60)]
    pub met: i32,
    /// SHA-256 of each row's canonical form, in order, in lower-case hexadecimal digits.
    #[schema(max_items = 100_000)]
    pub row_hashes: Vec<String>,
    /// The key that signed: the thumbprint (RFC 7638) of its public half.
    #[schema(
        min_length = 43,
        max_length = 43,
        pattern = "^[A-Za-z0-9_-]{43}$",
        example = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    )]
    pub kid: String,
}

/// A public key that signs reports, as a JWK (RFC 8037).
///
/// Canonical order: `kty`, `crv`, `kid`, `x`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportKey {
    /// Always `OKP`.
    #[schema(max_length = 3, pattern = "^OKP$", example = "OKP")]
    pub kty: String,
    /// Always `Ed25519`.
    #[schema(max_length = 7, pattern = "^Ed25519$", example = "Ed25519")]
    pub crv: String,
    /// Its thumbprint (RFC 7638).
    #[schema(
        min_length = 43,
        max_length = 43,
        pattern = "^[A-Za-z0-9_-]{43}$",
        example = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    )]
    pub kid: String,
    /// The public key.
    #[schema(
        min_length = 43,
        max_length = 43,
        pattern = "^[A-Za-z0-9_-]{43}$",
        example = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
    )]
    pub x: String,
}

/// A closed month as a file: what `sotay verify-report` reads.
///
/// Canonical order: `manifest`, `rows`, `signature`, `key`.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ClosingReport {
    /// What is signed.
    pub manifest: ClosingManifest,
    /// The rows whose hashes the manifest lists.
    #[schema(max_items = 100_000)]
    pub rows: Vec<ClosedRow>,
    /// Ed25519 signature of the manifest's canonical form, in base64url without padding.
    #[schema(
        min_length = 86,
        max_length = 86,
        pattern = "^[A-Za-z0-9_-]{86}$",
        example = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
    )]
    pub signature: String,
    /// The key that made it. Trust the one published at `/.well-known/report-keys.json`, not the one in the file.
    pub key: ReportKey,
}

/// A report in a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BundledReport {
    pub unit_id: Uuid,
    pub unit_name: String,
    pub closing_id: Uuid,
    /// SHA-256 of its manifest, in hexadecimal digits.
    pub manifest_hash: String,
}

/// A cell that was not closed when the bundle was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenCell {
    pub unit_id: Uuid,
    pub unit_name: String,
}

/// What is signed of a bundle, in its last line: which reports it holds, so that none can be taken out unnoticed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BundleManifest {
    /// Always `sotay/closing-bundle/1`.
    pub format: String,
    pub unit_id: Uuid,
    pub unit_name: String,
    pub period: Period,
    pub exported_at: DateTime<Utc>,
    /// In the order of the lines.
    pub reports: Vec<BundledReport>,
    pub open: Vec<OpenCell>,
    pub kid: String,
}

/// The counts of a list of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowCounts {
    pub members: i32,
    pub exempt: i32,
    pub excused: i32,
    pub met: i32,
}

impl RowCounts {
    pub fn of(rows: &[ClosedRow]) -> Self {
        let count = |status| i32::try_from(rows.iter().filter(|row| row.status == status).count()).unwrap_or(i32::MAX);
        Self {
            members: i32::try_from(rows.len()).unwrap_or(i32::MAX),
            exempt: count(Status::Exempt),
            excused: count(Status::Excused),
            met: count(Status::Met),
        }
    }

    pub fn counted(self) -> i32 {
        self.members - self.exempt - self.excused
    }
}

/// The canonical form of a row or a manifest.
///
/// # Errors
/// Never for the types of this file.
pub fn canonical(of: &impl Serialize) -> Result<String, Problem> {
    serde_json::to_string(of).map_err(Problem::internal)
}

/// SHA-256.
pub fn hash(canonical: &str) -> Vec<u8> {
    digest(&SHA256, canonical.as_bytes()).as_ref().to_vec()
}

/// Bytes as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Text in Unicode NFC.
pub fn normal(text: &str) -> String {
    text.nfc().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_canonical_form_is_what_the_documentation_says() {
        let row = ClosedRow {
            position: 1,
            member_id: Uuid::from_u128(7),
            full_name: normal("Nguye\u{302}\u{303}n \"An\""),
            points: 28,
            threshold: 30,
            prorated: false,
            status: Status::Below,
            by_rule: vec![ClosedRule { rule: "daily_visit".to_owned(), points: 28 }],
        };
        let text = canonical(&row).unwrap();
        assert_eq!(
            text,
            r#"{"position":1,"member_id":"00000000-0000-0000-0000-000000000007","full_name":"Nguyễn \"An\"","points":28,"threshold":30,"prorated":false,"status":"below","by_rule":[{"rule":"daily_visit","points":28}]}"#
        );
        assert_eq!(serde_json::from_str::<ClosedRow>(&text).unwrap(), row);
        assert_eq!(hex(&hash("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
