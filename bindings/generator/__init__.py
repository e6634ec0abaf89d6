"""The parts of bindings/generate.py."""
