"""What CPython for WASI needs before a program starts; found in `site-packages`, so that PYTHONPATH is free.

- A WASI program always starts in `/`. The directory that it was asked to start in stands in $PWD.
- asyncio wakes its event loop through a pair of connected sockets, which WASI does not have. Without threads and
  signals nothing ever wakes the loop from outside, so it does without the pair.
"""

import importlib.abc
import importlib.machinery
import os
import sys

if os.environ.get("PWD"):
    try:
        os.chdir(os.environ["PWD"])
    except OSError:
        pass  # the program meets the same error where it opens its first file, and can say what it wanted


def _without_self_pipe(loop_class):
    def make(self):
        self._ssock = self._csock = None
        self._internal_fds += 1

    loop_class._make_self_pipe = make
    loop_class._close_self_pipe = lambda self: None
    loop_class._write_to_self = lambda self: None


class _AsyncioPatch(importlib.abc.MetaPathFinder):
    """Patches `asyncio.selector_events` when it is first imported, so that a program without asyncio pays nothing."""

    def find_spec(self, name, path=None, target=None):
        if name != "asyncio.selector_events":
            return None
        sys.meta_path.remove(self)
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        run = spec.loader.exec_module

        def exec_module(module):
            run(module)
            _without_self_pipe(module.BaseSelectorEventLoop)

        spec.loader.exec_module = exec_module
        return spec


if sys.platform == "wasi":
    sys.meta_path.insert(0, _AsyncioPatch())
