"""What every config in configs/ comes to, as one JSON object: to compare two commits, byte for byte.

    python dev/same_results.py > before.json      # on one commit
    python dev/same_results.py > after.json       # on the other
    diff before.json after.json

For each config: the lines of `explain`, the verdicts and errors of `gradcheck`, and of `fit` the figures that are no
times and the digests of the checkpoints that it leaves. Only the command line is used, so any commit can be asked.
"""

import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CONFIGS = sorted((ROOT / "configs").glob("*.yaml"))
EPOCHS = 12  # at most
NO_RESULT = {"run", "train_seconds", "compile_seconds", "evaluation_seconds", "checkpoint_seconds"}


def run(*words: str, folder: Path) -> dict[str, Any]:
    """The JSON of one command; of one that fails, its errors too."""
    line = [sys.executable, "-m", "bptrain", *words, "--json"]
    done = subprocess.run(line, cwd=folder, capture_output=True, text=True, check=False)
    record: dict[str, Any] = json.loads(done.stdout)
    return {**record, "exit": done.returncode}


def results(config: Path, folder: Path) -> dict[str, Any]:
    """What one config comes to."""
    told = run("explain", str(config), folder=folder)
    checked = run("gradcheck", str(config), folder=folder)
    out = folder / config.stem
    fitted = run("fit", str(config), "--set", f"training.epochs={EPOCHS}", "--out", str(out), folder=folder)
    files = sorted(out.rglob("*.safetensors"))
    return {
        "explain": told,
        "gradcheck": checked,
        "fit": {key: value for key, value in fitted.items() if key not in NO_RESULT},
        "digests": {
            str(file.relative_to(out)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files
        },
    }


def main() -> None:
    """Prints the results of all configs."""
    with tempfile.TemporaryDirectory() as folder:
        found = {config.stem: results(config, Path(folder)) for config in CONFIGS}
    print(json.dumps(found, indent=1, sort_keys=True, ensure_ascii=False).replace(str(ROOT), "."))


if __name__ == "__main__":
    main()
