"""The networks, with libsugar's activations in all places."""

from __future__ import annotations

import math
from typing import Callable, NamedTuple

import torch
from torch import nn

import libsugar.torch
from options import Options, Wrong

LINE = 128      # bytes of text that a GPT-2 sees at once


class Made(NamedTuple):
    """A network, and the axis along which the units lie in the inputs of its activations (None: NCHW, or the last)."""

    model: nn.Module
    axis: int | None = None


def make(options: Options, shape: tuple[int, ...], classes: int) -> Made:
    """The network that options name, for inputs of a shape, CHW."""
    makers: dict[str, Callable[[Options, tuple[int, ...], int], Made]] = {
        "vgg16": vgg16, "vgg16-bn": vgg16, "resnet18": resnet18, "mlp": mlp, "mlp-bn": mlp, "swin": swin,
        "convnext": convnext, "gpt2": gpt2}
    return makers[options.network](options, shape, classes)


def activation(options: Options) -> nn.Module:
    made = libsugar.torch.Activation(options.activation)
    if options.gradient_scale != 1:
        made.register_full_backward_hook(lambda module, inputs, outputs: (inputs[0] * options.gradient_scale,))
    return made


def scaled(channels: int, width: float) -> int:
    return max(1, round(channels * width))


def initialised(model: nn.Module, options: Options) -> Made:
    """Weights that keep the scale of activations: He's for relu, LeCun's for selu and for the last layer, whose biases
    are 0."""
    layers = [one for one in model.modules() if isinstance(one, (nn.Conv2d, nn.Linear))]
    for one in layers:
        gain = 2.0 if options.init == "he" and one is not layers[-1] else 1.0
        nn.init.normal_(one.weight, std=math.sqrt(gain / one.weight[0].numel()))
    for one in model.modules():
        if getattr(one, "bias", None) is not None:
            nn.init.constant_(one.bias, 0.0 if one is layers[-1] else options.bias)
    return Made(model)


# ---- VGG-16 (arXiv 1409.1556) ----------------------------------------------------------------------------------------

VGG16: tuple[int | str, ...] = (64, 64, "pool", 128, 128, "pool", 256, 256, 256, "pool", 512, 512, 512, "pool",
                                512, 512, 512, "pool")


def vgg16(options: Options, shape: tuple[int, ...], classes: int) -> Made:
    """13 convolutions and 3 linear layers; the hidden ones have 512 units, as is usual for images of 32 x 32."""
    if min(shape[1:]) < 32:
        raise Wrong(f"--data: {options.data} has images of {shape[1]} x {shape[2]}, expected 32 x 32 for VGG-16")
    norm = options.network == "vgg16-bn"
    layers: list[nn.Module] = []
    inputs = shape[0]
    for one in VGG16:
        if isinstance(one, str):
            layers.append(nn.MaxPool2d(2))
            continue
        outputs = scaled(one, options.width)
        layers.append(nn.Conv2d(inputs, outputs, 3, padding=1, bias=not norm))
        layers += [nn.BatchNorm2d(outputs)] if norm else []
        layers.append(activation(options))
        inputs = outputs
    layers.append(nn.Flatten())
    hidden = scaled(512, options.width)
    for _ in range(2):
        layers += [nn.Linear(inputs, hidden), activation(options)]
        inputs = hidden
    return initialised(nn.Sequential(*layers, nn.Linear(inputs, classes)), options)


# ---- ResNet-18 (arXiv 1512.03385), with a first convolution of 3 x 3 and no pooling behind it ------------------------


class Block(nn.Module):
    def __init__(self, options: Options, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False), nn.BatchNorm2d(outputs),
            activation(options), nn.Conv2d(outputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs))
        self.shortcut = nn.Identity() if stride == 1 and inputs == outputs else nn.Sequential(
            nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))
        self.activation = activation(options)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        made: torch.Tensor = self.activation(self.body(x) + self.shortcut(x))
        return made


def resnet18(options: Options, shape: tuple[int, ...], classes: int) -> Made:
    inputs = scaled(64, options.width)
    layers: list[nn.Module] = [nn.Conv2d(shape[0], inputs, 3, padding=1, bias=False), nn.BatchNorm2d(inputs),
                               activation(options)]
    for channels, stride in ((64, 1), (128, 2), (256, 2), (512, 2)):
        outputs = scaled(channels, options.width)
        layers += [Block(options, inputs, outputs, stride), Block(options, outputs, outputs, 1)]
        inputs = outputs
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, classes)]
    return initialised(nn.Sequential(*layers), options)


# ---- MLP -------------------------------------------------------------------------------------------------------------


def mlp(options: Options, shape: tuple[int, ...], classes: int) -> Made:
    """Hidden layers of 1024 units times the width: 128 with 1/8, as in doc/examples/resurrect."""
    layers: list[nn.Module] = [nn.Flatten()]
    inputs, hidden = math.prod(shape), scaled(1024, options.width)
    for _ in range(options.depth or 6):
        norm = [nn.BatchNorm1d(hidden)] if options.network == "mlp-bn" else []
        layers += [nn.Linear(inputs, hidden, bias=not norm), *norm, activation(options)]
        inputs = hidden
    return initialised(nn.Sequential(*layers, nn.Linear(inputs, classes)), options)


# ---- Those of transformers, made small; weights begin as its authors have them ---------------------------------------


class Logits(nn.Module):
    """A network of transformers that gives a tensor. Its activations are replaced where they are modules."""

    def __init__(self, network: nn.Module, spec: str) -> None:
        super().__init__()
        libsugar.torch.convert(network, {"*act*": spec})
        self.network = network

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        made: torch.Tensor = self.network(x).logits
        return made


def swin(options: Options, shape: tuple[int, ...], classes: int) -> Made:
    """Swin (arXiv 2103.14030) for images of 32 x 32: patches of 2 x 2, windows of 4 x 4, three stages of Swin-T."""
    from transformers import SwinConfig, SwinForImageClassification
    units = 3 * scaled(32, options.width)
    config = SwinConfig(image_size=shape[1], num_channels=shape[0], patch_size=2, embed_dim=units, depths=[2, 2, 2],
                        num_heads=[3, 6, 12], window_size=4, drop_path_rate=0.0, num_labels=classes)
    return Made(Logits(SwinForImageClassification(config), options.activation))


def convnext(options: Options, shape: tuple[int, ...], classes: int) -> Made:
    """ConvNeXt V2 (arXiv 2301.00808) for images of 32 x 32: patches of 2 x 2, two blocks in each of four stages."""
    from transformers import ConvNextV2Config, ConvNextV2ForImageClassification
    config = ConvNextV2Config(num_channels=shape[0], patch_size=2, depths=[2, 2, 2, 2], num_labels=classes,
                              hidden_sizes=[scaled(one, options.width) for one in (96, 192, 384, 768)])
    return Made(Logits(ConvNextV2ForImageClassification(config), options.activation), axis=-1)      # NHWC inside


def gpt2(options: Options, shape: tuple[int, ...], classes: int) -> Made:
    """GPT-2 over bytes, of 4 blocks, without dropout."""
    from transformers import GPT2Config, GPT2LMHeadModel
    heads = scaled(12, options.width)
    config = GPT2Config(vocab_size=classes, n_positions=LINE, n_embd=64 * heads, n_layer=options.depth or 4,
                        n_head=heads, resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0, use_cache=False,
                        bos_token_id=0, eos_token_id=0)
    return Made(Logits(GPT2LMHeadModel(config), options.activation))
