use proptest::prelude::*;

use super::*;

type Receiver = oneshot::Receiver<Answer>;

fn waiter(epoch: &str, after: u64) -> (Waiter, Receiver) {
    let (reply, answer) = oneshot::channel();
    (Waiter { epoch: epoch.to_owned(), after, reply }, answer)
}

fn page(epoch: &str, first: u64, offsets: impl IntoIterator<Item = u64>) -> Result<Page, Missing> {
    let event = |offset| Arc::new(Event { offset, epoch: epoch.to_owned(), ..Event::default() });
    Ok(Page { epoch: epoch.to_owned(), first, events: offsets.into_iter().map(event).collect() })
}

fn got(answer: &mut Receiver) -> Option<Result<Vec<u64>, Missing>> {
    let answer = answer.try_recv().ok()?;
    Some(answer.map(|events| events.iter().map(|event| event.offset).collect()))
}

#[test]
fn one_request_serves_all_for_whom_it_has_the_next_event() {
    let (channel, mut requests) = (Channel::everyone(), Requests::new(4));
    let (first, mut one) = waiter("e", 10);
    requests.wait(&channel, first);
    assert_eq!(requests.next().map(|request| request.after), Some(10));
    let mut others = [10, 12, 15, 9].map(|after| {
        let (waiter, answer) = waiter("e", after);
        requests.wait(&channel, waiter);
        answer
    });
    assert!(requests.next().is_none(), "one at a time");
    assert_eq!(requests.answered(&channel, &page("e", 1, 11..=15)), 3);
    assert_eq!(got(&mut one), Some(Ok((11..=15).collect())));
    assert_eq!(got(&mut others[0]), Some(Ok((11..=15).collect())));
    assert_eq!(got(&mut others[1]), Some(Ok((13..=15).collect())));
    assert_eq!(requests.next().map(|request| request.after), Some(15), "who came first, first");
    assert_eq!(requests.answered(&channel, &page("e", 1, 16..=16)), 1);
    assert_eq!(requests.next().map(|request| request.after), Some(9));
}

#[test]
fn who_comes_while_a_request_is_under_way_is_not_judged_by_what_was_before() {
    let (channel, mut requests) = (Channel::everyone(), Requests::new(4));
    let (first, mut one) = waiter("old", 3);
    requests.wait(&channel, first);
    requests.next().expect("a request");
    let (second, mut two) = waiter("new", 0);
    requests.wait(&channel, second);
    requests.answered(&channel, &page("old", 1, []));
    assert_eq!((got(&mut one), got(&mut two)), (Some(Err(Missing::Lost)), None));
    assert_eq!(requests.next().map(|request| request.epoch), Some("new".to_owned()));
    requests.answered(&channel, &page("new", 1, 1..=1));
    assert_eq!(got(&mut two), Some(Ok(vec![1])));
}

#[test]
fn a_failure_and_a_loss_are_told_to_each() {
    let (channel, mut requests) = (Channel::everyone(), Requests::new(4));
    for (outcome, expected) in
        [(Err(Missing::Unavailable), Missing::Unavailable), (page("e", 50, 50..=60), Missing::Lost)]
    {
        let mut answers = [3, 3, 4].map(|after| {
            let (waiter, answer) = waiter("e", after);
            requests.wait(&channel, waiter);
            answer
        });
        requests.next().expect("a request");
        assert_eq!(requests.answered(&channel, &outcome), 3);
        assert!(answers.iter_mut().all(|answer| got(answer) == Some(Err(expected))));
        assert!(requests.next().is_none() && requests.lines.is_empty());
    }
}

#[test]
fn nothing_is_asked_for_those_who_have_left() {
    let (channel, mut requests) = (Channel::everyone(), Requests::new(4));
    let (gone, answer) = waiter("e", 1);
    requests.wait(&channel, gone);
    drop(answer);
    assert!(requests.next().is_none() && requests.lines.is_empty());
    // One that leaves while it is asked for takes nothing from the others.
    let (leaves, answer) = waiter("e", 1);
    let (stays, mut other) = waiter("e", 1);
    requests.wait(&channel, leaves);
    requests.wait(&channel, stays);
    requests.next().expect("a request");
    drop(answer);
    requests.answered(&channel, &page("e", 1, 2..=3));
    assert_eq!(got(&mut other), Some(Ok(vec![2, 3])));
}

#[test]
fn channels_take_turns_within_the_bound() {
    let mut requests = Requests::new(2);
    let channels = ["1", "2", "3"].map(|user| Channel::user(user).expect("a channel"));
    let mut answers = Vec::new();
    for (index, after) in [(0, 5), (0, 900), (0, 100), (1, 5), (2, 5)] {
        let (waiter, answer) = waiter("e", after);
        requests.wait(&channels[index], waiter);
        answers.push(answer);
    }
    let mut next = || requests.next().map(|request| (request.channel, request.after));
    assert_eq!(next(), Some((channels[0].clone(), 5)));
    assert_eq!(next(), Some((channels[1].clone(), 5)));
    assert_eq!(next(), None, "the bound");
    requests.answered(&channels[0], &page("e", 1, 6..=6));
    let mut next = || requests.next().map(|request| (request.channel, request.after));
    assert_eq!(next(), Some((channels[2].clone(), 5)), "the crowd of the first waits for its turn");
    requests.answered(&channels[1], &page("e", 1, 6..=6));
    assert_eq!(requests.next().map(|request| request.after), Some(900));
}

