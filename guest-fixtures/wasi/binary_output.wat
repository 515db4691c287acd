;; Prints all 256 bytes once, in order: no valid UTF-8, and it arrives as it is.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)

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
    (local $n i32)
    (loop $byte
      (i32.store8 (i32.add (i32.const 1024) (local.get $n)) (local.get $n))
      (local.set $n (i32.add (local.get $n) (i32.const 1)))
      (br_if $byte (i32.lt_u (local.get $n) (i32.const 256))))
    (call $write (i32.const 1) (i32.const 1024) (i32.const 256)))
)
