//! Finds the header among a sheet's first rows and what each column means.

use super::fault::column_letters;
use super::text::{fold, tidy};
use super::workbook::{Row, Value};

/// What a column of a roster can mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Ordinal,
    FullName,
    BirthDate,
    Sex,
    CardNumber,
    CitizenId,
    Phone,
    AdmittedOn,
    OfficialOn,
    Position,
    Exempt,
}

impl Field {
    pub const ALL: [Self; 11] = [
        Self::Ordinal,
        Self::FullName,
        Self::BirthDate,
        Self::Sex,
        Self::CardNumber,
        Self::CitizenId,
        Self::Phone,
        Self::AdmittedOn,
        Self::OfficialOn,
        Self::Position,
        Self::Exempt,
    ];

    /// Without these columns nobody can be imported.
    const REQUIRED: [Self; 6] =
        [Self::FullName, Self::BirthDate, Self::Sex, Self::CitizenId, Self::AdmittedOn, Self::OfficialOn];

    /// The heading to ask for.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Ordinal => "STT",
            Self::FullName => "Họ và tên",
            Self::BirthDate => "Ngày sinh",
            Self::Sex => "Giới tính",
            Self::CardNumber => "Số thẻ đảng viên",
            Self::CitizenId => "Số CCCD",
            Self::Phone => "Điện thoại",
            Self::AdmittedOn => "Ngày vào Đảng (dự bị)",
            Self::OfficialOn => "Ngày chính thức",
            Self::Position => "Chức vụ",
            Self::Exempt => "Miễn sinh hoạt",
        }
    }

    /// The headings in use, folded, separated by `|`.
    const fn headings(self) -> &'static str {
        match self {
            Self::Ordinal => "stt|tt|so tt|so thu tu",
            Self::FullName => {
                "ho va ten|ho ten|ho va ten dang vien|ho ten dang vien|ten dang vien|\
                 ho va ten khai sinh|ho ten khai sinh|ho va ten dem va ten|ho chu dem va ten"
            }
            Self::BirthDate => {
                "ngay sinh|ngay thang nam sinh|sinh ngay|ngay thang sinh|nam sinh|\
                 ngay sinh dd mm yyyy|ngay thang nam sinh dd mm yyyy"
            }
            Self::Sex => "gioi tinh|gioi|phai|nam nu|gioi tinh nam nu",
            Self::CardNumber => {
                "so the dang vien|so the dang|the dang vien|so the dv|so the|the dang|\
                 ma the dang vien|so the dang vien 12 so"
            }
            Self::CitizenId => {
                "so cccd|cccd|so can cuoc|can cuoc|so can cuoc cong dan|can cuoc cong dan|\
                 so dinh danh|so dinh danh ca nhan|ma dinh danh|ma dinh danh ca nhan|\
                 so cccd can cuoc|so cccd so dinh danh ca nhan|cccd can cuoc|\
                 so can cuoc cccd|so cmnd cccd|cmnd cccd|so cccd cmnd|cccd cmnd"
            }
            Self::Phone => {
                "dien thoai|so dien thoai|sdt|so dt|dt|di dong|so di dong|dtdd|\
                 dien thoai di dong|so dien thoai di dong|dien thoai lien he|\
                 so dien thoai lien he|sdt lien he"
            }
            Self::AdmittedOn => {
                "ngay vao dang|vao dang|ngay vao dang du bi|vao dang du bi|ngay du bi|du bi|\
                 ngay ket nap|ngay ket nap dang|ket nap|ngay vao dang ket nap|\
                 ngay vao dang ngay du bi|ngay vao dang ngay ket nap|\
                 ngay cong nhan du bi|ngay vao dang lan dau"
            }
            Self::OfficialOn => {
                "ngay chinh thuc|chinh thuc|ngay vao dang chinh thuc|vao dang chinh thuc|\
                 ngay vao dang ngay chinh thuc|ngay cong nhan chinh thuc|ngay cn chinh thuc|\
                 ngay cong nhan dang vien chinh thuc|ngay chuyen chinh thuc|\
                 ngay chuyen dang chinh thuc"
            }
            Self::Position => "chuc vu|chuc vu dang|chuc vu trong dang|chuc vu chi bo|chuc danh",
            Self::Exempt => {
                "mien sinh hoat|mien sh|mien sinh hoat dang|duoc mien sinh hoat|mien cong tac|\
                 mien cong tac va sinh hoat|mien cong tac sinh hoat|mien ct sh|mien ctsh|\
                 mien cong tac va sinh hoat dang|dang vien mien sinh hoat"
            }
        }
    }

    fn of(heading: &str) -> Option<Self> {
        let folded = fold(heading);
        Self::ALL.into_iter().find(|field| field.headings().split('|').any(|known| known == folded))
    }
}

