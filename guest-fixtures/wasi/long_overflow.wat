;; Adds one to 2147483647 in the type that C calls `long`, which has four bytes on this machine, and prints the sum's sign.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 64) "negative\0a")
  (data (i32.const 80) "positive\0a")
  (global $long (mut i32) (i32.const 2147483647))

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
    (global.set $long (i32.add (global.get $long) (i32.const 1)))
    (if (i32.lt_s (global.get $long) (i32.const 0))
      (then (call $write (i32.const 1) (i32.const 64) (i32.const 9)))
      (else (call $write (i32.const 1) (i32.const 80) (i32.const 9))))))
