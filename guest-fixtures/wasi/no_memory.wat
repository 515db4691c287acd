;; Is a command without a memory: it can compute, but no call that passes text or buffers can reach it.
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))

  (func (export "_start")
    (call $proc_exit (i32.add (i32.const 20) (i32.const 22))))
)
