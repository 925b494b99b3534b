"""Bounds that metrics must reach: --fail-under."""

from bptrain.errors import UsageError
from bptrain.model.evaluation_report import EvaluationReport
from bptrain.parts.metrics import metrics


def failed_thresholds(report: EvaluationReport, bounds: list[tuple[str, float]]) -> list[str]:
    """One sentence for each bound that is not met: a metric below its bound, or above it if lower is better.

    Raises UsageError for a metric that was not computed.
    """
    values = {"loss": report.evaluation.loss, **report.evaluation.metrics}
    sentences = []
    for name, bound in bounds:
        value = values.get(name)
        if not isinstance(value, float):
            known = ", ".join(key for key, number in values.items() if isinstance(number, float))
            reason = f"{name} is more than one number" if name in values else "no such metric"
            raise UsageError(f"--fail-under {name}: {reason} here; there are {known}")
        lower = name == "loss" or metrics.get(name)().better == "lower"
        if not (value <= bound if lower else value >= bound):
            sentences.append(f"{name} is {value:.6g}, {'above' if lower else 'below'} {bound:g}")
    return sentences


def parse_bound(text: str) -> tuple[str, float]:
    """`metric=v` as a pair. Raises UsageError."""
    name, equals, number = text.partition("=")
    try:
        if not (name and equals):
            raise ValueError
        return name.strip(), float(number)
    except ValueError:
        raise UsageError(f"--fail-under {text}: write METRIC=NUMBER, such as accuracy=0.9") from None
