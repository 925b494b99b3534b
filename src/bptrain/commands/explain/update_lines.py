"""The updates: what row weights, dropout, penalties, bounds, noise and averages change; rule or solver, learning rates,
schedule; when an update is made, and when training ends.
"""

from collections.abc import Iterator

from bptrain.build.making import make
from bptrain.build.training import build_plan
from bptrain.commands.explain import input_lines
from bptrain.commands.explain.data_lines import RowsSeen
from bptrain.commands.explain.derivation import DerivationLine, DerivationSection, number, shape
from bptrain.commands.explain.input_lines import LETTERS, InputText
from bptrain.commands.explain.part_lines import Alphabet, beside_lines, own_words, text_of
from bptrain.config.schema import Config
from bptrain.config.training import DEFAULT_BATCH_SIZE
from bptrain.core.network import Network
from bptrain.parts.methods import UpdateRule, methods
from bptrain.parts.schedules import schedules
from bptrain.parts.solvers import Solver

ROWS_OF_LOSS = {  # RowsSeen.validation -> the rows whose loss can end training
    True: "validation rows",
    False: "training rows",
    None: "validation rows, or the training rows where there are none",
}


def update_lines(
    config: Config, network: Network, rows: int | None, alphabet: Alphabet, inputs: InputText
) -> DerivationSection:
    """W_i ← W_i − α ∘ ∂E/∂W_i, or the rule in its place; `rows` are the training rows, None where they are unknown."""
    rule: UpdateRule = make(methods, config.optimizer)
    lines: list[DerivationLine] = []
    if isinstance(rule, Solver):
        lines += solver_lines(config, network, rule, alphabet)
    else:
        rates = (
            rule.learning_rate if isinstance(rule.learning_rate, tuple) else (rule.learning_rate,) * network.L
        )
        lines += rule_lines(config, network, rates, alphabet, inputs)
        lines += schedule_lines(config, alphabet)
        lines += when_lines(config, network, rows)
    return DerivationSection("Update", tuple(lines))


def solver_lines(
    config: Config, network: Network, solver: Solver, alphabet: Alphabet
) -> Iterator[DerivationLine]:
    """A solver, which works on all weights and all rows at once."""
    name = config.optimizer.name
    text = text_of(methods, config.optimizer, "optimizer", name, alphabet)
    first, *others = text.equations or (own_words(methods, name),)
    column = shape(network.size, 1)
    yield DerivationLine(f"{name}: {first}")
    for line in (*others, *text.options):
        yield DerivationLine(line.replace("x_L", f"x_{network.L}"))
    if solver.loss is not None and network.l2:  # one that works with JᵀJ
        yield DerivationLine(
            f"the penalty adds {number(network.l2)} to the diagonal of JᵀJ, at the entries of the W_i"
        )
    if solver.loss is not None and is_weighted(config):
        yield DerivationLine("each difference in r is taken times √ω, and N is Σ ω")
    yield DerivationLine(
        f"w is all of {gradients(network, '')} in one vector, g = ∂E/∂w over all training rows",
        f"w, g: {column}",
    )
    yield DerivationLine("an epoch is one iteration (training.mode: batch)")


def rule_lines(
    config: Config, network: Network, rates: tuple[float, ...], alphabet: Alphabet, inputs: InputText
) -> Iterator[DerivationLine]:
    """The step of every W_i and b_i, and what the rule makes of a gradient."""
    name, decay = config.optimizer.name, config.optimizer.weight_decay
    text = text_of(methods, config.optimizer, "optimizer", name, alphabet, leave_out=("learning_rate",))
    plain_descent = name == "gradient_descent"
    for i in range(network.L, 0, -1):
        n_out, n_in = network.sizes[i], network.sizes[i - 1]
        step = f"α_{i} ∘ ∂E/∂W_{i}" if plain_descent else f"step(∂E/∂W_{i})"
        if decay:
            step = f"α_{i} λ W_{i} − {step}"
        matrix = shape(n_out, n_in)
        terms = " − ".join([matrix] * (3 if decay else 2))
        yield DerivationLine(f"W_{i} ← W_{i} − {step},  α_{i} = {number(rates[i - 1])}", terms)
        if network.bias[i]:
            column = " − ".join([shape(n_out, 1)] * (3 if decay else 2))
            yield DerivationLine(f"b_{i} ← b_{i} − {step.replace('W', 'b')}", column)
        if i == 1:
            yield from input_lines.update(inputs)
    if not plain_descent:
        if text.equations:
            yield DerivationLine(f"step is {name}, of a gradient g:")
            yield from text.lines()
        else:
            yield DerivationLine(f"step is {name}: {own_words(methods, name)}")
            yield from text.lines()
    yield from beside_lines(methods, config.optimizer)


