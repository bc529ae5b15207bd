//! Backups: what is written comes back byte for byte, and what was damaged does not come back.

use std::path::Path;

use event_log::{
    Appended, EventLog, Position,
    backup::{self, Companion, Error, Manifest},
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use tempfile::TempDir;
use uuid::Uuid;

use crate::{
    account::{append, deposit, envelope, remembered},
    server::Database,
};

const MAKE_KEYS: &str = "\
    CREATE SCHEMA access; CREATE TABLE access.keys (id bigint PRIMARY KEY, name text, seen bigint)";
const KEYS: Companion = Companion {
    table: "access.keys",
    columns: "id, name, seen",
    rows: "SELECT id, name, least(seen, {last}) FROM access.keys",
    present: "ON CONFLICT (id) DO UPDATE SET seen = excluded.seen",
};

/// Everything that must come back, as PostgreSQL itself writes it down.
const CONTENT: &str = "\
    SELECT coalesce(string_agg(line, E'\\n' ORDER BY line), '') FROM (
        SELECT e::text FROM log.events e UNION ALL SELECT c::text FROM log.commands c
        UNION ALL SELECT k::text FROM access.keys k
    ) AS lines(line)";

async fn export(database: &Database, folder: &Path) -> Result<backup::Exported, Error> {
    backup::export(&database.owner, folder, None, &[KEYS], |_, _| ()).await
}

async fn import(database: &mut Database, folder: &Path) -> Result<backup::Sound, Error> {
    backup::import(&mut database.owner, folder, &[KEYS], |_, _| ()).await
}

async fn content(database: &Database) -> String {
    database.owner.query_one(CONTENT, &[]).await.unwrap().get(0)
}

/// A database into which nothing has been written.
async fn empty() -> Database {
    let database = Database::new().await;
    database.owner.batch_execute(MAKE_KEYS).await.unwrap();
    database
}

/// Writes what is hard to copy: text of all kinds, nulls, outcomes with and without events.
async fn trade(log: &EventLog, commands: u32) {
    let mut random = StdRng::seed_from_u64(commands.into());
    for number in 0..commands {
        let (stream, command) = (Uuid::now_v7(), Uuid::now_v7());
        let mut writes = vec![deposit(stream, 0)];
        writes[0].company_id = random.random_bool(0.5).then(Uuid::now_v7);
        writes[0].events = vec![writes[0].events[0].clone(); random.random_range(1..4)];
        let text = ["", "\u{0001}\t\\N\r\n\"", "Zażółć gęślą jaźń 🦀", "\\."];
        writes[0].events[0].payload = format!("{{\"text\":{:?}}}", text[number as usize % 4]);
        let envelope = if number % 3 == 0 { envelope() } else { remembered(command, 1) };
        log.append(append(envelope, writes, vec![])).await.unwrap();
        // A command that finds nothing to do is remembered too.
        let nothing = append(remembered(Uuid::now_v7(), 2), vec![], vec![]);
        log.append(nothing).await.unwrap();
    }
}

#[tokio::test]
async fn a_restored_log_is_the_same_and_goes_on() {
    let (database, folder) = (empty().await, TempDir::new().unwrap());
    let log = database.open().await;
    trade(&log, 40).await;
    let insert = "INSERT INTO access.keys VALUES (1, E'Łukasz\\n', 3), (2, NULL, 1000000)";
    database.owner.batch_execute(insert).await.unwrap();
    let exported = export(&database, folder.path()).await.unwrap();
    let head = log.head().await.unwrap();
    assert_eq!((exported.manifest.last, exported.new), (head, head.0));

    let mut other = empty().await;
    // A server that was started before it was restored has rows of its own.
    other.owner.batch_execute("INSERT INTO access.keys VALUES (1, 'Łukasz\n', 0)").await.unwrap();
    let live = other.open().await;
    let sound = import(&mut other, folder.path()).await.unwrap();
    assert_eq!((sound.manifest, sound.sha256), (exported.manifest, exported.sha256));
    let expected = content(&database).await.replace("(2,,1000000)", &format!("(2,,{head})"));
    assert_eq!(content(&other).await, expected);

    let report = live.verify().await.unwrap();
    assert_eq!((report.head, report.findings), (head, vec![]));
    // The process that knew it empty writes at its new end, and remembers what was done.
    let again =
        "SELECT command_id, position FROM log.commands WHERE get_byte(digest, 0) = 1 LIMIT 1";
    let again = database.owner.query_one(again, &[]).await.unwrap();
    let repeated = append(remembered(again.get(0), 1), vec![deposit(Uuid::now_v7(), 0)], vec![]);
    let Ok(Appended::Before(outcome)) = live.append(repeated).await else {
        panic!("it was done before")
    };
    assert_eq!(outcome.position.0.cast_signed(), again.get::<_, i64>(1));
    let done = live.append(append(envelope(), vec![deposit(Uuid::now_v7(), 0)], vec![])).await;
    assert_eq!(done.unwrap().outcome().position.0, head.0 + 1);
}

