;; Prints the name of each environment variable, one a line: nothing of the host may be among them.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_sizes_get" (func $environ_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get" (func $environ_get (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 64) "\0a")

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
    (local $at i32)
    (local $len i32)
    (drop (call $environ_sizes_get (i32.const 512) (i32.const 516)))
    (drop (call $environ_get (i32.const 1024) (i32.const 8192)))
    (block $end
      (loop $next
        (br_if $end (i32.ge_u (local.get $n) (i32.load (i32.const 512))))
        (local.set $at (i32.load (i32.add (i32.const 1024) (i32.mul (local.get $n) (i32.const 4)))))
        (local.set $len (i32.const 0))
        (loop $letter
          (local.set $len (i32.add (local.get $len) (i32.const 1)))
          (br_if $letter (i32.ne (i32.load8_u (i32.add (local.get $at) (local.get $len))) (i32.const 61)))) ;; `=`
        (call $write (i32.const 1) (local.get $at) (local.get $len))
        (call $write (i32.const 1) (i32.const 64) (i32.const 1))
        (local.set $n (i32.add (local.get $n) (i32.const 1)))
        (br $next))))
)