/// A log of one channel, of which one epoch after the other is lost and the beginning is pruned.
#[derive(Debug, Clone, Copy)]
struct Log {
    epoch: u8,
    pruned: u64,
    head: u64,
}

impl Log {
    /// What it answers: so many events at most, as the reply's size allows.
    fn answer(self, after: u64, most: u64) -> Result<Page, Missing> {
        let start = after.max(self.pruned) + 1;
        page(&format!("e{}", self.epoch), self.pruned + 1, start..=self.head.min(start + most - 1))
    }
}

#[derive(Debug, Clone)]
enum Deed {
    /// Somebody comes who left off there.
    Come {
        channel: usize,
        after: u64,
    },
    /// One of those who wait leaves.
    Leave(usize),
    /// One of the requests under way is answered with so many events at most.
    Answer {
        index: usize,
        most: u64,
    },
    /// Or fails.
    Fail(usize),
    Append(u64),
    Prune(u64),
    Replace,
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        6 => (0..4_usize, 0..60_u64).prop_map(|(channel, after)| Deed::Come { channel, after }),
        1 => (0..50_usize).prop_map(Deed::Leave),
        5 => (0..4_usize, 1..30_u64).prop_map(|(index, most)| Deed::Answer { index, most }),
        1 => (0..4_usize).prop_map(Deed::Fail),
        1 => (1..10_u64).prop_map(Deed::Append),
        1 => (1..10_u64).prop_map(Deed::Prune),
        1 => Just(Deed::Replace),
    ]
}

struct Comer {
    epoch: String,
    after: u64,
    answer: Receiver,
}

const MOST: usize = 3;

/// What waits, and what is under way with the log's answer as of when it was asked.
struct World {
    requests: Requests,
    channels: Vec<Channel>,
    log: Log,
    under_way: Vec<(Request, Log)>,
    comers: Vec<Comer>,
    made: usize,
}

impl World {
    fn new() -> Self {
        let channels = ["a", "b", "c", "d"].map(|user| Channel::user(user).expect("a channel"));
        let log = Log { epoch: 0, pruned: 0, head: 40 };
        let requests = Requests::new(MOST);
        Self { requests, channels: channels.into(), log, under_way: vec![], comers: vec![], made: 0 }
    }

    fn ask(&mut self) {
        while let Some(request) = self.requests.next() {
            assert!(self.under_way.iter().all(|(other, _)| other.channel != request.channel), "one each");
            self.under_way.push((request, self.log));
            self.made += 1;
        }
        assert!(self.under_way.len() <= MOST);
    }

    fn come(&mut self, channel: usize, after: u64) {
        let log = self.log;
        // A session asks only for what its owner's head promises.
        if after < log.head {
            let (waiter, answer) = waiter(&format!("e{}", log.epoch), after);
            self.comers.push(Comer { epoch: waiter.epoch.clone(), after, answer });
            self.requests.wait(&self.channels[channel], waiter);
        }
    }

    fn answer(&mut self, index: usize, outcome: impl Fn(&Request, Log) -> Result<Page, Missing>) {
        if !self.under_way.is_empty() {
            let (request, log) = self.under_way.remove(index % self.under_way.len());
            self.requests.answered(&request.channel, &outcome(&request, log));
        }
    }

    fn follow(&mut self, deed: Deed) {
        match deed {
            Deed::Come { channel, after } => self.come(channel, after),
            Deed::Leave(index) if index < self.comers.len() => drop(self.comers.swap_remove(index)),
            Deed::Leave(_) => {}
            Deed::Answer { index, most } => {
                self.answer(index, |request, log| log.answer(request.after, most))
            }
            Deed::Fail(index) => self.answer(index, |_, _| Err(Missing::Unavailable)),
            Deed::Append(count) => self.log.head += count,
            Deed::Prune(count) => self.log.pruned = (self.log.pruned + count).min(self.log.head),
            Deed::Replace => self.log = Log { epoch: self.log.epoch + 1, pruned: 0, head: 40 },
        }
        self.ask();
    }
}

proptest! {
    /// Whatever happens, each who waits is answered, with what follows its place or why not; no more is
    /// under way than may be; and no more is asked than there are who ask.
    #[test]
    fn everyone_who_waits_is_answered_rightly(deeds in prop::collection::vec(deed(), 0..120)) {
        let mut world = World::new();
        let has_failed = deeds.iter().any(|deed| matches!(deed, Deed::Fail(_)));
        let may_lose = deeds.iter().any(|deed| matches!(deed, Deed::Prune(_) | Deed::Replace));
        let come = deeds.iter().filter(|deed| matches!(deed, Deed::Come { .. })).count();
        deeds.into_iter().for_each(|deed| world.follow(deed));
        while !world.under_way.is_empty() {
            world.follow(Deed::Answer { index: 0, most: 7 });
        }
        for comer in &mut world.comers {
            match comer.answer.try_recv() {
                Ok(Ok(events)) => {
                    let expected = comer.after + 1..=comer.after + events.len() as u64;
                    prop_assert!(!events.is_empty());
                    prop_assert!(events.iter().map(|event| event.offset).eq(expected));
                    prop_assert!(events.iter().all(|event| event.epoch == comer.epoch));
                }
                Ok(Err(Missing::Lost)) => prop_assert!(may_lose),
                Ok(Err(Missing::Unavailable)) => prop_assert!(has_failed),
                Err(_) => prop_assert!(false, "nobody answered"),
            }
        }
        prop_assert!(world.made <= come);
        prop_assert!(world.requests.lines.is_empty() && world.requests.turns.is_empty());
    }
}
