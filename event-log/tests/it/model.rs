//! The log against a model of a few lines: the same random appends, the same answers.

use std::collections::HashMap;

use event_log::{AppendError, Appended, Position};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use uuid::Uuid;

use crate::{
    account::{append, deposit, remembered},
    server::Database,
};

/// What the log must do with one append after the other.
#[derive(Default)]
struct Model {
    versions: HashMap<Uuid, u64>,
    commands: HashMap<Uuid, (u8, Answer)>,
    head: u64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Answer {
    Done { version: u64, position: u64 },
    Conflict,
    KeyReused,
}

impl Model {
    fn append(
        &mut self,
        (command, says): (Uuid, u8),
        writes: &[(Uuid, u64)],
        reads: &[(Uuid, u64)],
    ) -> Answer {
        if let Some((said, answer)) = self.commands.get(&command) {
            return if *said == says { *answer } else { Answer::KeyReused };
        }
        let mut expected = writes.iter().chain(reads);
        if expected.any(|(stream, version)| self.versions.get(stream).unwrap_or(&0) != version) {
            return Answer::Conflict;
        }
        for (stream, version) in writes {
            self.versions.insert(*stream, version + 1);
            self.head += 1;
        }
        let version = writes.first().map_or(0, |(_, version)| version + 1);
        let answer = Answer::Done { version, position: self.head };
        self.commands.insert(command, (says, answer));
        answer
    }
}

/// One after the other, through two logs with caches and beliefs of their own.
#[tokio::test(flavor = "multi_thread")]
async fn the_log_does_what_the_model_does() {
    let seed = rand::random();
    let mut random = StdRng::seed_from_u64(seed);
    let database = Database::new().await;
    let logs = [database.open().await, database.open().await];
    let mut model = Model::default();
    let streams: Vec<Uuid> = (0..6).map(|_| Uuid::now_v7()).collect();
    let mut commands: Vec<Uuid> = Vec::new();
    for step in 0..1_500 {
        let mut chosen = streams.clone();
        let mut pick = |random: &mut StdRng| {
            let stream = chosen.swap_remove(random.random_range(0..chosen.len()));
            let version = *model.versions.get(&stream).unwrap_or(&0);
            // Mostly right, sometimes behind, sometimes ahead.
            let version = match random.random_range(0..12) {
                0 => version.saturating_sub(1),
                1 => version + 1,
                _ => version,
            };
            (stream, version)
        };
        let writes: Vec<_> = (0..random.random_range(0..3)).map(|_| pick(&mut random)).collect();
        let reads: Vec<_> = (0..random.random_range(0..3)).map(|_| pick(&mut random)).collect();
        let again = !commands.is_empty() && random.random_bool(0.1);
        let command =
            if again { commands[random.random_range(0..commands.len())] } else { Uuid::now_v7() };
        commands.push(command);
        let says = u8::from(random.random_bool(0.1));

        let expected = model.append((command, says), &writes, &reads);
        let log = &logs[usize::from(random.random_bool(0.3))];
        let writes = writes.iter().map(|&(stream, version)| deposit(stream, version)).collect();
        let answer = match log.append(append(remembered(command, says), writes, reads)).await {
            Ok(Appended::Now { outcome, .. } | Appended::Before(outcome)) => {
                Answer::Done { version: outcome.version, position: outcome.position.0 }
            }
            Err(AppendError::Conflict { .. }) => Answer::Conflict,
            Err(AppendError::KeyReused) => Answer::KeyReused,
            Err(error) => panic!("seed {seed}, step {step}: {error:?}"),
        };
        assert_eq!(answer, expected, "seed {seed}, step {step}");
    }
    assert_eq!(logs[0].head().await.unwrap(), Position(model.head));
    assert_eq!(logs[0].verify().await.unwrap().findings, Vec::<String>::new());
}
