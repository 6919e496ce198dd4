from __future__ import annotations

from tunefront.reports.figures.class_curves import NamedCurve, precision_recall_figure, roc_figure
from tunefront.storage.answers import ClassCurve

CURVE = ClassCurve(0.875, 5 / 6, [[0.0, 0.0, 0.5, 1.0], [0.0, 0.5, 1.0, 1.0]], [[0.0, 0.5], [1.0, 0.5]])


def test_each_curve_is_a_line_named_with_its_area() -> None:
    curves = [NamedCurve("fire <b>", CURVE), NamedCurve("trial 2", ClassCurve(0.5, 0.25, [[0, 1], [0, 1]], [[0], [1]]))]
    guessing, first, second = roc_figure(curves, "ROC").data
    assert (guessing.x, guessing.y, guessing.showlegend) == ((0, 1), (0, 1), False)
    assert first.name == "fire &lt;b&gt;, AUC 0.875"
    assert (first.x, first.y) == ((0.0, 0.0, 0.5, 1.0), (0.0, 0.5, 1.0, 1.0))
    first, second = precision_recall_figure(curves, "PR").data
    assert (first.name, second.name) == ("fire &lt;b&gt;, AP 0.833", "trial 2, AP 0.250")
    assert (first.x, first.y) == ((0.0, 0.5), (1.0, 0.5))
    assert first.line.color != second.line.color


def test_curves_without_points_are_not_drawn() -> None:
    curves = [NamedCurve("one", ClassCurve(0.9, 0.8))]
    assert not roc_figure(curves, "ROC").data
    assert not precision_recall_figure(curves, "PR").data
