//! Where instances live: a pool of warm slots, smaller where the host gives less, or memory on demand.

use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

/// How many guests of one engine may run from the pool at once; what does not fit gets memory on demand.
pub(super) const SLOTS: u32 = 32;
/// Smaller pools to try where address space is short.
const SMALLER: [u32; 2] = [8, 2];
/// How much of a slot's memory stays resident between guests. It is reset by the kernel's page map, never read again.
const RESIDENT: usize = 1 << 20;
/// The largest table of a guest from the pool: what the default memory limit leaves room for. Only addresses are taken.
pub(super) const TABLE_ELEMENTS: usize = 32 << 20;
/// How many memories and tables a module may have to run from the pool.
const PER_MODULE: u32 = 4;

/// Says what costs speed here: a pool that is small or missing, slots that are cleared by hand.
pub(super) fn slower(slots: Option<usize>) -> Vec<String> {
    let mut slower = Vec::new();
    match slots {
        Some(slots) if slots < SLOTS as usize => {
            slower.push(format!("only {slots} warm slots: raise the limit of address space (`ulimit -v`)"));
        }
        Some(_) => {}
        None => slower.push("no pool of instances: raise the limit of address space (`ulimit -v`)".to_owned()),
    }
    if !PoolingAllocationConfig::is_pagemap_scan_available() {
        slower.push("no scan of page maps: slots are cleared by hand; Linux 6.7 and newer has it".to_owned());
    }
    slower
}

/// Makes an engine with the largest pool that can be had, and says how many slots it has; none: on demand.
pub(super) fn engine(most: u32, config: impl Fn() -> Config) -> wasmtime::Result<(Engine, Option<u32>)> {
    for slots in std::iter::once(most).chain(SMALLER.into_iter().filter(|fewer| *fewer < most)) {
        let mut pooled = config();
        pooled.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(slots)));
        if let Ok(engine) = Engine::new(&pooled) {
            return Ok((engine, Some(slots)));
        }
    }
    tracing::debug!("no pool could be had: guests get memory on demand");
    Engine::new(&config()).map(|engine| (engine, None))
}

fn pool(slots: u32) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_core_instances(slots * PER_MODULE)
        .total_component_instances(slots)
        .total_memories(slots)
        .total_tables(slots * PER_MODULE)
        .total_stacks(slots)
        .total_gc_heaps(slots)
        .max_memories_per_module(1)
        .max_tables_per_module(PER_MODULE)
        .table_elements(TABLE_ELEMENTS)
        .linear_memory_keep_resident(RESIDENT)
        .table_keep_resident(RESIDENT)
        .pagemap_scan(Enabled::Auto);
    pool
}
