//! The event loop: an idle connection sends the next request, or waits until one is due.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token};

use crate::connection::{Connection, Sent};
use crate::outcome::{Outcome, Tallies};
use crate::plan::Plan;
use crate::request::{People, Template};

/// How long to wait for answers after the last request.
const DB_TIMEOUT: Duration = Duration::from_secs(10);

/// A kind of request, and the next person.
struct Kind {
    template: Template,
    share: f64,
    /// Grows by the share at each choice; the greatest is chosen and pays the sum of all shares.
    credit: f64,
    next: usize,
    from: usize,
    to: usize,
    once: bool,
    status: u16,
    expect: Option<Vec<u8>>,
}

impl Kind {
    fn take(&mut self) -> Option<usize> {
        if self.next == self.to {
            if self.once {
                return None;
            }
            self.next = self.from;
        }
        self.next += 1;
        Some(self.next - 1)
    }
}

struct Engine<'a> {
    plan: &'a Plan,
    people: &'a People,
    poll: Poll,
    kinds: Vec<Kind>,
    connections: Vec<Connection>,
    /// The one that has rested longest comes first: a server closes those that rest for too long.
    idle: VecDeque<usize>,
    /// Requests that were due while every connection was busy.
    late: VecDeque<(usize, Instant)>,
    tallies: Tallies,
    serial: u64,
    busy: usize,
    used_up: bool,
    warm_until: Instant,
    end: Instant,
    last: Instant,
}

/// Runs a plan to its end.
pub fn run(plan: &Plan, people: &People) -> Result<Outcome, String> {
    let poll = Poll::new().map_err(|e| e.to_string())?;
    let kinds = plan.kinds.iter().map(|kind| prepare(kind, people)).collect::<Result<_, _>>()?;
    let connections = (0..plan.connections)
        .map(|n| Connection::open(plan.address, poll.registry(), Token(n)))
        .collect::<Result<Vec<_>, _>>()?;
    let start = Instant::now();
    let warm_until = start + Duration::from_secs_f64(plan.warm_seconds);
    let mut engine = Engine {
        plan,
        people,
        poll,
        kinds,
        idle: (0..connections.len()).collect(),
        connections,
        late: VecDeque::new(),
        tallies: Tallies::new(plan.kinds.iter().map(|kind| &kind.name))?,
        serial: 0,
        busy: 0,
        used_up: false,
        warm_until,
        end: warm_until + Duration::from_secs_f64(plan.seconds),
        last: warm_until,
    };
    engine.go(start)?;
    // A run that ended early, because all people had their turn, is as long as it lasted.
    let measured = engine.last.min(engine.end).saturating_duration_since(warm_until).max(Duration::from_millis(1));
    Ok(engine.tallies.finish(if engine.used_up { measured } else { engine.end - warm_until }))
}

fn prepare(kind: &crate::plan::Kind, people: &People) -> Result<Kind, String> {
    let (from, to) = (kind.from.unwrap_or(0), kind.to.unwrap_or(people.len()).min(people.len()));
    if from >= to {
        return Err(format!("{}: there are no people to make requests for", kind.name));
    }
    Ok(Kind {
        template: Template::new(kind)?,
        share: kind.share,
        credit: 0.0,
        next: from,
        from,
        to,
        once: kind.once,
        status: kind.status,
        expect: kind.expect.as_ref().map(|text| text.as_bytes().to_vec()),
    })
}

