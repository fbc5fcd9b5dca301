//! Finds the header among a sheet's first rows and what each column means.

use super::fault::column_letters;
use super::marks::Merge;
use super::text::{fold, tidy};
use super::workbook::{CellValue, SheetRow};

/// What a column of a roster can mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Ordinal,
    FullName,
    /// The name without its last word, beside a column for that.
    FamilyName,
    GivenName,
    BirthDate,
    /// Birth dates under "Nam" and "Nữ", which tell the sex too.
    BirthMale,
    BirthFemale,
    Sex,
    /// Marks under "Nam" and "Nữ".
    SexMale,
    SexFemale,
    CardNumber,
    CitizenId,
    Phone,
    AdmittedOn,
    OfficialOn,
    Position,
    Exempt,
}

impl Field {
    pub const ALL: [Self; 17] = [
        Self::Ordinal,
        Self::FullName,
        Self::FamilyName,
        Self::GivenName,
        Self::BirthDate,
        Self::BirthMale,
        Self::BirthFemale,
        Self::Sex,
        Self::SexMale,
        Self::SexFemale,
        Self::CardNumber,
        Self::CitizenId,
        Self::Phone,
        Self::AdmittedOn,
        Self::OfficialOn,
        Self::Position,
        Self::Exempt,
    ];

    /// Columns without which no member can be imported.
    const REQUIRED: [Self; 6] =
        [Self::FullName, Self::BirthDate, Self::Sex, Self::CitizenId, Self::AdmittedOn, Self::OfficialOn];

    /// The heading to ask for.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Ordinal => "STT",
            Self::FullName => "Họ và tên",
            Self::FamilyName => "Họ và tên đệm",
            Self::GivenName => "Tên",
            Self::BirthDate | Self::BirthMale | Self::BirthFemale => "Ngày sinh",
            Self::Sex | Self::SexMale | Self::SexFemale => "Giới tính",
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
            Self::FamilyName => {
                "ho|ho dem|ho va dem|ho lot|ho va lot|ho va ten dem|ho ten dem|ho va ten lot|ho ten lot|\
                 ho va chu dem|ho chu dem|ho va chu lot|ho chu lot"
            }
            Self::GivenName => "ten|ten goi",
            // Only below a group; see `below`.
            Self::BirthMale | Self::BirthFemale | Self::SexMale | Self::SexFemale => "",
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
        if folded.is_empty() {
            return None;
        }
        Self::ALL.into_iter().find(|field| field.headings().split('|').any(|known| known == folded))
    }
}

/// What a heading means below the heading of a group. Accents matter: `Nam` is a sex, `Năm` a year.
fn below(group: &str, own: &str) -> Option<Field> {
    match (Field::of(group)?, tidy(own).to_lowercase().as_str()) {
        (Field::BirthDate, "nam") => Some(Field::BirthMale),
        (Field::BirthDate, "nữ") => Some(Field::BirthFemale),
        (Field::Sex, "nam") => Some(Field::SexMale),
        (Field::Sex, "nữ") => Some(Field::SexFemale),
        _ => None,
    }
}

/// A column that is understood.
#[derive(Debug, Clone)]
struct RosterColumn {
    field: Field,
    /// Zero-based; more than one where the heading is merged over several.
    span: (u32, u32),
    title: String,
}

/// Which columns a sheet has and what they are called there.
#[derive(Debug, Clone, Default)]
pub(super) struct Layout {
    columns: Vec<RosterColumn>,
    /// Headings that mean nothing here.
    pub ignored: Vec<String>,
    ignored_spans: Vec<(u32, u32)>,
}

impl Layout {
    /// Reads a header of one row, or of two if `below` is given: a heading
    /// without one above it belongs to the nearest group on its left.
    pub fn read(top: &SheetRow, lower: Option<&SheetRow>, merges: &[Merge]) -> Self {
        let mut layout = Self::default();
        for Heading { span, group, own } in headings(top, lower, merges) {
            let whole = match (&group, &own) {
                (Some(group), Some(own)) => format!("{group} – {own}"),
                (Some(one), None) | (None, Some(one)) => one.clone(),
                (None, None) => continue,
            };
            let field = group
                .as_deref()
                .zip(own.as_deref())
                .and_then(|(group, own)| below(group, own))
                .or_else(|| Field::of(&whole))
                .or_else(|| own.as_deref().and_then(Field::of));
            match field {
                Some(field) if layout.span(field).is_none() => {
                    layout.columns.push(RosterColumn { field, span, title: whole });
                }
                _ => {
                    layout.ignored.push(whole);
                    layout.ignored_spans.push(span);
                }
            }
        }
        layout
    }

    /// Whether this is a header rather than a row with one familiar word.
    pub fn is_header(&self) -> bool {
        let named = self.span(Field::FullName).is_some() || self.span(Field::FamilyName).is_some();
        self.columns.len() >= if named { 3 } else { 4 }
    }

    /// How many columns are understood.
    pub fn known(&self) -> usize {
        self.columns.len()
    }

    /// The zero-based columns of a field.
    pub fn span(&self, field: Field) -> Option<(u32, u32)> {
        self.columns.iter().find(|column| column.field == field).map(|column| column.span)
    }

