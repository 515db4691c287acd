;; Sleeps for 50 ms and goes on: waiting is allowed within the limits.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll_oneoff (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 256) "awake\0a")

  ;; Sleeps on the monotonic clock: one subscription at 128, its event at 192.
  (func $sleep (param $nanoseconds i64)
    (i32.store8 (i32.const 136) (i32.const 0))                ;; kind: clock
    (i32.store (i32.const 144) (i32.const 1))                 ;; clock: monotonic
    (i64.store (i32.const 152) (local.get $nanoseconds))      ;; relative, since the flags at 168 are 0
    (if (call $poll_oneoff (i32.const 128) (i32.const 192) (i32.const 1) (i32.const 248)) (then unreachable)))

  ;; Writes `len` bytes at `at` to a descriptor. A host may take fewer than it is given.
  (func $write (param $fd i32) (param $at i32) (param $len i32)
    (loop $rest
      (i32.store (i32.const 0) (local.get $at))
      (i32.store (i32.const 4) (local.get $len))
      (if (call $fd_write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8)) (then (return)))
      (local.set $at (i32.add (local.get $at) (i32.load (i32.const 8))))
      (local.set $len (i32.sub (local.get $len) (i32.load (i32.const 8))))
      (br_if $rest (local.get $len))))

  (func (export "_start")
    (call $sleep (i64.const 50000000))
    (call $write (i32.const 1) (i32.const 256) (i32.const 6)))
)
