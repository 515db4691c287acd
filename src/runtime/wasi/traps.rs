//! How a guest's end reads: exit codes, traps, and what is neither.

use wasmtime::{Trap, WasmBacktrace};
use wasmtime_wasi::I32Exit;

use super::calls::TooManyCalls;
use super::words;
use crate::runtime::End;
use crate::spec::{LimitName, LimitValue};

/// Frames of a backtrace that a result keeps; the engine is told the same.
pub(super) const MAX_FRAMES: usize = 16;

/// Turns what a call gave into the end of its guest.
pub(super) fn end_of(outcome: wasmtime::Result<i32>, is_stopped: bool, fuel: Option<u64>) -> End {
    let error = match outcome {
        Ok(code) => return End::Exited(code & 0xff),
        Err(error) => error,
    };
    if let Some(I32Exit(code)) = error.downcast_ref() {
        // As on other systems, the parent of a process sees the low eight bits.
        return End::Exited(code & 0xff);
    }
    if is_stopped {
        return End::Stopped(None);
    }
    let backtrace = backtrace(&error);
    match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => End::Limit(LimitName::Fuel, LimitValue::Count(fuel.unwrap_or_default())),
        Some(trap) => End::Trapped { trap: name(*trap), message: trap.to_string(), backtrace },
        None => {
            let trap = if error.is::<wasmtime::ThrownException>() {
                "uncaught_exception"
            } else if error.is::<TooManyCalls>() {
                "too_many_host_calls"
            } else {
                "host_call"
            };
            End::Trapped { trap, message: words::message(&error.root_cause().to_string()), backtrace }
        }
    }
}

/// Lists the functions of a trap by name, innermost first; never a path of the host.
fn backtrace(error: &wasmtime::Error) -> Vec<String> {
    let Some(trace) = error.downcast_ref::<WasmBacktrace>() else { return Vec::new() };
    let frames = trace.frames().iter().take(MAX_FRAMES);
    frames
        .map(|frame| match frame.func_name() {
            Some(name) => words::name(name),
            None => format!("function {}", frame.func_index()),
        })
        .collect()
}

/// Gives the name of a trap as this program writes it; what it does not know is `other`.
pub(super) fn known(name: &str) -> &'static str {
    NAMES.into_iter().find(|known| *known == name).unwrap_or("other")
}

/// Every name that a trap may have.
const NAMES: [&str; 18] = [
    "stack_overflow",
    "memory_out_of_bounds",
    "heap_misaligned",
    "table_out_of_bounds",
    "indirect_call_to_null",
    "bad_signature",
    "integer_overflow",
    "integer_division_by_zero",
    "bad_conversion_to_integer",
    "unreachable",
    "interrupt",
    "null_reference",
    "array_out_of_bounds",
    "cast_failure",
    "uncaught_exception",
    "too_many_host_calls",
    "host_call",
    "other",
];

#[expect(clippy::wildcard_enum_match_arm, reason = "most of the engine's traps belong to proposals that are off here")]
fn name(trap: Trap) -> &'static str {
    match trap {
        Trap::StackOverflow => "stack_overflow",
        Trap::MemoryOutOfBounds => "memory_out_of_bounds",
        Trap::HeapMisaligned => "heap_misaligned",
        Trap::TableOutOfBounds => "table_out_of_bounds",
        Trap::IndirectCallToNull => "indirect_call_to_null",
        Trap::BadSignature => "bad_signature",
        Trap::IntegerOverflow => "integer_overflow",
        Trap::IntegerDivisionByZero => "integer_division_by_zero",
        Trap::BadConversionToInteger => "bad_conversion_to_integer",
        Trap::UnreachableCodeReached => "unreachable",
        Trap::Interrupt => "interrupt",
        Trap::NullReference => "null_reference",
        Trap::ArrayOutOfBounds => "array_out_of_bounds",
        Trap::CastFailure => "cast_failure",
        _ => "other",
    }
}
