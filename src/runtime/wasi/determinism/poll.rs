//! Waiting: descriptors are waited for as always, and a sleep moves the clock to its end and returns at once.

use wasmtime_wasi::p1::WasiP1Ctx;
use wasmtime_wasi::p1::wasi_snapshot_preview1::poll_oneoff;
use wiggle::GuestMemory;

use super::clock::Clock;

/// The bytes of a subscription: `user data 8, kind 1, padding 7, clock or descriptor 4, padding 4, timeout 8,
/// precision 8, flags 2, padding 6`.
pub(super) const SUBSCRIPTION: usize = 48;
/// The bytes of an event: `user data 8, error 2, kind 1, padding 5, bytes 8, flags 2, padding 6`.
pub(super) const EVENT: usize = 32;

/// `EINVAL` as preview 1 numbers it.
const ERRNO_INVAL: i32 = 28;
const KIND_CLOCK: u8 = 0;
const KIND_READ: u8 = 1;
const KIND_WRITE: u8 = 2;
const CLOCK_REALTIME: u32 = 0;
const CLOCK_MONOTONIC: u32 = 1;
const FLAG_ABSOLUTE: u16 = 1;

type Subscription = [u8; SUBSCRIPTION];
type Event = [u8; EVENT];

/// What a guest waits for, in the order in which it said so.
#[derive(Default)]
struct Wanted {
    descriptors: Vec<Subscription>,
    deadlines: Vec<(u64, Subscription)>,
}

/// Waits for the first of some subscriptions; gives what came, or the error that the guest is told.
///
/// A descriptor that is ready comes before any deadline, and time stands still for it.
pub(super) async fn wait(
    wasi: &mut WasiP1Ctx,
    clock: &Clock,
    subscriptions: &[u8],
) -> wasmtime::Result<Result<Vec<Event>, i32>> {
    let now = clock.read();
    let Some(wanted) = sort(subscriptions, now, clock.start()) else { return Ok(Err(ERRNO_INVAL)) };
    let mut events = match ready(wasi, &wanted).await? {
        Ok(events) => events,
        Err(errno) => return Ok(Err(errno)),
    };
    let first = wanted.deadlines.iter().map(|(deadline, _)| *deadline).min();
    let until = match first {
        Some(first) if events.is_empty() => first.max(now),
        Some(_) | None => now,
    };
    clock.sleep_until(until);
    let due = wanted.deadlines.iter().filter(|(deadline, _)| *deadline <= until);
    events.extend(due.map(|(_, subscription)| {
        let mut event = [0; EVENT];
        event[..8].copy_from_slice(&subscription[..8]);
        event
    }));
    Ok(Ok(events))
}

/// Sorts subscriptions by what they wait for; none where one is not well formed.
fn sort(subscriptions: &[u8], now: u64, start: u64) -> Option<Wanted> {
    let mut wanted = Wanted::default();
    let (subscriptions, _) = subscriptions.as_chunks::<SUBSCRIPTION>();
    for subscription in subscriptions {
        match subscription[8] {
            KIND_CLOCK => wanted.deadlines.push((deadline(subscription, now, start)?, *subscription)),
            KIND_READ | KIND_WRITE => wanted.descriptors.push(*subscription),
            _ => return None,
        }
    }
    (!subscriptions.is_empty()).then_some(wanted)
}

fn deadline(subscription: &Subscription, now: u64, start: u64) -> Option<u64> {
    let clock = subscription[16..].first_chunk().copied().map(u32::from_le_bytes)?;
    let timeout = subscription[24..].first_chunk().copied().map(u64::from_le_bytes)?;
    let flags = subscription[40..].first_chunk().copied().map(u16::from_le_bytes)?;
    match (clock, flags) {
        (CLOCK_REALTIME | CLOCK_MONOTONIC, 0) => Some(now.saturating_add(timeout)),
        (CLOCK_MONOTONIC, FLAG_ABSOLUTE) => Some(timeout),
        (CLOCK_REALTIME, FLAG_ABSOLUTE) => Some(timeout.saturating_sub(start)),
        _ => None,
    }
}

/// Asks the library which descriptors are ready: at once where there is a deadline, else when the first one is.
async fn ready(wasi: &mut WasiP1Ctx, wanted: &Wanted) -> wasmtime::Result<Result<Vec<Event>, i32>> {
    if wanted.descriptors.is_empty() {
        return Ok(Ok(Vec::new()));
    }
    let mut asked = wanted.descriptors.clone();
    // A stream that is written is always ready in the end: how fast its reader is must not show.
    let writes = wanted.descriptors.iter().any(|subscription| subscription[8] == KIND_WRITE);
    if !wanted.deadlines.is_empty() && !writes {
        let mut at_once = [0; SUBSCRIPTION];
        at_once[16] = CLOCK_MONOTONIC.to_le_bytes()[0];
        asked.push(at_once);
    }
    let (events, count) = (asked.len() * SUBSCRIPTION, asked.len());
    let out = events + count * EVENT;
    let mut memory = asked.concat();
    memory.resize(out + 4, 0);
    let at = |place: usize| i32::try_from(place).map_err(|_| wasmtime::format_err!("too many subscriptions"));
    let (events_at, count_at, out_at) = (at(events)?, at(count)?, at(out)?);
    let mut guest = GuestMemory::Unshared(&mut memory);
    // The executor's own budget must not make a descriptor look busy.
    let asking = tokio::task::unconstrained(poll_oneoff(wasi, &mut guest, 0, events_at, count_at, out_at));
    match asking.await? {
        0 => {}
        errno => return Ok(Err(errno)),
    }
    let came = memory[out..].first_chunk().copied().map(u32::from_le_bytes).unwrap_or_default();
    let came = usize::try_from(came).unwrap_or(count).min(count);
    let (events, _) = memory[events..out].as_chunks::<EVENT>();
    Ok(Ok(events.iter().take(came).filter(|event| event[10] != KIND_CLOCK).copied().collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock_subscription(clock: u32, timeout: u64, flags: u16) -> Subscription {
        let mut subscription = [0; SUBSCRIPTION];
        subscription[16..20].copy_from_slice(&clock.to_le_bytes());
        subscription[24..32].copy_from_slice(&timeout.to_le_bytes());
        subscription[40..42].copy_from_slice(&flags.to_le_bytes());
        subscription
    }

    #[test]
    fn deadlines_count_from_now_or_from_the_clock_that_is_named() {
        let at = |clock, timeout, flags| deadline(&clock_subscription(clock, timeout, flags), 100, 1_000);
        assert_eq!(at(CLOCK_MONOTONIC, 7, 0), Some(107));
        assert_eq!(at(CLOCK_REALTIME, u64::MAX, 0), Some(u64::MAX));
        assert_eq!(at(CLOCK_MONOTONIC, 7, FLAG_ABSOLUTE), Some(7));
        assert_eq!(at(CLOCK_REALTIME, 1_200, FLAG_ABSOLUTE), Some(200));
        assert_eq!(at(CLOCK_REALTIME, 3, FLAG_ABSOLUTE), Some(0));
        assert_eq!((at(2, 7, 0), at(CLOCK_MONOTONIC, 7, 2)), (None, None));
        assert!(sort(&[], 0, 0).is_none());
    }
}
