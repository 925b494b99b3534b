"""Holds `bptrain schema` to a real editor's language server: `npm install yaml-language-server`, then

    python dev/editor_check.py node_modules/.bin/yaml-language-server

It opens configs that `bptrain init` writes, and asks for diagnostics, completions and hovers, as an editor does,
without any schema from the network. Exit code 1 where the server does not say what is wanted.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bptrain.cli.main import run
from bptrain.commands.init.templates import TEMPLATES
from bptrain.parts.describe import KINDS

Json = dict[str, Any]
LEAST = "data: {train: iris.csv, target: species}\nnetwork: {sizes: [auto, 8, auto]}\nloss: cross_entropy\n"
# A text with | where the cursor is; what is offered there, at least, and what is not.
COMPLETIONS = [
    ("top level", LEAST + "|", {"optimizer", "training", "schedule", "metrics", "seed"}, {"epochs", "sizes"}),
    (
        "a section",
        LEAST + "training:\n  |",
        {"epochs", "batch_size", "early_stopping", "penalty"},
        {"optimizer"},
    ),
    ("a nested section", LEAST + "training:\n  early_stopping:\n    |", {"patience", "monitor"}, {"epochs"}),
    ("a choice", LEAST + "training:\n  mode: |", {"sgd", "minibatch", "batch"}, {"adam"}),
    ("names of parts", LEAST + "optimizer: |", set(KINDS["optimizers"]), {"relu"}),
    (
        "options of a part",
        LEAST + "optimizer:\n  name: adam\n  |",
        {"beta1", "learning_rate"},
        {"mu", "epochs"},
    ),
    (
        "a list of parts",
        LEAST.replace("8, auto]", "8, auto], activations: [|]"),
        {"relu", "softmax"},
        {"adam"},
    ),
    ("a part in a list", LEAST + "metrics:\n  - |", {"accuracy", "f1"}, {"adam"}),
    ("names of losses", LEAST.replace("cross_entropy", "|"), set(KINDS["losses"]), {"relu"}),
]
# A text, and the line and some words of each complaint.
DIAGNOSTICS = [
    ("the least config", LEAST, []),
    ("an unknown key", LEAST + "optimiser: adam\n", [(3, "optimiser")]),
    ("an unknown key in a section", LEAST + "training:\n  epoch: 3\n", [(4, "epoch")]),
    ("an option of another part", LEAST + "optimizer:\n  name: adam\n  mu: 0.9\n", [(5, "mu")]),
    ("a number out of bounds", LEAST + "training:\n  epochs: 0\n", [(4, "minimum")]),
    ("text for a number", LEAST + "training:\n  epochs: many\n", [(4, "integer")]),
    ("no such loss", LEAST.replace("cross_entropy", "mse"), [(2, "Value is not accepted")]),
    ("a missing key", "loss: huber\nnetwork: {sizes: [1, 1]}\n", [(0, "data")]),
]  # fmt: skip


class Server:
    """A language server, spoken to over its streams."""

    def __init__(self, program: str, root: Path) -> None:
        self.process = subprocess.Popen(
            [program, "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self.number = 0
        self.published: dict[str, list[Json]] = {}
        self.ask("initialize", {"processId": None, "rootUri": root.as_uri(), "capabilities": CAPABILITIES})
        self.tell("initialized", {})
        self.tell("workspace/didChangeConfiguration", {"settings": SETTINGS})

    def tell(self, method: str, params: Json) -> None:
        """Sends a notification."""
        self._send({"method": method, "params": params})

    def ask(self, method: str, params: Json) -> Any:
        """Sends a request and returns its answer."""
        self.number += 1
        self._send({"id": self.number, "method": method, "params": params})
        for message in self._messages():
            if message.get("id") == self.number and "method" not in message:
                assert "error" not in message, message
                return message["result"]
        raise EOFError("the server has ended")

    def diagnostics(self, uri: str) -> list[Json]:
        """What the server complains of in a document that was just opened."""
        for _ in self._messages() if uri not in self.published else ():
            if uri in self.published:
                break
        return self.published[uri]

    def _send(self, message: Json) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def _messages(self) -> Iterator[Json]:
        """Messages of the server, one after the other; its own requests are answered, diagnostics are kept."""
        assert self.process.stdout is not None
        while True:
            length = 0
            while (line := self.process.stdout.readline().strip()) or not length:
                if not line and self.process.poll() is not None:
                    raise EOFError("the server has ended")
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            message: Json = json.loads(self.process.stdout.read(length))
            if message.get("method") == "textDocument/publishDiagnostics":
                self.published[message["params"]["uri"]] = message["params"]["diagnostics"]
            elif "method" in message and "id" in message:
                wanted = message["method"] == "workspace/configuration"
                items = message["params"]["items"] if wanted else []
                answer = [SETTINGS.get(item["section"], {}) for item in items] if wanted else None
                self._send({"id": message["id"], "result": answer})
            yield message


SETTINGS: Json = {
    "yaml": {
        "schemaStore": {"enable": False, "url": ""},
        "validate": True,
        "completion": True,
        "hover": True,
    },
    "http": {},
    "[yaml]": {},
    "editor": {},
    "files": {},
}
CAPABILITIES: Json = {
    "workspace": {"configuration": True},
    "textDocument": {"completion": {"completionItem": {"snippetSupport": True}}, "publishDiagnostics": {}},
}


class Bench:
    """A folder with configs and the schema, open in the server."""

    def __init__(self, program: str, folder: Path) -> None:
        self.folder, self.opened, self.failures = folder, 0, 0
        for name in TEMPLATES:
            assert run(["init", "--template", name, "--output", self.file(name), "--quiet"]) == 0
        data = ["--data", str(folder / "penguins.csv"), "--target", "species"]
        assert run(["init", *data, "--output", self.file("drafted"), "--quiet"]) == 0
        self.server = Server(program, folder)

    def file(self, name: str) -> str:
        """The path of a config in the folder."""
        return str(self.folder / f"{name}.yaml")

    def open(self, text: str) -> str:
        """Opens a text as a config of its own; its URI."""
        self.opened += 1
        uri = (self.folder / f"open{self.opened}.yaml").as_uri()
        document = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        self.server.tell("textDocument/didOpen", {"textDocument": document})
        return uri

    def report(self, what: str, passed: bool, seen: object) -> None:
        """One line a check."""
        self.failures += not passed
        print(f"{'ok  ' if passed else 'FAIL'} {what}: {seen}")

    def check_templates(self) -> None:
        """What init writes has nothing underlined."""
        for name in (*TEMPLATES, "drafted"):
            found = self.server.diagnostics(self.open(Path(self.file(name)).read_text(encoding="utf-8")))
            self.report(f"{name}.yaml of init", not found, [one["message"] for one in found])

    def check_diagnostics(self) -> None:
        """What is wrong is underlined, and nothing else."""
        for what, text, wanted in DIAGNOSTICS:
            found = self.server.diagnostics(self.open(MODELINE + text))
            seen = [(one["range"]["start"]["line"] - 1, one["message"]) for one in found]
            places = {line for line, _ in seen} == {line for line, _ in wanted}
            said = all(any(words in message for at, message in seen if at == line) for line, words in wanted)
            self.report(what, places and said, seen)

    def check_completions(self) -> None:
        """What is offered at a place, and what is not."""
        for what, text, wanted, unwanted in COMPLETIONS:
            before, _, after = (MODELINE + text).partition("|")
            uri = self.open(before + after)
            lines = before.split("\n")
            at = {"line": len(lines) - 1, "character": len(lines[-1])}
            answer = self.server.ask(
                "textDocument/completion", {"textDocument": {"uri": uri}, "position": at}
            )
            items = answer["items"] if isinstance(answer, dict) else answer
            offered = {item["label"] for item in items}
            self.report(what, wanted <= offered and not unwanted & offered, sorted(offered))

    def check_hover(self) -> None:
        """What a key is for is shown."""
        uri = self.open(MODELINE + LEAST + "training:\n  clip_norm: 1\n")
        at = {"line": 5, "character": 5}
        answer = self.server.ask("textDocument/hover", {"textDocument": {"uri": uri}, "position": at})
        said = json.dumps(answer and answer["contents"], ensure_ascii=False)
        self.report("hover", "gradient" in said, said)


MODELINE = "# yaml-language-server: $schema=bptrain.schema.json\n"


def main(arguments: list[str]) -> int:
    """Runs every check; 1 where one fails."""
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(arguments[0] if arguments else "yaml-language-server", Path(folder))
        try:
            bench.check_templates()
            bench.check_diagnostics()
            bench.check_completions()
            bench.check_hover()
        finally:
            bench.server.process.kill()
    return 1 if bench.failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
