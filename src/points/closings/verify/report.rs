//! One cell's report: signature, hash of each row, and the name of each row that was changed.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use super::super::model::{ClosedRow, ClosingManifest, FORMAT, ReportKey, RowCounts, canonical, hash, hex};
use super::Verdict;
use super::trusted::{TrustedKeys, is_signed};

/// The file, read so that one damaged row does not hide the others.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Report {
    manifest: ClosingManifest,
    rows: Vec<ReportRow>,
    signature: String,
    key: ReportKey,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum ReportRow {
    Sound(ClosedRow),
    Unreadable(Value),
}

impl ReportRow {
    fn hash(&self) -> Option<String> {
        match self {
            Self::Sound(row) => canonical(row).ok().map(|text| hex(&hash(&text))),
            Self::Unreadable(_) => None,
        }
    }

    fn position(&self) -> Option<i64> {
        match self {
            Self::Sound(row) => Some(row.position.into()),
            Self::Unreadable(value) => value["position"].as_i64(),
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::Sound(row) => &row.full_name,
            Self::Unreadable(value) => value["full_name"].as_str().unwrap_or("không đọc được"),
        }
    }
}

/// What a valid manifest says, for comparison with the list of a bundle.
pub struct SeenRows {
    pub closing_id: uuid::Uuid,
    pub manifest_hash: String,
    pub title: String,
}

/// Verifies one report and adds the findings to `verdict`. Returns what the manifest says, if there is a manifest.
pub fn verify(text: &str, keys: &TrustedKeys, verdict: &mut Verdict) -> Option<SeenRows> {
    let report: Report = match serde_json::from_str(text) {
        Ok(report) => report,
        Err(error) => {
            verdict.faults.push(format!("báo cáo không đọc được: {error}"));
            return None;
        }
    };
    let manifest = &report.manifest;
    let title = format!("{}, tháng {}, lần chốt {}", manifest.unit_name, manifest.period, manifest.generation);
    let before = verdict.faults.len();
    let mut fault = |what: String| verdict.faults.push(format!("{title}: {what}"));
    let signed = canonical(manifest).unwrap_or_default();
    if manifest.format != FORMAT {
        fault(format!("dạng “{}” không phải là {FORMAT}", manifest.format));
    }
    match keys.find(&manifest.kid, &report.key) {
        Ok(key) if is_signed(key, &signed, &report.signature) => {}
        Ok(_) => fault("bản kê (manifest) đã bị sửa, hoặc chữ ký không phải của khóa này".to_owned()),
        Err(why) => fault(why),
    }
    compare_rows(manifest, &report.rows, &mut fault);
    compare_counts(manifest, &report.rows, &mut fault);
    if verdict.faults.len() == before {
        verdict.verified.push(format!("{title}: {} dòng, chữ ký đúng ({})", report.rows.len(), manifest.kid));
    }
    Some(SeenRows { closing_id: manifest.closing_id, manifest_hash: hex(&hash(&signed)), title })
}

/// Names the rows that are not those whose hashes the manifest lists.
fn compare_rows(manifest: &ClosingManifest, rows: &[ReportRow], fault: &mut impl FnMut(String)) {
    let listed: BTreeMap<&str, usize> =
        manifest.row_hashes.iter().enumerate().map(|(index, hash)| (hash.as_str(), index)).collect();
    let mut seen = BTreeSet::new();
    let (mut foreign, mut last) = (Vec::new(), None);
    for row in rows {
        match row.hash().and_then(|hash| listed.get(hash.as_str()).copied()) {
            Some(index) if !seen.insert(index) => fault(format!("dòng {} ({}) bị lặp lại", index + 1, row.name())),
            Some(index) => {
                if last.is_some_and(|last| index < last) {
                    fault(format!("dòng {} ({}) bị đổi chỗ", index + 1, row.name()));
                }
                last = Some(index);
            }
            None => foreign.push(row),
        }
    }
    let mut missing: BTreeSet<usize> = (0..manifest.row_hashes.len()).filter(|index| !seen.contains(index)).collect();
    for row in foreign {
        let claimed = row.position().and_then(|position| usize::try_from(position - 1).ok());
        // A row whose position itself was changed is named by its place in the file.
        let place = claimed.filter(|index| missing.contains(index)).or_else(|| {
            let at = rows.iter().position(|other| std::ptr::eq(other, row));
            at.filter(|index| missing.contains(index))
        });
        match place {
            Some(index) => {
                missing.remove(&index);
                fault(format!("dòng {} ({}) đã bị sửa", index + 1, row.name()));
            }
            None => fault(format!("có dòng thừa: {}", row.name())),
        }
    }
    for index in missing {
        fault(format!("thiếu dòng {}", index + 1));
    }
}

/// Reports the counts of the manifest that do not follow from the rows.
fn compare_counts(manifest: &ClosingManifest, rows: &[ReportRow], fault: &mut impl FnMut(String)) {
    let sound: Vec<ClosedRow> = rows
        .iter()
        .filter_map(|row| match row {
            ReportRow::Sound(row) => Some(row.clone()),
            ReportRow::Unreadable(_) => None,
        })
        .collect();
    let counts = RowCounts::of(&sound);
    for (name, said, found) in [
        ("members", manifest.members, counts.members),
        ("counted", manifest.counted, counts.counted()),
        ("exempt", manifest.exempt, counts.exempt),
        ("excused", manifest.excused, counts.excused),
        ("met", manifest.met, counts.met),
    ] {
        if said != found {
            fault(format!("bản kê ghi {name} = {said}, các dòng cho {found}"));
        }
    }
}
