"""Reference implementations of the GAN course. Importing the package itself loads nothing heavy (no torch)."""

__version__ = "0.1.0"
