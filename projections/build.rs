//! Names the builds of each read model: a digest of the sources that say what events change in it.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
};

/// Sources of this crate that change no row. Every other file beside the views counts for all of them.
const WITHOUT_EFFECT: [&str; 9] = [
    "changed.rs",
    "follower.rs",
    "metrics.rs",
    "rebuild.rs",
    "remembered.rs",
    "runner.rs",
    "simulation.rs",
    "views.rs",
    "wait.rs",
];
/// The package whose tables fold letters, so its version counts for all read models too.
const FOLDING: &str = "deunicode";

fn main() {
    println!("cargo::rerun-if-changed=src");
    println!("cargo::rerun-if-changed=../Cargo.lock");
    let mut shared = Digest::new();
    for file in sorted(Path::new("src")).into_iter().filter(|path| path.is_file()) {
        if !WITHOUT_EFFECT.contains(&name(&file).as_str()) {
            shared.add(&read(&file));
        }
    }
    shared.add(locked_version(FOLDING).as_bytes());

    let contexts = sorted(Path::new("src/views")).into_iter().filter(|path| path.is_dir());
    let files = contexts.flat_map(|context| sorted(&context)).filter(|path| path.is_file());
    let sources: BTreeMap<String, View> =
        files.map(|file| (stem(&file), View::of(&file))).collect();
    let mut generated = vec![format!("pub(super) const SHARED: u64 = {};\n", shared.0)];
    for view in sources.keys() {
        let mut own = Digest::new();
        for used in used(view, &sources) {
            own.add(used.as_bytes());
            own.add(sources[used].source.as_bytes());
        }
        let constant = view.to_uppercase();
        generated.push(format!("pub(crate) const {constant}: u64 = of({});\n", own.0));
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    fs::write(out.join("builds.rs"), generated.concat()).expect("cargo has made the folder");
}

/// What a read model is made by.
struct View {
    context: String,
    source: String,
}

impl View {
    fn of(file: &Path) -> Self {
        Self { context: stem(file.parent().unwrap_or(file)), source: source(file) }
    }

    /// Whether it names another read model, by its whole path or by one from the same context.
    fn names(&self, other: &str, View { context, .. }: &View) -> bool {
        let sibling = (self.context == *context).then(|| format!("super::{other}"));
        let paths = ["views::", "super::"].map(|path| format!("{path}{context}::{other}"));
        paths.iter().chain(&sibling).any(|path| self.source.contains(path.as_str()))
    }
}

/// A view and those that its sources name, and so on.
fn used<'a>(view: &'a str, sources: &'a BTreeMap<String, View>) -> Vec<&'a str> {
    let mut used = vec![view];
    let mut next = 0;
    while let Some(present) = used.get(next).copied() {
        next += 1;
        for (other, named) in sources.iter().filter(|(other, _)| *other != present) {
            if sources[present].names(other, named) && !used.contains(&other.as_str()) {
                used.push(other);
            }
        }
    }
    used
}

/// What a view's file says, and those in the folder of its name.
fn source(file: &Path) -> String {
    let mut texts = vec![read(file)];
    let mut folders = vec![file.with_extension("")];
    while let Some(folder) = folders.pop().filter(|folder| folder.is_dir()) {
        for path in sorted(&folder) {
            if path.is_dir() {
                folders.push(path);
            } else {
                texts.push(read(&path));
            }
        }
    }
    texts.iter().map(|text| String::from_utf8_lossy(text)).collect()
}

/// The version of a package that this workspace is built with.
fn locked_version(package: &str) -> String {
    let lock = String::from_utf8(read(Path::new("../Cargo.lock"))).expect("cargo wrote it");
    let entry = format!("name = \"{package}\"\nversion = ");
    let (_, version) = lock.split_once(&entry).expect("this crate depends on it");
    version.lines().next().unwrap_or_default().to_owned()
}

/// FNV-1a: it tells builds apart, nobody attacks it.
struct Digest(u64);

impl Digest {
    fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn add(&mut self, bytes: &[u8]) {
        let length = bytes.len().to_le_bytes();
        for byte in length.iter().chain(bytes) {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("cargo builds in the crate's own folder");
    let mut paths: Vec<_> =
        entries.map(|entry| entry.expect("the folder is listed").path()).collect();
    paths.sort();
    paths
}

fn read(file: &Path) -> Vec<u8> {
    fs::read(file).expect("the file was listed just now")
}

fn name(file: &Path) -> String {
    file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn stem(file: &Path) -> String {
    file.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}
