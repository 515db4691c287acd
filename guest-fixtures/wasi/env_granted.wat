;; Prints each environment variable whose name begins with `GRANTED_`, with its value, one a line.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_sizes_get" (func $environ_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get" (func $environ_get (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 64) "\0aGRANTED_")

  ;; Writes `len` bytes at `at` to a descriptor. A host may take fewer than it is given.
  (func $write (param $fd i32) (param $at i32) (param $len i32)
    (loop $rest
      (i32.store (i32.const 0) (local.get $at))
      (i32.store (i32.const 4) (local.get $len))
      (if (call $fd_write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8)) (then (return)))
      (local.set $at (i32.add (local.get $at) (i32.load (i32.const 8))))
      (local.set $len (i32.sub (local.get $len) (i32.load (i32.const 8))))
      (br_if $rest (local.get $len))))

  ;; Gives the length of the text at `at`, which ends with a zero byte.
  (func $length (param $at i32) (result i32)
    (local $n i32)
    (block $end
      (loop $next
        (br_if $end (i32.eqz (i32.load8_u (i32.add (local.get $at) (local.get $n)))))
        (local.set $n (i32.add (local.get $n) (i32.const 1)))
        (br $next)))
    (local.get $n))

  ;; Says whether two texts of `len` bytes are the same.
  (func $same (param $a i32) (param $b i32) (param $len i32) (result i32)
    (local $n i32)
    (loop $next
      (if (i32.eq (local.get $n) (local.get $len)) (then (return (i32.const 1))))
      (if (i32.ne (i32.load8_u (i32.add (local.get $a) (local.get $n)))
                  (i32.load8_u (i32.add (local.get $b) (local.get $n))))
        (then (return (i32.const 0))))
      (local.set $n (i32.add (local.get $n) (i32.const 1)))
      (br $next))
    unreachable)

  (func (export "_start")
    (local $n i32)
    (local $at i32)
    (drop (call $environ_sizes_get (i32.const 512) (i32.const 516)))
    (drop (call $environ_get (i32.const 1024) (i32.const 8192)))
    (block $end
      (loop $next
        (br_if $end (i32.ge_u (local.get $n) (i32.load (i32.const 512))))
        (local.set $at (i32.load (i32.add (i32.const 1024) (i32.mul (local.get $n) (i32.const 4)))))
        (if (call $same (local.get $at) (i32.const 65) (i32.const 8))
          (then
            (call $write (i32.const 1) (local.get $at) (call $length (local.get $at)))
            (call $write (i32.const 1) (i32.const 64) (i32.const 1))))
        (local.set $n (i32.add (local.get $n) (i32.const 1)))
        (br $next))))
)
