;; Finds `/tmp` empty, writes a file there and reads it back. What another runtime wrote there is not to be seen.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $fd_close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_readdir" (func $fd_readdir (param i32 i32 i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_prestat_get" (func $fd_prestat_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_prestat_dir_name" (func $fd_prestat_dir_name (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open" (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 64) "/tmp")
  (data (i32.const 80) "trace.txt")
  (data (i32.const 96) "private\0a")

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

  ;; Writes `len` bytes at `at` to a descriptor. A host may take fewer than it is given.
  (func $write (param $fd i32) (param $at i32) (param $len i32)
    (loop $rest
      (i32.store (i32.const 0) (local.get $at))
      (i32.store (i32.const 4) (local.get $len))
      (if (call $fd_write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8)) (then (return)))
      (local.set $at (i32.add (local.get $at) (i32.load (i32.const 8))))
      (local.set $len (i32.sub (local.get $len) (i32.load (i32.const 8))))
      (br_if $rest (local.get $len))))

  ;; Makes a file below a directory and writes a text into it; traps where it cannot.
  (func $create (param $dir i32) (param $path i32) (param $path_len i32) (param $text i32) (param $len i32)
    (if (call $path_open (local.get $dir) (i32.const 1) (local.get $path) (local.get $path_len)
          (i32.const 9) (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 40)) ;; create, truncate; the right to write
      (then unreachable))
    (call $write (i32.load (i32.const 40)) (local.get $text) (local.get $len))
    (drop (call $fd_close (i32.load (i32.const 40)))))

  ;; Copies a descriptor to standard output until its end, through a buffer of 4 KiB at 16384.
  (func $copy (param $fd i32)
    (loop $more
      (i32.store (i32.const 0) (i32.const 16384))
      (i32.store (i32.const 4) (i32.const 4096))
      (if (call $fd_read (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 12)) (then unreachable))
      (if (i32.eqz (i32.load (i32.const 12))) (then (return)))
      (call $write (i32.const 1) (i32.const 16384) (i32.load (i32.const 12)))
      (br $more)))

  (func (export "_start")
    (local $dir i32)
    (local.set $dir (call $preopen (i32.const 64) (i32.const 4)))
    ;; `.` and `..` are two entries of 24 bytes and their names: 51 bytes. One more entry would be more.
    (if (call $fd_readdir (local.get $dir) (i32.const 1024) (i32.const 512) (i64.const 0) (i32.const 44)) (then unreachable))
    (if (i32.gt_u (i32.load (i32.const 44)) (i32.const 51)) (then unreachable))
    (call $create (local.get $dir) (i32.const 80) (i32.const 9) (i32.const 96) (i32.const 8))
    (if (call $path_open (local.get $dir) (i32.const 1) (i32.const 80) (i32.const 9)
          (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 40)) ;; the right to read
      (then unreachable))
    (call $copy (i32.load (i32.const 40))))
)
