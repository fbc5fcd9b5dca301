//! Connections: none is held for nothing, and there is always room for another one.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::rc::{Rc, Weak};
use std::time::{Duration, Instant};

use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{Shutdown, shutdown, sockopt};
use rustix::process::{Resource, getrlimit, setrlimit};

/// The longest time one answer may take to a client that reads slowly.
const LONGEST_ANSWER: Duration = Duration::from_secs(4 * 3600);
/// What was sent is received within this time, milliseconds, or the client is gone.
const UNRECEIVED: u32 = 60_000;
/// Files that are no connections of clients: the database, Redis, files of documents.
const RESERVED: u64 = 300;
/// Each connection has two: the watch keeps one of its own.
const FILES_EACH: u64 = 2;
/// Connections beyond this are of no use to a worker.
const MOST: u64 = 10_000;

/// What connections of a worker may do.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How many there may be.
    pub most: usize,
    /// How long one waits for a client that need only send the rest of its request.
    pub silence: Duration,
}

/// Raises the limit on open files as far as it goes. Returns how many connections each of the workers may have.
pub fn most_each(workers: usize) -> usize {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(%error, "the limit on open files cannot be raised");
    }
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let workers = u64::try_from(workers).unwrap_or(u64::MAX).max(1);
    let each = (files.saturating_sub(RESERVED) / FILES_EACH / workers).clamp(16, MOST);
    usize::try_from(each).unwrap_or(usize::MAX)
}

impl Limits {
    fn are_near(&self, open: usize) -> bool {
        open * 10 > self.most * 9
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// For a request, or for the client to read the answer.
    Waiting,
    /// The body of a request comes in.
    Receiving,
    /// A handler works.
    Serving,
}

/// An open connection of this worker.
pub struct Connection {
    socket: OwnedFd,
    address: Option<IpAddr>,
    phase: Cell<Phase>,
    since: Cell<Instant>,
}

impl Connection {
    fn enter(&self, phase: Phase) {
        self.phase.set(phase);
        self.since.set(Instant::now());
    }

    pub fn receiving(&self) {
        self.enter(Phase::Receiving);
    }

    pub fn serving(&self) {
        self.enter(Phase::Serving);
    }

    fn close(&self) {
        // It fails when the client has done so already.
        let _ = shutdown(&self.socket, Shutdown::Both);
    }

    /// Whether it waits for a client that does nothing.
    fn is_stale(&self, now: Instant, longest: Duration) -> bool {
        let silence = now.duration_since(self.since.get());
        self.phase.get() == Phase::Waiting
            && silence > longest
            // While an answer is on its way the socket takes no more; the kernel ends it if nothing is received at all.
            && (silence > LONGEST_ANSWER || takes_more(&self.socket))
    }
}

fn takes_more(socket: &OwnedFd) -> bool {
    let mut sockets = [PollFd::new(socket, PollFlags::OUT)];
    poll(&mut sockets, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).is_ok_and(|ready| ready > 0)
}

/// A request being served; afterwards the connection waits again.
pub struct Busy(Rc<Connection>);

impl Busy {
    pub fn new(connection: Rc<Connection>) -> Self {
        connection.serving();
        Self(connection)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.enter(Phase::Waiting);
    }
}

thread_local! {
    /// Those of this worker; empty before its first one.
    static OPEN: RefCell<Vec<Weak<Connection>>> = const { RefCell::new(Vec::new()) };
}

/// Takes in a new connection.
pub fn accept(io: &dyn Any, data: &mut Extensions, limits: Limits) {
    let Some(stream) = io.downcast_ref::<TcpStream>() else { return };
    // Where the system knows no such thing, the other limits hold.
    let _ = sockopt::set_tcp_user_timeout(stream, UNRECEIVED);
    let Ok(socket) = rustix::io::fcntl_dupfd_cloexec(stream, 0) else { return };
    let address = stream.peer_addr().ok().map(|peer| peer.ip());
    let (phase, since) = (Cell::new(Phase::Waiting), Cell::new(Instant::now()));
    let connection = Rc::new(Connection { socket, address, phase, since });
    let watched = OPEN.with_borrow_mut(|open| {
        let watched = open.capacity() > 0;
        open.push(Rc::downgrade(&connection));
        // A tenth is kept free, so that a new client never waits for old ones.
        if limits.are_near(open.len()) {
            open.retain(|one| one.strong_count() > 0);
            if limits.are_near(open.len()) {
                make_room(open);
            }
        }
        watched
    });
    if !watched {
        actix_web::rt::spawn(watch(limits.silence));
    }
    data.insert(connection);
}

/// Closes the connection that has waited longest for its client, among those of the address that has most.
fn make_room(open: &[Weak<Connection>]) {
    let open: Vec<Rc<Connection>> = open.iter().filter_map(Weak::upgrade).collect();
    let mut counts: HashMap<Option<IpAddr>, usize> = HashMap::new();
    for connection in open.iter().filter(|one| one.phase.get() != Phase::Serving) {
        *counts.entry(connection.address).or_default() += 1;
    }
    let crowd = counts.into_iter().max_by_key(|(_, count)| *count).map(|(address, _)| address);
    let of_crowd = |one: &&Rc<Connection>| Some(one.address) == crowd && one.phase.get() != Phase::Serving;
    if let Some(oldest) = open.iter().filter(of_crowd).min_by_key(|one| one.since.get()) {
        oldest.close();
        // Not chosen again before it has gone.
        oldest.serving();
    }
}

/// Closes what is stale, as long as the worker runs.
async fn watch(silence: Duration) {
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let now = Instant::now();
        OPEN.with_borrow_mut(|open| {
            open.retain(|one| one.strong_count() > 0);
            for connection in open.iter().filter_map(Weak::upgrade).filter(|one| one.is_stale(now, silence)) {
                connection.close();
            }
        });
    }
}
