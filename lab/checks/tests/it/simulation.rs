//! A system that is linearizable by construction: each operation takes effect at one moment between
//! its begin and its end, in the order of these moments.

use std::collections::BTreeMap;
use std::slice::from_ref;

use checks::linear::{Counter, Model, Queue, Register, Set};
use checks::{Ask, Effort, History, Operation, Outcome, Seen, Value, linearizable};
use proptest::prelude::*;

/// What is simulated.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) clients: u32,
    pub(crate) keys: u64,
    pub(crate) operations: usize,
    /// Of a hundred operations so many get no answer.
    pub(crate) unknown: u64,
}

/// Marsaglia's xorshift: enough for a test, and the same everywhere.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// Below `sides`.
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % sides
    }

    pub(crate) fn small(&mut self, sides: u64) -> i64 {
        i64::try_from(self.roll(sides)).unwrap()
    }
}

/// Runs the plan; `ask` makes up what is asked, `answer` is what the system says: the state after and
/// the value that is told. Versions count the changes of a key.
pub(crate) fn run<S: Clone + Default + PartialEq>(
    plan: Plan,
    mut ask: impl FnMut(&mut Dice) -> Ask,
    answer: impl Fn(&S, &Ask) -> (S, Value),
) -> History {
    let mut dice = Dice::new(plan.seed);
    let mut clocks = vec![0; plan.clients as usize];
    // The moment of the effect (never for some without an answer), then the operation.
    let mut plans: Vec<(Option<u64>, Operation)> = Vec::new();
    for _ in 0..plan.operations {
        let client = (0..clocks.len()).min_by_key(|at| clocks[*at]).unwrap();
        let begin_us = clocks[client] + 1 + dice.roll(20);
        let moment = begin_us + dice.roll(30);
        let end_us = moment + dice.roll(30);
        clocks[client] = end_us;
        let key = format!("k{}", dice.roll(plan.keys));
        let ask = ask(&mut dice);
        let operation = Operation::begun(u32::try_from(client).unwrap(), &key, begin_us, ask);
        plans.push(match dice.roll(100) < plan.unknown {
            false => (Some(moment), operation.ok(end_us, Value::Nothing)),
            // It may come long after its client gave up, or never.
            true => {
                let late = (dice.roll(2) == 0).then(|| moment + dice.roll(200));
                (late, operation.unknown(end_us))
            }
        });
    }
    plans.sort_by_key(|(moment, _)| *moment);
    let mut states: BTreeMap<String, (S, u64)> = BTreeMap::new();
    for (moment, operation) in &mut plans {
        if moment.is_none() {
            continue;
        }
        let (state, version) = states.entry(operation.key.clone()).or_default();
        let (after, value) = answer(state, &operation.ask);
        *version += u64::from(after != *state);
        *state = after;
        if operation.outcome != Outcome::Unknown {
            let version = Some(*version);
            operation.outcome = Outcome::Ok(Seen { value, version });
        }
    }
    History::of(plans.into_iter().map(|(_, operation)| operation)).unwrap()
}

/// A register per key, with values below `values`.
pub(crate) fn registers(plan: Plan, values: u64) -> History {
    let ask = |dice: &mut Dice| match dice.roll(4) {
        0 => Ask::Write(dice.small(values).into()),
        1 => Ask::Cas {
            from: dice.small(values).into(),
            to: dice.small(values).into(),
        },
        _ => Ask::Read,
    };
    run(plan, ask, |state: &Value, ask| match ask {
        Ask::Write(value) => (value.clone(), Value::Nothing),
        Ask::Cas { from, to } if from == state => (to.clone(), true.into()),
        Ask::Cas { .. } => (state.clone(), false.into()),
        _ => (state.clone(), state.clone()),
    })
}

/// A counter per key.
pub(crate) fn counters(plan: Plan) -> History {
    let ask = |dice: &mut Dice| match dice.roll(2) {
        0 => Ask::Add(1 + dice.small(3)),
        _ => Ask::Read,
    };
    run(plan, ask, |state: &i64, ask| match ask {
        Ask::Add(by) => (state + by, Value::Nothing),
        _ => (*state, (*state).into()),
    })
}

/// A queue per key; each item is pushed once.
pub(crate) fn queues(plan: Plan) -> History {
    let mut item = 0;
    let ask = |dice: &mut Dice| match dice.roll(2) {
        0 => {
            item += 1;
            Ask::Push(item.into())
        }
        _ => Ask::Pop,
    };
    run(plan, ask, |state: &Vec<Value>, ask| {
        match (ask, state.as_slice()) {
            (Ask::Push(value), all) => ([all, from_ref(value)].concat(), Value::Nothing),
            (_, [first, rest @ ..]) => (rest.to_vec(), first.clone()),
            (_, []) => (Vec::new(), Value::Nothing),
        }
    })
}

/// A set per key, with items below `values`.
pub(crate) fn sets(plan: Plan, values: u64) -> History {
    let ask = |dice: &mut Dice| {
        let item = dice.small(values).into();
        match dice.roll(3) {
            0 => Ask::Insert(item),
            1 => Ask::Remove(item),
            _ => Ask::Contains(item),
        }
    };
    run(plan, ask, |state: &Vec<Value>, ask| {
        let (Ask::Insert(item) | Ask::Remove(item) | Ask::Contains(item)) = ask else {
            panic!("a set has no {ask}");
        };
        let others = || {
            state
                .iter()
                .filter(|other| *other != item)
                .cloned()
                .collect()
        };
        let had = state.contains(item);
        match ask {
            Ask::Insert(_) if !had => ([state.as_slice(), from_ref(item)].concat(), true.into()),
            Ask::Insert(_) => (state.clone(), false.into()),
            Ask::Remove(_) => (others(), had.into()),
            _ => (state.clone(), had.into()),
        }
    })
}

fn plans() -> impl Strategy<Value = Plan> {
    let shape = (any::<u64>(), 1_u32..9, 1_u64..4, 1_usize..120, 0_u64..12);
    shape.prop_map(|(seed, clients, keys, operations, unknown)| Plan {
        seed,
        clients,
        keys,
        operations,
        unknown,
    })
}

fn accepted<M: Model>(history: &History, model: &M) -> Result<(), TestCaseError> {
    let verdict = linearizable(history, model, Effort::default());
    // A history in which nothing was answered says nothing.
    prop_assert!(
        verdict.held() || verdict.count("operations") == 0,
        "{verdict}"
    );
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_a_linearizable_system_does_is_accepted(plan in plans()) {
        accepted(&registers(plan, 4), &Register::default())?;
        accepted(&counters(plan), &Counter)?;
        accepted(&sets(plan, 3), &Set)?;
    }

    /// Whose order shows only when items are popped, much later: see the limits in the README.
    #[test]
    fn what_a_linearizable_queue_does_is_accepted(plan in plans()) {
        let (clients, operations) = (plan.clients.min(3), plan.operations.min(30));
        accepted(&queues(Plan { clients, operations, ..plan }), &Queue)?;
    }

    #[test]
    fn a_session_with_a_linearizable_system_is_accepted(plan in plans()) {
        let history = registers(plan, 4);
        prop_assert!(!checks::monotonic_reads(&history).is_broken());
        prop_assert!(!checks::read_your_writes(&history).is_broken());
    }

    #[test]
    fn every_history_is_read_back_as_it_was_written(plan in plans()) {
        let history = queues(plan);
        prop_assert_eq!(History::parse(&history.to_lines()).unwrap(), history);
    }
}
