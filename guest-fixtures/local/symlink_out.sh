#!/bin/sh
# Makes the symlink `link` to the path that its first argument names, outside of the workspace, and reads through it.
if ln -s "$1" link; then echo 'link    done'; else echo 'link refused'; fi
if cat link > /dev/null 2>&1; then echo 'read    done'; else echo 'read refused'; fi
