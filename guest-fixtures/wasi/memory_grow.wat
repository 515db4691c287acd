;; Grows its memory page by page, touching each, until that is refused; then does what its first argument says:
;; `trap` (as an allocator without a plan does), `exit` with code 1, or `cope` and exit with 0.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 64) "refused\0a")

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
    (local $page i32)
    (local $wish i32)
    (block $refused
      (loop $more
        (local.set $page (memory.grow (i32.const 1)))
        (br_if $refused (i32.eq (local.get $page) (i32.const -1)))
        (i32.store (i32.shl (local.get $page) (i32.const 16)) (i32.const 1))
        (br $more)))
    (local.set $wish (i32.load8_u (call $arg (i32.const 1))))
    (if (i32.eq (local.get $wish) (i32.const 116)) (then unreachable))                    ;; `t`
    (if (i32.eq (local.get $wish) (i32.const 101)) (then (call $proc_exit (i32.const 1)))) ;; `e`
    (call $write (i32.const 1) (i32.const 64) (i32.const 8)))
)
