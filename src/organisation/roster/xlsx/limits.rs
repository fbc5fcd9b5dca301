//! Limits on the size of a workbook.

use serde::{Deserialize, Serialize};

/// What a workbook can have too much of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Bound {
    FileBytes,
    ArchiveEntries,
    UnzippedBytes,
    CompressionRatio,
    SharedStrings,
    Elements,
    Styles,
    TagBytes,
    Rows,
    Columns,
}

impl Bound {
    /// What is bounded, in Vietnamese.
    #[must_use]
    pub const fn vi(self) -> &'static str {
        match self {
            Self::FileBytes => "byte trong tệp",
            Self::ArchiveEntries => "thành phần trong tệp",
            Self::UnzippedBytes => "byte sau khi giải nén",
            Self::CompressionRatio => "lần khi giải nén một thành phần",
            Self::SharedStrings => "chuỗi văn bản",
            Self::Elements => "phần tử định dạng",
            Self::Styles => "kiểu định dạng ô",
            Self::TagBytes => "byte trong một thẻ XML",
            Self::Rows => "dòng",
            Self::Columns => "cột",
        }
    }

    /// What is bounded, in English.
    #[must_use]
    pub const fn en(self) -> &'static str {
        match self {
            Self::FileBytes => "file bytes",
            Self::ArchiveEntries => "archive entries",
            Self::UnzippedBytes => "unzipped bytes",
            Self::CompressionRatio => "compression ratio",
            Self::SharedStrings => "shared strings",
            Self::Elements => "elements",
            Self::Styles => "styles",
            Self::TagBytes => "tag bytes",
            Self::Rows => "rows",
            Self::Columns => "columns",
        }
    }
}

/// Upper bounds for one import. Whatever exceeds one is refused before it costs
/// memory or time; see `RosterError::TooLarge`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RosterLimits {
    /// Bytes of the file as uploaded.
    pub input_bytes: u64,
    /// Bytes of all parts that are read together, unzipped.
    pub unzipped_bytes: u64,
    /// How many times larger than its zipped form a part may be. Parts that stay
    /// below 1 MiB unzipped are exempt: tiny ones compress arbitrarily well.
    pub ratio: u64,
    /// Entries of the archive.
    pub entries: usize,
    /// Bytes of one XML tag with its attributes.
    pub tag_bytes: usize,
    /// Entries of the shared-string table.
    pub shared_strings: u64,
    /// XML elements other than cells, rows and strings (styles, merges, rich
    /// text …), over all parts.
    pub elements: u64,
    /// XML elements of the style sheet: each may become a copy of another, so
    /// that they are the dearest per byte.
    pub style_elements: u64,
    /// The last row that may hold a value (1-based).
    pub rows: u32,
    /// The number of columns that may hold values.
    pub columns: u32,
    /// How many members may be secretary: one in a cell, many in a province.
    pub secretaries: usize,
}

const MIB: u64 = 1 << 20;

impl RosterLimits {
    /// For the roster of one cell that a user uploads.
    #[must_use]
    pub const fn cell() -> Self {
        Self {
            input_bytes: 20 * MIB,
            unzipped_bytes: 64 * MIB,
            ratio: 200,
            entries: 1_000,
            tag_bytes: 1 << 20,
            shared_strings: 1_000_000,
            elements: 100_000,
            style_elements: 20_000,
            rows: 200_000,
            columns: 100,
            secretaries: 1,
        }
    }

    /// For the roster of a whole province (108,600 members) that an operator
    /// imports from the command line.
    #[must_use]
    pub const fn province() -> Self {
        Self {
            input_bytes: 200 * MIB,
            unzipped_bytes: 512 * MIB,
            shared_strings: 4_000_000,
            elements: 2_000_000,
            secretaries: usize::MAX,
            ..Self::cell()
        }
    }
}

impl Default for RosterLimits {
    fn default() -> Self {
        Self::cell()
    }
}
