//! What a life is made of: one source of chance, a trace of what happened, and processes that can
//! be stopped and killed.

use std::{
    fmt::{self, Write},
    hash::{DefaultHasher, Hasher},
    ops::RangeInclusive,
    sync::{Arc, Mutex},
    task::{Poll, Waker},
    time::Duration,
};

use futures::future::poll_fn;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// The world of one life. Cheap to clone.
#[derive(Clone)]
pub(super) struct World(Arc<Mutex<Fate>>);

struct Fate {
    random: StdRng,
    /// How likely things go wrong, from 0 to 1.
    trouble: f64,
    began: Instant,
    trace: DefaultHasher,
    /// Whether the trace is printed too.
    told: bool,
}

impl World {
    pub(super) fn new(seed: u64, told: bool) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        // Now and then a life without any trouble but that of the others.
        let trouble = if random.random_bool(0.1) { 0.0 } else { random.random_range(0.0..1.0) };
        let trace = DefaultHasher::new();
        Self(Arc::new(Mutex::new(Fate { random, trouble, began: Instant::now(), trace, told })))
    }

    /// Whether something with this chance in a life full of trouble happens.
    pub(super) fn strikes(&self, chance: f64) -> bool {
        let fate = &mut *self.0.lock().unwrap();
        fate.random.random_bool(chance * fate.trouble)
    }

    pub(super) fn bool(&self, chance: f64) -> bool {
        self.0.lock().unwrap().random.random_bool(chance)
    }

    pub(super) fn number(&self, range: RangeInclusive<u64>) -> u64 {
        self.0.lock().unwrap().random.random_range(range)
    }

    pub(super) fn random(&self) -> u128 {
        self.0.lock().unwrap().random.random()
    }

    /// Some milliseconds, at most so many.
    pub(super) fn moment(&self, most: u64) -> Duration {
        Duration::from_millis(self.number(0..=most))
    }

    pub(super) async fn pass(&self, most: u64) {
        sleep(self.moment(most)).await;
    }

    /// From now on nothing goes wrong any more.
    pub(super) fn calm(&self) {
        self.0.lock().unwrap().trouble = 0.0;
    }

    /// Takes something down in the trace: no ids and no clocks, which are others in every life.
    pub(super) fn note(&self, what: fmt::Arguments<'_>) {
        let Fate { trace, told, began, .. } = &mut *self.0.lock().unwrap();
        let after = began.elapsed().as_millis();
        let _ = write!(Traced(trace), "{after} {what};");
        if *told {
            println!("{after:>8} ms  {what}");
        }
    }

    /// All that happened, as a digest.
    pub(super) fn trace(&self) -> u64 {
        self.0.lock().unwrap().trace.finish()
    }
}

/// `note!(world, "…")`: takes it down in the trace of the life.
macro_rules! note {
    ($world:expr, $($what:tt)*) => { $world.note(format_args!($($what)*)) };
}

pub(super) use note;

struct Traced<'t>(&'t mut DefaultHasher);

impl Write for Traced<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.write(text.as_bytes());
        Ok(())
    }
}

/// A process: its tasks rest while it is stopped, as after SIGSTOP, and are gone once it is
/// killed. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Process {
    killed: CancellationToken,
    gate: Gate,
}

impl Process {
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let Self { killed, gate } = self.clone();
        tokio::spawn(async move {
            killed.run_until_cancelled(gate.run(task)).await;
        });
    }

    pub(super) fn stop(&self) {
        self.gate.close();
    }

    pub(super) fn go_on(&self) {
        self.gate.open();
    }

    pub(super) fn kill(&self) {
        self.killed.cancel();
    }
}

/// Holds back whatever runs behind it while it is closed. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Gate(Arc<Mutex<Waiting>>);

#[derive(Default)]
struct Waiting {
    closed: bool,
    wakers: Vec<Waker>,
}

impl Gate {
    pub(super) fn close(&self) {
        self.0.lock().unwrap().closed = true;
    }

    pub(super) fn open(&self) {
        let wakers = {
            let mut waiting = self.0.lock().unwrap();
            waiting.closed = false;
            std::mem::take(&mut waiting.wakers)
        };
        wakers.into_iter().for_each(Waker::wake);
    }

    async fn run<T>(&self, task: impl Future<Output = T>) -> T {
        let mut task = std::pin::pin!(task);
        poll_fn(|context| {
            {
                let mut waiting = self.0.lock().unwrap();
                if waiting.closed {
                    waiting.wakers.push(context.waker().clone());
                    return Poll::Pending;
                }
            }
            task.as_mut().poll(context)
        })
        .await
    }

    /// Waits until it is open.
    pub(super) async fn pass(&self) {
        self.run(std::future::ready(())).await;
    }
}
