//! The rows below the heading: a question a row, or an option a row.

use crate::kernel::text::fold;

use super::super::check::{Draft, DraftOption, letter};
use super::super::fault::{Fault, Place};
use super::super::{Kind, Reading};
use super::answers::{self, Right, Wrong};
use super::cells::{Cell, Row, Sheet};
use super::header::{Field, Header};

/// What an option's row says when it is right, and when it is wrong.
const TICKS: [&str; 8] = ["x", "v", "✓", "✔", "1", "đúng", "true", "*"];
const NO_TICKS: [&str; 4] = ["0", "sai", "false", "-"];
/// First words of a row that only divides the table.
const DIVISIONS: [&str; 6] = ["phan", "chuong", "nhom", "muc", "chuyen", "bai"];

/// Reads the table below a heading.
pub(super) fn read(header: &Header, sheet: &Sheet, place: &Place, reading: &mut Reading) {
    let table = Table { header, place };
    let mut group: Vec<&Row> = Vec::new();
    let by_row = header.columns.contains_key(&Field::OptionOfRow);
    for row in sheet.rows.iter().filter(|row| row.number > header.row) {
        if table.divides(row) {
            let (vi, en) = ("dòng không phải câu hỏi, đã bỏ qua", "the row is no question and was skipped");
            reading.notices.push(Fault::new(&table.at(row), "row_ignored", vi, en));
        } else if !by_row {
            table.question(&[row], reading);
        } else {
            if table.begins_question(row, group.first().copied()) && !group.is_empty() {
                table.question(&group, reading);
                group.clear();
            }
            group.push(row);
        }
    }
    if !group.is_empty() {
        table.question(&group, reading);
    }
}

struct Table<'a> {
    header: &'a Header,
    place: &'a Place,
}

