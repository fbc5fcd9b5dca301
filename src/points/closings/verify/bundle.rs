//! Verification of a bundle of reports: each of them, and that none was removed, added or swapped.

use std::collections::BTreeMap;
use std::io::BufRead;

use serde::Deserialize;
use uuid::Uuid;

use super::super::model::{BUNDLE_FORMAT, BundleManifest, ReportKey, canonical};
use super::Verdict;
use super::report::{self, SeenRows};
use super::trusted::{TrustedKeys, is_signed};

/// The last line of a bundle.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Trailer {
    bundle: BundleManifest,
    signature: String,
    key: ReportKey,
}

/// Verifies line after line; one line alone is a report of its own.
pub fn verify_lines(
    first: String,
    file: impl BufRead,
    keys: &TrustedKeys,
    verdict: &mut Verdict,
) -> std::io::Result<()> {
    let mut seen = Vec::new();
    let mut trailer = None;
    let mut count = 0;
    for (line, number) in std::iter::once(Ok(first)).chain(file.lines()).zip(1..) {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        count += 1;
        if trailer.is_some() {
            verdict.faults.push(format!("dòng tệp {number}: có nội dung sau phần kết của gói báo cáo"));
        } else if line.starts_with("{\"bundle\":") {
            trailer = Some(line);
        } else {
            let before = verdict.faults.len();
            let one = report::verify(&line, keys, verdict);
            for fault in &mut verdict.faults[before..] {
                *fault = format!("dòng tệp {number}: {fault}");
            }
            seen.extend(one);
        }
    }
    match trailer {
        Some(trailer) => compare(&trailer, &seen, keys, verdict),
        None if count > 1 => verdict.faults.push("gói báo cáo bị cắt: thiếu phần kết có chữ ký".to_owned()),
        None => {}
    }
    Ok(())
}

fn compare(trailer: &str, seen: &[SeenRows], keys: &TrustedKeys, verdict: &mut Verdict) {
    let trailer: Trailer = match serde_json::from_str(trailer) {
        Ok(trailer) => trailer,
        Err(error) => {
            verdict.faults.push(format!("phần kết của gói báo cáo không đọc được: {error}"));
            return;
        }
    };
    let bundle = &trailer.bundle;
    let before = verdict.faults.len();
    let mut fault = |what: String| verdict.faults.push(format!("gói báo cáo: {what}"));
    if bundle.format != BUNDLE_FORMAT {
        fault(format!("dạng “{}” không phải là {BUNDLE_FORMAT}", bundle.format));
    }
    match keys.find(&bundle.kid, &trailer.key) {
        Ok(key) if is_signed(key, &canonical(bundle).unwrap_or_default(), &trailer.signature) => {}
        Ok(_) => fault("phần kết đã bị sửa, hoặc chữ ký không phải của khóa này".to_owned()),
        Err(why) => fault(why),
    }
    let mut found: BTreeMap<Uuid, &SeenRows> = BTreeMap::new();
    for one in seen {
        if found.insert(one.closing_id, one).is_some() {
            fault(format!("báo cáo bị lặp lại: {}", one.title));
        }
    }
    for listed in &bundle.reports {
        match found.remove(&listed.closing_id) {
            None => fault(format!("thiếu báo cáo của {}", listed.unit_name)),
            Some(one) if one.manifest_hash != listed.manifest_hash => {
                fault(format!("báo cáo không phải là bản đã xuất: {}", one.title));
            }
            Some(_) => {}
        }
    }
    for one in found.values() {
        fault(format!("báo cáo không thuộc gói này: {}", one.title));
    }
    if verdict.faults.len() == before {
        let open = bundle.open.len();
        verdict.verified.push(format!(
            "{}, tháng {}: đủ {} báo cáo, {open} chi bộ chưa chốt khi xuất, chữ ký đúng ({})",
            bundle.unit_name,
            bundle.period,
            bundle.reports.len(),
            bundle.kid
        ));
    }
}
