;; Tries to open the path that its first argument names, below every directory that it was granted:
;; as it is, which only a host that forgets to check allows, and, where it is absolute, without its first slash, as a C library does.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_prestat_get" (func $fd_prestat_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open" (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 64) "opened\0a")
  (data (i32.const 72) "refused\0a")

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

  ;; Gives where the n-th argument stands. The table of arguments is at 1024, their text at 4096.
  (func $arg (param $n i32) (result i32)
    (drop (call $args_get (i32.const 1024) (i32.const 4096)))
    (i32.load (i32.add (i32.const 1024) (i32.mul (local.get $n) (i32.const 4)))))

  (func $try (param $fd i32) (param $path i32)
    (if (i32.eqz
          (call $path_open (local.get $fd) (i32.const 1) (local.get $path) (call $length (local.get $path))
            (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 40))) ;; the right to read
      (then
        (call $write (i32.const 1) (i32.const 64) (i32.const 7))
        (call $proc_exit (i32.const 0)))))

  (func (export "_start")
    (local $path i32)
    (local $fd i32)
    (local.set $path (call $arg (i32.const 1)))
    (local.set $fd (i32.const 3))
    (block $end
      (loop $next
        (br_if $end (call $fd_prestat_get (local.get $fd) (i32.const 16)))
        (call $try (local.get $fd) (local.get $path))
        (call $try (local.get $fd) (i32.add (local.get $path) (i32.const 1)))
        (local.set $fd (i32.add (local.get $fd) (i32.const 1)))
        (br $next)))
    (call $write (i32.const 1) (i32.const 72) (i32.const 8)))
)