def schedule_lines(config: Config, alphabet: Alphabet) -> Iterator[DerivationLine]:
    """What the schedule makes of α."""
    schedule = config.schedule
    text = text_of(schedules, schedule, "schedule", schedule.name, alphabet)
    if schedule.name != "constant":
        factor = text.equations[0] if text.equations else own_words(schedules, schedule.name)
        yield DerivationLine(f"every α is multiplied by the schedule {schedule.name}: {factor}")
        yield from text.lines(first=1)
    yield from beside_lines(schedules, schedule)


def when_lines(config: Config, network: Network, rows: int | None) -> Iterator[DerivationLine]:
    """After how many instances there is an update, and how many there are."""
    training = config.training
    several = training.accumulate > 1
    size = training.batch_size or DEFAULT_BATCH_SIZE
    keys = f"training.mode: {training.mode}"
    keys += ", training.batch_size" if training.mode == "minibatch" and not several else ""
    yield DerivationLine(f"one update after {instances(config, rows)} ({keys})")
    if several:
        yield DerivationLine(
            f"{size * training.accumulate} is {training.accumulate} batches of {size}, whose gradients are added up "
            "(training.accumulate, training.batch_size)"
        )
    if rows is None:
        yield DerivationLine("n = updates per epoch: the number of training rows over that, rounded up")
        yield DerivationLine(f"S = {training.epochs} n updates in all, at most")
    else:
        n = build_plan(config, network, rows).steps_per_epoch
        yield DerivationLine(f"n = {n} update{'' if n == 1 else 's'} per epoch")
        yield DerivationLine(f"S = {n * training.epochs} updates in all, at most")


def instances(config: Config, rows: int | None) -> str:
    """The instances of an update."""
    training = config.training
    if training.mode == "sgd":
        return "every instance"
    if training.mode == "batch":
        return "the whole set" if rows is None else f"the whole set of {rows} instances"
    size = (training.batch_size or DEFAULT_BATCH_SIZE) * training.accumulate
    if rows is None:
        return f"every {size} instances, and after those that are left at the end of an epoch"
    if rows <= size:
        return f"all {rows} instances, since there are no more than {size}"
    left = rows % size
    return f"every {size} instances" + (f", the last of an epoch after {left}" if left else "")


def end_lines(config: Config, network: Network, seen: RowsSeen) -> DerivationSection:
    """When training ends, and what is evaluated."""
    training = config.training
    lines = [f"at most {training.epochs} epochs{order_of_rows(config, network, seen.train)}"]
    stopping = training.early_stopping
    if stopping is not None:
        lines.append(
            f"training ends after {stopping.patience} epochs in which {stopping.monitor} of the validation rows "
            f"did not improve by more than {number(stopping.min_delta)} (training.early_stopping)"
        )
        final = "the last ones"
        if stopping.restore_best:
            final = f"those of the epoch with the best {stopping.monitor} of the validation rows"
        restore = str(stopping.restore_best).lower()
        lines.append(f"the final weights are {final} (training.early_stopping.restore_best: {restore})")
    if training.max_time is not None:
        lines.append(f"training ends after {number(training.max_time)} seconds (training.max_time)")
    if training.stop_at.loss is not None:
        lines.append(
            f"training ends after an epoch with a mean loss of at most {number(training.stop_at.loss)} over the "
            f"{ROWS_OF_LOSS[seen.validation]}{', without the penalty' if network.penalty else ''} "
            "(training.stop_at.loss)"
        )
    if training.stop_at.gradient_norm is not None:
        norm, where = number(training.stop_at.gradient_norm), ", at w̄" if training.average else ""
        lines.append(
            f"training ends after an epoch where ‖∂E/∂w‖ over all training rows is below {norm}{where} "
            "(training.stop_at.gradient_norm)"
        )
    if training.refit:
        lines.append(
            "then w is trained once more (training.refit), from the same start weights, on the train and validation "
            "rows together, for as many epochs as the best weights had had, in a schedule of that length"
        )
    return DerivationSection("End", tuple(DerivationLine(line) for line in lines))