impl Engine<'_> {
    fn go(&mut self, start: Instant) -> Result<(), String> {
        let mut events = Events::with_capacity(1024);
        let mut issued: u32 = 0;
        loop {
            let now = Instant::now();
            let sending = now < self.end && !self.used_up;
            if !sending && (self.busy == 0 || now > self.end + DB_TIMEOUT) {
                self.give_up();
                return Ok(());
            }
            let mut wait = Some(Duration::from_millis(200));
            match self.plan.rate {
                None if sending => {
                    while !self.used_up
                        && let Some(n) = self.idle.pop_front()
                    {
                        self.issue(n, now)?;
                    }
                }
                Some(rate) if sending => {
                    let due = |n: u32| start + Duration::from_secs_f64(f64::from(n) / rate);
                    while due(issued) <= now && due(issued) < self.end {
                        self.paced(due(issued))?;
                        issued += 1;
                    }
                    wait = Some(due(issued).saturating_duration_since(now).min(Duration::from_millis(200)));
                }
                _ => {}
            }
            match self.poll.poll(&mut events, wait) {
                Err(error) if error.kind() != std::io::ErrorKind::Interrupted => return Err(error.to_string()),
                _ => {}
            }
            for event in &events {
                self.ready(event.token().0, event.is_readable() || event.is_read_closed(), event.is_writable())?;
            }
        }
    }

    /// What is not answered by now counts as an error.
    fn give_up(&mut self) {
        for connection in &self.connections {
            if let Some(sent) = connection.sent.filter(|sent| sent.measured) {
                self.tallies.add_error(sent.kind, 0, b"no answer");
            }
        }
        for (kind, _) in &self.late {
            self.tallies.add_error(*kind, 0, b"not sent");
        }
    }

    /// Which kind is next, so that the shares come out even at every moment.
    fn choose(&mut self) -> usize {
        let sum: f64 = self.kinds.iter().map(|kind| kind.share).sum();
        for kind in &mut self.kinds {
            kind.credit += kind.share;
        }
        let best = |a: &usize, b: &usize| self.kinds[*a].credit.total_cmp(&self.kinds[*b].credit);
        let chosen = (0..self.kinds.len()).max_by(best).unwrap_or(0);
        self.kinds[chosen].credit -= sum;
        chosen
    }

    fn paced(&mut self, due: Instant) -> Result<(), String> {
        let kind = self.choose();
        match self.idle.pop_front() {
            Some(n) => self.send(n, kind, due),
            None => {
                self.late.push_back((kind, due));
                Ok(())
            }
        }
    }

    fn issue(&mut self, n: usize, now: Instant) -> Result<(), String> {
        let kind = self.choose();
        self.send(n, kind, now)
    }

    fn send(&mut self, n: usize, kind: usize, due: Instant) -> Result<(), String> {
        let Some(person) = self.kinds[kind].take() else {
            // In a mix, the others go on.
            self.used_up |= self.kinds.len() == 1;
            self.kinds[kind].share = 0.0;
            self.kinds[kind].credit = f64::MIN;
            self.idle.push_back(n);
            return Ok(());
        };
        self.serial += 1;
        self.busy += 1;
        let sent = Sent { kind, due, measured: due >= self.warm_until };
        let (template, people, serial) = (&self.kinds[kind].template, self.people, self.serial);
        match self.connections[n].send(sent, |to| template.write(to, people, person, serial)) {
            Ok(()) => Ok(()),
            Err(error) => self.lost(n, &error.to_string()),
        }
    }

    fn ready(&mut self, n: usize, readable: bool, writable: bool) -> Result<(), String> {
        if writable && let Err(error) = self.connections[n].flush() {
            return self.lost(n, &error.to_string());
        }
        if !readable {
            return Ok(());
        }
        let sent = self.connections[n].sent;
        let (status, expected) = match (self.connections[n].receive(), sent) {
            (Err(error), _) => return self.lost(n, &error.to_string()),
            (Ok(Some(answer)), Some(sent)) => {
                let kind = &self.kinds[sent.kind];
                let expected = kind.expect.as_ref().is_some_and(|text| contains(answer.body, text));
                if answer.status != kind.status {
                    self.tallies.add_error(sent.kind, answer.status, answer.body);
                }
                (answer.status, expected)
            }
            _ => return Ok(()),
        };
        self.answered(n, status, expected)
    }

    fn answered(&mut self, n: usize, status: u16, expected: bool) -> Result<(), String> {
        let Some(sent) = self.connections[n].sent.take() else { return Ok(()) };
        let now = Instant::now();
        self.busy -= 1;
        if sent.measured {
            // In a closed run what comes after the end is not counted: it would not have been requested any more.
            if self.plan.rate.is_some() || now <= self.end {
                self.tallies.add(sent.kind, now.duration_since(sent.due), status, expected);
                self.last = now;
            } else {
                self.tallies.add_warm(expected);
            }
        } else {
            self.tallies.add_warm(expected);
        }
        if let Some((kind, due)) = self.late.pop_front() {
            return self.send(n, kind, due);
        }
        if self.plan.rate.is_none() && now < self.end && !self.used_up {
            return self.issue(n, now);
        }
        self.idle.push_back(n);
        Ok(())
    }

    /// A connection that the server closed: an error if it owed an answer. Another takes its place.
    fn lost(&mut self, n: usize, why: &str) -> Result<(), String> {
        let sent = self.connections[n].sent.take();
        self.connections[n].close(self.poll.registry());
        self.connections[n] = Connection::open(self.plan.address, self.poll.registry(), Token(n))?;
        if let Some(sent) = sent {
            self.busy -= 1;
            self.tallies.add_error(sent.kind, 0, why.as_bytes());
            self.idle.push_back(n);
        }
        Ok(())
    }
}

fn contains(body: &[u8], text: &[u8]) -> bool {
    body.windows(text.len()).any(|window| window == text)
}