/// Whatever is written before, between and after the exports is in the last backup once.
#[tokio::test]
async fn a_backup_is_continued_by_what_is_new() {
    let (database, folders) = (empty().await, TempDir::new().unwrap());
    let log = database.open().await;
    let (first, second) = (folders.path().join("first"), folders.path().join("second"));
    assert_eq!(export(&database, &first).await.unwrap().manifest.events, 0);
    for commands in [3, 5] {
        trade(&log, commands).await;
        export(&database, &first).await.unwrap();
        // Remembered at the very position at which the export ended.
        let late = append(remembered(Uuid::now_v7(), 9), vec![], vec![]);
        log.append(late).await.unwrap();
    }
    let kept = backup::verify(&first).unwrap();
    trade(&log, 7).await;
    let continued =
        backup::export(&database.owner, &second, Some(&first), &[KEYS], |_, _| ()).await.unwrap();
    assert_eq!(continued.new, log.head().await.unwrap().0 - kept.manifest.last.0);
    assert_eq!(backup::verify(&first).unwrap().manifest, kept.manifest, "the first is untouched");

    let mut other = empty().await;
    import(&mut other, &second).await.unwrap();
    assert_eq!(content(&other).await, content(&database).await);
    let refused = backup::export(&database.owner, &second, Some(&first), &[KEYS], |_, _| ()).await;
    assert!(matches!(refused, Err(Error::AlreadyBegun(_))), "{refused:?}");
}

#[tokio::test]
async fn another_history_neither_continues_a_backup_nor_is_restored_over() {
    let (mut database, folder) = (empty().await, TempDir::new().unwrap());
    let log = database.open().await;
    trade(&log, 3).await;
    export(&database, folder.path()).await.unwrap();
    let refused = import(&mut database, folder.path()).await;
    let head = log.head().await.unwrap();
    assert!(matches!(refused, Err(Error::NotEmpty { head: found }) if found == head));

    let stranger = empty().await;
    trade(&stranger.open().await, 4).await;
    let refused = export(&stranger, folder.path()).await;
    assert!(matches!(refused, Err(Error::OtherHistory { .. })), "{refused:?}");
    let refused = export(&empty().await, folder.path()).await;
    assert!(matches!(refused, Err(Error::OtherHistory { .. })), "{refused:?}");

    let elsewhere = TempDir::new().unwrap();
    std::fs::write(elsewhere.path().join("thesis.txt"), "").unwrap();
    let refused = export(&database, elsewhere.path()).await;
    assert!(matches!(refused, Err(Error::Occupied(_))), "{refused:?}");
    let refused = import(&mut empty().await, elsewhere.path()).await;
    assert!(matches!(refused, Err(Error::NoBackup(_))), "{refused:?}");
}

/// Every column of the log's tables is in a backup; a new one needs a new format.
#[tokio::test]
async fn a_backup_has_every_column() {
    let (database, folder) = (empty().await, TempDir::new().unwrap());
    trade(&database.open().await, 1).await;
    export(&database, folder.path()).await.unwrap();
    // Restored without naming a column, the rows would not fit if one were missing.
    let mut other = empty().await;
    import(&mut other, folder.path()).await.unwrap();
    let columns = "\
        SELECT string_agg(table_name || '.' || column_name, ' ' ORDER BY table_name, \
            ordinal_position)
        FROM information_schema.columns
        WHERE table_schema = 'log' AND table_name IN ('events', 'commands')";
    let columns: String = other.owner.query_one(columns, &[]).await.unwrap().get(0);
    assert_eq!(
        columns,
        "commands.command_id commands.digest commands.stream_id commands.version \
         commands.position commands.recorded_at events.position events.event_id \
         events.stream_type events.stream_id events.version events.event_type \
         events.schema_version events.company_id events.actor events.command_id \
         events.correlation_id events.causation_id events.recorded_at events.payload",
        "name the new column in event-log/src/backup.rs too"
    );
}

