"""What is heard of a fit among many: plain values alone, so that it can come from another process.

news_of(3, event)       an event of the fourth fit, as news
told(news), heard(…)    news as JSON and back
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from bptrain.commands.fit.fit import Done, FitEvent, RefitStarted, Started
from bptrain.commands.fit.ready import Compiling
from bptrain.errors import Warned
from bptrain.store.plain import plain
from bptrain.training.events import EpochEnd, Progress


class FitCompiles(NamedTuple):
    """The training loop of a fit is being compiled."""

    fit: int  # its place among the fits
    sizes: list[int]


class FitBegins(NamedTuple):
    """A fit has its run directory, and trains."""

    fit: int
    run: str
    epoch: int  # where it begins, more than 0 where it is resumed
    epochs: int
    refit: bool  # whether these are epochs of the refit
    sizes: list[int]
    parameters: int
    rows: dict[str, int]  # of each split
    engine: str
    reason: str  # why that engine
    notes: list[str]
    warnings: list[list[str]]  # name and message


class FitRefits(NamedTuple):
    """The first fit is done, and its refit begins."""

    fit: int
    epochs: int


class FitAdvances(NamedTuple):
    """How far a fit has come."""

    fit: int
    done: float  # epochs, with the share of the one under way
    loss: float | None
    validation_loss: float | None = None
    is_epoch: bool = False  # whether an epoch has just ended


class FitWarns(NamedTuple):
    """A warning in the middle of a fit."""

    fit: int
    name: str
    message: str


class FitEnds(NamedTuple):
    """A fit is finished."""

    fit: int
    result: dict[str, Any]  # the fields of fit's JSON
    already: bool  # it had been finished before


class FitsPlanned(NamedTuple):
    """Which fits there will be; said once, before the first."""

    names: list[str]
    directory: str | None  # of their group
    note: str | None  # why a group that might have gone on does not


News = FitsPlanned | FitCompiles | FitBegins | FitRefits | FitAdvances | FitWarns | FitEnds
# What comes from another process.
KINDS: Mapping[str, Any] = {
    kind.__name__: kind for kind in (FitCompiles, FitBegins, FitRefits, FitAdvances, FitWarns, FitEnds)
}


def news_of(fit: int, event: FitEvent) -> News | None:
    """An event as news; None for one that nobody needs to hear of."""
    if isinstance(event, Compiling):
        return FitCompiles(fit, list(event.network.sizes))
    if isinstance(event, Started):
        return FitBegins(
            fit=fit,
            run=str(event.run),
            epoch=event.state.epoch,
            epochs=event.plan.epochs,
            refit=event.state.before_refit is not None,
            sizes=list(event.network.sizes),
            parameters=event.network.size,
            rows=event.rows,
            engine=event.engine,
            reason=event.reason,
            notes=list(event.notes),
            warnings=[list(warning) for warning in event.warnings],
        )
    if isinstance(event, RefitStarted):
        return FitRefits(fit, event.plan.epochs)
    if isinstance(event, Progress):
        return FitAdvances(fit, event.epoch - 1 + event.step / event.steps, event.loss)
    if isinstance(event, EpochEnd):
        return FitAdvances(fit, event.epoch, event.train_loss, event.validation_loss, is_epoch=True)
    if isinstance(event, Warned):
        return FitWarns(fit, event.name, event.message)
    if isinstance(event, Done):
        return FitEnds(fit, event.result, event.already)
    return None


def told(news: News) -> dict[str, Any]:
    """News as plain JSON types."""
    return plain({"news": type(news).__name__, **news._asdict()})


def heard(message: Mapping[str, Any]) -> News:
    """The news that a message has."""
    fields = dict(message)
    news: News = KINDS[fields.pop("news")](**fields)
    return news
