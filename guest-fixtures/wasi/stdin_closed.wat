;; Reads a standard input that was not given: it is closed, so the first read meets its end at once.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 64) "end of file\0a")

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
    (i32.store (i32.const 0) (i32.const 1024))
    (i32.store (i32.const 4) (i32.const 16))
    (if (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 12)) (then unreachable))
    (if (i32.load (i32.const 12)) (then unreachable))
    (call $write (i32.const 1) (i32.const 64) (i32.const 12)))
)
