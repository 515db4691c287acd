;; Sleeps for an hour inside one host call, where the guest's own code cannot be interrupted.
(module
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll_oneoff (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)

  ;; Sleeps on the monotonic clock: one subscription at 128, its event at 192.
  (func $sleep (param $nanoseconds i64)
    (i32.store8 (i32.const 136) (i32.const 0))                ;; kind: clock
    (i32.store (i32.const 144) (i32.const 1))                 ;; clock: monotonic
    (i64.store (i32.const 152) (local.get $nanoseconds))      ;; relative, since the flags at 168 are 0
    (if (call $poll_oneoff (i32.const 128) (i32.const 192) (i32.const 1) (i32.const 248)) (then unreachable)))

  (func (export "_start")
    (call $sleep (i64.const 3600000000000)))
)
