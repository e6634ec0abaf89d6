"""A Flax network on two spirals: ReLU forward, the derivative of B-SiLU backward, by libsugar.jax.

    pip install './bindings/python[jax]' flax optax
    python bindings/python/examples/flax_training.py
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import libsugar.jax
import optax
from flax import nnx

relu = libsugar.jax.activation("relu~bsilu")


def spirals(key: Any, count: int) -> tuple[Any, Any]:
    """Points of two arms, and which arm each belongs to."""
    angle = 3 * jnp.pi * jnp.sqrt(jax.random.uniform(key, (count,)))
    arm = jnp.arange(count) % 2
    direction = angle + jnp.pi * arm
    return jnp.stack([angle * jnp.cos(direction), angle * jnp.sin(direction)], 1) / 3, arm


class Network(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.first, self.second = nnx.Linear(2, 64, rngs=rngs), nnx.Linear(64, 64, rngs=rngs)
        self.last = nnx.Linear(64, 2, rngs=rngs)

    def __call__(self, x: Any) -> Any:
        return self.last(relu(self.second(relu(self.first(x)))))


def loss_of(network: Network, x: Any, arm: Any) -> Any:
    return optax.softmax_cross_entropy_with_integer_labels(network(x), arm).mean()


@nnx.jit
def step(network: Network, optimizer: nnx.Optimizer, x: Any, arm: Any) -> Any:
    loss, gradients = nnx.value_and_grad(loss_of)(network, x, arm)
    optimizer.update(network, gradients)
    return loss


network = Network(nnx.Rngs(0))
optimizer = nnx.Optimizer(network, optax.adam(0.01), wrt=nnx.Param)
x, arm = spirals(jax.random.key(1), 1000)
for i in range(301):
    loss = step(network, optimizer, x, arm)
    if i % 100 == 0:
        print(f"step {i}: loss {loss:.3f}")
unseen, expected = spirals(jax.random.key(2), 1000)
print(f"accuracy: {(network(unseen).argmax(1) == expected).mean():.3f}")
