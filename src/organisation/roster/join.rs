//! What can only be wrong across the sheets of one roster: a person twice, several secretaries.

use std::collections::HashMap;

use super::header::Field;
use super::table::Table;

/// Rows that a fault lists.
const LISTED: usize = 5;

/// Notes what is wrong across tables that are read as one.
pub(super) fn check(tables: &mut [Table], names: &[String], secretaries_allowed: usize) {
    let name = |index: usize| names.get(index).map_or("", String::as_str);
    for field in [Field::CitizenId, Field::CardNumber] {
        let mut seen: HashMap<u64, (usize, u32)> = HashMap::new();
        for (index, table) in tables.iter_mut().enumerate() {
            let numbers = if field == Field::CitizenId { &table.citizen_ids } else { &table.card_numbers };
            let mut repeated = Vec::new();
            for (number, row) in numbers {
                match seen.get(number) {
                    Some((sheet, first)) => repeated.push((*row, name(*sheet), *first)),
                    None => {
                        seen.insert(*number, (index, *row));
                    }
                }
            }
            for (row, sheet, first) in repeated {
                table.twice(
                    row,
                    field,
                    &format!("dòng {first} của trang \"{sheet}\""),
                    &format!("row {first} of the sheet \"{sheet}\""),
                );
            }
        }
    }
    let count: usize = tables.iter().map(|table| table.secretaries.len()).sum();
    if count <= secretaries_allowed {
        return;
    }
    let rows = tables.iter().flat_map(|table| &table.secretaries);
    let mut list: Vec<String> = rows.take(LISTED).map(ToString::to_string).collect();
    if count > LISTED {
        list.push("…".to_owned());
    }
    let list = list.join(", ");
    for table in tables {
        table.several_secretaries(count, &list);
    }
}
