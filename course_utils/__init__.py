"""Reference implementations of the GAN course. Importing the package itself loads nothing heavy."""

__version__ = "0.1.0"
