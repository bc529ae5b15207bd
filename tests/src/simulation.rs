//! The common part of simulations: runs from seeds in virtual time, with one random source, a
//! trace, and processes that can be stopped and killed.
//!
//! A seed determines a run. `KONTOR_SIMULATION_SEED` sets the first seed, otherwise it is random;
//! `KONTOR_SIMULATION_SEEDS` sets the number of runs.

use std::{
    cell::RefCell,
    fmt::{self, Write},
    hash::{DefaultHasher, Hasher},
    ops::RangeInclusive,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, Once,
        atomic::{AtomicU64, Ordering},
    },
    task::{Poll, Waker},
    thread,
    time::Duration,
};

use futures::future::poll_fn;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// How many lives an ordinary run lives.
const LIVES: u64 = 1_000;

/// Runs many seeds, each of which checks itself. A failure is printed with its seed.
pub fn live_many<F: Future<Output = ()>>(life: impl Fn(World) -> F + Sync) {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seed = number("KONTOR_SIMULATION_SEED");
    let lives = number("KONTOR_SIMULATION_SEEDS").unwrap_or(seed.map_or(LIVES, |_| 1));
    let first = seed.unwrap_or_else(|| rand::random::<u64>() >> 1);
    let seeds = first..first + lives;
    println!("seeds {seeds:?}");
    let next = AtomicU64::new(seeds.start);
    let work = || {
        let seed = || Some(next.fetch_add(1, Ordering::Relaxed)).filter(|seed| *seed < seeds.end);
        while let Some(seed) = seed() {
            if let Err(wrong) = live(seed, false, &life) {
                next.store(seeds.end, Ordering::Relaxed);
                let _ = live(seed, true, &life);
                panic!("{wrong}\nlive it again with KONTOR_SIMULATION_SEED={seed}");
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
}

/// Lives some lives twice: the same seed must be the same life.
pub fn live_again<F: Future<Output = ()>>(life: impl Fn(World) -> F) {
    for seed in 0..20 {
        let trace = live(seed, false, &life).unwrap();
        assert_eq!(live(seed, false, &life), Ok(trace), "seed {seed}");
    }
}

/// Lives a life: says what happened, as a digest, or what went wrong first.
fn live<F: Future<Output = ()>>(
    seed: u64,
    verbose: bool,
    life: &impl Fn(World) -> F,
) -> Result<u64, String> {
    listen();
    WRONG.replace(Some(Vec::new()));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let lived = catch_unwind(AssertUnwindSafe(|| {
        runtime.block_on(async {
            let world = World::new(seed, verbose);
            life(world.clone()).await;
            world.trace()
        })
    }));
    drop(runtime);
    match (WRONG.take().unwrap_or_default().into_iter().next(), lived) {
        (None, Ok(trace)) => Ok(trace),
        (wrong, _) => Err(wrong.unwrap_or_default()),
    }
}

thread_local! {
    /// What went wrong in the life of this thread, in whichever task; `None` outside of a life.
    static WRONG: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// Hears every panic of a life: a writer, for one, survives its own.
fn listen() {
    static LISTENING: Once = Once::new();
    LISTENING.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let heard = WRONG.with_borrow_mut(|wrong| {
                wrong.as_mut().map(|wrong| wrong.push(panic.to_string())).is_some()
            });
            if !heard {
                usual(panic);
            }
        }));
    });
}

/// The world of one life. Cheap to clone.
#[derive(Clone)]
pub struct World(Arc<Mutex<WorldState>>);

struct WorldState {
    random: StdRng,
    /// How likely things go wrong, from 0 to 1.
    trouble: f64,
    began: Instant,
    trace: DefaultHasher,
    /// Whether the trace is printed too.
    verbose: bool,
}

impl World {
    fn new(seed: u64, verbose: bool) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        // Now and then a life without any trouble but that of the others.
        let trouble = if random.random_bool(0.1) { 0.0 } else { random.random_range(0.0..1.0) };
        let trace = DefaultHasher::new();
        Self(Arc::new(Mutex::new(WorldState {
            random,
            trouble,
            began: Instant::now(),
            trace,
            verbose,
        })))
    }

    /// Whether something with this chance in a life full of trouble happens.
    pub fn strikes(&self, chance: f64) -> bool {
        let fate = &mut *self.0.lock().unwrap();
        fate.random.random_bool(chance * fate.trouble)
    }

    /// Whether something with this chance in any life happens.
    pub fn bool(&self, chance: f64) -> bool {
        self.0.lock().unwrap().random.random_bool(chance)
    }

    /// Any number of a range.
    pub fn number(&self, range: RangeInclusive<u64>) -> u64 {
        self.0.lock().unwrap().random.random_range(range)
    }

    /// Any of a range's places, from 0 on.
    pub fn index(&self, length: usize) -> usize {
        self.0.lock().unwrap().random.random_range(0..length)
    }

    /// Any number at all.
    pub fn random(&self) -> u128 {
        self.0.lock().unwrap().random.random()
    }

    /// Some milliseconds, at most so many.
    pub fn moment(&self, most: u64) -> Duration {
        Duration::from_millis(self.number(0..=most))
    }

    /// Lets some milliseconds pass, at most so many.
    pub async fn pass(&self, most: u64) {
        sleep(self.moment(most)).await;
    }

    /// From now on nothing goes wrong any more.
    pub fn calm(&self) {
        self.0.lock().unwrap().trouble = 0.0;
    }

    /// Takes something down in the trace: no ids and no clocks, which are others in every life.
    pub fn note(&self, what: fmt::Arguments<'_>) {
        let WorldState { trace, verbose, began, .. } = &mut *self.0.lock().unwrap();
        let after = began.elapsed().as_millis();
        let _ = write!(Traced(trace), "{after} {what};");
        if *verbose {
            println!("{after:>8} ms  {what}");
        }
    }

    /// All that happened, as a digest.
    fn trace(&self) -> u64 {
        self.0.lock().unwrap().trace.finish()
    }
}

/// `note!(world, "…")`: takes it down in the trace of the life.
#[macro_export]
macro_rules! note {
    ($world:expr, $($what:tt)*) => { $world.note(format_args!($($what)*)) };
}

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
pub struct Process {
    killed: CancellationToken,
    gate: Gate,
}

impl Process {
    /// Runs a task in the process.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let Self { killed, gate } = self.clone();
        tokio::spawn(async move {
            killed.run_until_cancelled(gate.run(task)).await;
        });
    }

    /// Lets none of its tasks go on.
    pub fn stop(&self) {
        self.gate.close();
    }

    /// Lets them.
    pub fn go_on(&self) {
        self.gate.open();
    }

    /// Ends it, wherever its tasks are.
    pub fn kill(&self) {
        self.killed.cancel();
    }
}

/// Holds back whatever runs behind it while it is closed. Cheap to clone.
#[derive(Clone, Default)]
pub struct Gate(Arc<Mutex<Waiting>>);

#[derive(Default)]
struct Waiting {
    closed: bool,
    wakers: Vec<Waker>,
}

impl Gate {
    /// Holds back.
    pub fn close(&self) {
        self.0.lock().unwrap().closed = true;
    }

    /// Lets go on.
    pub fn open(&self) {
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
    pub async fn pass(&self) {
        self.run(std::future::ready(())).await;
    }
}
