//! `COPY … FROM STDIN BINARY`: rows made on another thread, in chunks, in bounded memory.

use bytes::{BufMut, Bytes, BytesMut};
use chrono::{DateTime, NaiveDate, Utc};
use futures_util::{SinkExt, pin_mut};
use tokio::sync::mpsc;
use tokio_postgres::Client;
use uuid::Uuid;

use super::progress::Progress;

/// Bytes that go to the server at a time.
const CHUNK: usize = 128 * 1024;
/// Chunks that wait for the server.
const WAITING: usize = 4;
/// What a binary copy begins with: signature, flags, length of the header's extension.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// PostgreSQL counts days and microseconds from 2000-01-01.
const EPOCH_DAYS: i32 = 730_120;
const EPOCH_MICROS: i64 = 946_684_800_000_000;

/// Takes rows, field by field.
pub struct CopyRows {
    buffer: BytesMut,
    to: mpsc::Sender<Bytes>,
    progress: Progress,
    lost: bool,
}

impl CopyRows {
    /// Begins a row of so many fields. False when the receiver takes no more rows.
    pub fn row(&mut self, fields: i16) -> bool {
        if self.buffer.len() >= CHUNK {
            self.send();
        }
        self.buffer.put_i16(fields);
        self.progress.add(1);
        !self.lost
    }

    pub fn null(&mut self) {
        self.buffer.put_i32(-1);
    }

    pub fn bytes(&mut self, value: &[u8]) {
        self.buffer.put_i32(i32::try_from(value.len()).unwrap_or(0));
        self.buffer.put_slice(value);
    }

    pub fn text(&mut self, value: &str) {
        self.bytes(value.as_bytes());
    }

    pub fn id(&mut self, value: Uuid) {
        self.bytes(value.as_bytes());
    }

    pub fn bool(&mut self, value: bool) {
        self.bytes(&[u8::from(value)]);
    }

    pub fn small(&mut self, value: i16) {
        self.bytes(&value.to_be_bytes());
    }

    pub fn int(&mut self, value: i32) {
        self.bytes(&value.to_be_bytes());
    }

    pub fn day(&mut self, value: NaiveDate) {
        use chrono::Datelike;
        self.int(value.num_days_from_ce() - EPOCH_DAYS);
    }

    pub fn time(&mut self, value: DateTime<Utc>) {
        self.bytes(&(value.timestamp_micros() - EPOCH_MICROS).to_be_bytes());
    }

    pub fn json(&mut self, value: &serde_json::Value) {
        self.bytes(value.to_string().as_bytes());
    }

    /// A field that may be missing.
    pub fn maybe<T>(&mut self, value: Option<T>, put: impl FnOnce(&mut Self, T)) {
        match value {
            Some(value) => put(self, value),
            None => self.null(),
        }
    }

    fn send(&mut self) {
        self.lost |= self.to.blocking_send(self.buffer.split().freeze()).is_err();
    }
}

/// Copies into `target`, a table with its columns, what `make` puts into the rows on a thread of its own.
///
/// # Errors
/// When the server refuses a row, or `make` fails.
pub async fn copy(
    client: &Client,
    target: &str,
    progress: Progress,
    make: impl FnOnce(&mut CopyRows) -> Result<(), String> + Send + 'static,
) -> Result<u64, String> {
    let failed = |e: tokio_postgres::Error| format!("{target}: {}", explain(&e));
    let sink = client.copy_in::<_, Bytes>(&format!("COPY {target} FROM STDIN BINARY")).await.map_err(failed)?;
    pin_mut!(sink);
    let (to, mut from) = mpsc::channel(WAITING);
    let maker = tokio::task::spawn_blocking(move || {
        let mut rows = CopyRows { buffer: BytesMut::with_capacity(2 * CHUNK), to, progress, lost: false };
        rows.buffer.put_slice(HEADER);
        let made = make(&mut rows);
        rows.buffer.put_i16(-1);
        rows.send();
        rows.progress.done();
        made
    });
    while let Some(chunk) = from.recv().await {
        sink.send(chunk).await.map_err(failed)?;
    }
    maker.await.map_err(|e| e.to_string())??;
    sink.finish().await.map_err(failed)
}

/// The client's own message is only "db error"; what the server said is its cause.
pub fn explain(error: &tokio_postgres::Error) -> String {
    error.as_db_error().map_or_else(|| error.to_string(), ToString::to_string)
}
