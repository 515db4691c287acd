//! The peer: bare wasmtime with the best settings that are known, and nothing of ours.

use std::path::Path;

use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, InstancePre, Linker, Module, PoolingAllocationConfig, Store,
};
use wasmtime_wasi::filesystem::WasiFilesystemCtx;
use wasmtime_wasi::p1::{self, WasiP1Ctx};
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi::{FsPerms, I32Exit, WasiCtxBuilder, WasiView};

/// An engine and a module of bare wasmtime.
pub(crate) struct Bare {
    engine: Engine,
    linked: InstancePre<WasiP1Ctx>,
    files: Option<WasiFilesystemCtx>,
    env: Vec<(String, String)>,
}

impl Bare {
    /// Compiles a module; epochs are on, as for a guest that could be interrupted.
    pub(crate) fn new(module: &[u8], dir: Option<&Path>) -> Self {
        let mut pool = PoolingAllocationConfig::new();
        pool.total_memories(32).total_core_instances(32).total_tables(32).total_stacks(32).table_elements(100_000);
        pool.linear_memory_keep_resident(1 << 20).table_keep_resident(1 << 20).pagemap_scan(Enabled::Auto);
        let mut config = Config::new();
        config.epoch_interruption(true).concurrency_support(false);
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
        let engine = Engine::new(&config).unwrap();
        let mut linker = Linker::new(&engine);
        p1::add_to_linker_sync(&mut linker, |wasi: &mut WasiP1Ctx| wasi).unwrap();
        let linked = linker.instantiate_pre(&Module::new(&engine, module).unwrap()).unwrap();
        let files = dir.map(|dir| {
            let mut builder = WasiCtxBuilder::new();
            builder.allow_blocking_current_thread(true);
            for guest in ["/", "/workspace"] {
                builder.preopened_dir(dir, guest, FsPerms::ReadWrite).unwrap();
            }
            builder.build().filesystem().clone()
        });
        Self { engine, linked, files, env: Vec::new() }
    }

    /// Runs the module once and gives what it printed.
    pub(crate) fn run(&self, args: &[&str]) -> bytes::Bytes {
        let stdout = MemoryOutputPipe::new(1 << 20);
        let mut builder = WasiCtxBuilder::new();
        builder.args(args).stdout(stdout.clone()).allow_blocking_current_thread(true);
        self.env.iter().for_each(|(name, value)| {
            builder.env(name, value);
        });
        let mut wasi = builder.build_p1();
        if let Some(files) = &self.files {
            *WasiView::ctx(&mut wasi).ctx.filesystem() = files.clone();
        }
        let mut store = Store::new(&self.engine, wasi);
        store.set_epoch_deadline(u64::MAX / 2);
        let instance = self.linked.instantiate(&mut store).unwrap();
        let start = instance.get_typed_func::<(), ()>(&mut store, "_start").unwrap();
        if let Err(error) = start.call(&mut store, ()) {
            assert_eq!(error.downcast_ref::<I32Exit>().map(|exit| exit.0), Some(0), "{error:?}");
        }
        stdout.contents()
    }
}
