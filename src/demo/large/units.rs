//! Units of a large demo, their links and the closure of the links.

use super::copy::CopyRows;
use super::plan::LargePlan;

const WATERS: [&str; 7] = ["Sông", "Núi", "Biển", "Đồng", "Rừng", "Bến", "Hồ"];
const COLOURS: [&str; 5] = ["Xanh", "Bạc", "Vàng", "Hồng", "Trong"];
const FIRST: [&str; 20] = [
    "An",
    "Bình",
    "Đông",
    "Gia",
    "Hòa",
    "Hưng",
    "Khánh",
    "Liên",
    "Long",
    "Minh",
    "Mỹ",
    "Nam",
    "Phú",
    "Phước",
    "Tân",
    "Tây",
    "Thanh",
    "Thượng",
    "Vĩnh",
    "Xuân",
];
const SECOND: [&str; 17] = [
    "Bình", "Cường", "Dương", "Giang", "Hải", "Hậu", "Hiệp", "Khê", "Lạc", "Lâm", "Lộc", "Nghĩa", "Phong", "Sơn",
    "Thạnh", "Tiến", "Trung",
];
/// What a committee's cells are called after, in turn; the rest are numbered neighbourhoods.
const KINDS: [&str; 5] = ["Cơ quan", "Trường Tiểu học", "Trường THCS", "Trạm Y tế", "Quân sự"];

/// Rows of `units (id, kind, name, code, created_at)`.
pub fn units(plan: &LargePlan, rows: &mut CopyRows) {
    for unit in 0..plan.units() {
        let (kind, name, code) = describe(plan, unit);
        if !rows.row(5) {
            return;
        }
        rows.id(plan.unit_id(unit));
        rows.text(kind);
        rows.text(&name);
        rows.maybe(code, |rows, code| rows.text(&code));
        rows.time(plan.created_at());
    }
}

/// Rows of `unit_links (unit_id, parent_id, valid_from)`.
pub fn links(plan: &LargePlan, rows: &mut CopyRows) {
    for unit in 0..plan.units() {
        rows.row(3);
        rows.id(plan.unit_id(unit));
        rows.maybe(plan.parent(unit), |rows, parent| rows.id(plan.unit_id(parent)));
        rows.day(plan.since);
    }
}

/// Rows of `unit_tree (ancestor_id, descendant_id, depth, valid_from)`.
pub fn tree(plan: &LargePlan, rows: &mut CopyRows) {
    for unit in 0..plan.units() {
        let (mut ancestor, mut depth) = (Some(unit), 0);
        while let Some(above) = ancestor {
            rows.row(4);
            rows.id(plan.unit_id(above));
            rows.id(plan.unit_id(unit));
            rows.small(depth);
            rows.day(plan.since);
            (ancestor, depth) = (plan.parent(above), depth + 1);
        }
    }
}

fn describe(plan: &LargePlan, unit: u32) -> (&'static str, String, Option<String>) {
    if let Some(cell) = unit.checked_sub(plan.cell_unit(0)) {
        let code = format!(
            "{:02}.{:03}.{:03}.001.001",
            plan.province_of(plan.committee_of(cell)) + 10,
            cell / 1000,
            cell % 1000
        );
        return ("cell", cell_name(plan, cell), Some(code));
    }
    if let Some(committee) = unit.checked_sub(plan.committee_unit(0)) {
        return ("grassroots_committee", committee_name(committee as usize), None);
    }
    if plan.shape.central && unit == plan.top() {
        return ("central", "Trung ương (dữ liệu minh họa)".to_owned(), None);
    }
    let province = (unit - plan.province_unit(0)) as usize;
    let (water, colour) = (WATERS[province % WATERS.len()], COLOURS[province / WATERS.len() % COLOURS.len()]);
    ("province", format!("Tỉnh ủy {water} {colour}"), None)
}

fn committee_name(committee: usize) -> String {
    let kind = if committee.is_multiple_of(4) { "phường" } else { "xã" };
    let (first, rest) = (FIRST[committee % FIRST.len()], committee / FIRST.len());
    let (second, round) = (SECOND[rest % SECOND.len()], rest / SECOND.len());
    if round == 0 {
        format!("Đảng bộ {kind} {first} {second}")
    } else {
        format!("Đảng bộ {kind} {first} {second} {}", round + 1)
    }
}

fn cell_name(plan: &LargePlan, cell: u32) -> String {
    let committee = plan.committee_of(cell);
    let before = (0..cell).rev().take_while(|other| plan.committee_of(*other) == committee).count();
    match before.checked_sub(3) {
        Some(n) if n < KINDS.len() && committee.is_multiple_of(3) => {
            format!("Chi bộ {} {}", KINDS[n], committee_name(committee as usize).replace("Đảng bộ ", ""))
        }
        _ if committee.is_multiple_of(4) => format!("Chi bộ Tổ dân phố số {}", before + 1),
        _ => format!("Chi bộ thôn {}", before + 1),
    }
}
