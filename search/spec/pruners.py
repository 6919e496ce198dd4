"""The [pruner] of a spec: tunefront's own for any number of objectives, and Optuna's, which read one learning curve.

Optuna's pruners have Optuna's settings under the same names; a step is an epoch.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from tunefront.search.spec.table import MOST_COUNTED, Table, named


class ParetoTable(Table):
    """A pruner that stops trials that would not come on the front.

    Attributes:
        front_loss: The share of the front that may be lost.
        min_epochs: The first epoch at which trials are judged. In the very first one, a model that will be the best
            may still be guessing for most of the time.
        rung_factor: The factor between one epoch at which trials are judged and the next.
        tolerance: Whether a trial is also stopped if it would end no better than a finished one by more than the
            objectives' `tolerance`.
    """

    name: Literal["pareto"] = "pareto"
    front_loss: float = Field(default=0.1, gt=0, le=0.5)
    min_epochs: int = Field(default=2, ge=1, le=MOST_COUNTED)
    rung_factor: float = Field(default=1.2, gt=1, le=10)
    tolerance: bool = True


class NoPrunerTable(Table):
    """A pruner that stops nothing."""

    name: Literal["none"] = "none"


class _ComparingTable(Table):
    n_startup_trials: int = Field(default=5, ge=0, le=MOST_COUNTED)
    n_warmup_steps: int = Field(default=0, ge=0, le=MOST_COUNTED)
    interval_steps: int = Field(default=1, ge=1, le=MOST_COUNTED)
    n_min_trials: int = Field(default=1, ge=1, le=MOST_COUNTED)


class MedianTable(_ComparingTable):
    """A pruner that stops trials below the median of earlier trials at the same epoch."""

    name: Literal["median"] = "median"


class PercentileTable(_ComparingTable):
    """A pruner that stops trials below a percentile of earlier trials at the same epoch.

    Attributes:
        percentile: The share to keep; 25 keeps the best quarter.
    """

    name: Literal["percentile"] = "percentile"
    percentile: float = Field(default=25.0, ge=0, le=100)


class SuccessiveHalvingTable(Table):
    """Asynchronous successive halving: at each rung the best 1 / reduction_factor go on."""

    name: Literal["successive_halving"] = "successive_halving"
    min_resource: int = Field(default=1, ge=1, le=MOST_COUNTED)
    reduction_factor: int = Field(default=4, ge=2, le=1000)
    min_early_stopping_rate: int = Field(default=0, ge=0, le=20)
    bootstrap_count: int = Field(default=0, ge=0, le=MOST_COUNTED)


class HyperbandTable(Table):
    """Several successive halvings, the trials divided among them."""

    name: Literal["hyperband"] = "hyperband"
    min_resource: int = Field(default=1, ge=1, le=MOST_COUNTED)
    reduction_factor: int = Field(default=3, ge=2, le=1000)
    bootstrap_count: int = Field(default=0, ge=0, le=MOST_COUNTED)


class ThresholdTable(Table):
    """A pruner that stops trials whose accuracy leaves a range."""

    name: Literal["threshold"] = "threshold"
    lower: float | None = None
    upper: float | None = None
    n_warmup_steps: int = Field(default=0, ge=0, le=MOST_COUNTED)
    interval_steps: int = Field(default=1, ge=1, le=MOST_COUNTED)

    @model_validator(mode="after")
    def _check_bounds(self) -> ThresholdTable:
        if self.lower is None and self.upper is None:
            raise ValueError("write lower or upper, such as lower = 0.5: what is below is stopped")
        if self.lower is not None and self.upper is not None and self.lower > self.upper:
            raise ValueError(f"lower = {self.lower:g} is above upper = {self.upper:g}: exchange them")
        return self


class WilcoxonTable(Table):
    """A pruner that stops trials that a signed-rank test over epochs finds worse than the best trial."""

    name: Literal["wilcoxon"] = "wilcoxon"
    p_threshold: float = Field(default=0.1, ge=0, le=1)
    n_startup_steps: int = Field(default=2, ge=0, le=MOST_COUNTED)


_Wrapped = MedianTable | PercentileTable | SuccessiveHalvingTable | HyperbandTable | ThresholdTable | WilcoxonTable


class PatientTable(Table):
    """A pruner that stops trials that have not improved for `patience` epochs, if `wrapped` would stop them too.

    Attributes:
        wrapped: The table of another pruner of Optuna; None asks no other.
    """

    name: Literal["patient"] = "patient"
    patience: int = Field(ge=0, le=MOST_COUNTED)
    min_delta: float = Field(default=0.0, ge=0)
    wrapped: _Wrapped | None = Field(default=None, discriminator="name")


OptunaPrunerTable = (
    MedianTable
    | PercentileTable
    | SuccessiveHalvingTable
    | HyperbandTable
    | ThresholdTable
    | WilcoxonTable
    | PatientTable
)
PrunerTable = Annotated[
    Annotated[ParetoTable | NoPrunerTable | OptunaPrunerTable, Field(discriminator="name")],
    named("pareto"),
]
