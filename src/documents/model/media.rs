//! Media types of files, recognised by their first bytes, not by what the client claims.

/// A kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Media {
    Pdf,
    Docx,
    Xlsx,
    Png,
    Jpeg,
    Mp3,
}

impl Media {
    pub const ALL: &'static [Media] = &[Media::Pdf, Media::Docx, Media::Xlsx, Media::Png, Media::Jpeg, Media::Mp3];

    /// Its media type.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Docx => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Mp3 => "audio/mpeg",
        }
    }

    /// How names of such files end, the first one preferred.
    pub fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::Pdf => &["pdf"],
            Self::Docx => &["docx"],
            Self::Xlsx => &["xlsx"],
            Self::Png => &["png"],
            Self::Jpeg => &["jpg", "jpeg"],
            Self::Mp3 => &["mp3"],
        }
    }

    /// Whether a name ends as names of such files do: on a member's computer the name decides what opens the file.
    pub fn fits(self, name: &str) -> bool {
        name.rsplit_once('.').is_some_and(|(stem, end)| {
            !stem.trim().is_empty() && self.extensions().iter().any(|known| known.eq_ignore_ascii_case(end))
        })
    }

    /// The kind a `Content-Type` header names; parameters are ignored.
    pub fn of_content_type(header: &str) -> Option<Self> {
        let essence = header.split(';').next().unwrap_or_default().trim();
        Self::ALL.iter().copied().find(|media| media.as_str().eq_ignore_ascii_case(essence))
    }

    /// The kind of file that a name ends like.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|media| media.fits(name))
    }

    fn begins(self, head: &[u8]) -> bool {
        match self {
            // Readers take what stands before, a byte order mark or the head of a mail.
            Self::Pdf => contains(head, b"%PDF-"),
            Self::Docx | Self::Xlsx => head.starts_with(b"PK\x03\x04"),
            Self::Png => head.starts_with(b"\x89PNG\r\n\x1a\n"),
            Self::Jpeg => head.starts_with(b"\xff\xd8\xff"),
            // A tag, or a frame of MPEG layer III.
            Self::Mp3 => head.starts_with(b"ID3") || matches!(head, [0xff, second, ..] if second & 0xe6 == 0xe2),
        }
    }

    /// How much of the beginning tells the kind.
    fn head_bytes(self) -> usize {
        match self {
            Self::Pdf => 1_024,
            _ => 8,
        }
    }

    /// The folder that tells one kind of Office file from the other; names stand uncompressed in a zip.
    fn folder(self) -> Option<&'static [u8]> {
        match self {
            Self::Docx => Some(b"word/"),
            Self::Xlsx => Some(b"xl/"),
            _ => None,
        }
    }
}

/// Looks at a file as it streams past, keeping a few bytes only.
pub struct Sniffer {
    media: Media,
    head: Vec<u8>,
    tail: Vec<u8>,
    folder_seen: bool,
}

impl Sniffer {
    pub fn new(media: Media) -> Self {
        Self { media, head: Vec::new(), tail: Vec::new(), folder_seen: false }
    }

    pub fn look(&mut self, chunk: &[u8]) {
        let missing = self.media.head_bytes() - self.head.len();
        self.head.extend_from_slice(&chunk[..missing.min(chunk.len())]);
        let Some(folder) = self.media.folder().filter(|_| !self.folder_seen) else {
            return;
        };
        let overlap = folder.len() - 1;
        self.tail.extend_from_slice(&chunk[..overlap.min(chunk.len())]);
        self.folder_seen = contains(&self.tail, folder) || contains(chunk, folder);
        self.tail.extend_from_slice(&chunk[overlap.min(chunk.len())..]);
        let surplus = self.tail.len().saturating_sub(overlap);
        self.tail.drain(..surplus);
    }

    /// Whether the content is of the declared type.
    pub fn agrees(&self) -> bool {
        self.media.begins(&self.head) && (self.folder_seen || self.media.folder().is_none())
    }
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agrees(media: Media, bytes: &[u8], chunk: usize) -> bool {
        let mut sniffer = Sniffer::new(media);
        bytes.chunks(chunk).for_each(|part| sniffer.look(part));
        sniffer.agrees()
    }

    #[test]
    fn a_file_is_what_it_begins_with() {
        for chunk in [1, 3, 1000] {
            assert!(agrees(Media::Pdf, b"%PDF-1.7 and so on", chunk));
            assert!(agrees(Media::Pdf, b"\xef\xbb\xbf%PDF-1.7", chunk));
            assert!(agrees(Media::Pdf, &[&[b' '; 1_019][..], b"%PDF-"].concat(), chunk));
            assert!(!agrees(Media::Pdf, &[&[b' '; 1_020][..], b"%PDF-"].concat(), chunk));
            assert!(agrees(Media::Png, b"\x89PNG\r\n\x1a\nIHDR", chunk));
            assert!(agrees(Media::Jpeg, b"\xff\xd8\xff\xe0JFIF", chunk));
            assert!(agrees(Media::Mp3, b"ID3\x04", chunk));
            assert!(agrees(Media::Mp3, b"\xff\xfb\x90\x00", chunk));
            assert!(!agrees(Media::Mp3, b"\xff\xd8\xff\xe0", chunk));
            assert!(!agrees(Media::Pdf, b"<html>", chunk));
            assert!(!agrees(Media::Pdf, b"", chunk));
        }
    }

    #[test]
    fn office_files_are_told_apart_by_their_folders() {
        for chunk in [1, 2, 5, 1000] {
            let document = b"PK\x03\x04........word/document.xml";
            let workbook = b"PK\x03\x04........xl/workbook.xml";
            assert!(agrees(Media::Docx, document, chunk), "{chunk}");
            assert!(agrees(Media::Xlsx, workbook, chunk), "{chunk}");
            assert!(!agrees(Media::Xlsx, document, chunk), "{chunk}");
            assert!(!agrees(Media::Docx, workbook, chunk), "{chunk}");
        }
    }

    #[test]
    fn content_types_read_back() {
        for media in Media::ALL {
            assert_eq!(Media::of_content_type(media.as_str()), Some(*media));
        }
        assert_eq!(Media::of_content_type("Application/PDF; x=y"), Some(Media::Pdf));
        assert_eq!(Media::of_content_type("text/html"), None);
    }
}
