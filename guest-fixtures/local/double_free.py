# Gives one block of memory back twice, through the C library; the allocator notices and aborts.
import ctypes

libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
block = ctypes.c_void_p(libc.malloc(64))
libc.free(block)
libc.free(block)
print("still alive")
