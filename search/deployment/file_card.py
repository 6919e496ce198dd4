"""The facts beside an exported file: JSON for programs that use it, and a model card in Markdown for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunefront.objectives.quantities import format_quantity
from tunefront.search.models.variants import VARIANTS
from tunefront.storage.deployment.deployed import DeployedVariant

_OWN_WEIGHTS = "trained from scratch on the study's own data: their licence is for you to say"
_RUNTIMES = {"litert": "LiteRT (ai-edge-litert)", "onnx": "ONNX Runtime"}


def weights_note(candidate: Mapping[str, Any]) -> str:
    """Return what the licence of a model's weights depends on."""
    weights = candidate.get("architecture_settings", {}).get("weights", "none")
    if weights == "imagenet":
        return (
            f"fine-tuned from the ImageNet weights that keras.applications offers for {candidate['architecture']}: the "
            "terms of these weights and of ImageNet hold for them too"
        )
    if weights not in ("none", None):
        return f"fine-tuned from {weights}: the terms of those weights hold for them too"
    return _OWN_WEIGHTS


def file_facts(
    study: str, variant: DeployedVariant, ends: Mapping[str, Any], card: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the facts of a file as JSON data: all that is needed to use it, without tunefront.

    The entries of ``class_names`` are in the order of the outputs; one output is the probability of ``positive_class``.
    A whole number of ``input`` or ``output`` stands for ``(number - zero_point) * scale``.

    Args:
        ends: What the file takes and gives.
        card: The card of the ``.keras`` file.
    """
    return {
        "study": study,
        "trial": variant.trial,
        "confirmation_training": variant.training,
        "variant": variant.variant,
        "runtime": VARIANTS[variant.variant].runtime,
        "file": variant.file,
        "class_names": card["class_names"],
        "positive_class": card["positive_class"],
        "input": {**card["input"], **ends["input"]},
        "output": {**ends["output"], "values": f"probabilities ({card['output']})"},
        "accuracy": variant.accuracy,
        "keras_accuracy": variant.keras_accuracy,
        "same_class": variant.same_class,
        "measured_on": {"split": variant.split, "n_images": variant.n_images},
        "measures": dict(variant.measures),
        "not_measured": dict(variant.notes),
        "made_from_digest": variant.model_digest,
        "weights": weights_note(card["candidate"]),
        "candidate": card["candidate"],
        "machine": dict(variant.machine),
        "versions": dict(variant.versions),
    }


def model_card(facts: Mapping[str, Any]) -> str:
    """Return a model card in Markdown, whose front matter Hugging Face reads."""
    measures, on = facts["measures"], facts["measured_on"]
    split = f"{on['n_images']} {on['split']} images"
    title = f"{facts['study']}: trial {facts['trial']}, {facts['variant']}"
    lines = [
        "---",
        f"library_name: {'onnx' if facts['runtime'] == 'onnx' else 'litert'}",
        "pipeline_tag: image-classification",
        "tags: [tunefront, keras]",
        "metrics: [accuracy]",
        "---",
        f"# {_plain(title)}",
        "",
        f"`{facts['file']}` is a classifier for {_RUNTIMES[facts['runtime']]}: "
        f"{VARIANTS[facts['variant']].description}.",
        "",
        "| measured | |",
        "|---|---|",
        f"| accuracy on {split} | {facts['accuracy']:.2%} |",
        f"| accuracy of the Keras model on them | {facts['keras_accuracy']:.2%} |",
        f"| same class as the Keras model | {facts['same_class']:.2%} |",
        *(f"| {name} | {text} |" for name, text in _shown(measures)),
        *(f"| {name} | {_plain(why)} |" for name, why in facts["not_measured"].items()),
        "",
        f"Times and memory: {_plain(str(facts['machine'].get('cpu', 'this machine')))}, one thread, one image at a "
        "time. An arena is that of 64-bit x86: a guide for a board, whose kernels may add to it.",
        "",
        "## Use",
        "",
        f"Input: {_describe_end(facts['input'])}, {_plain(str(facts['input'].get('values', '')))}. "
        f"Output: {_describe_end(facts['output'])}, {facts['output']['values']}. "
        "A whole number stands for (number - zero_point) x scale. Everything stands in the JSON file beside this one.",
        "",
        f"Classes, in the order of the outputs: {_plain(', '.join(map(str, facts['class_names'])))}.",
        "",
        f"Weights: {_plain(facts['weights'])}.",
        "",
        f"Made by tunefront {facts['versions'].get('tunefront', '')} with "
        + ", ".join(f"{name} {version}" for name, version in facts["versions"].items() if name != "tunefront")
        + ".",
    ]
    return "\n".join(lines) + "\n"


def _shown(measures: Mapping[str, float]) -> list[tuple[str, str]]:
    rows = []
    for name, value in measures.items():
        if name.endswith("_bytes"):
            rows.append((name, format_quantity(value, "bytes")))
        elif name.endswith("_seconds") and name != "export_seconds":
            rows.append((name, format_quantity(value, "seconds")))
        elif name == "macs":
            rows.append((name, f"{value:,.0f}"))
    return rows


def _describe_end(end: Mapping[str, Any]) -> str:
    text = f"{end['dtype']} of shape {' x '.join(map(str, end['shape']))}"
    return text + (f", scale {end['scale']:.6g}, zero point {end['zero_point']}" if end["scale"] else "")


def _plain(text: str) -> str:
    """Return a text from a spec or a dataset as one line that Markdown shows as it is."""
    one_line = " ".join(text.split())
    return "".join(f"\\{character}" if character in "\\`*_[]<>|#" else character for character in one_line)
