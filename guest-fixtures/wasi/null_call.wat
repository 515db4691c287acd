;; Calls through a function pointer that is null: an empty place of the table.
(module
  (memory (export "memory") 1)
  (table 1 funcref)

  (func (export "_start")
    (call_indirect (i32.const 0)))
)
