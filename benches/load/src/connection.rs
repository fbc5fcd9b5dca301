//! One keep-alive connection: a request out, its answer in.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::time::Instant;

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

/// The request a connection waits for.
#[derive(Debug, Clone, Copy)]
pub struct Sent {
    pub kind: usize,
    /// When it was due; the time on the way is counted from here.
    pub due: Instant,
    pub measured: bool,
}

/// A whole answer.
pub struct Answer<'a> {
    pub status: u16,
    pub body: &'a [u8],
}

pub struct Connection {
    stream: TcpStream,
    out: Vec<u8>,
    written: usize,
    got: Vec<u8>,
    filled: usize,
    pub sent: Option<Sent>,
}

/// Answers longer than this are not what the benches ask for.
const LONGEST: usize = 4 * 1024 * 1024;

impl Connection {
    pub fn open(address: SocketAddr, registry: &Registry, token: Token) -> Result<Self, String> {
        // Connected before the clock runs; only then it is made non-blocking.
        let stream = std::net::TcpStream::connect(address).map_err(|e| format!("{address}: {e}"))?;
        stream.set_nodelay(true).and_then(|()| stream.set_nonblocking(true)).map_err(|e| e.to_string())?;
        let mut stream = TcpStream::from_std(stream);
        registry.register(&mut stream, token, Interest::READABLE | Interest::WRITABLE).map_err(|e| e.to_string())?;
        Ok(Self { stream, out: Vec::with_capacity(2048), written: 0, got: vec![0; 16 * 1024], filled: 0, sent: None })
    }

    /// Sends a request that `write` makes.
    pub fn send(&mut self, sent: Sent, write: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        self.out.clear();
        write(&mut self.out);
        self.written = 0;
        self.filled = 0;
        self.sent = Some(sent);
        self.flush()
    }

    /// Writes what is left of the request.
    pub fn flush(&mut self) -> io::Result<()> {
        while self.written < self.out.len() {
            match self.stream.write(&self.out[self.written..]) {
                Ok(n) => self.written += n,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads what has come; the answer, once it is whole. An error means that the connection is lost.
    pub fn receive(&mut self) -> io::Result<Option<Answer<'_>>> {
        loop {
            if self.filled == self.got.len() {
                self.got.resize(2 * self.filled, 0);
            }
            match self.stream.read(&mut self.got[self.filled..]) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(n) => self.filled += n,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            }
            if self.sent.is_none() || self.filled > LONGEST {
                return Err(io::Error::other("an unexpected answer"));
            }
            // The server says nothing without being asked: once the answer is whole there is nothing more to read, and a
            // short read means that more will be announced.
            if let Some((status, body, end)) = parse(&self.got[..self.filled])? {
                return Ok(Some(Answer { status, body: &self.got[body..end] }));
            }
            if self.filled < self.got.len() {
                return Ok(None);
            }
        }
    }

    pub fn close(&mut self, registry: &Registry) {
        // It is dropped right after, so errors are ignored.
        let _ = registry.deregister(&mut self.stream);
    }
}

/// Status, beginning and end of the body, if all of it is there.
fn parse(got: &[u8]) -> io::Result<Option<(u16, usize, usize)>> {
    let Some(head) = got.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    let odd = || io::Error::other("not an answer that can be read");
    let text = std::str::from_utf8(&got[..head]).map_err(|_| odd())?;
    let mut lines = text.split("\r\n");
    let status = lines.next().and_then(|line| line.get(9..12)).and_then(|code| code.parse().ok()).ok_or_else(odd)?;
    let mut length = 0;
    for line in lines {
        let (name, value) = line.split_once(':').ok_or_else(odd)?;
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().map_err(|_| odd())?;
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            return Err(io::Error::other("an answer in chunks"));
        }
    }
    let end = head + 4 + length;
    Ok((got.len() >= end).then_some((status, head + 4, end)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_when_its_body_is() {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nx: y\r\n\r\nhello";
        assert_eq!(parse(answer).unwrap(), Some((200, 44, 49)));
        assert_eq!(parse(&answer[..48]).unwrap(), None);
        assert_eq!(parse(&answer[..20]).unwrap(), None);
        assert!(parse(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").is_err());
    }
}
