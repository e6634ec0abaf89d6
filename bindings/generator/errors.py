"""What the generator refuses, in one line that names the place."""


class GeneratorError(Exception):
    """The header, a template or the library is not as the generator expects it."""
