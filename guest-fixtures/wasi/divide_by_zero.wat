;; Divides an integer by zero. The zero is read from memory so that no compiler folds it away.
(module
  (memory (export "memory") 1)

  (func (export "_start")
    (drop (i32.div_s (i32.const 1) (i32.load (i32.const 0)))))
)
