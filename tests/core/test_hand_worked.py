"""A 2-2-1 network, sigmoid, no bias, worked with a pencil.

The weights are chosen so that every z is 0 or ln 3, where the sigmoid is 1/2 and 3/4:

    x_0 = (1, 2)ᵀ, t = 1
    W_1 = ( ln3   0   )   z_1 = (ln 3, 0)ᵀ           x_1 = (3/4, 1/2)ᵀ     f'(z_1) = (3/16, 1/4)ᵀ
          ( 2    −1   )
    W_2 = ( 4 ln3  −4 ln3 )   z_2 = 3 ln3 − 2 ln3 = ln 3    x_2 = 3/4      f'(z_2) = 3/16

    E = ½ (3/4 − 1)² = 1/32
    δ_2 = (3/4 − 1) · 3/16 = −3/64
    δ_1 = W_2ᵀ δ_2 ∘ f'(z_1) = (−3/16 ln3, 3/16 ln3)ᵀ ∘ (3/16, 1/4)ᵀ = (−9/256 ln3, 3/64 ln3)ᵀ
    ∂E/∂W_2 = δ_2 x_1ᵀ = (−9/256, −3/128)
    ∂E/∂W_1 = δ_1 x_0ᵀ = ( −9/256 ln3   −9/128 ln3 )
                         (  3/64 ln3     3/32 ln3  )
"""

import numpy as np
import pytest

from bptrain.core import reference
from bptrain.core.backprop import backward, forward, workspace
from bptrain.core.network import Views, views
from bptrain.core.objective import row_losses
from bptrain.parts.types import Array
from networks import network

LN3 = np.log(3.0)
W_1, W_2 = [[LN3, 0.0], [2.0, -1.0]], [[4 * LN3, -4 * LN3]]
X_0, T = np.array([[1.0, 2.0]]), np.array([[1.0]])
NET = network((2, 2, 1), "sigmoid", bias=False, reduction="sum")
EXPECTED = {
    "z": ([LN3, 0.0], [LN3]),
    "x": ([3 / 4, 1 / 2], [3 / 4]),
    "delta": ([-9 / 256 * LN3, 3 / 64 * LN3], [-3 / 64]),
    "dW": ([[-9 / 256 * LN3, -9 / 128 * LN3], [3 / 64 * LN3, 3 / 32 * LN3]], [[-9 / 256, -3 / 128]]),
}


@pytest.fixture
def parameters() -> Views:
    return views(NET, np.concatenate([np.ravel(W_1), np.ravel(W_2)]))


def close(actual: Array, expected: object) -> None:
    np.testing.assert_allclose(actual, np.asarray(expected, float), rtol=1e-14, atol=1e-16)


def test_matrix_form(parameters: Views) -> None:
    space = workspace(NET, 1, np.float64)
    gradient = views(NET, np.empty(NET.size))
    forward(NET, parameters, X_0, space)
    backward(NET, parameters, T, space, gradient)
    for i in (1, 2):
        close(space.Z[i][0], EXPECTED["z"][i - 1])
        close(space.X[i][0], EXPECTED["x"][i - 1])
        close(space.D[i][0], EXPECTED["delta"][i - 1])
        close(gradient.W[i], EXPECTED["dW"][i - 1])
    close(row_losses(NET, space.Z[2], space.X[2], T), [1 / 32])


def test_reference(parameters: Views) -> None:
    one = reference.instance(NET, parameters, X_0.T, T.T)
    for i in (1, 2):
        close(one.z[i][:, 0], EXPECTED["z"][i - 1])
        close(one.x[i][:, 0], EXPECTED["x"][i - 1])
        close(one.delta[i][:, 0], EXPECTED["delta"][i - 1])
        close(one.dW[i], EXPECTED["dW"][i - 1])
    assert pytest.approx(1 / 32, rel=1e-15) == one.E


def test_update(parameters: Views) -> None:
    """W ← W − α ∂E/∂W for one instance, with one α for each layer."""
    from bptrain.engines.base import TrainingPlan, initial_optimizer_state
    from bptrain.engines.numpy_engine import NumpyEngine
    from bptrain.parts.optimizers import optimizers
    from bptrain.parts.schedules import schedules

    rule = optimizers.get("gradient_descent")(learning_rate=(0.5, 2.0))
    plan = TrainingPlan(
        NET, rule, schedules.get("constant")(), rule.learning_rate, rows=1, batch_size=1, epochs=1
    )
    state = initial_optimizer_state(parameters.flat.copy(), rule)
    loss = NumpyEngine(plan).run_slice(state, X_0, T)
    after = views(NET, state.w)
    close(after.W[1], np.asarray(W_1) - 0.5 * np.asarray(EXPECTED["dW"][0]))
    close(after.W[2], np.asarray(W_2) - 2.0 * np.asarray(EXPECTED["dW"][1]))
    assert loss == pytest.approx(1 / 32, rel=1e-14)
