;; A module whose text is in order and whose code is not: `_start` promises a number and leaves none.
(module
  (func (export "_start") (result i32))
)
