//! What a guest prints: counted in full, kept within a bound, passed on live.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Bytes, BytesMut};
use tokio::sync::mpsc;

use super::{Control, RuntimeEvent, Stop};
use crate::spec::{LimitName, LimitValue, OutputOverflow};

/// What was kept of one stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Output {
    /// What was kept: all of it, or the beginning followed by the end.
    pub kept: Bytes,
    /// How many bytes the guest printed.
    pub bytes: u64,
    /// What is not in `kept`, if anything.
    pub omitted: Option<Omitted>,
}

/// A gap in what was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Omitted {
    /// How many bytes of `kept` stand before the gap.
    pub at: u64,
    /// How many bytes are missing there.
    pub bytes: u64,
}

impl Output {
    /// Says whether anything is missing.
    pub fn is_truncated(&self) -> bool {
        self.omitted.is_some()
    }

    /// Gives what was kept as text, if it is UTF-8; a character cut by the gap is left out.
    pub fn text(&self) -> Option<String> {
        text_around(&self.kept, self.omitted.map(|gap| gap.at))
    }
}

/// Gives bytes with a gap behind so many of them as text, if they are UTF-8; a character cut by the gap is left out.
pub(crate) fn text_around(kept: &[u8], gap: Option<u64>) -> Option<String> {
    let Some(at) = gap else { return String::from_utf8(kept.to_vec()).ok() };
    let (head, tail) = kept.split_at(usize::try_from(at).ok()?.min(kept.len()));
    let head = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(cut) if cut.error_len().is_none() => std::str::from_utf8(&head[..cut.valid_up_to()]).ok()?,
        Err(_) => return None,
    };
    let start = tail.iter().take(3).take_while(|byte| *byte & 0xC0 == 0x80).count();
    Some(format!("{head}{}", std::str::from_utf8(&tail[start..]).ok()?))
}

/// The keeper of one stream: the first and the last part of what comes, within a limit.
#[derive(Debug)]
struct Capture {
    limit: u64,
    overflow: OutputOverflow,
    head: BytesMut,
    tail: VecDeque<u8>,
    bytes: u64,
}

impl Capture {
    fn head_limit(&self) -> u64 {
        match self.overflow {
            OutputOverflow::Stop => self.limit,
            OutputOverflow::Truncate => self.limit.div_ceil(2),
        }
    }

    /// Takes bytes; gives how many of them are within the limit.
    fn take(&mut self, bytes: &[u8]) -> usize {
        let room = usize::try_from(self.head_limit().saturating_sub(self.head.len() as u64)).unwrap_or(usize::MAX);
        let (head, rest) = bytes.split_at(room.min(bytes.len()));
        self.head.extend_from_slice(head);
        let allowed = usize::try_from(self.limit.saturating_sub(self.bytes)).unwrap_or(usize::MAX).min(bytes.len());
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
        if self.overflow == OutputOverflow::Truncate {
            self.take_tail(rest);
        }
        allowed
    }

    fn take_tail(&mut self, rest: &[u8]) {
        let room = usize::try_from(self.limit / 2).unwrap_or(usize::MAX);
        let rest = &rest[rest.len().saturating_sub(room)..];
        let surplus = (self.tail.len() + rest.len()).saturating_sub(room);
        self.tail.drain(..surplus);
        self.tail.extend(rest);
    }

    fn finish(&mut self) -> Output {
        let mut kept = std::mem::take(&mut self.head);
        let at = kept.len() as u64;
        kept.extend(std::mem::take(&mut self.tail));
        let missing = self.bytes.saturating_sub(kept.len() as u64);
        let omitted = (missing > 0).then_some(Omitted { at, bytes: missing });
        Output { kept: kept.freeze(), bytes: self.bytes, omitted }
    }
}

/// Which of the two streams of a guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stream {
    Stdout,
    Stderr,
}

/// Where a runtime puts what a guest prints on one stream.
///
/// The sink counts, keeps within the output limit, ends the command at it, and passes on what is live.
#[derive(Debug)]
pub struct Sink {
    stream: Stream,
    capture: Mutex<Capture>,
    control: Arc<Control>,
    events: Option<mpsc::Sender<RuntimeEvent>>,
    backlog: Mutex<VecDeque<RuntimeEvent>>,
}

impl Sink {
    pub(super) fn new(
        stream: Stream,
        (limit, overflow): (Option<u64>, OutputOverflow),
        control: &Arc<Control>,
        events: Option<mpsc::Sender<RuntimeEvent>>,
    ) -> Arc<Self> {
        let limit = limit.unwrap_or(u64::MAX);
        let capture = Capture { limit, overflow, head: BytesMut::new(), tail: VecDeque::new(), bytes: 0 };
        let (capture, backlog) = (Mutex::new(capture), Mutex::default());
        Arc::new(Self { stream, capture, control: Arc::clone(control), events, backlog })
    }

