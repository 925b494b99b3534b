"""Many fits of one config: in this process one after the other, or in several, with the same bits."""

import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bptrain.build.setup import NOTHING
from bptrain.commands.fit.fit import fit_events
from bptrain.commands.fit.follow import run_to_end
from bptrain.config.overrides import plain_config
from bptrain.data.memory import InMemory
from bptrain.engines.threads import processors
from bptrain.errors import BptrainError, Interrupted, UsageError
from bptrain.experiments.news import News, news_of
from bptrain.experiments.planned import PlannedFit
from bptrain.experiments.pool import NOTHING_CHANGED, fit_in_processes, named
from bptrain.plugins.loading import has_parts_of_a_script, plugins_in_use


class SharedByFits(NamedTuple):
    """What several fits have in common."""

    config: Path | Mapping[str, Any]
    given: Mapping[str, InMemory] = NOTHING  # rows that Python gives in place of files
    threads: int = 1  # of each fit
    each_epoch: bool = False  # whether every epoch of every fit is news


def run_many(
    shared: SharedByFits, fits: Sequence[PlannedFit], jobs: int, show: Callable[[News], None]
) -> list[dict[str, Any]]:
    """Makes the fits, `jobs` of them at a time in processes of their own, or one by one in this, and shows their news.

    The fields of fit's JSON of each, in their order. When one fails, or a signal comes, the others are saved and
    stopped. Raises the errors of a fit, with its name; Interrupted, after saving.
    """
    jobs = min(jobs, len(fits))
    if jobs > 1:
        plugins = [plugin.file for plugin in plugins_in_use()]
        config = plain_config(shared.config)
        request = {
            "argv": sys.argv, "config": config, "plugins": plugins, "each_epoch": shared.each_epoch
        }  # fmt: skip
        return fit_in_processes(request, fits, jobs, show)
    results = []
    for place, planned in enumerate(fits):
        events = fit_events(shared.config, planned.overrides, planned.out, planned.resume, given=shared.given)

        def show_event(event: Any, place: int = place) -> None:
            news = news_of(place, event)
            if news is not None:
                show(news)

        try:
            results.append(run_to_end(events, show_event).result)
        except KeyboardInterrupt:
            raise Interrupted(NOTHING_CHANGED, signal.SIGINT) from None
        except Interrupted:
            raise
        except BptrainError as error:
            named(planned, error)
            raise
    return results


def settled_jobs(shared: SharedByFits, jobs: int | None) -> int:
    """How many processes there are to be: by default as many as there are processors for.

    Rows and parts that are in this process alone stay in it. Raises UsageError where it is asked for that they do not.
    """
    if jobs is not None and jobs < 1:
        raise UsageError(f"--jobs {jobs}: give 1 or more")
    bound = "rows" if shared.given else "parts" if has_parts_of_a_script() else None
    if bound is None:
        return max(1, processors() // shared.threads) if jobs is None else jobs
    if jobs is not None and jobs > 1:
        where = "read them from a file" if bound == "rows" else "put them into a plug-in"
        raise UsageError(
            f"{jobs} jobs: other processes do not have the {bound} that are in this one; {where}"
        )
    return 1
