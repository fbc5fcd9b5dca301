//! Lines of totals: each is held against the section or the list that it sums up.

use super::RosterRow;
use super::title::DeclaredTotal;

/// How many members some rows have; the standing is known only when every row could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SectionCounts {
    members: usize,
    /// Official, on probation, exempt.
    standing: Option<[usize; 3]>,
}

impl SectionCounts {
    pub fn of(members: usize, rows: &[RosterRow]) -> Self {
        let standing = (rows.len() == members).then(|| {
            let official = rows.iter().filter(|row| row.official_on.is_some()).count();
            [official, members - official, rows.iter().filter(|row| row.exempt).count()]
        });
        Self { members, standing }
    }

    pub fn plus(self, other: Self) -> Self {
        let standing = self.standing.zip(other.standing).map(|(a, b)| std::array::from_fn(|index| a[index] + b[index]));
        Self { members: self.members + other.members, standing }
    }

    /// What the line says differently: the number it says, the one counted, and of what in both languages.
    fn differing(&self, stated: &DeclaredTotal) -> Vec<(u32, usize, &'static str, &'static str)> {
        let [official, probationary, exempt] = self.standing.map_or([None; 3], |counts| counts.map(Some));
        [
            (stated.members, Some(self.members), "đảng viên", "members"),
            (stated.official, official, "chính thức", "official"),
            (stated.probationary, probationary, "dự bị", "probationary"),
            (stated.exempt, exempt, "miễn sinh hoạt", "exempt"),
        ]
        .into_iter()
        .filter_map(|(stated, counted, vi, en)| {
            let (stated, counted) = (stated?, counted?);
            (stated as usize != counted).then_some((stated, counted, vi, en))
        })
        .collect()
    }
}

/// How many members, and how many rows that could be read, come before a place.
pub(super) type Mark = (usize, usize);

/// A line of totals and the places at which its section may begin.
#[derive(Debug)]
struct TotalLine {
    stated: DeclaredTotal,
    position: u32,
    whole: bool,
    before: Mark,
    /// After the line of totals before it, and after the last line that is no member.
    starts: [Mark; 2],
}

/// The lines of totals of a sheet.
#[derive(Debug, Default)]
pub(super) struct RosterTotals {
    lines: Vec<TotalLine>,
    section: Mark,
}

/// A stated number that is wrong, and where it stands.
pub(super) struct Mismatch {
    pub row: u32,
    pub position: u32,
    pub stated: u32,
    pub counted: usize,
    pub vi: &'static str,
    pub en: &'static str,
}

impl RosterTotals {
    /// Takes a line of totals that `before` comes before. A line that says "tổng" is `whole`.
    pub fn take(&mut self, stated: DeclaredTotal, position: u32, whole: bool, before: Mark) {
        let after_last = self.lines.last().map_or((0, 0), |line| line.before);
        self.lines.push(TotalLine { stated, position, whole, before, starts: [after_last, self.section] });
    }

    /// A line that is neither a member nor a total may begin a section.
    pub fn section(&mut self, before: Mark) {
        self.section = before;
    }

    pub fn any(&self) -> bool {
        !self.lines.is_empty()
    }

    /// What the last line states.
    pub fn declared(&self) -> Option<DeclaredTotal> {
        self.lines.last().map(|line| line.stated)
    }

    /// Holds each line against its section, the last one against the sheet or, if there are several, all sheets.
    pub fn mismatches(&self, members: usize, rows: &[RosterRow], all: SectionCounts) -> Vec<Mismatch> {
        let mut wrong = Vec::new();
        let sheet = SectionCounts::of(members, rows);
        for (index, line) in self.lines.iter().enumerate() {
            let part = |start: &Mark| SectionCounts::of(line.before.0 - start.0, &rows[start.1..line.before.1]);
            let last = index + 1 == self.lines.len() && (line.whole || line.before.0 == members);
            let mut candidates: Vec<SectionCounts> = if last { vec![sheet, all] } else { Vec::new() };
            if !(last && (line.whole || self.lines.len() == 1)) {
                candidates.extend(line.starts.iter().map(part));
            }
            let found: Vec<_> = candidates.iter().map(|counts| counts.differing(&line.stated)).collect();
            if found.iter().any(Vec::is_empty) {
                continue;
            }
            let first = found.into_iter().next().unwrap_or_default();
            wrong.extend(first.into_iter().map(|(stated, counted, vi, en)| Mismatch {
                row: line.stated.row,
                position: line.position,
                stated,
                counted,
                vi,
                en,
            }));
        }
        wrong
    }
}
