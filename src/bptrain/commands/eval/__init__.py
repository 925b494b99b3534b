"""`bptrain eval`: how good a trained model is."""

from bptrain.commands.eval.eval import evaluate_model, model_of
from bptrain.commands.eval.thresholds import failed_thresholds, parse_bound
from bptrain.commands.eval.two_runs import Comparison, compare_runs
from bptrain.model.evaluation_report import EvaluationReport
from bptrain.model.rows_to_evaluate import SPLITS

__all__ = [
    "SPLITS",
    "Comparison",
    "EvaluationReport",
    "compare_runs",
    "evaluate_model",
    "failed_thresholds",
    "model_of",
    "parse_bound",
]
