//! Making inputs of inputs, and keeping time.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

/// The most bytes of an input.
const LONGEST: usize = 64 * 1024;
/// The longest that one input may take, generously: most take less than a thousandth of it.
const PATIENCE: Duration = Duration::from_secs(60);
/// The most memory that the process may ever have held, generously.
const MOST_KIB: u64 = 1 << 20;

/// Numbers that look like chance and are the same every time (xorshift64*).
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// Gives a number below another one; 0 below 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % (end.max(1) as u64)).unwrap()
    }
}

/// Reads inputs until the time is over: the seeds of the target first, then what comes of them.
///
/// `words` are pieces that the target knows. A panic of `read` fails the test, which shows the input.
pub(crate) fn run(target: &str, words: &[&[u8]], read: impl FnMut(&[u8], &mut Chance)) {
    run_from(target, seeds(target), words, read);
}

/// Does the same from these seeds.
pub(crate) fn run_from(
    target: &str,
    mut seeds: Vec<Vec<u8>>,
    words: &[&[u8]],
    mut read: impl FnMut(&[u8], &mut Chance),
) {
    let time = Duration::from_secs_f64(number("BAILIWICK_FUZZ_SECONDS").unwrap_or(1.0));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a seed may be any number")]
    let seed = number("BAILIWICK_FUZZ_SEED").unwrap_or(0.0) as u64;
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15 ^ seed.wrapping_mul(0xff51_afd7_ed55_8ccd));
    let (began, mut count) = (Instant::now(), 0_u64);
    let mut slowest = Duration::ZERO;
    for at in 0.. {
        let input = match seeds.get(at) {
            Some(seed) => seed.clone(),
            None if began.elapsed() > time => break,
            None => changed(&seeds, words, &mut chance),
        };
        // What overflows the stack or is killed can only be told by what was read last.
        if let Some(last) = std::env::var_os("BAILIWICK_FUZZ_LAST") {
            fs::write(last, &input).unwrap();
        }
        let began = Instant::now();
        let done = catch_unwind(AssertUnwindSafe(|| read(&input, &mut chance)));
        assert!(done.is_ok(), "{target}, input {at}: {}", input.escape_ascii());
        slowest = slowest.max(began.elapsed());
        count += 1;
        // Some of what was made is changed further.
        if seeds.len() < 512 && chance.below(64) == 0 {
            seeds.push(input);
        }
    }
    let peak = peak();
    println!(
        "{target}: {count} inputs in {:.0?}, the slowest {slowest:.0?}, {} MiB at most",
        began.elapsed(),
        peak / 1024
    );
    assert!(slowest < PATIENCE, "{target}: an input took {slowest:?}");
    assert!(peak < MOST_KIB, "{target}: the process held {peak} KiB");
}

/// Gives the most resident memory that this process ever had, in KiB.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

fn number(name: &str) -> Option<f64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

/// Reads the seeds of a target.
pub(crate) fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/fuzz").join(target);
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "{target} has seeds");
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// Changes one of the inputs in a few places.
fn changed(seeds: &[Vec<u8>], words: &[&[u8]], chance: &mut Chance) -> Vec<u8> {
    let mut input = seeds[chance.below(seeds.len())].clone();
    for _ in 0..=chance.below(6) {
        let at = chance.below(input.len() + 1);
        let end = at + chance.below((input.len() - at).min(64) + 1);
        match chance.below(8) {
            0 if at < input.len() => input[at] ^= 1 << chance.below(8),
            1 if at < input.len() => input[at] = chance.next().to_le_bytes()[0],
            2 => drop(input.drain(at..end)),
            3 => {
                let copy = input[at..end].to_vec();
                insert(&mut input, at, &copy.repeat(1 + chance.below(40)));
            }
            4 => {
                let other = &seeds[chance.below(seeds.len())];
                let from = chance.below(other.len() + 1);
                let piece = other[from..from + chance.below(other.len() - from + 1)].to_vec();
                insert(&mut input, at, &piece);
            }
            5 => input.truncate(at),
            _ if words.is_empty() => insert(&mut input, at, &chance.next().to_le_bytes()),
            _ => insert(&mut input, at, words[chance.below(words.len())]),
        }
        input.truncate(LONGEST);
    }
    input
}

fn insert(input: &mut Vec<u8>, at: usize, piece: &[u8]) {
    drop(input.splice(at..at, piece.iter().copied()));
}
