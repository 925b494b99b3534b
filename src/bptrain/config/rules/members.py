"""Rules about the section `ensemble`."""

from bptrain.config.data import DataConfig
from bptrain.config.ensemble import EnsembleConfig
from bptrain.config.rules.base import BrokenRule, Found

BY = ("ensemble", "by")


def folds_of_members_can_be_cut(data: DataConfig, ensemble: EnsembleConfig | None) -> Found:
    """By fold, nothing else says which rows validate."""
    if ensemble is None or ensemble.by != "fold":
        return
    split = data.split
    if data.validation is not None:
        message = (
            "fold makes the validation rows of each member from data.train, and data.validation is a file of them: "
            "leave it out, or use by: seed"
        )
        yield BrokenRule(BY, message)
    elif split.by not in ("", "group"):
        message = f"fold says which rows validate, and so does data.split.{split.by}: use by: seed"
        yield BrokenRule(BY, message)
    elif split.validation_folds is not None or split.validation_fold is not None:
        message = "ensemble.by: fold sets this for each of its members: remove it"
        path = "validation_fold" if split.validation_folds is None else "validation_folds"
        yield BrokenRule(("data", "split", path), message)
    elif "validation" in split.model_fields_set:
        message = "does nothing here, since ensemble.by: fold makes the validation rows: remove it"
        yield BrokenRule(("data", "split", "validation"), message)


ENSEMBLES = (folds_of_members_can_be_cut,)
