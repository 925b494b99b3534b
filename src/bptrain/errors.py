"""What can go wrong, with the exit code of each error, and the named warnings.

    BptrainError                 a message for the user, never a traceback
    ├── UsageError          2    the command line or the config is wrong or contradicts itself
    ├── DataError           3    the data is missing, malformed, or does not fit the config
    ├── NumericalError      4    a loss, weight or gradient is not finite
    ├── CheckpointError     5    a run or checkpoint is missing, corrupt or incompatible
    ├── StorageError        6    the disk failed
    ├── BusyError           7    another process is using the run directory
    └── Interrupted   130 / 143 / 129  SIGINT, SIGTERM or SIGHUP, after saving

Exit code 1 is a verdict, not an error: a gradient that does not match, a metric that does not reach
its bound. Exit code 70 is any exception that is not in this tree: a bug in bptrain.
"""

import signal
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple, Self
from unicodedata import category

VERDICT_EXIT = 1
STORAGE_EXIT = 6
DIGITS = 15  # of a float in a message: more it does not hold
WHOLE_DIGITS = 20  # of an integer, which may be an id and holds them all
BUG_EXIT = 70
# The signals that stop a command, as far as the system has them: Windows lacks SIGHUP.
STOPPING = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


def stopping_signals() -> list[signal.Signals]:
    """Those of STOPPING that a command handles: all but a SIGHUP that is ignored, as nohup has it."""
    always = (signal.SIGINT, signal.SIGTERM)
    return [one for one in STOPPING if one in always or signal.getsignal(one) != signal.SIG_IGN]


