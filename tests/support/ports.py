"""Ports for processes that tell each other theirs, and so must know it before they start."""
import random
import socket


def free_port():
    """Below those that the kernel gives to clients."""
    with socket.socket() as probe:
        while True:
            port = random.randint(10_000, 30_000)
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
