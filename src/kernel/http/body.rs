//! The pace of request bodies: a body that stalls ends with 408, whichever handler reads it.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use bytes::Bytes;
use futures_util::Stream;
use tokio::time::Sleep;
use uuid::Uuid;

use super::problem::{Code, Problem};
use crate::kernel::config::Config;

use super::connections::Connection;
use super::turns::{Turn, Turns};

/// Fewest bytes a second over a window; the slowest lines in use carry twice as many.
const LEAST_RATE: u64 = 1000;
/// A body that takes longer than this is a slow one.
const SLOW: Duration = Duration::from_secs(2);
/// Slow bodies of one account at the same time; each may hold its bytes in memory.
const SLOW_AT_ONCE: usize = 16;

/// How slowly a body may arrive.
#[derive(Debug, Clone, Copy)]
pub struct ReadRate {
    /// The whole of it.
    total: Duration,
    /// Over any stretch of this length it keeps [`LEAST_RATE`].
    window: Option<Duration>,
}

impl ReadRate {
    /// Of JSON, which is small.
    pub fn json(config: &Config) -> Self {
        Self { total: Duration::from_secs(config.body_seconds.into()), window: None }
    }

    /// Of files, which a slow line sends for minutes.
    pub fn file(config: &Config) -> Self {
        Self {
            total: Duration::from_secs(config.file_seconds.into()),
            window: Some(Duration::from_secs(config.body_seconds.into())),
        }
    }

    /// How often the pace is looked at while nothing arrives.
    fn tick(&self) -> Duration {
        (self.window.unwrap_or(self.total) / 10).clamp(Duration::from_millis(50), Duration::from_secs(1))
    }
}

/// Whose slow bodies are counted.
pub struct Sender {
    pub turns: Arc<Turns>,
    pub account_id: Uuid,
}

/// A body that must keep a pace.
pub struct Paced {
    inner: Payload,
    pace: ReadRate,
    begun: Instant,
    bytes: u64,
    /// How much had arrived when, over the last window.
    seen: VecDeque<(Instant, u64)>,
    /// Made when the body is waited for; most are there at once.
    timer: Option<Pin<Box<Sleep>>>,
    sender: Option<Sender>,
    turn: Option<Turn>,
    connection: Option<Rc<Connection>>,
}

impl Paced {
    pub fn new(inner: Payload, pace: ReadRate, sender: Option<Sender>, connection: Option<Rc<Connection>>) -> Self {
        let begun = Instant::now();
        let seen = VecDeque::from([(begun, 0)]);
        Self { inner, pace, begun, bytes: 0, seen, timer: None, sender, turn: None, connection }
    }

    /// Refuses a body that has become too slow.
    fn look(&mut self, now: Instant) -> Result<(), PayloadError> {
        let took = now.duration_since(self.begun);
        if took > self.pace.total || self.is_below_rate(now) {
            return Err(PayloadError::Io(io::ErrorKind::TimedOut.into()));
        }
        if took > SLOW
            && self.turn.is_none()
            && let Some(sender) = &self.sender
        {
            self.turn = sender.turns.take(sender.account_id, SLOW_AT_ONCE);
            if self.turn.is_none() {
                return Err(PayloadError::Io(io::ErrorKind::QuotaExceeded.into()));
            }
        }
        Ok(())
    }

    fn is_below_rate(&mut self, now: Instant) -> bool {
        let Some(window) = self.pace.window else { return false };
        let tick = self.pace.tick();
        if self.seen.back().is_none_or(|(at, _)| now.duration_since(*at) >= tick) {
            self.seen.push_back((now, self.bytes));
        }
        // The newest of those that are a whole window old.
        while self.seen.get(1).is_some_and(|(at, _)| now.duration_since(*at) >= window) {
            self.seen.pop_front();
        }
        let Some((at, bytes)) = self.seen.front() else { return false };
        let stretch = now.duration_since(*at);
        stretch >= window && self.bytes - bytes < LEAST_RATE * window.as_secs()
    }
}

impl Stream for Paced {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        match Pin::new(&mut this.inner).poll_next(cx) {
            Poll::Ready(Some(Ok(chunk))) => {
                this.bytes += chunk.len() as u64;
                if let Some(connection) = &this.connection {
                    connection.receiving();
                }
                // Bytes that always come one by one are looked at too.
                return Poll::Ready(Some(this.look(Instant::now()).map(|()| chunk)));
            }
            Poll::Ready(end) => {
                if let Some(connection) = &this.connection {
                    connection.serving();
                }
                this.turn = None;
                return Poll::Ready(end);
            }
            Poll::Pending => {}
        }
        if this.timer.is_none()
            && let Some(connection) = &this.connection
        {
            connection.receiving();
        }
        let tick = this.pace.tick();
        loop {
            let timer = this.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(tick)));
            ready!(timer.as_mut().poll(cx));
            timer.as_mut().reset(tokio::time::Instant::now() + tick);
            if let Err(error) = this.look(Instant::now()) {
                return Poll::Ready(Some(Err(error)));
            }
        }
    }
}

/// What is said of a body that did not arrive whole.
pub fn broken(error: &PayloadError) -> Problem {
    match error {
        PayloadError::Io(error) if error.kind() == io::ErrorKind::TimedOut => Problem::with(
            Code::RequestTimeout,
            "Nội dung được gửi quá chậm. Hãy thử lại khi đường truyền tốt hơn.",
            "The body arrived too slowly. Try again when the connection is better.",
        ),
        PayloadError::Io(error) if error.kind() == io::ErrorKind::QuotaExceeded => Problem::with(
            Code::TooManyRequests,
            "Tài khoản này đang gửi quá nhiều nội dung chậm cùng lúc.",
            "This account has too many slow bodies on their way.",
        )
        .retry_after(5),
        _ => Problem::with(
            Code::MalformedBody,
            "Nội dung không được gửi trọn vẹn. Hãy gửi lại.",
            "The body did not arrive whole. Send it again.",
        ),
    }
}
