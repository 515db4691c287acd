;; Prints for ever, on the stream that its first argument names: `stdout` or `stderr`.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
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

  ;; Gives where the n-th argument stands. The table of arguments is at 1024, their text at 4096.
  (func $arg (param $n i32) (result i32)
    (drop (call $args_get (i32.const 1024) (i32.const 4096)))
    (i32.load (i32.add (i32.const 1024) (i32.mul (local.get $n) (i32.const 4)))))

  (func (export "_start")
    (local $fd i32)
    (local.set $fd (select (i32.const 2) (i32.const 1)
      (i32.eq (i32.load8_u (i32.add (call $arg (i32.const 1)) (i32.const 3))) (i32.const 101)))) ;; the `e` of `stderr`
    (memory.fill (i32.const 16384) (i32.const 120) (i32.const 4095)) ;; `x`
    (i32.store8 (i32.const 20479) (i32.const 10))
    (loop $forever
      (call $write (local.get $fd) (i32.const 16384) (i32.const 4096))
      (br $forever)))
)
