;; Prints 1 MiB by a single call, more than its limit allows: the limit holds within one write, too.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 17)

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
    (memory.fill (i32.const 65536) (i32.const 120) (i32.const 1048576)) ;; `x`
    (call $write (i32.const 1) (i32.const 65536) (i32.const 1048576)))
)
