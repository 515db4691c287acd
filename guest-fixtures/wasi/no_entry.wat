;; A valid module without an entry: neither `_start` nor anything else that could be called.
(module
  (memory (export "memory") 1)
)
