;; Throws an exception that nobody catches.
(module
  (memory (export "memory") 1)
  (tag $odd (param i32))

  (func (export "_start")
    (throw $odd (i32.const 7)))
)
