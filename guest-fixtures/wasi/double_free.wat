;; Gives one block of memory back twice: two later owners then share it. Only an allocator that checks would notice.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 64) "one block for two\0a")

  ;; Writes `len` bytes at `at` to a descriptor. A host may take fewer than it is given.
  (func $write (param $fd i32) (param $at i32) (param $len i32)
    (loop $rest
      (i32.store (i32.const 0) (local.get $at))
      (i32.store (i32.const 4) (local.get $len))
      (if (call $fd_write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8)) (then (return)))
      (local.set $at (i32.add (local.get $at) (i32.load (i32.const 8))))
      (local.set $len (i32.sub (local.get $len) (i32.load (i32.const 8))))
      (br_if $rest (local.get $len))))

  ;; An allocator as simple as they come: blocks of 64 bytes from 1024 on, those that were freed in a list.
  (global $free (mut i32) (i32.const 0))
  (global $top (mut i32) (i32.const 1024))
  (func $malloc (result i32)
    (local $block i32)
    (local.set $block (global.get $free))
    (if (result i32) (local.get $block)
      (then
        (global.set $free (i32.load (local.get $block)))
        (local.get $block))
      (else
        (global.set $top (i32.add (global.get $top) (i32.const 64)))
        (i32.sub (global.get $top) (i32.const 64)))))
  (func $free (param $block i32)
    (i32.store (local.get $block) (global.get $free))
    (global.set $free (local.get $block)))

  (func (export "_start")
    (local $block i32)
    (local $first i32)
    (local.set $block (call $malloc))
    (call $free (local.get $block))
    (call $free (local.get $block))
    (local.set $first (call $malloc))
    (if (i32.ne (local.get $first) (call $malloc)) (then unreachable))
    (call $write (i32.const 1) (i32.const 64) (i32.const 18))))
