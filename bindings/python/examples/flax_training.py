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
from flax import linen as nn

relu = libsugar.jax.activation("relu~bsilu")


def spirals(key: Any, count: int) -> tuple[Any, Any]:
    """Points of two arms, and which arm each belongs to."""
    angle = 3 * jnp.pi * jnp.sqrt(jax.random.uniform(key, (count,)))
    arm = jnp.arange(count) % 2
    direction = angle + jnp.pi * arm
    return jnp.stack([angle * jnp.cos(direction), angle * jnp.sin(direction)], 1) / 3, arm


class Network(nn.Module):
    @nn.compact
    def __call__(self, x: Any) -> Any:
        for units in (64, 64):
            x = relu(nn.Dense(units)(x))
        return nn.Dense(2)(x)


@jax.jit
def step(weights: Any, state: Any, x: Any, arm: Any) -> Any:
    def loss_of(weights: Any) -> Any:
        return optax.softmax_cross_entropy_with_integer_labels(network.apply(weights, x), arm).mean()

    loss, gradients = jax.value_and_grad(loss_of)(weights)
    updates, state = optimizer.update(gradients, state)
    return optax.apply_updates(weights, updates), state, loss


network, optimizer = Network(), optax.adam(0.01)
x, arm = spirals(jax.random.key(1), 1000)
weights = network.init(jax.random.key(0), x)
state = optimizer.init(weights)
for i in range(301):
    weights, state, loss = step(weights, state, x, arm)
    if i % 100 == 0:
        print(f"step {i}: loss {loss:.3f}")
unseen, expected = spirals(jax.random.key(2), 1000)
print(f"accuracy: {(network.apply(weights, unseen).argmax(1) == expected).mean():.3f}")