    /// Takes what the guest printed, and waits while a live reader is behind and the command need not end.
    ///
    /// At the output limit under `stop` the command is [stopped](Control::stop); the caller sees that there.
    /// Cancel safe: the bytes count as printed and reach a live reader all the same.
    pub async fn write(&self, bytes: &[u8]) {
        self.push(bytes);
        self.ready().await;
    }

    /// Takes what the guest printed without waiting; ask [`is_behind`](Self::is_behind) before the next.
    pub fn push(&self, bytes: &[u8]) {
        let Some(event) = self.record(bytes) else { return };
        let Some(events) = &self.events else { return };
        let mut backlog = self.backlog();
        if !backlog.is_empty() {
            backlog.push_back(event);
        } else if let Err(mpsc::error::TrySendError::Full(event)) = events.try_send(event) {
            backlog.push_back(event);
        }
    }

    /// Says whether a live reader is behind, so that a guest should print no more for now.
    pub fn is_behind(&self) -> bool {
        self.events.is_some() && !self.backlog().is_empty()
    }

    /// Waits until no live reader is behind, or the command must end: a guest is never held back from its end by a
    /// reader that does not read. What the reader has not seen by then still reaches it.
    ///
    /// Cancel safe.
    pub async fn ready(&self) {
        let Some(events) = &self.events else { return };
        while self.is_behind() {
            let reserved = tokio::select! {
                biased;
                _ = self.control.stopped() => return,
                reserved = self.control.while_blocked(events.reserve()) => reserved,
            };
            let Ok(place) = reserved else {
                self.backlog().clear();
                return;
            };
            if let Some(event) = self.backlog().pop_front() {
                place.send(event);
            }
        }
    }

    /// Takes the oldest event that a reader has not seen; for after the end, when nobody waits any more.
    pub(super) fn pop_backlog(&self) -> Option<RuntimeEvent> {
        self.backlog().pop_front()
    }

    fn backlog(&self) -> MutexGuard<'_, VecDeque<RuntimeEvent>> {
        self.backlog.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn record(&self, bytes: &[u8]) -> Option<RuntimeEvent> {
        let mut capture = self.lock();
        let stop = capture.overflow == OutputOverflow::Stop;
        let within = capture.take(bytes);
        let (printed, limit) = (capture.bytes, capture.limit);
        drop(capture);
        self.control.mark_output();
        if stop && printed > limit {
            self.control.stop(Stop::Limit(LimitName::Output, LimitValue::Bytes(printed)));
        }
        let live = if stop { &bytes[..within] } else { bytes };
        (self.events.is_some() && !live.is_empty()).then(|| {
            let live = Bytes::copy_from_slice(live);
            match self.stream {
                Stream::Stdout => RuntimeEvent::Stdout(live),
                Stream::Stderr => RuntimeEvent::Stderr(live),
            }
        })
    }

    /// Takes what was kept; later bytes are lost.
    pub(super) fn finish(&self) -> Output {
        self.lock().finish()
    }

    fn lock(&self) -> MutexGuard<'_, Capture> {
        self.capture.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capture(limit: u64, overflow: OutputOverflow) -> Capture {
        Capture { limit, overflow, head: BytesMut::new(), tail: VecDeque::new(), bytes: 0 }
    }

    #[test]
    fn stop_keeps_the_beginning_and_counts_the_rest() {
        let mut capture = capture(4, OutputOverflow::Stop);
        assert_eq!(capture.take(b"abc"), 3);
        assert_eq!(capture.take(b"def"), 1);
        let output = capture.finish();
        assert_eq!((&output.kept[..], output.bytes), (&b"abcd"[..], 6));
        assert_eq!(output.omitted, Some(Omitted { at: 4, bytes: 2 }));
    }

    #[test]
    fn truncate_keeps_both_ends_however_it_comes() {
        let text: Vec<u8> = (b'a'..=b'z').collect();
        for step in 1..=26 {
            let mut capture = capture(7, OutputOverflow::Truncate);
            text.chunks(step).for_each(|chunk| {
                capture.take(chunk);
            });
            let output = capture.finish();
            assert_eq!(&output.kept[..], b"abcdxyz", "in steps of {step}");
            assert_eq!(output.omitted, Some(Omitted { at: 4, bytes: 19 }));
        }
    }

    #[test]
    fn nothing_is_missing_at_exactly_the_limit() {
        for overflow in [OutputOverflow::Stop, OutputOverflow::Truncate] {
            let mut capture = capture(3, overflow);
            capture.take(b"abc");
            let output = capture.finish();
            assert_eq!((&output.kept[..], output.omitted), (&b"abc"[..], None));
        }
    }

    #[test]
    fn a_character_cut_by_the_gap_is_left_out() {
        let text = "ääää".as_bytes();
        let mut capture = capture(5, OutputOverflow::Truncate);
        capture.take(text);
        assert_eq!(capture.finish().text().as_deref(), Some("ää"));
        assert_eq!(Output { kept: Bytes::from_static(b"\xff"), bytes: 1, omitted: None }.text(), None);
    }
}
