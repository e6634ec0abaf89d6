"""The names of the packages, for their manifests. The coverage test compares READMEs and imports with them."""

# libsugar, but where somebody else has that name (npm, crates.io) or a language has rules of its own. Go's path begins
# with a host; the project has none, so it is in .example, which nobody can own (RFC 2606): whoever publishes the module
# puts the real host here and into the imports, which Go wants spelled out.
PACKAGES = {
    "go": "libsugar.example/libsugar",
    "javascript": "libsugar-activations",
    "julia": "LibSugar",
    "rust": "libsugar-activations",
}


def package(language: str) -> str:
    return PACKAGES.get(language, "libsugar")
