"""The figures of arXiv 2505.22074 that ours stand beside: test accuracy in percent."""

from __future__ import annotations

from typing import Any

# network, data, activation, %. The surrogates' figures: B-SiLU itself is the forward function alone.
FIGURES = (
    ("resnet18", "cifar10", "bsilu", 76.76), ("resnet18", "cifar10", "relu~bsilu", 86.42),
    ("resnet18", "cifar100", "bsilu", 48.99), ("resnet18", "cifar100", "relu~bsilu", 56.51),
    ("vgg16", "cifar10", "bsilu", 78.50), ("vgg16", "cifar10", "relu~bsilu", 88.35),
    ("vgg16", "cifar100", "bsilu", 48.73), ("vgg16", "cifar100", "relu~bsilu", 64.47),
)


def figure(options: dict[str, Any]) -> float | None:
    """What the paper has for a run's network, data and activation; it does not say whether its networks are normalised,
    so that of VGG-16 stands beside both of ours."""
    network = options["network"].removesuffix("-bn")
    for one in FIGURES:
        if one[:3] == (network, options["data"], options["activation"]):
            return one[3]
    return None
