;; Loops for ever without a host call: only the host's clock can end it.
(module

  (func (export "_start")
    (loop $forever (br $forever)))
)
