//! The rows below the heading: a question a row, or an option a row.

use crate::kernel::text::fold;

use super::super::check::{Draft, DraftOption, letter};
use super::super::fault::{FormatFault, Place};
use super::super::{Kind, Reading};
use super::answers::{self, Right, WrongAnswer};
use super::cells::{Cell, QuestionSheet, QuestionSheetRow};
use super::header::{Header, QuestionField};

/// What an option's row says when it is right, and when it is wrong.
const TICKS: [&str; 8] = ["x", "v", "✓", "✔", "1", "đúng", "true", "*"];
const NO_TICKS: [&str; 4] = ["0", "sai", "false", "-"];
/// First words of a row that only divides the table.
const DIVISIONS: [&str; 6] = ["phan", "chuong", "nhom", "muc", "chuyen", "bai"];

/// Reads the table below a heading.
pub(super) fn read(header: &Header, sheet: &QuestionSheet, place: &Place, reading: &mut Reading) {
    let table = QuestionTable { header, place };
    let mut group: Vec<&QuestionSheetRow> = Vec::new();
    let by_row = header.columns.contains_key(&QuestionField::OptionOfRow);
    for row in sheet.rows.iter().filter(|row| row.number > header.row) {
        if table.divides(row) {
            let (vi, en) = ("dòng không phải câu hỏi, đã bỏ qua", "the row is no question and was skipped");
            reading.notices.push(FormatFault::new(&table.at(row), "row_ignored", vi, en));
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

struct QuestionTable<'a> {
    header: &'a Header,
    place: &'a Place,
}

impl QuestionTable<'_> {
    fn at(&self, row: &QuestionSheetRow) -> Place {
        Place { row: Some(row.number), ..self.place.clone() }
    }

    fn cell<'a>(&self, row: &'a QuestionSheetRow, field: QuestionField) -> Option<&'a Cell> {
        row.cells.get(self.header.columns.get(&field)?)
    }

    fn text(&self, row: &QuestionSheetRow, field: QuestionField) -> Option<String> {
        self.cell(row, field).map(Cell::text).filter(|text| !text.is_empty())
    }

    /// Whether a row holds no part of a question: "Phần II", signatures, the heading again.
    fn divides(&self, row: &QuestionSheetRow) -> bool {
        let question = self.text(row, QuestionField::Text).map(|text| fold(&text));
        let options = self.header.option_columns().any(|(_, column)| row.cells.contains_key(&column));
        let held = options
            || [QuestionField::OptionOfRow, QuestionField::Answer]
                .into_iter()
                .any(|field| self.cell(row, field).is_some());
        let again = question.as_deref().is_some_and(|text| {
            text == fold(&self.header.title(self.header.columns[&QuestionField::Text])) && self.heading_again(row)
        });
        let division = question.as_deref().is_none_or(|text| {
            DIVISIONS.contains(&text.split(' ').next().unwrap_or_default())
                && self.cell(row, QuestionField::Ordinal).is_none()
        });
        again || (division && !held)
    }

    fn heading_again(&self, row: &QuestionSheetRow) -> bool {
        let answer = self.header.columns[&QuestionField::Answer];
        row.cells.get(&answer).is_some_and(|cell| fold(&cell.text()) == fold(&self.header.title(answer)))
    }

    /// Whether a row of one option belongs to another question than the rows before it.
    fn begins_question(&self, row: &QuestionSheetRow, first: Option<&QuestionSheetRow>) -> bool {
        let text = |row: &QuestionSheetRow| self.text(row, QuestionField::Text).map(|text| fold(&text));
        let Some(new) = text(row) else { return false };
        let ordinal = |row: &QuestionSheetRow| self.text(row, QuestionField::Ordinal);
        // Some repeat the question in each of its rows.
        let repeated = first.is_some_and(|first| {
            text(first).as_deref() == Some(new.as_str()) && (ordinal(row).is_none() || ordinal(row) == ordinal(first))
        });
        !repeated
    }

    fn question(&self, rows: &[&QuestionSheetRow], reading: &mut Reading) {
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
        let by_row = self.header.columns.contains_key(&QuestionField::OptionOfRow);
        let options = if by_row { self.options_of_rows(rows) } else { self.options_of_columns(first) };
        let right = options.and_then(|options| {
            let right = if by_row { self.right_of_rows(rows, &options) } else { self.right_of_cell(first, &options) };
            right.map(|right| (options, right)).map_err(|wrong| self.wrong(first, wrong))
        });
        let (options, right) = match right {
            Ok(read) => read,
            Err(fault) => {
                reading.faults.push(fault);
                if self.text(first, QuestionField::Text).is_none() {
                    let (vi, en) = ("thiếu nội dung câu hỏi", "the text of the question is missing");
                    reading.faults.push(FormatFault::new(&place, "text_missing", vi, en));
                }
                return;
            }
        };
        let option = |(position, text)| DraftOption { text, correct: right.contains(&position) };
        let draft = Draft {
            kind,
            text: self.text(first, QuestionField::Text).unwrap_or_default(),
            options: options.into_iter().enumerate().map(option).collect(),
            explanation: self.text(first, QuestionField::Explanation),
            topic: self.text(first, QuestionField::Topic),
            difficulty: self.difficulty(first, &place, reading),
            place,
        };
        draft.into_reading(reading);
    }

    fn wrong(&self, row: &QuestionSheetRow, wrong: WrongAnswer) -> FormatFault {
        let (code, vi, en) = wrong.words();
        let column = self.header.title(self.header.columns[&QuestionField::Answer]);
        FormatFault::new(&Place { column: Some(column), ..self.at(row) }, code, vi, en)
    }

    /// Cells of the text and of options that show an error or a day.
    fn faulty_cells(&self, rows: &[&QuestionSheetRow]) -> Vec<FormatFault> {
        let mut columns: Vec<u32> = self.header.option_columns().map(|(_, column)| column).collect();
        columns.extend(
            [QuestionField::Text, QuestionField::OptionOfRow].iter().filter_map(|field| self.header.columns.get(field)),
        );
        let mut faults = Vec::new();
        for row in rows {
            for column in &columns {
                if matches!(row.cells.get(column), Some(Cell::Date | Cell::Error)) {
                    let place = Place { column: Some(self.header.title(*column)), ..self.at(row) };
                    let vi = "ô chứa lỗi hoặc đã bị bảng tính đổi thành ngày; hãy định dạng ô là văn bản";
                    let en = "the cell shows an error or was changed into a date; format it as text";
                    faults.push(FormatFault::new(&place, "cell_changed", vi, en));
                }
            }
        }
        faults
    }

    fn options_of_columns(&self, row: &QuestionSheetRow) -> Result<Vec<String>, FormatFault> {
        let mut options: Vec<Option<String>> =
            self.header.option_columns().map(|(_, column)| row.cells.get(&column).map(Cell::text)).collect();
        while options.last().is_some_and(Option::is_none) {
            options.pop();
        }
        let gap = options.iter().position(Option::is_none);
        if let Some(gap) = gap {
            let vi = format!("phương án {} để trống nhưng phương án sau có nội dung", letter(gap));
            let en = format!("option {} is empty, but a later one is not", letter(gap));
            return Err(FormatFault::new(&self.at(row), "option_gap", vi, en));
        }
        Ok(without_labels(options.into_iter().flatten().collect()))
    }

    fn options_of_rows(&self, rows: &[&QuestionSheetRow]) -> Result<Vec<String>, FormatFault> {
        let mut options = Vec::with_capacity(rows.len());
        for row in rows {
            let Some(text) = self.text(row, QuestionField::OptionOfRow) else {
                let (vi, en) = ("dòng không có phương án", "the row has no option");
                return Err(FormatFault::new(&self.at(row), "option_missing", vi, en));
            };
            let label =
                self.text(row, QuestionField::Label).map(|label| label.trim_end_matches(['.', ')']).to_uppercase());
            if label.is_some_and(|label| label != letter(options.len()).to_string()) {
                let (vi, en) = ("chữ cái của phương án không theo thứ tự", "the letter of the option is out of order");
                return Err(FormatFault::new(&self.at(row), "option_out_of_order", vi, en));
            }
            options.push(text);
        }
        Ok(without_labels(options))
    }

    fn right_of_cell(&self, row: &QuestionSheetRow, options: &[String]) -> Result<Right, WrongAnswer> {
        answers::read(self.cell(row, QuestionField::Answer), options)
    }

    /// Each right option is ticked, or the first row names them; both readings must agree.
    fn right_of_rows(&self, rows: &[&QuestionSheetRow], options: &[String]) -> Result<Right, WrongAnswer> {
        let cells: Vec<Option<&Cell>> = rows.iter().map(|row| self.cell(row, QuestionField::Answer)).collect();
        let filled: Vec<&Cell> = cells.iter().copied().flatten().collect();
        let ticked = ticked(&cells);
        let same = filled.windows(2).all(|pair| pair[0] == pair[1]);
        // A cell that all rows repeat, or that one of them has, may name the option.
        let named = (filled.len() == 1 || (same && filled.len() == rows.len()))
            .then(|| answers::read(filled.first().copied(), options));
        match (ticked, named) {
            (_, None) if filled.is_empty() => Err(WrongAnswer::Missing),
            (Some(right), Some(Ok(other))) if right != other => Err(WrongAnswer::Ambiguous),
            (_, Some(Err(WrongAnswer::Ambiguous))) => Err(WrongAnswer::Ambiguous),
            (Some(right), _) => Ok(right),
            (None, Some(named)) => named,
            (None, None) => Err(WrongAnswer::Unknown),
        }
    }

    fn kind(&self, row: &QuestionSheetRow, place: &Place, reading: &mut Reading) -> Result<Option<Kind>, FormatFault> {
        let Some(text) = self.text(row, QuestionField::Kind) else { return Ok(None) };
        match fold(&text).as_str() {
            "mot dap an" | "mot lua chon" | "single" | "single choice" => Ok(Some(Kind::SingleChoice)),
            "nhieu dap an" | "nhieu lua chon" | "multiple" | "multiple choice" => Ok(Some(Kind::MultipleChoice)),
            "dung sai" | "true false" => Ok(Some(Kind::TrueFalse)),
            "tu luan" | "dien khuyet" | "dien tu" | "ghep noi" | "essay" | "matching" | "short answer" => {
                Err(FormatFault::skipped(place, &text))
            }
            _ => {
                let (vi, en) = ("không đọc được loại câu hỏi", "the kind of question was not read");
                reading.notices.push(FormatFault::new(place, "kind_not_read", vi, en));
                Ok(None)
            }
        }
    }

    fn difficulty(&self, row: &QuestionSheetRow, place: &Place, reading: &mut Reading) -> Option<u8> {
        let text = self.text(row, QuestionField::Difficulty)?;
        let level = text.trim().parse().ok().filter(|level| (1..=5).contains(level));
        if level.is_none() {
            let (vi, en) = (
                "mức độ không phải là số từ 1 đến 5, đã bỏ qua",
                "the difficulty is no number from 1 to 5 and was skipped",
            );
            reading.notices.push(FormatFault::new(place, "difficulty_not_read", vi, en));
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
