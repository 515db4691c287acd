;; Calls a function through a table as if it took nothing, when it takes a number: C calls that undefined, this machine traps.
(module
  (memory (export "memory") 1)
  (table 1 funcref)
  (elem (i32.const 0) $takes_one)
  (func $takes_one (param i32))

  (func (export "_start")
    (call_indirect (i32.const 0)))
)