    /// The first column of a field, or of one that stands for it.
    pub fn position(&self, field: Field) -> Option<u32> {
        let instead: &[Field] = match field {
            Field::FullName => &[Field::FamilyName],
            Field::BirthDate => &[Field::BirthMale, Field::BirthFemale],
            Field::Sex => &[Field::SexMale, Field::SexFemale, Field::BirthMale, Field::BirthFemale],
            _ => &[],
        };
        std::iter::once(&field).chain(instead).find_map(|field| self.span(*field)).map(|span| span.0)
    }

    /// Whether a column has a heading, its own or one that is merged over it.
    pub fn is_named(&self, position: u32) -> bool {
        let spans = self.columns.iter().map(|column| &column.span).chain(&self.ignored_spans);
        spans.into_iter().any(|(first, last)| (*first..=*last).contains(&position))
    }

    /// What the sheet calls a column: its heading, else its letter.
    pub fn title(&self, position: u32) -> String {
        self.columns
            .iter()
            .find(|column| (column.span.0..=column.span.1).contains(&position))
            .map_or_else(|| column_letters(position), |column| column.title.clone())
    }

    /// The headings of required columns that the sheet lacks.
    pub fn missing(&self) -> Vec<String> {
        Field::REQUIRED.into_iter().filter(|field| !self.has(*field)).map(|field| field.title().to_owned()).collect()
    }

    fn has(&self, field: Field) -> bool {
        let all = |fields: &[Field]| fields.iter().all(|field| self.span(*field).is_some());
        match field {
            Field::FullName => all(&[field]) || all(&[Field::FamilyName, Field::GivenName]),
            Field::BirthDate => all(&[field]) || all(&[Field::BirthMale, Field::BirthFemale]),
            Field::Sex => {
                all(&[field])
                    || all(&[Field::SexMale, Field::SexFemale])
                    || all(&[Field::BirthMale, Field::BirthFemale])
            }
            _ => all(&[field]),
        }
    }

    /// Whether both have the same columns; those that members on probation have nothing for do not matter.
    pub fn is_like(&self, other: &Self) -> bool {
        let optional =
            [Field::Ordinal, Field::OfficialOn, Field::CardNumber, Field::Position, Field::Exempt, Field::Phone];
        let fields = || Field::ALL.into_iter().filter(|field| !optional.contains(field));
        fields().all(|field| self.span(field).is_some() == other.span(field).is_some())
    }
}

/// The heading of a column, with the one of the group above it.
struct Heading {
    span: (u32, u32),
    group: Option<String>,
    own: Option<String>,
}

fn headings(top: &SheetRow, lower: Option<&SheetRow>, merges: &[Merge]) -> Vec<Heading> {
    let last = |row: &SheetRow| row.cells.last().map_or(0, |cell| cell.position);
    let at = |row: &SheetRow, position| row.cell(position).and_then(|cell| heading(&cell.value));
    let mut group = None;
    let mut found: Vec<Heading> = (0..=last(top).max(lower.map_or(0, last)))
        .filter_map(|position| {
            let own = lower.and_then(|row| at(row, position));
            match at(top, position) {
                Some(above) => group = Some(above),
                // Beside a group, but with nothing below: not part of it.
                None if own.is_none() => return None,
                None => {}
            }
            Some(Heading { span: (position, position), group: group.clone(), own })
        })
        .collect();
    let rows = top.number..=lower.map_or(top.number, |row| row.number);
    for index in 0..found.len() {
        let next = found.get(index + 1).map_or(u32::MAX, |heading| heading.span.0);
        let first = found[index].span.0;
        let merge = merges.iter().find(|merge| {
            (merge.columns.0..=merge.columns.1).contains(&first)
                && merge.rows.0 <= *rows.end()
                && *rows.start() <= merge.rows.1
        });
        if let Some(merge) = merge {
            found[index].span.1 = merge.columns.1.min(next - 1).max(first);
        }
    }
    found
}

fn heading(value: &CellValue) -> Option<String> {
    match value {
        CellValue::Text(text) => Some(tidy(text)).filter(|text| !text.is_empty()),
        _ => None,
    }
}

/// Whether the row below a header continues it: words only, and at least one
/// of them names a part of a group: a date under dates, a sex, a part of a name.
pub(super) fn continues(header: &SheetRow, row: &SheetRow) -> bool {
    for cell in &row.cells {
        let CellValue::Text(text) = &cell.value else {
            return false;
        };
        if cell.formula || text.contains(|c: char| c.is_ascii_digit()) {
            return false;
        }
    }
    headings(header, Some(row), &[]).iter().any(|Heading { group, own, .. }| {
        let Some(own) = own else { return false };
        group.as_deref().is_some_and(|group| below(group, own).is_some())
            || matches!(
                Field::of(own),
                Some(Field::AdmittedOn | Field::OfficialOn | Field::FamilyName | Field::GivenName)
            )
    })
}

/// Whether the row only numbers the columns: `1 2 3 …` or `(1) (2) (3) …`.
pub(super) fn numbers_columns(row: &SheetRow) -> bool {
    row.cells.len() >= 3
        && row.cells.iter().all(|cell| match &cell.value {
            CellValue::Number(number) => *number >= 0.0 && *number <= 100.0,
            CellValue::Text(text) => {
                let inner = text.trim().trim_start_matches('(').trim_end_matches(')');
                matches!(inner.len(), 1..=2) && inner.chars().all(|c| c.is_ascii_digit() || c.is_ascii_uppercase())
            }
            _ => false,
        })
}
