;; Makes the symlink `link` to the path that its first argument names, outside of the workspace, and tries to read through it.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_prestat_get" (func $fd_prestat_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_prestat_dir_name" (func $fd_prestat_dir_name (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open" (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_symlink" (func $path_symlink (param i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 64) "/workspace")
  (data (i32.const 80) "link")
  (data (i32.const 256) "link    done\0a")
  (data (i32.const 272) "link refused\0a")
  (data (i32.const 288) "read    done\0a")
  (data (i32.const 304) "read refused\0a")

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
    (local $target i32)
    (local.set $dir (call $preopen (i32.const 64) (i32.const 10)))
    (local.set $target (call $arg (i32.const 1)))
    (call $say
      (call $path_symlink (local.get $target) (call $length (local.get $target))
        (local.get $dir) (i32.const 80) (i32.const 4))
      (i32.const 256) (i32.const 272) (i32.const 13))
    (call $say
      (call $path_open (local.get $dir) (i32.const 1) (i32.const 80) (i32.const 4) ;; 1: symlinks are followed
        (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 40))
      (i32.const 288) (i32.const 304) (i32.const 13)))
)
