"""The page of `bptrain explain`, and the compiled loop in its place.

The lines are those of one instance, with columns, as the derivation writes them; the shapes are the check of
dimensions that it does by hand. Every letter is defined on the page, and every option has its number there.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bptrain.build.data import prepare_data
from bptrain.build.making import dtype_of
from bptrain.build.network import activation_parts, build_network, network_for
from bptrain.build.training import build_plan
from bptrain.commands.explain.data_lines import data_lines, rows_seen
from bptrain.commands.explain.derivation import Explanation, letter_lines
from bptrain.commands.explain.input_lines import input_text
from bptrain.commands.explain.network_lines import (
    about,
    backward_lines,
    forward_lines,
    loss_lines,
    start_lines,
)
from bptrain.commands.explain.part_lines import Alphabet
from bptrain.commands.explain.update_lines import change_lines, end_lines, update_lines
from bptrain.config import as_member, load_config
from bptrain.config.part import PartConfig
from bptrain.engines.compiled.running import sources
from bptrain.errors import Problem, UsageError
from bptrain.translate.expressions import Untranslatable


def explain(config: Path, overrides: Sequence[str] | Mapping[str, Any] = ()) -> Explanation:
    """Explains a config. Data that cannot be read is an error only where the config leaves a size or the task to it.

    Raises UsageError or DataError.
    """
    loaded = as_member(load_config(config, overrides))
    settings = loaded.config
    sizes = settings.network.sizes
    needed = (
        "auto" in (sizes[0], sizes[-1])
        or (settings.network.activations is None and settings.task == "auto")
        or (settings.network.input is not None and settings.network.input.embed is not None)
    )
    seen = rows_seen(loaded, needed)
    if seen.schema is not None:
        task: str = seen.schema.task
        network = network_for(loaded, seen.schema)
    else:
        task = settings.task
        network = build_network(settings, [int(n) for n in sizes], task)
    parts, alphabet = (PartConfig("", {}), *activation_parts(settings, task)), Alphabet()
    inputs = input_text(settings, network, alphabet)
    sections = (
        about(network, parts, alphabet),
        data_lines(settings, network, seen, alphabet),
        start_lines(settings, network, alphabet, inputs),
        forward_lines(network, parts, inputs),
        loss_lines(settings, network, alphabet),
        backward_lines(network, inputs),
        change_lines(settings, network),
        update_lines(settings, network, seen.train, alphabet, inputs),
        end_lines(settings, network, seen),
    )
    shown = tuple(section for section in sections if section is not None)
    return Explanation((*shown, letter_lines(shown)))


def kernel(config: Path, overrides: Sequence[str] | Mapping[str, Any] = ()) -> str:
    """The training loop that the compiled engine runs for a config, as Python text.

    Raises UsageError, with the reason for a part that cannot be compiled, or DataError.
    """
    loaded = as_member(load_config(config, overrides))
    prepared = prepare_data(loaded)
    network = network_for(loaded, prepared.schema)
    plan = build_plan(loaded.config, network, len(prepared.splits["train"].X))
    try:
        return "\n\n".join(sources(plan, dtype_of(loaded.config)))
    except Untranslatable as error:
        raise UsageError(Problem("not_compiled", f"no loop can be generated: {error}")) from error
