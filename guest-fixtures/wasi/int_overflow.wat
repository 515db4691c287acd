;; Divides the smallest integer by -1: the quotient does not fit.
(module
  (memory (export "memory") 1)
  (global $divisor (mut i32) (i32.const -1))

  (func (export "_start")
    (drop (i32.div_s (i32.const -2147483648) (global.get $divisor))))
)
