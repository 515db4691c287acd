;; Prints 65,536 numbered lines of 16 bytes, 1 MiB in all, and exits: what is cut out of it can be told to the byte.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 64) "line 000000000.\0a")

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
    (local $rest i32)
    (local $at i32)
    (loop $line
      (local.set $n (i32.add (local.get $n) (i32.const 1)))
      (local.set $rest (local.get $n))
      (local.set $at (i32.const 77)) ;; the last of nine digits
      (loop $digit
        (i32.store8 (local.get $at) (i32.add (i32.const 48) (i32.rem_u (local.get $rest) (i32.const 10))))
        (local.set $rest (i32.div_u (local.get $rest) (i32.const 10)))
        (local.set $at (i32.sub (local.get $at) (i32.const 1)))
        (br_if $digit (i32.ge_u (local.get $at) (i32.const 69))))
      (call $write (i32.const 1) (i32.const 64) (i32.const 16))
      (br_if $line (i32.lt_u (local.get $n) (i32.const 65536)))))
)
