//! Which check is next: a worker stays with the programs that it has, as long as they have checks.
//!
//! What a worker has made for a program, the cells that show it, serves the program's next check as
//! well; and checks of several labs at a time use a machine better than those of one.

use std::collections::{BTreeMap, VecDeque};

use crate::labs::{self, Check};
use crate::run::protocol::Request;

/// The requests that nobody has taken yet, by their place in the list.
#[derive(Debug)]
pub(super) struct Queue {
    /// Those that wait for time to pass, each with its group: they begin at once.
    patient: VecDeque<(usize, usize)>,
    groups: Vec<Group>,
}

/// The checks of the same programs, the ones to begin with at the end: the last checks of a lab are the
/// longest ones, and the short ones fill the gaps.
#[derive(Debug, Default)]
struct Group {
    left: Vec<usize>,
    /// How many workers are with it.
    workers: usize,
}

impl Queue {
    pub(super) fn of(requests: &[Request]) -> Self {
        let places: BTreeMap<String, usize> = labs::checks().map(Check::id).zip(0..).collect();
        let mut order: Vec<usize> = (0..requests.len()).collect();
        order.sort_by_cached_key(|index| places.get(&requests[*index].check));
        let mut queue = Self { patient: VecDeque::new(), groups: Vec::new() };
        let mut known = BTreeMap::new();
        for index in order {
            let request = &requests[index];
            let programs = request.programs.iter().map(|(name, it)| (name, it.words()));
            let group = *known.entry(programs.collect::<Vec<_>>()).or_insert_with(|| {
                queue.groups.push(Group::default());
                queue.groups.len() - 1
            });
            if is_patient(request) {
                queue.patient.push_front((index, group));
            } else {
                queue.groups[group].left.push(index);
            }
        }
        queue
    }

    /// The next request for a worker that comes from this group, and the group of that.
    pub(super) fn take(&mut self, from: Option<usize>) -> Option<(usize, usize)> {
        if let Some(group) = from {
            self.groups[group].workers -= 1;
        }
        let stays = || from.filter(|group| !self.groups[*group].left.is_empty());
        let (next, group) = match self.patient.pop_front() {
            Some(patient) => patient,
            None => {
                let group = stays().or_else(|| self.busiest())?;
                (self.groups[group].left.pop()?, group)
            }
        };
        self.groups[group].workers += 1;
        Some((next, group))
    }

    /// The group that has the most left for each worker.
    fn busiest(&self) -> Option<usize> {
        let share = |group: &Group| group.left.len() * 1000 / (group.workers + 1);
        let groups = self.groups.iter().enumerate();
        let open = groups.filter(|(_, group)| !group.left.is_empty());
        open.max_by_key(|(_, group)| share(group)).map(|(index, _)| index)
    }
}

/// Whether a check waits for time to pass.
pub(super) fn is_patient(request: &Request) -> bool {
    labs::check(&request.check).is_some_and(|check| check.patient)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::Template;

    fn request(check: &Check, program: &str) -> Request {
        let template = Template::from_parts(vec![program.into()], program.into(), vec![], false);
        Request { check: check.id(), programs: vec![(check.lab.into(), template)] }
    }

    #[test]
    fn each_request_is_taken_once_and_patient_ones_first() {
        let mut requests: Vec<Request> = labs::checks().map(|it| request(it, it.lab)).collect();
        requests.extend(labs::checks().map(|it| request(it, "another")));
        let mut queue = Queue::of(&requests);
        let mut workers = [None; 3];
        let mut taken = Vec::new();
        'all: loop {
            for group in &mut workers {
                let Some((index, its)) = queue.take(*group) else { break 'all };
                *group = Some(its);
                taken.push(index);
            }
        }
        let patient = requests.iter().filter(|request| is_patient(request)).count();
        assert!(taken[..patient].iter().all(|index| is_patient(&requests[*index])));
        taken.sort_unstable();
        assert_eq!(taken, (0..requests.len()).collect::<Vec<_>>());
    }

    #[test]
    fn a_worker_stays_with_a_program_and_then_goes_where_most_is_left() {
        let checks: Vec<&Check> = labs::checks().filter(|check| !check.patient).take(6).collect();
        let programs = ["a", "b", "b", "b", "c", "c"];
        let requests: Vec<Request> =
            checks.iter().zip(programs).map(|(check, program)| request(check, program)).collect();
        let mut queue = Queue::of(&requests);
        let (first, group) = queue.take(None).unwrap();
        assert_eq!(first, 3, "the last of those of which there are most");
        let (other, _) = queue.take(None).unwrap();
        assert_eq!(other, 5, "another worker goes elsewhere");
        assert_eq!(queue.take(Some(group)).map(|(index, _)| index), Some(2));
        assert_eq!(queue.take(Some(group)).map(|(index, _)| index), Some(1));
        assert!(queue.take(Some(group)).is_some_and(|(_, next)| next != group));
    }
}
