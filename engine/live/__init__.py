"""The path in software on real sockets: one loop that polls, from the feeds to the order connection and back.

``loop`` is the loop: compiled, pinned to a core, without interpreter, allocation or lock. ``kernel`` is what it calls of the
operating system, ``transport`` where frames come from (kernel sockets; ``xdp`` past the kernel's stack), ``rings`` how commands
get in and events out, also from and to other processes. ``live`` is the thread around it.
"""
