;; Writes to `big.bin` until that is refused, at most 64 MiB; then `fail`s with code 1 or `cope`s, as its first argument says.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_prestat_get" (func $fd_prestat_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_prestat_dir_name" (func $fd_prestat_dir_name (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open" (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 64) "/workspace")
  (data (i32.const 80) "big.bin")
  (data (i32.const 96) "never refused\0a")

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

  ;; Gives the descriptor of the directory that the host granted under this name; traps where there is none.
  (func $preopen (param $name i32) (param $len i32) (result i32)
    (local $fd i32)
    (local.set $fd (i32.const 3))
    (loop $next
      (if (call $fd_prestat_get (local.get $fd) (i32.const 16)) (then unreachable))
      (if (i32.eq (i32.load (i32.const 20)) (local.get $len))
        (then
          (drop (call $fd_prestat_dir_name (local.get $fd) (i32.const 24) (local.get $len)))
          (if (call $same (i32.const 24) (local.get $name) (local.get $len))
            (then (return (local.get $fd))))))
      (local.set $fd (i32.add (local.get $fd) (i32.const 1)))
      (br $next))
    unreachable)

  (func (export "_start")
    (local $n i32)
    (if (call $path_open (call $preopen (i32.const 64) (i32.const 10)) (i32.const 1) (i32.const 80) (i32.const 7)
          (i32.const 1) (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 40)) ;; create; the right to write
      (then unreachable))
    (i32.store (i32.const 0) (i32.const 16384))
    (i32.store (i32.const 4) (i32.const 32768))
    (block $refused
      (loop $more
        (br_if $refused (call $fd_write (i32.load (i32.const 40)) (i32.const 0) (i32.const 1) (i32.const 8)))
        (local.set $n (i32.add (local.get $n) (i32.const 1)))
        (br_if $more (i32.lt_u (local.get $n) (i32.const 2048))))
      (call $write (i32.const 1) (i32.const 96) (i32.const 14))
      (return))
    (call $write (i32.const 1) (i32.const 102) (i32.const 8))
    (if (i32.eq (i32.load8_u (call $arg (i32.const 1))) (i32.const 102)) ;; `f`
      (then (call $proc_exit (i32.const 1)))))
)
