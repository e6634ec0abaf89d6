"""libsugar: activation functions with surrogate gradients."""
