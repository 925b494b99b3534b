"""Configs with something wrong, or odd, somewhere: what the fuzzing tries."""

from random import Random

BASES = (
    """\
seed: 3
data:
  train: iris.csv
  target: species
  split: {validation: 0.2, test: 0.1, stratify: auto}
network:
  sizes: [4, 16, 3]
  activations: [tanh, softmax]
loss: cross_entropy
optimizer: {name: adam, learning_rate: 1e-3}
training: {epochs: 20, batch_size: 8}
""",
    """\
format: 1
task: regression
data: {train: {inputs: x.npy, target: y.npy}, scale: {name: minmax, to: [0, 1]}, missing: mean}
network:
  sizes:
  - auto
  - 8
  - 1
  bias: [true, 0.5]
  initializer: {name: normal, std: 0.1}
  dropout: 0.2
loss: {name: huber, delta: 2.0, reduction: sum}
optimizer: momentum
schedule: {name: step, every: 5, gamma: .5, warmup: 2}
training:
  mode: batch
  early_stopping: {monitor: rmse, patience: 3}
  penalty: {l2: 1E-4}
metrics: [rmse, r2]
checkpoint: {every: {epochs: 2}, keep: 3}
""",
    """\
data:
  train: a.csv
  target: [y, z]
  exclude: [id]
  columns: {age: numeric}
  missing: {age: median}
network: {sizes: [auto, 4, auto]}
loss:
  name: binary_cross_entropy
  class_weight: {yes: 2, no: 1}
optimizer: lbfgs
training: {mode: batch, stop_at: {loss: 0.1}}
silence: [many_classes]
""",
)
SIGNS = (
    *"[]{}:-,&*!|>'\"#%@`\t\n ?~.0",
    "\n  ", ": ", "<<: ", "---\n", "...\n", "%YAML 1.1\n", "&a ", "*a", "!!str ", "? ", "- ", "\x00", "\u2028",
    "\ufeff", "é", "😀", "\r", "|\n", "''", '"\\x"', "{}", "[]", "1" * 450, "x" * 90,
)  # fmt: skip
WORDS = (
    "auto", "none", "null", "~", "", "yes", "true", "1", "0", "-1", "2.5", "1e999", "-.inf", ".nan", "0o17", "0x1F",
    "99999999999999999999", "010", "2024-01-02", "1:30", "'1'", "a.csv", "sgd", "mse", "softmax", "relu", "minmax",
    "rprop", "cosine", "reduce_on_plateau", "levenberg_marquardt", "balanced", "sum", "[1, 2]", "[]", "{}",
    "{name: adam}", "{epochs: 1}", "[[1], {a: b}]", "[auto, auto]", "float64", "batch", "lr", "Dense(16)",
    "accuracy", "loss", "all",
)  # fmt: skip
KEYS = (
    "data", "train", "target", "features", "weight", "scale_target", "network", "sizes", "bias", "dtype", "loss",
    "name", "reduction", "class_weight", "label_smoothing", "optimizer", "learning_rate", "weight_decay", "beta1",
    "schedule", "warmup", "training", "mode", "engine", "threads", "average", "clip_norm", "noise", "max_norm",
    "accumulate", "max_time", "metrics", "checkpoint", "every", "silence", "lr", "momentum", "max_iter", "1", "true",
    "",
)  # fmt: skip


def mutant(random: Random) -> str:
    """One of the bases after one to three accidents."""
    text = random.choice(BASES)
    for _ in range(random.randint(1, 3)):
        text = accident(text, random)
    return text


def accident(text: str, random: Random) -> str:
    """The text after one thing went wrong."""
    return ACCIDENTS[random.randint(0, len(ACCIDENTS) - 1)](text, random)


def _slip(text: str, random: Random) -> str:
    at, cut = random.randint(0, len(text)), random.randint(0, 3)
    return text[:at] + random.choice(SIGNS) * random.randint(0, 2) + text[at + cut :]


def _line(text: str, random: Random) -> str:
    """A line is lost, doubled, indented, or moved."""
    lines = text.split("\n")
    at = random.randint(0, len(lines) - 1)
    line = lines.pop(at)
    what = random.randint(0, 4)
    if what == 1:
        lines[at:at] = [line, line]
    elif what == 2:
        lines.insert(at, "  " + line)
    elif what == 3:
        lines.insert(at, line[2:])
    elif what == 4:
        lines.insert(random.randint(0, len(lines)), line)
    return "\n".join(lines)


def _value(text: str, random: Random) -> str:
    """Something else after a colon."""
    starts = [at for at in range(len(text) - 1) if text[at : at + 2] == ": "]
    if not starts:
        return text
    start = random.choice(starts) + 2
    ends = [text.find(sign, start) for sign in ("\n", ", ", "}") if text.find(sign, start) >= 0]
    return text[:start] + random.choice(WORDS) + text[min(ends, default=len(text)) :]


def _key(text: str, random: Random) -> str:
    """A key more, in a section or at the end."""
    key, word = random.choice(KEYS), random.choice(WORDS)
    starts = [at + 1 for at in range(len(text)) if text[at] == "{"]
    if starts and random.randint(0, 1):
        at = random.choice(starts)
        return f"{text[:at]}{key}: {word}, {text[at:]}"
    lines = text.split("\n")
    at = random.randint(0, len(lines) - 1)
    indent = len(lines[at]) - len(lines[at].lstrip())
    lines.insert(at, f"{' ' * indent}{key}: {word}")
    return "\n".join(lines)


ACCIDENTS = (_slip, _line, _value, _value, _value, _key, _key)
