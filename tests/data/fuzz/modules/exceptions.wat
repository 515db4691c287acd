(module
  (tag $e (param i32))
  (memory (export "memory") 1)
  (func $throws (param i32) (throw $e (local.get 0)))
  (func (export "_start")
    (block $done (result i32)
      (try_table (catch $e $done) (call $throws (i32.const 5)))
      (i32.const 0))
    (drop)))