/// Which columns a sheet has and what they are called there.
#[derive(Debug, Clone, Default)]
pub(super) struct Layout {
    columns: Vec<(Field, u32, String)>,
    /// Headings that mean nothing here.
    pub ignored: Vec<String>,
}

impl Layout {
    /// Reads a header of one row, or of two if `below` is given: a heading
    /// without one above it belongs to the nearest group on its left.
    pub fn read(top: &Row, below: Option<&Row>) -> Self {
        let mut layout = Self::default();
        for (position, group, own) in headings(top, below) {
            let whole = match (&group, &own) {
                (Some(group), Some(own)) => format!("{group} – {own}"),
                (Some(one), None) | (None, Some(one)) => one.clone(),
                (None, None) => continue,
            };
            let field = Field::of(&whole).or_else(|| own.as_deref().and_then(Field::of));
            match field {
                Some(field) if layout.position(field).is_none() => {
                    layout.columns.push((field, position, whole));
                }
                _ => layout.ignored.push(whole),
            }
        }
        layout
    }

    /// Whether this is a header rather than a row with one familiar word.
    pub fn is_header(&self) -> bool {
        let needed = if self.position(Field::FullName).is_some() { 3 } else { 4 };
        self.columns.len() >= needed
    }

    /// How many columns are understood.
    pub fn known(&self) -> usize {
        self.columns.len()
    }

    /// The zero-based column of a field.
    pub fn position(&self, field: Field) -> Option<u32> {
        self.columns.iter().find(|(known, ..)| *known == field).map(|(_, position, _)| *position)
    }

    /// What the sheet calls a column: its heading, else its letter.
    pub fn title(&self, position: u32) -> String {
        self.columns
            .iter()
            .find(|(_, column, _)| *column == position)
            .map_or_else(|| column_letters(position), |(.., title)| title.clone())
    }

    /// The headings of required columns that the sheet lacks.
    pub fn missing(&self) -> Vec<&'static str> {
        Field::REQUIRED.into_iter().filter(|field| self.position(*field).is_none()).map(Field::title).collect()
    }
}

/// Position, group above and own heading of every column.
fn headings(top: &Row, below: Option<&Row>) -> Vec<(u32, Option<String>, Option<String>)> {
    let Some(below) = below else {
        return top.cells.iter().map(|cell| (cell.position, None, heading(&cell.value))).collect();
    };
    let last = [top, below].iter().filter_map(|row| row.cells.last()).map(|cell| cell.position).max().unwrap_or(0);
    let mut group = None;
    (0..=last)
        .filter_map(|position| {
            let own = below.cell(position).and_then(|cell| heading(&cell.value));
            match top.cell(position).and_then(|cell| heading(&cell.value)) {
                Some(above) => group = Some(above),
                // Beside a group, but with nothing below: not part of it.
                None if own.is_none() => return None,
                None => {}
            }
            Some((position, group.clone(), own))
        })
        .collect()
}

fn heading(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(tidy(text)).filter(|text| !text.is_empty()),
        _ => None,
    }
}

/// Whether the row below a header continues it: words only, and at least one
/// of them is the name of a date under a group of dates.
pub(super) fn continues(row: &Row) -> bool {
    let mut dates = false;
    for cell in &row.cells {
        let Value::Text(text) = &cell.value else {
            return false;
        };
        if cell.formula || text.contains(|c: char| c.is_ascii_digit()) {
            return false;
        }
        dates |= matches!(Field::of(text), Some(Field::AdmittedOn | Field::OfficialOn));
    }
    dates
}

/// Whether the row only numbers the columns: `1 2 3 …` or `(1) (2) (3) …`.
pub(super) fn numbers_columns(row: &Row) -> bool {
    row.cells.len() >= 3
        && row.cells.iter().all(|cell| match &cell.value {
            Value::Number(number) => *number >= 0.0 && *number <= 100.0,
            Value::Text(text) => {
                let inner = text.trim().trim_start_matches('(').trim_end_matches(')');
                matches!(inner.len(), 1..=2) && inner.chars().all(|c| c.is_ascii_digit() || c.is_ascii_uppercase())
            }
            _ => false,
        })
}
