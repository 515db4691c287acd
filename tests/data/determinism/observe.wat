;; Prints, as raw bytes, everything that a guest of preview 1 can find out about its host, each answer in a buffer that
;; was filled with 0xaa before; writes a file of random bytes; exits 7. tests/execution/determinism.rs reads it.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $fd_close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_readdir" (func $fd_readdir (param i32 i32 i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_filestat_get" (func $fd_filestat_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_fdstat_get" (func $fd_fdstat_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_prestat_get" (func $fd_prestat_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_filestat_get"
    (func $path_filestat_get (param i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll_oneoff (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get" (func $clock_time_get (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_res_get" (func $clock_res_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 2)
  (data (i32.const 64) "in.txt")
  (data (i32.const 80) "out.bin")

  ;; Writes `len` bytes at `at` to a descriptor. A host may take fewer than it is given.
  (func $write (param $fd i32) (param $at i32) (param $len i32)
    (loop $rest
      (i32.store (i32.const 0) (local.get $at))
      (i32.store (i32.const 4) (local.get $len))
      (if (call $fd_write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8)) (then unreachable))
      (local.set $at (i32.add (local.get $at) (i32.load (i32.const 8))))
      (local.set $len (i32.sub (local.get $len) (i32.load (i32.const 8))))
      (br_if $rest (local.get $len))))

  ;; Traps on an error, prints the first bytes of the buffer at 4096, and fills it anew.
  (func $show (param $errno i32) (param $len i32)
    (if (local.get $errno) (then unreachable))
    (call $write (i32.const 1) (i32.const 4096) (local.get $len))
    (call $fill))

  (func $fill (memory.fill (i32.const 4096) (i32.const 0xaa) (i32.const 8192)))

  ;; Lists the first preopen from a cookie on into so many bytes, and prints how many there were, and them.
  (func $list (param $cookie i64) (param $len i32)
    (if (call $fd_readdir (i32.const 3) (i32.const 4096) (local.get $len) (local.get $cookie) (i32.const 32))
      (then unreachable))
    (call $write (i32.const 1) (i32.const 32) (i32.const 4))
    (call $show (i32.const 0) (i32.load (i32.const 32))))

  (func $clocks (local $id i32)
    (loop $next
      (call $show (call $clock_time_get (local.get $id) (i64.const 1) (i32.const 4096)) (i32.const 8))
      (call $show (call $clock_res_get (local.get $id) (i32.const 4096)) (i32.const 8))
      (local.set $id (i32.add (local.get $id) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $id) (i32.const 4)))))

  (func $stats
    (call $show
      (call $path_filestat_get (i32.const 3) (i32.const 0) (i32.const 64) (i32.const 6) (i32.const 4096)) (i32.const 64))
    (if (call $path_open (i32.const 3) (i32.const 1) (i32.const 64) (i32.const 6)
          (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 40))
      (then unreachable))
    (call $write (i32.const 1) (i32.const 40) (i32.const 4))
    (call $show (call $fd_filestat_get (i32.load (i32.const 40)) (i32.const 4096)) (i32.const 64))
    (if (call $fd_close (i32.load (i32.const 40))) (then unreachable))
    (call $show (call $fd_filestat_get (i32.const 3) (i32.const 4096)) (i32.const 64))
    (call $show (call $fd_filestat_get (i32.const 1) (i32.const 4096)) (i32.const 64))
    (call $show (call $fd_prestat_get (i32.const 3) (i32.const 4096)) (i32.const 8))
    (call $show (call $fd_fdstat_get (i32.const 3) (i32.const 4096)) (i32.const 24)))

  ;; Waits for an hour, which a test does not have.
  (func $sleep
    (i64.store (i32.const 128) (i64.const 42))                ;; user data
    (i32.store8 (i32.const 136) (i32.const 0))                ;; kind: clock
    (i32.store (i32.const 144) (i32.const 1))                 ;; clock: monotonic
    (i64.store (i32.const 152) (i64.const 3600000000000))     ;; relative, since the flags at 168 are 0
    (call $show (call $poll_oneoff (i32.const 128) (i32.const 4096) (i32.const 1) (i32.const 48)) (i32.const 32))
    (call $show (call $clock_time_get (i32.const 1) (i64.const 1) (i32.const 4096)) (i32.const 8)))

  ;; Makes NaNs in ways that give other bits on other processors.
  (func $nans (param $zero f64) (param $payload f64)
    (f64.store (i32.const 4096) (f64.div (local.get $zero) (local.get $zero)))
    (f64.store (i32.const 4104) (f64.sqrt (f64.const -1)))
    (f64.store (i32.const 4112) (f64.add (local.get $payload) (local.get $zero)))
    (f64.store (i32.const 4120) (f64.mul (f64.neg (f64.div (local.get $zero) (local.get $zero))) (f64.const 2)))
    (f32.store (i32.const 4128) (f32.demote_f64 (local.get $payload)))
    (call $show (i32.const 0) (i32.const 36)))

  (func $make_file
    (if (call $path_open (i32.const 3) (i32.const 1) (i32.const 80) (i32.const 7)
          (i32.const 9) (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 40)) ;; make and empty; the right to write
      (then unreachable))
    (if (call $random_get (i32.const 4096) (i32.const 1000)) (then unreachable))
    (call $write (i32.load (i32.const 40)) (i32.const 4096) (i32.const 1000)))

  (func (export "_start")
    (call $fill)
    (call $clocks)
    (call $show (call $random_get (i32.const 4096) (i32.const 32)) (i32.const 32))
    (call $list (i64.const 0) (i32.const 8192))
    (call $list (i64.const 2) (i32.const 40))
    (call $stats)
    (call $sleep)
    (call $nans (f64.const 0) (f64.const nan:0x4000000000123))
    (call $make_file)
    (call $proc_exit (i32.const 7)))
)