/// Files are removed, cut, lengthened, swapped, and changed in single bits: all is found out
/// without a server, and nothing is written.
#[tokio::test]
async fn no_damage_is_restored() {
    let (database, folder) = (empty().await, TempDir::new().unwrap());
    let log = database.open().await;
    trade(&log, 30).await;
    database.owner.batch_execute("INSERT INTO access.keys VALUES (1, 'a', 1)").await.unwrap();
    export(&database, folder.path()).await.unwrap();
    trade(&log, 5).await;
    let Manifest { files, .. } = export(&database, folder.path()).await.unwrap().manifest;
    let mut names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
    names.push("manifest.json");

    let mut target = empty().await;
    let seed = rand::random();
    let mut random = StdRng::seed_from_u64(seed);
    for step in 0..300 {
        let name = names[random.random_range(0..names.len())];
        let path = folder.path().join(name);
        let whole = std::fs::read(&path).unwrap();
        let mut damaged = whole.clone();
        let what = match random.random_range(0..6) {
            0 => {
                damaged.truncate(random.random_range(0..whole.len()));
                "cut"
            }
            1 => {
                damaged.push(random.random());
                "lengthened"
            }
            2 => {
                let at = random.random_range(0..whole.len());
                damaged.remove(at);
                "a byte is missing"
            }
            3 => {
                let other = names[random.random_range(0..names.len())];
                damaged = std::fs::read(folder.path().join(other)).unwrap();
                "another file's content"
            }
            _ => {
                let bit = random.random_range(0..whole.len() * 8);
                damaged[bit / 8] ^= 1 << (bit % 8);
                "a bit is flipped"
            }
        };
        // White space around the manifest's JSON says nothing.
        let says = |bytes: &[u8]| serde_json::from_slice::<serde_json::Value>(bytes).ok();
        if damaged == whole || (name == "manifest.json" && says(&damaged) == says(&whole)) {
            continue;
        }
        std::fs::write(&path, &damaged).unwrap();
        let found = backup::verify(folder.path());
        assert!(found.is_err(), "seed {seed}, step {step}: {name}: {what}");
        if step % 10 == 0 {
            assert!(import(&mut target, folder.path()).await.is_err(), "{name}: {what}");
        }
        std::fs::write(&path, &whole).unwrap();
    }
    for name in names {
        let (path, away) = (folder.path().join(name), folder.path().join("away"));
        std::fs::rename(&path, &away).unwrap();
        assert!(import(&mut target, folder.path()).await.is_err(), "{name} is missing");
        std::fs::rename(&away, &path).unwrap();
    }
    assert_eq!(content(&target).await, "", "nothing was written");
    import(&mut target, folder.path()).await.unwrap();
    assert_eq!(content(&target).await, content(&database).await);
}

/// A log with a gap, as no log of ours can be, is not taken for whole.
#[tokio::test]
async fn a_damaged_log_is_not_restored() {
    let (mut database, folder) = (empty().await, TempDir::new().unwrap());
    let without_its_first_version = "
        INSERT INTO log.events SELECT 1, gen_random_uuid(), 'a', gen_random_uuid(), 2, 'a.b', 1,
            NULL, 'key:1', gen_random_uuid(), gen_random_uuid(), NULL, now(), '{}';
        UPDATE log.head SET position = 1";
    database.owner.batch_execute(without_its_first_version).await.unwrap();
    export(&database, folder.path()).await.unwrap();
    let found = backup::verify(folder.path()).unwrap_err();
    assert!(found.to_string().contains("version 2 of stream"), "{found}");

    let folder = TempDir::new().unwrap();
    database = empty().await;
    trade(&database.open().await, 5).await;
    database.owner.batch_execute("UPDATE log.head SET position = position + 1").await.unwrap();
    let refused = export(&database, folder.path()).await;
    assert!(matches!(refused, Err(Error::Log(_))), "{refused:?}");
    assert!(matches!(backup::verify(folder.path()), Err(Error::NoBackup(_))));
}

#[tokio::test]
async fn two_exports_do_not_share_a_folder() {
    let (database, folder) = (empty().await, TempDir::new().unwrap());
    trade(&database.open().await, 3).await;
    let busy = std::fs::File::create(folder.path().join("lock")).unwrap();
    let busy = nix::fcntl::Flock::lock(busy, nix::fcntl::FlockArg::LockExclusive).unwrap();
    let refused = export(&database, folder.path()).await;
    assert!(matches!(refused, Err(Error::InUse(_))), "{refused:?}");
    drop(busy);
    assert_eq!(export(&database, folder.path()).await.unwrap().manifest.first, Position(1));
}