def order_of_rows(config: Config, network: Network, rows: int | None) -> str:
    """The order of the rows in an epoch, which is immaterial in one batch; and the keys."""
    plan = None if rows is None else build_plan(config, network, rows)
    if config.training.mode == "batch" or (plan is not None and plan.batch_size >= plan.rows):
        return " (training.epochs)"
    order = "shuffled in each" if config.training.shuffle else "in the order of the data"
    return f", the rows {order} (training.epochs, training.shuffle)"


def change_lines(config: Config, network: Network) -> DerivationSection | None:
    """The equations as they change; None where nothing changes them."""
    lines = [DerivationLine(text) for text in additions(config, network)]
    return DerivationSection("Added", tuple(lines)) if lines else None


def additions(config: Config, network: Network) -> Iterator[str]:
    """The equations as weights, dropout, penalties and bounds change them."""
    yield from _of_the_rows(config, network)
    yield from _of_the_gradient(config, network)
    yield from _of_the_weights(config)


def is_weighted(config: Config) -> bool:
    """Whether rows weigh differently."""
    return config.data.weight is not None or config.loss.class_weight is not None


def gradients(network: Network, of: str = "∂E/∂") -> str:
    """All blocks of the gradient, or of the weights: those that the network has."""
    names = [
        f"{of}{'W' if block.kind == 'weight' else 'b'}_{block.layer}"
        if block.layer
        else f"{of}{LETTERS.get(block.kind, block.kind)}"
        for block in network.blocks
    ]
    alike = len(set(network.bias[1:])) == 1
    if len(names) <= 4 or not alike:
        return ", ".join(names)
    each = 2 if network.bias[1] else 1
    return f"{', '.join(names[:each])} … {', '.join(names[-each:])}"


def _of_the_rows(config: Config, network: Network) -> Iterator[str]:
    if is_weighted(config):
        over = "; the mean divides by Σ ω over the rows" if network.reduction == "mean" else ""
        yield f"an instance has weight ω: δ_{network.L} ← ω δ_{network.L}{over}"
    for i in network.masked:
        share = network.dropout[i]
        delta = f", and δ_{i} ← m_{i} ∘ δ_{i}" if i > 0 else ""
        if i == 0 and network.input_steps:
            delta = ", and W_1ᵀ δ_1 ← m_0 ∘ (W_1ᵀ δ_1)"
        yield (
            f"dropout: z_{i + 1} and ∂E/∂W_{i + 1} have m_{i} ∘ x_{i} in place of x_{i}{delta}; an entry of m_{i} "
            f"is 0 with probability {number(share)}, else {1 / (1 - share):.4g}; only in training"
        )


def _of_the_gradient(config: Config, network: Network) -> Iterator[str]:
    training = config.training
    terms = [f"{number(network.l1)} sign(W_i)"] if network.l1 else []
    terms += [f"{number(network.l2)} W_i"] if network.l2 else []
    if terms:
        of_objective = [f"{number(network.l1)} Σ |w|"] if network.l1 else []
        of_objective += [f"½ {number(network.l2)} Σ w²"] if network.l2 else []
        yield (
            f"penalty: E ← E + {' + '.join(of_objective)} over all entries w of W_1 … W_{network.L} (training.penalty)"
        )
        yield f"penalty: ∂E/∂W_i ← ∂E/∂W_i + {' + '.join(terms)}, once per batch"
    if training.clip_norm is not None:
        yield (
            f"clip_norm: g ← g min(1, {number(training.clip_norm)} / ‖g‖), g all of {gradients(network)} "
            "(training.clip_norm)"
        )
    if training.clip_value is not None:
        bound = number(training.clip_value)
        yield f"clip_value: every entry of g is clipped to ±{bound} (training.clip_value)"
    if training.noise is not None:
        variance = f"{number(training.noise.std)}² / (s + 1)^{number(training.noise.decay)}"
        yield f"noise: g ← g + N(0, {variance}) in every entry (training.noise)"


def _of_the_weights(config: Config) -> Iterator[str]:
    training = config.training
    if training.max_norm is not None:
        yield (
            f"max_norm: after an update each row of W_i is scaled down to a norm of at most "
            f"{number(training.max_norm)} (training.max_norm)"
        )
    if training.average is not None:
        decay = number(training.average.decay)
        yield (
            f"average: w̄ ← β w̄ + (1 − β) w after an update, β = min({decay}, s / (s + 9)) (training.average); "
            "w̄ is evaluated and saved"
        )