impl Table<'_> {
    fn at(&self, row: &Row) -> Place {
        Place { row: Some(row.number), ..self.place.clone() }
    }

    fn cell<'a>(&self, row: &'a Row, field: Field) -> Option<&'a Cell> {
        row.cells.get(self.header.columns.get(&field)?)
    }

    fn text(&self, row: &Row, field: Field) -> Option<String> {
        self.cell(row, field).map(Cell::text).filter(|text| !text.is_empty())
    }

    /// Whether a row holds no part of a question: "Phần II", signatures, the heading again.
    fn divides(&self, row: &Row) -> bool {
        let question = self.text(row, Field::Text).map(|text| fold(&text));
        let options = self.header.option_columns().any(|(_, column)| row.cells.contains_key(&column));
        let held =
            options || [Field::OptionOfRow, Field::Answer].into_iter().any(|field| self.cell(row, field).is_some());
        let again = question.as_deref().is_some_and(|text| {
            text == fold(&self.header.title(self.header.columns[&Field::Text])) && self.heading_again(row)
        });
        let division = question.as_deref().is_none_or(|text| {
            DIVISIONS.contains(&text.split(' ').next().unwrap_or_default()) && self.cell(row, Field::Ordinal).is_none()
        });
        again || (division && !held)
    }

    fn heading_again(&self, row: &Row) -> bool {
        let answer = self.header.columns[&Field::Answer];
        row.cells.get(&answer).is_some_and(|cell| fold(&cell.text()) == fold(&self.header.title(answer)))
    }

    /// Whether a row of one option belongs to another question than the rows before it.
    fn begins_question(&self, row: &Row, first: Option<&Row>) -> bool {
        let text = |row: &Row| self.text(row, Field::Text).map(|text| fold(&text));
        let Some(new) = text(row) else { return false };
        let ordinal = |row: &Row| self.text(row, Field::Ordinal);
        // Some repeat the question in each of its rows.
        let repeated = first.is_some_and(|first| {
            text(first).as_deref() == Some(new.as_str()) && (ordinal(row).is_none() || ordinal(row) == ordinal(first))
        });
        !repeated
    }

    fn question(&self, rows: &[&Row], reading: &mut Reading) {
        let [first, ..] = rows else { return };
        let place = self.at(first);
        let faulty_cells = self.faulty_cells(rows);
        if !faulty_cells.is_empty() {
            reading.faults.extend(faulty_cells);
            return;
        }
        let kind = match self.kind(first, &place, reading) {
            Ok(kind) => kind,
            Err(skipped) => {
                reading.notices.push(skipped);
                return;
            }
        };
        let by_row = self.header.columns.contains_key(&Field::OptionOfRow);
        let options = if by_row { self.options_of_rows(rows) } else { self.options_of_columns(first) };
        let right = options.and_then(|options| {
            let right = if by_row { self.right_of_rows(rows, &options) } else { self.right_of_cell(first, &options) };
            right.map(|right| (options, right)).map_err(|wrong| self.wrong(first, wrong))
        });
        let (options, right) = match right {
            Ok(read) => read,
            Err(fault) => {
                reading.faults.push(fault);
                if self.text(first, Field::Text).is_none() {
                    let (vi, en) = ("thiếu nội dung câu hỏi", "the text of the question is missing");
                    reading.faults.push(Fault::new(&place, "text_missing", vi, en));
                }
                return;
            }
        };
        let option = |(position, text)| DraftOption { text, correct: right.contains(&position) };
        let draft = Draft {
            kind,
            text: self.text(first, Field::Text).unwrap_or_default(),
            options: options.into_iter().enumerate().map(option).collect(),
            explanation: self.text(first, Field::Explanation),
            topic: self.text(first, Field::Topic),
            difficulty: self.difficulty(first, &place, reading),
            place,
        };
        draft.into_reading(reading);
    }

    fn wrong(&self, row: &Row, wrong: Wrong) -> Fault {
        let (code, vi, en) = wrong.words();
        let column = self.header.title(self.header.columns[&Field::Answer]);
        Fault::new(&Place { column: Some(column), ..self.at(row) }, code, vi, en)
    }

    /// Cells of the text and of options that show an error or a day.
    fn faulty_cells(&self, rows: &[&Row]) -> Vec<Fault> {
        let mut columns: Vec<u32> = self.header.option_columns().map(|(_, column)| column).collect();
        columns.extend([Field::Text, Field::OptionOfRow].iter().filter_map(|field| self.header.columns.get(field)));
        let mut faults = Vec::new();
        for row in rows {
            for column in &columns {
                if matches!(row.cells.get(column), Some(Cell::Date | Cell::Error)) {
                    let place = Place { column: Some(self.header.title(*column)), ..self.at(row) };
                    let vi = "ô chứa lỗi hoặc đã bị bảng tính đổi thành ngày; hãy định dạng ô là văn bản";
                    let en = "the cell shows an error or was changed into a date; format it as text";
                    faults.push(Fault::new(&place, "cell_changed", vi, en));
                }
            }
        }
        faults
    }

    fn options_of_columns(&self, row: &Row) -> Result<Vec<String>, Fault> {
        let mut options: Vec<Option<String>> =
            self.header.option_columns().map(|(_, column)| row.cells.get(&column).map(Cell::text)).collect();
        while options.last().is_some_and(Option::is_none) {
            options.pop();
        }
        let gap = options.iter().position(Option::is_none);
        if let Some(gap) = gap {
            let vi = format!("phương án {} để trống nhưng phương án sau có nội dung", letter(gap));
            let en = format!("option {} is empty, but a later one is not", letter(gap));
            return Err(Fault::new(&self.at(row), "option_gap", vi, en));
        }
        Ok(without_labels(options.into_iter().flatten().collect()))
    }

    fn options_of_rows(&self, rows: &[&Row]) -> Result<Vec<String>, Fault> {
        let mut options = Vec::with_capacity(rows.len());
        for row in rows {
            let Some(text) = self.text(row, Field::OptionOfRow) else {
                let (vi, en) = ("dòng không có phương án", "the row has no option");
                return Err(Fault::new(&self.at(row), "option_missing", vi, en));
            };
            let label = self.text(row, Field::Label).map(|label| label.trim_end_matches(['.', ')']).to_uppercase());
            if label.is_some_and(|label| label != letter(options.len()).to_string()) {
                let (vi, en) = ("chữ cái của phương án không theo thứ tự", "the letter of the option is out of order");
                return Err(Fault::new(&self.at(row), "option_out_of_order", vi, en));
            }
            options.push(text);
        }
        Ok(without_labels(options))
    }

    fn right_of_cell(&self, row: &Row, options: &[String]) -> Result<Right, Wrong> {
        answers::read(self.cell(row, Field::Answer), options)
    }

    /// Each right option is ticked, or the first row names them; both readings must agree.
    fn right_of_rows(&self, rows: &[&Row], options: &[String]) -> Result<Right, Wrong> {
        let cells: Vec<Option<&Cell>> = rows.iter().map(|row| self.cell(row, Field::Answer)).collect();
        let filled: Vec<&Cell> = cells.iter().copied().flatten().collect();
        let ticked = ticked(&cells);
        let same = filled.windows(2).all(|pair| pair[0] == pair[1]);
        // A cell that all rows repeat, or that one of them has, may name the option.
        let named = (filled.len() == 1 || (same && filled.len() == rows.len()))
            .then(|| answers::read(filled.first().copied(), options));
        match (ticked, named) {
            (_, None) if filled.is_empty() => Err(Wrong::Missing),
            (Some(right), Some(Ok(other))) if right != other => Err(Wrong::Ambiguous),
            (_, Some(Err(Wrong::Ambiguous))) => Err(Wrong::Ambiguous),
            (Some(right), _) => Ok(right),
            (None, Some(named)) => named,
            (None, None) => Err(Wrong::Unknown),
        }
    }

    fn kind(&self, row: &Row, place: &Place, reading: &mut Reading) -> Result<Option<Kind>, Fault> {
        let Some(text) = self.text(row, Field::Kind) else { return Ok(None) };
        match fold(&text).as_str() {
            "mot dap an" | "mot lua chon" | "single" | "single choice" => Ok(Some(Kind::SingleChoice)),
            "nhieu dap an" | "nhieu lua chon" | "multiple" | "multiple choice" => Ok(Some(Kind::MultipleChoice)),
            "dung sai" | "true false" => Ok(Some(Kind::TrueFalse)),
            "tu luan" | "dien khuyet" | "dien tu" | "ghep noi" | "essay" | "matching" | "short answer" => {
                Err(Fault::skipped(place, &text))
            }
            _ => {
                let (vi, en) = ("không đọc được loại câu hỏi", "the kind of question was not read");
                reading.notices.push(Fault::new(place, "kind_not_read", vi, en));
                Ok(None)
            }
        }
    }

    fn difficulty(&self, row: &Row, place: &Place, reading: &mut Reading) -> Option<u8> {
        let text = self.text(row, Field::Difficulty)?;
        let level = text.trim().parse().ok().filter(|level| (1..=5).contains(level));
        if level.is_none() {
            let (vi, en) = (
                "mức độ không phải là số từ 1 đến 5, đã bỏ qua",
                "the difficulty is no number from 1 to 5 and was skipped",
            );
            reading.notices.push(Fault::new(place, "difficulty_not_read", vi, en));
        }
        level
    }
}

/// Positions of ticked rows; none when a cell says anything else.
fn ticked(cells: &[Option<&Cell>]) -> Option<Right> {
    let mut right = Right::new();
    for (position, cell) in cells.iter().enumerate() {
        let Some(cell) = cell else { continue };
        let text = cell.text().trim().to_lowercase();
        if TICKS.contains(&text.as_str()) {
            right.insert(position);
        } else if !NO_TICKS.contains(&text.as_str()) {
            return None;
        }
    }
    (!right.is_empty()).then_some(right)
}

/// Without "A." and so on, when every option has its own.
fn without_labels(options: Vec<String>) -> Vec<String> {
    let stripped: Option<Vec<String>> =
        options.iter().enumerate().map(|(position, option)| without_label(option, position)).collect();
    stripped.unwrap_or(options)
}

fn without_label(option: &str, position: usize) -> Option<String> {
    let rest = option.strip_prefix(letter(position))?.strip_prefix(['.', ')', ':'])?.trim();
    (!rest.is_empty()).then(|| rest.to_owned())
}
