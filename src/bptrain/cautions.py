"""The warnings that bptrain knows, by name: what `silence` in a config may list."""

from collections.abc import Collection, Iterable

Caution = tuple[str, str]  # (name, message)

NAMES = {
    "corrupt_checkpoint": "a checkpoint is damaged, and the run goes on from the one before",
    "dropped_rows": "rows of a file that is evaluated lack values and are left out",
    "growing_loss": "the training loss is a multiple of what it was in the first epoch",
    "large_first_step": "a sum over many rows and a learning rate that is large for it",
    "many_categories": "a text column has a category for almost every row",
    "many_classes": "the target has a class for almost every row",
    "no_weights": "a file lacks what its rows weigh, so that each weighs 1",
    "other_plugin": "a part of a plug-in is not the one that the run was trained with",
    "other_bits": "a resumed run goes on with another engine, processor or library",
    "schedule_span": "a resumed run has another number of epochs, over which its schedule is stretched",
    "small_split": "a split has fewer rows than asked for",
    "softmax_loss": "softmax outputs under a loss that is not made for them",
    "target_range": "training targets lie where the output cannot come",
    "unseen_category": "a text column holds categories that the training rows do not have",
}


def audible(cautions: Iterable[Caution], silenced: Collection[str]) -> tuple[Caution, ...]:
    """The warnings that are not silenced."""
    return tuple(caution for caution in cautions if caution[0] not in silenced)