@contextmanager
def undisturbed() -> Iterator[None]:
    """Keeps signals that stop a command waiting inside the block, where the system can."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


JOINERS = "\u200c\u200d"  # without which Persian, the scripts of India and emoji are not what was written


def printable(text: str, spaces: bool = False) -> str:
    """Text for one line of a terminal: line breaks, control characters and overrides of direction are escaped.

    So are spaces of other kinds, unless they may stay (`spaces`). Letters of any script are as they are.
    """
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() or c in JOINERS or (spaces and category(c) == "Zs") else repr(c)[1:-1]
        for c in text
    )


def short(value: object) -> str:
    """A value for a message: a number that takes more digits than one reads in powers of ten, else as it is written."""
    if isinstance(value, str) and len(value) > WHOLE_DIGITS and value.removeprefix("-").isdecimal():
        value = int(value)  # a category or label that was a float, such as 1e30
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if isinstance(value, int):
        return str(value) if abs(value) < 10**WHOLE_DIGITS else f"{value:.15g}"
    if value.is_integer():
        return str(int(value)) if abs(value) < 10**DIGITS else f"{value:.15g}"
    written = repr(value)
    return written if len(written) <= DIGITS else f"{value:.6g}"


class Problem(NamedTuple):
    """One thing that is wrong, and where: a line of the error listing and a record of `--json`."""

    code: str  # a stable name of the rule that was broken, such as "unknown_key"
    message: str  # what is wrong, the value as written, and what to do
    path: str = ""  # the config key, such as "network.sizes", or "" where no key is at fault
    file: str = ""  # the file at fault as the user named it, or "--set"
    line: int | None = None  # counted from 1
    column: int | None = None  # counted from 1
    suggestion: str | None = None  # the key or value that was probably meant
    source: str | None = None  # the line as written, for the caret

    def __str__(self) -> str:
        """`file:line:column: error: path: message`, in the form that compilers and editors use."""
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part not in ("", None))
        key = f"{self.path}: " if self.path else ""
        hint = f" (did you mean {self.suggestion}?)" if self.suggestion else ""
        return printable(f"{place + ': ' if place else ''}error: {key}{self.message}{hint}")


class BptrainError(Exception):
    """An error that is reported to the user in one or more sentences."""

    exit_code = BUG_EXIT
    code = "error"

    def __init__(self, problems: str | Problem | Iterable[Problem]) -> None:
        if isinstance(problems, str):
            problems = Problem(self.code, problems)
        self.problems: list[Problem] = [problems] if isinstance(problems, Problem) else list(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def reworded(self, problems: Iterable[Problem]) -> Self:
        """The same error, of whatever class it is, which says these problems."""
        self.problems = list(problems)
        self.args = ("\n".join(str(problem) for problem in self.problems),)
        return self


class UsageError(BptrainError):
    """The command line or the config is wrong or contradicts itself."""

    exit_code = 2
    code = "usage"


class DataError(BptrainError):
    """The data is missing, malformed, or does not fit the config."""

    exit_code = 3
    code = "data"


class NumericalError(BptrainError):
    """A loss, weight or gradient is not finite."""

    exit_code = 4
    code = "not_finite"


class CheckpointError(BptrainError):
    """A run or checkpoint is missing, corrupt or incompatible."""

    exit_code = 5
    code = "checkpoint"


class StorageError(BptrainError):
    """The disk failed."""

    exit_code = STORAGE_EXIT
    code = "storage"


class BusyError(BptrainError):
    """Another process is using the run directory."""

    exit_code = 7
    code = "busy"


class Interrupted(BptrainError):
    """Stopped by a signal, after the state was saved."""

    code = "interrupted"

    def __init__(self, message: str, signal_number: int) -> None:
        super().__init__(message)
        self.signal_number = signal_number
        self.exit_code = 128 + signal_number


class DataWarning(UserWarning):
    """What `warnings.warn` says in Python of rows that are odd, such as unknown categories."""


class Warned(NamedTuple):
    """A warning to the user."""

    name: str  # in WARNINGS; what `silence` may list
    message: str


WARNINGS = {
    "blank_predictions": "rows of a predicted file cannot be predicted, and their predictions are empty",
    "constant_columns": "columns have the same value in every training row",
    "corrupt_checkpoint": "a checkpoint is damaged; the one before it is used",
    "dead_units": "all units of a layer of a trained network are dead: they output 0 on every row",
    "decimal_labels": "class labels are numbers with decimals",
    "diverged_run": "the run of an evaluated or inspected model diverged: its weights are those from before",
    "dropped_rows": "rows of an evaluated file have missing values and are left out",
    "extra_columns": "an evaluated file has columns that the training file does not have",
    "group_in_splits": "rows with the same identifier are in training and in another split",
    "growing_loss": "the training loss is a multiple of that of the first epoch",
    "huge_loss": "the loss of a trained network is finite and above 1e10 per row",
    "identical_rows": "validation or test rows are training rows as well",
    "identical_units": "all units of a hidden layer of a trained network have the same weights",
    "identifier_input": "an input only identifies the rows",
    "large_first_step": "the learning rate is large for a loss that is summed over many rows",
    "loss_not_falling": "the training loss has not fallen since the first epoch",
    "many_categories": "a text column has almost as many categories as rows",
    "many_classes": "the target has almost as many classes as rows",
    "no_better_than_baseline": "the error on a split is above 0.99 times that of the baseline",
    "no_weights": "no weight column: every sample gets weight 1",
    "older_metrics": "a resumed run monitored a metric that did not count rows by their weight yet",
    "one_class_predicted": "a trained network predicts one class for all rows",
    "other_plugin": "a part of a plug-in differs from the one that the run was trained with",
    "other_bits": "a resumed run uses another engine, processor or library than before",
    "outside_training_range": "numbers outside the range of the training rows",
    "refit_left_out": "the time limit has ended a run before its refit was done",
    "same_file": "the validation or test file is the training file",
    "saturated_units": "all units of a layer of a trained network are saturated on every row",
    "schedule_span": "a resumed run has another number of epochs, to which its schedule is stretched",
    "sentinel": "a number far from all others, such as -9999, which may stand for a missing value",
    "similar_levels": "categories that differ only in upper and lower case or in blanks",
    "small_split": "a split has fewer rows than asked for",
    "softmax_loss": "softmax outputs with a loss that is not made for them",
    "target_in_inputs": "an input, or a sum of few, is the target",
    "target_range": "training targets outside the output activation's range",
    "total_row": "a row holds the totals of the others",
    "trained_on_validation": "the evaluated validation rows were trained on, in a refit",
    "unseen_category": "a text column has categories that the training rows do not have",
    "weights_unmoved": "the weights of a trained network are where they began",
}


def not_silenced(warnings: Iterable[Warned], silenced: Collection[str]) -> tuple[Warned, ...]:
    """The warnings that are not silenced."""
    return tuple(warning for warning in warnings if warning.name not in silenced)
