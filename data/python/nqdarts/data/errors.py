"""What goes wrong beside ValueError and OSError."""


class DamagedSampleError(OSError):
    """An image's bytes are damaged; the message names the image and what is wrong with it."""
