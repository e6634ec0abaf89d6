"""An Equinox network that tells near points from far ones. It learns the alpha of its ELUs, one for each unit.

    pip install './bindings/python[jax]' equinox optax
    python bindings/python/examples/equinox_training.py
"""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import libsugar.jax
import optax

elu = libsugar.jax.activation("elu")


def shells(key: Any, count: int) -> tuple[Any, Any]:
    """Points around 0 in three dimensions, and whether they are in the outer half."""
    x = jax.random.normal(key, (count, 3))
    return x, ((x ** 2).sum(1) > 2.366).astype(int)


class Layer(eqx.Module):
    linear: eqx.nn.Linear
    alpha: Any

    def __init__(self, inputs: int, outputs: int, key: Any) -> None:
        self.linear, self.alpha = eqx.nn.Linear(inputs, outputs, key=key), jnp.ones(outputs)

    def __call__(self, x: Any, key: Any = None) -> Any:
        return elu(self.linear(x), self.alpha)


@eqx.filter_value_and_grad
def loss_and_gradients(network: Any, x: Any, outside: Any) -> Any:
    return optax.softmax_cross_entropy_with_integer_labels(jax.vmap(network)(x), outside).mean()


@eqx.filter_jit
def step(network: Any, state: Any, x: Any, outside: Any) -> Any:
    loss, gradients = loss_and_gradients(network, x, outside)
    updates, state = optimizer.update(gradients, state)
    return eqx.apply_updates(network, updates), state, loss


keys = jax.random.split(jax.random.key(0), 3)
network = eqx.nn.Sequential([Layer(3, 64, keys[0]), Layer(64, 64, keys[1]), eqx.nn.Linear(64, 2, key=keys[2])])
optimizer = optax.adam(0.01)
state = optimizer.init(eqx.filter(network, eqx.is_array))
x, outside = shells(jax.random.key(1), 1000)
for i in range(301):
    network, state, loss = step(network, state, x, outside)
    if i % 100 == 0:
        print(f"step {i}: loss {loss:.3f}")
unseen, expected = shells(jax.random.key(2), 1000)
print(f"accuracy: {(jax.vmap(network)(unseen).argmax(1) == expected).mean():.3f}")
alpha = network.layers[0].alpha
print(f"alpha of the first layer: {alpha.min():.2f} to {alpha.max():.2f}")
