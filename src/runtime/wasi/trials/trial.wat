;; What the guests of a self-test do on WASI. The first argument says which trial it is, by one letter.
;; 40: what was tried worked; 41: it was refused; 43: there are no means to try it.
(module
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_sizes_get" (func $environ_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get" (func $environ_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $fd_close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_prestat_get" (func $fd_prestat_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open" (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_symlink" (func $path_symlink (param i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll_oneoff (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  ;; 0: a vector of one buffer, 8: how much of it was used, 16: what else the host gives, 64: texts of our own,
  ;; 1024: where the arguments or variables stand, 4096: themselves, 32768: a buffer of 16 KiB.
  (memory (export "memory") 1)
  (data (i32.const 64) "tick\0a")
  (data (i32.const 72) "overwritten\0a")
  (data (i32.const 96) "fill")
  (data (i32.const 104) "made0000")
  (data (i32.const 116) "out0")

  (func $leave (param $code i32) (call $proc_exit (local.get $code)) unreachable)

  ;; Gives where the n-th argument stands; 0 where there is none.
  (func $arg (param $n i32) (result i32)
    (drop (call $args_sizes_get (i32.const 16) (i32.const 20)))
    (if (i32.ge_u (local.get $n) (i32.load (i32.const 16))) (then (return (i32.const 0))))
    (drop (call $args_get (i32.const 1024) (i32.const 4096)))
    (i32.load (i32.add (i32.const 1024) (i32.mul (local.get $n) (i32.const 4)))))

  ;; Reads the n-th argument as a number.
  (func $number (param $n i32) (result i64)
    (local $at i32)
    (local $value i64)
    (local.set $at (call $arg (local.get $n)))
    (block $end
      (loop $digit
        (br_if $end (i32.eqz (i32.load8_u (local.get $at))))
        (local.set $value
          (i64.add (i64.mul (local.get $value) (i64.const 10))
            (i64.sub (i64.load8_u (local.get $at)) (i64.const 48))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $digit)))
    (local.get $value))

  ;; Gives the length of the text at `at`, which ends with a zero byte.
  (func $length (param $at i32) (result i32)
    (local $n i32)
    (block $end
      (loop $next
        (br_if $end (i32.eqz (i32.load8_u (i32.add (local.get $at) (local.get $n)))))
        (local.set $n (i32.add (local.get $n) (i32.const 1)))
        (br $next)))
    (local.get $n))

  ;; Writes `len` bytes at `at` to a descriptor, and says whether all of them were taken.
  (func $write (param $fd i32) (param $at i32) (param $len i32) (result i32)
    (loop $rest
      (if (i32.eqz (local.get $len)) (then (return (i32.const 1))))
      (i32.store (i32.const 0) (local.get $at))
      (i32.store (i32.const 4) (local.get $len))
      (if (call $fd_write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8)) (then (return (i32.const 0))))
      (local.set $at (i32.add (local.get $at) (i32.load (i32.const 8))))
      (local.set $len (i32.sub (local.get $len) (i32.load (i32.const 8))))
      (br $rest))
    unreachable)

  ;; Reads what there is into the buffer; 0 at the end and where nothing can be read.
  (func $read (param $fd i32) (result i32)
    (i32.store (i32.const 0) (i32.const 32768))
    (i32.store (i32.const 4) (i32.const 16384))
    (if (call $fd_read (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8)) (then (return (i32.const 0))))
    (i32.load (i32.const 8)))

  ;; Copies everything from one descriptor to another.
  (func $copy (param $from i32) (param $to i32)
    (local $len i32)
    (block $end
      (loop $more
        (br_if $end (i32.eqz (local.tee $len (call $read (local.get $from)))))
        (br_if $more (call $write (local.get $to) (i32.const 32768) (local.get $len))))))

  ;; Opens a path below a descriptor, following symlinks; gives the descriptor, or 0.
  (func $open (param $dir i32) (param $path i32) (param $len i32) (param $flags i32) (param $rights i64) (result i32)
    (if (call $path_open (local.get $dir) (i32.const 1) (local.get $path) (local.get $len) (local.get $flags)
          (local.get $rights) (i64.const 0) (i32.const 0) (i32.const 40))
      (then (return (i32.const 0))))
    (i32.load (i32.const 40)))

  ;; Tries to read a path below a descriptor and prints what it reads.
  (func $try_read (param $dir i32) (param $path i32) (param $len i32) (result i32)
    (local $fd i32)
    (local.set $fd (call $open (local.get $dir) (local.get $path) (local.get $len) (i32.const 0) (i64.const 2)))
    (if (i32.eqz (local.get $fd)) (then (return (i32.const 0))))
    (call $copy (local.get $fd) (i32.const 1))
    (drop (call $fd_close (local.get $fd)))
    (i32.const 1))

  ;; Tries to write to a path below a descriptor.
  (func $try_write (param $dir i32) (param $path i32) (param $len i32) (result i32)
    (local $fd i32)
    (local $done i32)
    (local.set $fd (call $open (local.get $dir) (local.get $path) (local.get $len) (i32.const 0) (i64.const 64)))
    (if (i32.eqz (local.get $fd)) (then (return (i32.const 0))))
    (local.set $done (call $write (local.get $fd) (i32.const 72) (i32.const 12)))
    (drop (call $fd_close (local.get $fd)))
    (local.get $done))

  ;; Tries to read or to write every path below every directory that was granted, with and without its first slash.
  (func $paths (param $writes i32)
    (local $dir i32) (local $n i32) (local $path i32) (local $len i32) (local $done i32)
    (local.set $dir (i32.const 3))
    (block $end
      (loop $dirs
        (br_if $end (call $fd_prestat_get (local.get $dir) (i32.const 16)))
        (local.set $n (i32.const 2))
        (block $last
          (loop $next
            (br_if $last (i32.eqz (local.tee $path (call $arg (local.get $n)))))
            (local.set $len (call $length (local.get $path)))
            (if (local.get $writes)
              (then (local.set $done (i32.or (local.get $done) (i32.or
                (call $try_write (local.get $dir) (local.get $path) (local.get $len))
                (call $try_write (local.get $dir) (i32.add (local.get $path) (i32.const 1))
                  (i32.sub (local.get $len) (i32.const 1)))))))
              (else (local.set $done (i32.or (local.get $done) (i32.or
                (call $try_read (local.get $dir) (local.get $path) (local.get $len))
                (call $try_read (local.get $dir) (i32.add (local.get $path) (i32.const 1))
                  (i32.sub (local.get $len) (i32.const 1))))))))
            (local.set $n (i32.add (local.get $n) (i32.const 1)))
            (br $next)))
        (local.set $dir (i32.add (local.get $dir) (i32.const 1)))
        (br $dirs)))
    (call $leave (select (i32.const 40) (i32.const 41) (local.get $done))))

  ;; Makes a symlink to each path and tries to read and to write through it.
  (func $links
    (local $n i32) (local $path i32) (local $done i32)
    (local.set $n (i32.const 2))
    (block $last
      (loop $next
        (br_if $last (i32.eqz (local.tee $path (call $arg (local.get $n)))))
        (i32.store8 (i32.const 119) (i32.add (local.get $n) (i32.const 46)))
        (drop (call $path_symlink (local.get $path) (call $length (local.get $path))
          (i32.const 3) (i32.const 116) (i32.const 4)))
        (local.set $done (i32.or (local.get $done) (i32.or
          (call $try_read (i32.const 3) (i32.const 116) (i32.const 4))
          (call $try_write (i32.const 3) (i32.const 116) (i32.const 4)))))
        (local.set $n (i32.add (local.get $n) (i32.const 1)))
        (br $next)))
    (call $leave (select (i32.const 40) (i32.const 41) (local.get $done))))

  ;; Sleeps on the monotonic clock: one subscription at 128, its event at 192.
  (func $sleep (param $milliseconds i64)
    (i32.store8 (i32.const 136) (i32.const 0))
    (i32.store (i32.const 144) (i32.const 1))
    (i64.store (i32.const 152) (i64.mul (local.get $milliseconds) (i64.const 1000000)))
    (if (call $poll_oneoff (i32.const 128) (i32.const 192) (i32.const 1) (i32.const 248)) (then unreachable)))

  ;; Ends by itself, so that nothing is stuck where nothing is held.
  (func $spin
    (local $n i64)
    (loop $again
      (local.set $n (i64.add (local.get $n) (i64.const 1)))
      (br_if $again (i64.lt_u (local.get $n) (i64.const 100000000000)))))

  (func $recurse (param $n i64) (result i64)
    (i64.add (call $recurse (i64.add (local.get $n) (i64.const 1))) (local.get $n)))

  ;; Has memory up to this size in all, and touches each page of it.
  (func $memory (param $bytes i32)
    (local $at i32)
    (if (i32.eq (i32.const -1)
          (memory.grow (i32.sub (i32.shr_u (local.get $bytes) (i32.const 16)) (memory.size))))
      (then (call $leave (i32.const 41))))
    (local.set $at (i32.const 65536))
    (loop $page
      (i32.store (local.get $at) (i32.const 1))
      (local.set $at (i32.add (local.get $at) (i32.const 4096)))
      (br_if $page (i32.lt_u (local.get $at) (local.get $bytes))))
    (call $leave (i32.const 40)))

  ;; Writes so many bytes `x` to a descriptor, and says whether all of them were taken.
  (func $fill (param $fd i32) (param $bytes i32) (result i32)
    (local $len i32)
    (memory.fill (i32.const 32768) (i32.const 120) (i32.const 16384))
    (loop $more
      (if (i32.eqz (local.get $bytes)) (then (return (i32.const 1))))
      (local.set $len (select (local.get $bytes) (i32.const 16384)
        (i32.lt_u (local.get $bytes) (i32.const 16384))))
      (if (i32.eqz (call $write (local.get $fd) (i32.const 32768) (local.get $len)))
        (then (return (i32.const 0))))
      (local.set $bytes (i32.sub (local.get $bytes) (local.get $len)))
      (br $more))
    unreachable)

  (func $file (param $bytes i32)
    (local $fd i32)
    (local.set $fd (call $open (i32.const 3) (i32.const 96) (i32.const 4) (i32.const 1) (i64.const 64)))
    (if (i32.eqz (local.get $fd)) (then (call $leave (i32.const 41))))
    (call $leave (select (i32.const 40) (i32.const 41) (call $fill (local.get $fd) (local.get $bytes)))))

  ;; Opens so many files, each with a name of its own and closed again, or always the same and kept open.
  (func $files (param $count i32) (param $kept i32)
    (local $n i32) (local $fd i32)
    (loop $next
      (if (i32.eqz (local.get $kept))
        (then
          (i32.store8 (i32.const 108) (i32.add (i32.const 48) (i32.rem_u (local.get $n) (i32.const 10))))
          (i32.store8 (i32.const 109)
            (i32.add (i32.const 48) (i32.rem_u (i32.div_u (local.get $n) (i32.const 10)) (i32.const 10))))
          (i32.store8 (i32.const 110)
            (i32.add (i32.const 48) (i32.rem_u (i32.div_u (local.get $n) (i32.const 100)) (i32.const 10))))))
      (local.set $fd (call $open (i32.const 3) (i32.const 104) (i32.const 8) (i32.const 1) (i64.const 64)))
      (if (i32.eqz (local.get $fd)) (then (call $leave (i32.const 41))))
      (if (i32.eqz (local.get $kept)) (then (drop (call $fd_close (local.get $fd)))))
      (local.set $n (i32.add (local.get $n) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $n) (local.get $count))))
    (call $leave (i32.const 40)))

  (func $environment
    (local $n i32) (local $at i32)
    (drop (call $environ_sizes_get (i32.const 16) (i32.const 20)))
    (drop (call $environ_get (i32.const 1024) (i32.const 4096)))
    (block $end
      (loop $next
        (br_if $end (i32.ge_u (local.get $n) (i32.load (i32.const 16))))
        (local.set $at (i32.load (i32.add (i32.const 1024) (i32.mul (local.get $n) (i32.const 4)))))
        (drop (call $write (i32.const 1) (local.get $at) (call $length (local.get $at))))
        (drop (call $write (i32.const 1) (i32.const 68) (i32.const 1)))
        (local.set $n (i32.add (local.get $n) (i32.const 1)))
        (br $next))))

  (func $tick (param $every i64) (param $times i64)
    (loop $next
      (drop (call $write (i32.const 1) (i32.const 64) (i32.const 5)))
      (call $sleep (local.get $every))
      (local.set $times (i64.sub (local.get $times) (i64.const 1)))
      (br_if $next (i64.gt_s (local.get $times) (i64.const 0)))))

  (func $is (param $letter i32) (result i32)
    (i32.eq (i32.load8_u (call $arg (i32.const 1))) (local.get $letter)))

  (func (export "_start")
    (if (call $is (i32.const 97)) (then unreachable))                                                    ;; a
    (if (call $is (i32.const 99)) (then (call $paths (i32.const 1))))                                    ;; c
    (if (call $is (i32.const 101)) (then (call $files (i32.wrap_i64 (call $number (i32.const 2))) (i32.const 0)))) ;; e
    (if (call $is (i32.const 105)) (then (call $copy (i32.const 0) (i32.const 1))                        ;; i
      (call $leave (i32.wrap_i64 (call $number (i32.const 2))))))
    (if (call $is (i32.const 106)) (then (call $copy (i32.const 0) (i32.const 2))                        ;; j
      (call $leave (i32.wrap_i64 (call $number (i32.const 2))))))
    (if (call $is (i32.const 107)) (then (drop (call $recurse (i64.const 0))) (call $leave (i32.const 40)))) ;; k
    (if (call $is (i32.const 108)) (then (call $links)))                                                 ;; l
    (if (call $is (i32.const 109)) (then (call $memory (i32.wrap_i64 (call $number (i32.const 2))))))     ;; m
    (if (call $is (i32.const 111)) (then (call $files (i32.wrap_i64 (call $number (i32.const 2))) (i32.const 1)))) ;; o
    (if (call $is (i32.const 112)) (then (drop                                                           ;; p
      (call $fill (i32.const 1) (i32.wrap_i64 (call $number (i32.const 2))))) (return)))
    (if (call $is (i32.const 114)) (then (call $paths (i32.const 0))))                                   ;; r
    (if (call $is (i32.const 115)) (then (call $spin) (call $leave (i32.const 40))))                     ;; s
    (if (call $is (i32.const 116)) (then                                                                 ;; t
      (call $tick (call $number (i32.const 2)) (call $number (i32.const 3))) (return)))
    (if (call $is (i32.const 118)) (then (call $environment) (return)))                                  ;; v
    (if (call $is (i32.const 119)) (then (call $file (i32.wrap_i64 (call $number (i32.const 2))))))       ;; w
    (if (call $is (i32.const 120)) (then (call $leave (i32.wrap_i64 (call $number (i32.const 2))))))      ;; x
    (if (call $is (i32.const 122)) (then (call $sleep (call $number (i32.const 2))) (return)))           ;; z
    (call $leave (i32.const 43)))
)
