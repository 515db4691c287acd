(module
  (memory (export "memory") 1)
  (func (export "_start") (local v128 f64)
    (local.set 0 (i32x4.mul (v128.const i32x4 1 2 3 4) (i32x4.splat (i32.const 7))))
    (v128.store (i32.const 0) (i8x16.swizzle (local.get 0) (local.get 0)))
    (local.set 1 (f64.sqrt (f64.const nan:0x8000000000001)))
    (i64.store (i32.const 32) (i64.reinterpret_f64 (local.get 1)))
    (drop (i32.trunc_sat_f64_u (local.get 1)))))
