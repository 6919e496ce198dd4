"""The tables of a spec."""

from tunefront.search.spec.objectives import ObjectivesTable, ObjectiveTable
from tunefront.search.spec.pruners import (
    HyperbandTable,
    MedianTable,
    NoPrunerTable,
    OptunaPrunerTable,
    ParetoTable,
    PatientTable,
    PercentileTable,
    PrunerTable,
    SuccessiveHalvingTable,
    ThresholdTable,
    WilcoxonTable,
)
from tunefront.search.spec.samplers import (
    BohbTable,
    CmaEsTable,
    GpTable,
    GridTable,
    HypervolumeTable,
    Nsga2Table,
    Nsga3Table,
    PbtTable,
    QmcTable,
    RandomTable,
    SamplerTable,
    TpeTable,
)
from tunefront.search.spec.stop import StopTable
from tunefront.search.spec.table import Table
from tunefront.search.spec.training import EarlyStoppingTable, PretrainTable, TrainingTable

__all__ = [
    "BohbTable",
    "CmaEsTable",
    "EarlyStoppingTable",
    "GpTable",
    "GridTable",
    "HyperbandTable",
    "HypervolumeTable",
    "MedianTable",
    "NoPrunerTable",
    "Nsga2Table",
    "Nsga3Table",
    "ObjectiveTable",
    "ObjectivesTable",
    "OptunaPrunerTable",
    "ParetoTable",
    "PatientTable",
    "PbtTable",
    "PercentileTable",
    "PretrainTable",
    "PrunerTable",
    "QmcTable",
    "RandomTable",
    "SamplerTable",
    "StopTable",
    "SuccessiveHalvingTable",
    "Table",
    "ThresholdTable",
    "TpeTable",
    "TrainingTable",
    "WilcoxonTable",
]
