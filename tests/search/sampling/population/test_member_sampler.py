"""New members: one network for each population, and settings of each member's own."""

from __future__ import annotations

import optuna

from tunefront.search.sampling.samplers import make_sampler
from tunefront.search.spec.samplers import PbtTable
from tunefront.spaces.space import Space
from tunefront.spaces.stages.changeable import is_changeable

SPACE = Space.from_table(
    {
        "architecture": ["plain_cnn", "residual_cnn"],
        "optimizer": ["adam", "sgd", "lion"],
        "augmentation": "light",
        "light": {"rotation": {"low": 0.0, "high": 20.0}},
    }
)


def test_members_share_a_network_and_have_settings_of_their_own() -> None:
    networks, settings = [], []
    for number in range(12):
        study = optuna.create_study(sampler=make_sampler(PbtTable(population=4), 5, number))
        trial = study.ask()
        SPACE.suggest(trial)
        networks.append({name: value for name, value in trial.params.items() if not is_changeable(name)})
        settings.append(tuple(value for name, value in trial.params.items() if is_changeable(name)))
    assert networks[0] == networks[1] == networks[2] == networks[3]
    assert networks[4] == networks[7]
    assert networks[8] == networks[11]
    assert len({str(networks[number]) for number in (0, 4, 8)}) == 3
    assert len(set(settings)) == 12
