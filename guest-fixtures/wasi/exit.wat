;; Exits with the code that its first argument gives in decimal.
;; Both `proc_exit` above 125 and the codes that bailiwick itself uses for limits must arrive as they are.
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
  (memory (export "memory") 1)

  ;; Gives where the n-th argument stands. The table of arguments is at 1024, their text at 4096.
  (func $arg (param $n i32) (result i32)
    (drop (call $args_get (i32.const 1024) (i32.const 4096)))
    (i32.load (i32.add (i32.const 1024) (i32.mul (local.get $n) (i32.const 4)))))

  (func (export "_start")
    (local $at i32)
    (local $code i32)
    (local.set $at (call $arg (i32.const 1)))
    (block $end
      (loop $digit
        (br_if $end (i32.eqz (i32.load8_u (local.get $at))))
        (local.set $code
          (i32.add
            (i32.mul (local.get $code) (i32.const 10))
            (i32.sub (i32.load8_u (local.get $at)) (i32.const 48))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $digit)))
    (call $proc_exit (local.get $code)))
)
