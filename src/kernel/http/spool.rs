//! Uploads wait on disk until they are whole: a slow one costs neither memory nor a turn of others.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use actix_web::error::PayloadError;
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt, stream};

use super::problem::{Code, Problem};
use crate::kernel::ids::new_id;

use super::body::broken;

/// Bytes collected before they are written, and bytes read at a time.
const BLOCK: usize = 64 * 1024;

/// A whole upload, in a file without a name that goes with it.
#[derive(Debug)]
pub struct Spooled {
    file: File,
    bytes: usize,
}

/// A file has at most this many bytes.
pub fn too_large(most: usize) -> Problem {
    Problem::with(Code::TooLarge, format!("Tệp lớn nhất {most} byte."), format!("A file has at most {most} bytes."))
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.map_err(Problem::internal)?.map_err(Problem::internal)
}

/// Takes in a body of at most `most` bytes.
///
/// # Errors
/// 413 beyond that, 408 when it stalls, 400 when it breaks off.
pub async fn receive(
    folder: &Path,
    mut content: impl Stream<Item = Result<Bytes, PayloadError>> + Unpin,
    most: usize,
) -> Result<Spooled, Problem> {
    let path = folder.join(new_id(chrono::Utc::now()).to_string());
    let mut file = blocking(move || {
        let file = File::options().create_new(true).read(true).write(true).open(&path)?;
        // Without a name nothing is left behind, however the process ends.
        std::fs::remove_file(&path)?;
        Ok(file)
    })
    .await?;
    let (mut bytes, mut block) = (0, BytesMut::new());
    while let Some(chunk) = content.next().await {
        let chunk = chunk.map_err(|error| broken(&error))?;
        bytes += chunk.len();
        if bytes > most {
            return Err(too_large(most));
        }
        block.extend_from_slice(&chunk);
        if block.len() >= BLOCK {
            file = append(file, block.split().freeze()).await?;
        }
    }
    file = append(file, block.freeze()).await?;
    Ok(Spooled { file, bytes })
}

async fn append(mut file: File, block: Bytes) -> Result<File, Problem> {
    blocking(move || file.write_all(&block).map(|()| file)).await
}

impl Spooled {
    /// All of it in memory.
    ///
    /// # Errors
    /// 500 when the disk fails.
    pub async fn into_bytes(mut self) -> Result<Bytes, Problem> {
        blocking(move || {
            let mut bytes = Vec::with_capacity(self.bytes);
            self.file.seek(SeekFrom::Start(0))?;
            self.file.read_to_end(&mut bytes)?;
            Ok(bytes.into())
        })
        .await
    }

    /// All of it, a block at a time.
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes, Problem>> {
        stream::try_unfold((self.file, false), async |(file, begun)| {
            let (block, file) = blocking(move || read_block(file, begun)).await?;
            Ok((!block.is_empty()).then_some((block, (file, true))))
        })
    }
}

fn read_block(mut file: File, begun: bool) -> io::Result<(Bytes, File)> {
    if !begun {
        file.seek(SeekFrom::Start(0))?;
    }
    let mut block = Vec::with_capacity(BLOCK);
    (&mut file).take(BLOCK as u64).read_to_end(&mut block)?;
    Ok((block.into(), file))
}
