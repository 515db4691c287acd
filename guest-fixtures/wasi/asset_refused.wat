;; Tries to change the asset whose path is its first argument, in five ways, and says how each went.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_prestat_get" (func $fd_prestat_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_prestat_dir_name" (func $fd_prestat_dir_name (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open" (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_unlink_file" (func $path_unlink_file (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_rename" (func $path_rename (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 64) "/static")
  (data (i32.const 80) "new")
  (data (i32.const 256) "write    done\0a")
  (data (i32.const 272) "write refused\0a")
  (data (i32.const 288) "trunc    done\0a")
  (data (i32.const 304) "trunc refused\0a")
  (data (i32.const 320) "creat    done\0a")
  (data (i32.const 336) "creat refused\0a")
  (data (i32.const 352) "renam    done\0a")
  (data (i32.const 368) "renam refused\0a")
  (data (i32.const 384) "unlnk    done\0a")
  (data (i32.const 400) "unlnk refused\0a")

  ;; Writes `len` bytes at `at` to a descriptor. A host may take fewer than it is given.
  (func $write (param $fd i32) (param $at i32) (param $len i32)
    (loop $rest
      (i32.store (i32.const 0) (local.get $at))
      (i32.store (i32.const 4) (local.get $len))
      (if (call $fd_write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8)) (then (return)))
      (local.set $at (i32.add (local.get $at) (i32.load (i32.const 8))))
      (local.set $len (i32.sub (local.get $len) (i32.load (i32.const 8))))
      (br_if $rest (local.get $len))))

  ;; Prints the first text where `errno` is 0, else the second. Both are `len` bytes.
  (func $say (param $errno i32) (param $worked i32) (param $refused i32) (param $len i32)
    (call $write (i32.const 1) (select (local.get $refused) (local.get $worked) (local.get $errno)) (local.get $len)))

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
    (local $dir i32)
    (local $path i32)
    (local $len i32)
    (local.set $path (i32.add (call $arg (i32.const 1)) (i32.const 8))) ;; past `/static/`
    (local.set $len (call $length (local.get $path)))
    (local.set $dir (call $preopen (i32.const 64) (i32.const 7)))
    (call $say
      (call $path_open (local.get $dir) (i32.const 1) (local.get $path) (local.get $len)
        (i32.const 0) (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 40)) ;; the right to write
      (i32.const 256) (i32.const 272) (i32.const 14))
    (call $say
      (call $path_open (local.get $dir) (i32.const 1) (local.get $path) (local.get $len)
        (i32.const 8) (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 40)) ;; truncate
      (i32.const 288) (i32.const 304) (i32.const 14))
    (call $say
      (call $path_open (local.get $dir) (i32.const 1) (i32.const 80) (i32.const 3)
        (i32.const 1) (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 40)) ;; create
      (i32.const 320) (i32.const 336) (i32.const 14))
    (call $say
      (call $path_rename (local.get $dir) (local.get $path) (local.get $len)
        (local.get $dir) (i32.const 80) (i32.const 3))
      (i32.const 352) (i32.const 368) (i32.const 14))
    (call $say
      (call $path_unlink_file (local.get $dir) (local.get $path) (local.get $len))
      (i32.const 384) (i32.const 400) (i32.const 14)))
)
