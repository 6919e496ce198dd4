from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.usefixtures("keras")


# Sizes


@pytest.mark.parametrize(
    ("optimizer", "n_slots", "n_extra"),
    [
        # Slots for each trainable weight, by the definition of each method, and further scalars.
        ("SGD", 0, 2),  # iterations and learning rate
        ("Adam", 2, 2),
        ("Adadelta", 2, 2),
        ("Lion", 1, 2),
        ("Nadam", 2, 3),  # the product of its momentum schedule
    ],
)
def test_model_bytes_are_weights_and_optimizer(keras: Any, optimizer: str, n_slots: int, n_extra: int) -> None:
    from tunefront.search.trial import memory

    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(3), keras.layers.BatchNormalization()])
    n_trainable, n_all = 5 * 3 + 3 + 2 * 3, 5 * 3 + 3 + 4 * 3
    made = getattr(keras.optimizers, optimizer)()
    made.build(model.trainable_variables)
    assert memory.weight_bytes(model) == 4 * n_all
    assert memory.n_parameters(model.weights) == n_all
    assert memory.n_parameters(model.trainable_weights) == n_trainable
    of_variables = sum(variable.numpy().nbytes for variable in [*model.weights, *made.variables])
    iterations = next(v.numpy().nbytes for v in made.variables if v.name == "iteration")
    assert of_variables == 4 * (n_all + n_slots * n_trainable + n_extra - 1) + iterations
    assert 10_000 < memory.model_bytes(model, made) - of_variables < 40_000  # the file's structure


@pytest.mark.parametrize(
    ("dtype", "n_bytes"), [("float32", 4), ("float16", 2), ("bfloat16", 2), ("float64", 8), ("uint8", 1), ("bool", 1)]
)
def test_weight_bytes_of_each_type(keras: Any, dtype: str, n_bytes: int) -> None:
    from tunefront.search.trial import memory

    variable = keras.Variable(np.zeros((3, 7)), dtype=dtype, trainable=False)
    assert memory.weight_bytes(SimpleNamespace(weights=[variable])) == 21 * n_bytes


# Memory


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_peak_memory_sees_what_was_there_for_a_moment() -> None:
    # It runs in its own process, because this process has had its peak before.
    code = (
        "import sys, types\n"
        "keras = types.ModuleType('keras')\n"  # its import alone would take many seconds
        "keras.callbacks = types.SimpleNamespace(Callback=object)\n"
        "keras.backend = types.SimpleNamespace(backend=lambda: 'none')\n"
        "sys.modules['keras'] = keras\n"
        "import numpy as np\n"
        "from tunefront.search.trial.memory import PeakMemory\n"
        "peak = PeakMemory()\n"
        "block = np.ones(40_000_000, 'uint8')\n"
        "del block\n"
        "print(peak.bytes())\n"
    )
    root = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert 39e6 < int(done.stdout) < 80e6
