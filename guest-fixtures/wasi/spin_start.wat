;; Loops for ever in the module's start function, before `_start` is ever called: the limits hold while it is instantiated.
(module

  (func $forever (loop $again (br $again)))
  (start $forever)
  (func (export "_start"))
)
