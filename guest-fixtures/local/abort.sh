#!/bin/sh
# Gives up, as `abort()` and a failed assertion do: the C library sends this signal to its own process.
kill -ABRT $$
