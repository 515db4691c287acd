//! Measuring in pairs, and the table.

use std::time::{Duration, Instant};

use serde_json::json;

/// One row of the table.
struct Row {
    name: String,
    ours: Duration,
    peer: Option<(String, Duration)>,
    budget: String,
    within: Option<bool>,
}

/// The table in the making.
pub(crate) struct Report {
    filter: String,
    rows: Vec<Row>,
}

impl Report {
    pub(crate) fn new(filter: String) -> Self {
        Self { filter, rows: Vec::new() }
    }

    pub(crate) fn wants(&self, name: &str) -> bool {
        name.contains(&self.filter)
    }

    /// Adds a row of ours beside a peer's, with the most that the ratio may be.
    pub(crate) fn pair(&mut self, name: &str, (ours, peer): (Duration, Duration), peer_name: &str, most: f64) {
        let within = ours.as_secs_f64() <= most * peer.as_secs_f64();
        let (peer, budget) = (Some((peer_name.to_owned(), peer)), format!("{most} x"));
        self.rows.push(Row { name: name.to_owned(), ours, peer, budget, within: Some(within) });
    }

    /// Adds a row that has no peer, with the most that it may take.
    pub(crate) fn alone(&mut self, name: &str, ours: Duration, most: Duration) {
        let (budget, within) = (text(most), Some(ours <= most));
        self.rows.push(Row { name: name.to_owned(), ours, peer: None, budget, within });
    }

    /// Says why a row is not there.
    pub(crate) fn skip(&mut self, name: &str, why: &str) {
        println!("skipped: {name}: {why}");
    }

    pub(crate) fn print(&self) {
        println!("| what | ours | peer | ratio | budget | within |");
        println!("| --- | --- | --- | --- | --- | --- |");
        for row in &self.rows {
            let peer = row.peer.as_ref().map_or("-".to_owned(), |(name, time)| format!("{} ({name})", text(*time)));
            let ratio = row.peer.as_ref().map_or("-".to_owned(), |(_, time)| format!("{:.2}", ratio(row.ours, *time)));
            let within = if row.within == Some(true) { "yes" } else { "no" };
            println!("| {} | {} | {peer} | {ratio} | {} | {within} |", row.name, text(row.ours), row.budget);
        }
    }

    pub(crate) fn write(&self, path: &str) {
        let rows: Vec<_> = self
            .rows
            .iter()
            .map(|row| {
                let peer = row.peer.as_ref().map(|(name, time)| json!({"name": name, "seconds": time.as_secs_f64()}));
                let ours = row.ours.as_secs_f64();
                json!({"name": row.name, "seconds": ours, "peer": peer, "budget": row.budget, "within": row.within})
            })
            .collect();
        let file = std::fs::File::create(path).unwrap();
        serde_json::to_writer_pretty(file, &json!({"version": 1, "rows": rows})).unwrap();
    }
}

fn ratio(ours: Duration, peer: Duration) -> f64 {
    ours.as_secs_f64() / peer.as_secs_f64()
}

fn text(time: Duration) -> String {
    let micros = time.as_secs_f64() * 1e6;
    if micros < 1e3 { format!("{micros:.2} us") } else { format!("{:.2} ms", micros / 1e3) }
}

/// Runs both in turn, warm, and gives the median of each.
pub(crate) fn in_turn(runs: usize, mut ours: impl FnMut(), mut peer: impl FnMut()) -> (Duration, Duration) {
    let timed = |work: &mut dyn FnMut()| {
        let began = Instant::now();
        work();
        began.elapsed()
    };
    for _ in 0..runs.div_ceil(10) {
        ours();
        peer();
    }
    let mut pairs: (Vec<_>, Vec<_>) = (0..runs).map(|_| (timed(&mut ours), timed(&mut peer))).unzip();
    (middle(&mut pairs.0, 50), middle(&mut pairs.1, 50))
}

/// Gives the percentile of some times.
pub(crate) fn middle(times: &mut [Duration], percent: usize) -> Duration {
    times.sort_unstable();
    times[(times.len() * percent / 100).min(times.len() - 1)]
}
