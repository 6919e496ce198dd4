"""The tables of a spec."""

from search.spec_tables.objectives_table import ObjectivesTable, ObjectiveTable
from search.spec_tables.pruner_tables import (
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
from search.spec_tables.sampler_tables import (
    CmaEsTable,
    GpTable,
    GridTable,
    Nsga2Table,
    Nsga3Table,
    QmcTable,
    RandomTable,
    SamplerTable,
    TpeTable,
)
from search.spec_tables.stop_table import StopTable
from search.spec_tables.table import Table
from search.spec_tables.training_tables import EarlyStoppingTable, PretrainTable, TrainingTable

__all__ = [
    "CmaEsTable",
    "EarlyStoppingTable",
    "GpTable",
    "GridTable",
    "HyperbandTable",
    "MedianTable",
    "NoPrunerTable",
    "Nsga2Table",
    "Nsga3Table",
    "ObjectiveTable",
    "ObjectivesTable",
    "OptunaPrunerTable",
    "ParetoTable",
    "PatientTable",
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
