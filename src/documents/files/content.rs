//! Contents of files in the store: streamed in under an unguessable key, streamed out in parts.

use std::ops::Range;

use aws_lc_rs::digest::{Context, SHA256};
use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt};
use object_store::path::Path;
use object_store::{GetOptions, ObjectStore, ObjectStoreExt, WriteMultipart};

use crate::documents::extraction::Extracted;
use crate::documents::model::{Media, Sniffer};
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::http::spool::too_large;
use crate::kernel::security::crypto::{random_bytes, to_text};

/// Parts written at the same time; with their size they bound the memory of an upload.
const PARTS_AT_ONCE: usize = 2;
/// Bytes a part; S3 takes no smaller ones than 5 MiB.
const PART_BYTES: usize = 5 * 1024 * 1024;

/// A file whose contents are in the file store.
#[derive(Debug, Clone)]
pub struct StoredFile {
    pub media: Media,
    pub bytes: i64,
    pub sha256: Vec<u8>,
    /// Its text, when it was read already.
    pub read: Option<Extracted>,
    pub(super) key: String,
}

/// Stores a file. Nothing remains of a refused one.
///
/// # Errors
/// 413 above `most` bytes, 422 when it is not of the kind it is said to be, 400 when the sender breaks off.
pub async fn keep<E>(
    files: &dyn ObjectStore,
    media: Media,
    most: usize,
    content: impl Stream<Item = Result<Bytes, E>>,
) -> Result<StoredFile, Problem> {
    let key = format!("documents/{}", to_text(&random_bytes::<32>().map_err(Problem::internal)?));
    let upload = files.put_multipart(&Path::from(key.as_str())).await.map_err(store_away)?;
    let mut writer = WriteMultipart::new_with_chunk_size(upload, PART_BYTES);
    match pour(&mut writer, media, most, content).await {
        Ok((bytes, sha256)) => {
            writer.finish().await.map_err(store_away)?;
            Ok(StoredFile { media, bytes, sha256, read: None, key })
        }
        Err(problem) => {
            if let Err(error) = writer.abort().await {
                tracing::warn!(%error, "a refused upload could not be removed");
            }
            Err(problem)
        }
    }
}

async fn pour<E>(
    writer: &mut WriteMultipart,
    media: Media,
    most: usize,
    content: impl Stream<Item = Result<Bytes, E>>,
) -> Result<(i64, Vec<u8>), Problem> {
    let (mut bytes, mut digest, mut sniffer) = (0, Context::new(&SHA256), Sniffer::new(media));
    let mut content = std::pin::pin!(content);
    while let Some(chunk) = content.next().await {
        let chunk = chunk.map_err(|_| Problem::new(Code::MalformedBody))?;
        bytes += chunk.len();
        if bytes > most {
            return Err(too_large(most));
        }
        digest.update(&chunk);
        sniffer.look(&chunk);
        writer.wait_for_capacity(PARTS_AT_ONCE).await.map_err(store_away)?;
        writer.put(chunk);
    }
    if !sniffer.agrees() {
        return Err(Problem::with(
            Code::FileUnreadable,
            format!("Tệp không phải là {}.", media.as_str()),
            format!("The file is not of the type {}.", media.as_str()),
        ));
    }
    let bytes = i64::try_from(bytes).map_err(Problem::internal)?;
    Ok((bytes, digest.finish().as_ref().to_vec()))
}

/// Removes the contents of a file that no document has.
pub async fn discard(files: &dyn ObjectStore, file: &StoredFile) {
    if let Err(error) = files.delete(&Path::from(file.key.as_str())).await {
        tracing::warn!(%error, "an unused file could not be removed");
    }
}

/// The contents of a file, or a part of them.
pub async fn open(
    files: &dyn ObjectStore,
    key: &str,
    range: Option<Range<u64>>,
) -> Result<BoxStream<'static, object_store::Result<Bytes>>, Problem> {
    let options = GetOptions { range: range.map(Into::into), ..GetOptions::default() };
    let found = files.get_opts(&Path::from(key), options).await.map_err(store_away)?;
    Ok(found.into_stream())
}

/// The store cannot be reached; nothing is lost.
pub fn store_away(error: object_store::Error) -> Problem {
    tracing::error!(%error, "the file store fails");
    Problem::with(
        Code::Unavailable,
        "Kho tệp tạm thời gián đoạn; hãy thử lại sau ít phút.",
        "The file store is away: try again in a moment.",
    )
    .retry_after(5)
}
