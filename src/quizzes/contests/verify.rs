//! Offline verification of a contest's exported results. Pure.

use serde_json::Value;

use crate::points::signing::{canonical, hash, hex, is_signed};
use crate::points::{TrustedKeys, Verdict};

use super::model::{ContestManifest, ContestRow, FORMAT};

/// Whether a file that begins so holds the results of a contest.
#[must_use]
pub fn is_contest_report(head: &[u8]) -> bool {
    String::from_utf8_lossy(head).contains(FORMAT)
}

/// Verifies the exported results of a contest.
#[must_use]
pub fn verify_report(text: &str, keys: &TrustedKeys) -> Verdict {
    let mut verdict = Verdict::default();
    let read = serde_json::from_str::<Value>(text).and_then(|report| {
        let manifest: ContestManifest = serde_json::from_value(report["manifest"].clone())?;
        let key = serde_json::from_value(report["key"].clone())?;
        Ok((manifest, key, report))
    });
    let (manifest, carried, report) = match read {
        Ok(read) => read,
        Err(error) => {
            verdict.faults.push(format!("báo cáo không đọc được: {error}"));
            return verdict;
        }
    };
    let title = format!("{}, {}", manifest.unit_name, manifest.title);
    let signed = canonical(&manifest).unwrap_or_default();
    let mut faults = Vec::new();
    match keys.find(&manifest.kid, &carried) {
        Ok(key) if is_signed(key, &signed, report["signature"].as_str().unwrap_or_default()) => {}
        Ok(_) => faults.push("bản kê (manifest) đã bị sửa, hoặc chữ ký không phải của khóa này".to_owned()),
        Err(why) => faults.push(why),
    }
    let rows = report["rows"].as_array().map(Vec::as_slice).unwrap_or_default();
    faults.extend(compare(&manifest.row_hashes, rows));
    if faults.is_empty() {
        verdict.verified.push(format!("{title}: {} dòng, chữ ký đúng ({})", rows.len(), manifest.kid));
    }
    verdict.faults.extend(faults.into_iter().map(|fault| format!("{title}: {fault}")));
    verdict
}

/// Names the rows that are not those whose hashes the manifest lists, place by place.
fn compare(listed: &[String], rows: &[Value]) -> Vec<String> {
    let mut faults = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        let sound: Option<ContestRow> = serde_json::from_value(row.clone()).ok();
        let found = sound.and_then(|row| canonical(&row).ok()).map(|text| hex(&hash(&text)));
        let name = row["full_name"].as_str().unwrap_or("không đọc được");
        match listed.get(index) {
            None => faults.push(format!("có dòng thừa: {name}")),
            Some(hash) if found.as_ref() != Some(hash) => {
                faults.push(format!("dòng {} ({name}) đã bị sửa", index + 1));
            }
            Some(_) => {}
        }
    }
    faults.extend((rows.len()..listed.len()).map(|index| format!("thiếu dòng {}", index + 1)));
    faults
}
