;; Asks for 128 MiB in its header, more than its limit allows: it cannot even be instantiated.
(module
  (memory (export "memory") 2048)

  (func (export "_start"))
)
