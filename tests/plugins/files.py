"""Plug-in files for the tests."""

from pathlib import Path

HEAD = "import numpy as np\nfrom bptrain.plugins import *\n\n"

# ln cosh z, whose derivative is tanh z: an activation that bptrain does not have.
LOG_COSH = '''@activations.add("ln_cosh")
def ln_cosh(scale: Positive = 1.0) -> Activation:
    """scale ln cosh z."""

    def f(z: Array) -> Array:
        return scale * np.log(np.cosh(z))

    def df(z: Array, x: Array) -> Array:
        return scale * np.tanh(z)

    return Activation(f, df)
'''

IRIS_WITH_IT = "sizes: [4, 6, 3], activations: [ln_cosh, softmax]"


def write(folder: Path, text: str, name: str = "mine.py", head: str = HEAD) -> Path:
    """A plug-in file."""
    file = folder / name
    file.write_text(head + text, encoding="utf-8")
    return file


def naming(config: Path, network: str = IRIS_WITH_IT) -> Path:
    """The iris config with another network line."""
    text = config.read_text().replace("sizes: [4, 6, 3]", network)
    assert network in text
    config.write_text(text)
    return config
