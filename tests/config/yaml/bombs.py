"""Texts that cost a careless reader its time or its memory: each must be refused, and at once."""

HEAD = "data: {train: a.csv, target: y}\nloss: cross_entropy\n"
NET = "network: {sizes: [auto, auto]}\n"
WIDE = 4_900  # just below the cap on nodes


def _list(entry: str, entries: int = WIDE) -> str:
    return "[" + f"{entry}," * entries + "]"


# As large as a file may be; larger ones are refused by their size.
BOMBS = {
    # known of YAML
    "billion laughs": "a: &a [x, x]\n" + "".join(f"b{i}: &b{i} [*a, *a, *a]\n" for i in range(1_500)),
    "laughs in one line": "{a: &a [l], b: &b [" + "*a," * 9 + "], c: [" + "*b," * 9 + "]}",
    "quadratic blowup": "a: &a " + "x" * 30_000 + "\nb: [" + "*a," * 4_000 + "]",
    "an anchor of itself": "a: &a [*a]\n",
    "merges of merges": "a: &a {x: 1}\n" + "".join(f"b{i}: {{<<: [*a, *a]}}\n" for i in range(2_000)),
    "a tag that runs code": "a: !!python/object/apply:os.system ['exit 1']\n",
    "a tag without end": "a: !<tag:" + "x" * 60_000 + "> 1\n",
    "deep flow lists": "a: " + "[" * 60_000,
    "deep flow mappings": "{a: " * 15_000,
    "deep block lists": "a:\n" + "- " * 30_000,
    "deep block mappings": "".join(" " * i + "a:\n" for i in range(340)),
    "deep keys": "? " * 30_000,
    "deep keys in flow": "{? " * 20_000,
    "many nodes": "a: " + _list("1", 30_000),
    "many keys": "".join(f"k{i}: 1\n" for i in range(6_500)),
    "many lists": "a: " + _list("[]", 20_000),
    "many documents": "---\n" * 16_000,
    "many empty keys": ":\n" * 30_000,
    "many question marks": "? a\n" * 16_000,
    "many dashes": "-\n" * 30_000,
    "many colons": ":" * 65_000,
    "many directives": "%YAML 1.2\n" * 6_500,
    "many handles": "".join(f"%TAG !a{i}! b\n" for i in range(4_000)) + "---\na: 1\n",
    "a key given often": "a: 1\n" * 13_000,
    "anchors everywhere": "".join(f"a{i}: &a{i} 1\n" for i in range(4_000)),
    "aliases of nothing": "a: " + _list("*a", 15_000),
    "a long number": "a: " + "9" * 65_000,
    "many long numbers": "a: " + _list("9" * 400, 160),
    "a long exponent": "a: 1e" + "9" * 65_000,
    "a long number of base 16": "a: 0x" + "f" * 65_000,
    "a long fraction": "a: 0." + "0" * 65_000 + "1",
    "a long key": "? " + "k" * 65_000 + "\n: 1\n",
    "a long key in quotes": '"' + "k" * 65_000 + '": 1\n',
    "a long text": HEAD + NET + "task: " + "x" * 65_000 + "\n",
    "a long text over lines": "a: >\n" + " x\n" * 21_000,
    "quotes that stay open": 'a: "' + "x\n" * 30_000,
    "many escapes": 'a: "' + "\\u0041" * 10_900 + '"',
    "many empty lines": "\n" * 65_000,
    "many comments": "#\n" * 32_000,
    "spaces": "a:" + " " * 65_000 + "b",
    "tabs": "a:\n" + "\t" * 65_000,
    "characters of four bytes": "a: " + "\U0001f600" * 16_000,
    "a control character at the end": "a: " + "x" * 65_000 + "\x01",
    # of this schema
    "wide and deep": "a: " + "[" * 30 + "1," * WIDE + "]" * 30,
    "unknown keys": "".join(f"{chr(97 + i % 26)}poch{i}: 1\n" for i in range(2_490)),
    "unknown keys, long": "".join(f"? {'learning_rate' * 4}{i}\n: 1\n" for i in range(1_000)),
    "unknown options": HEAD + NET + "optimizer: {" + "".join(f"lerning_rate{i}: 1, " for i in range(2_480)) + "}\n",
    "many layers": HEAD + "network: {x: 1, activations: {name: leaky_relu, slope: -1}, sizes: " + _list("2") + "}\n",
    "as many layers as may be": HEAD + "network: {activations: {name: leaky_relu, slope: -1}, "
    "initializer: {name: normal, std: -1}, sizes: " + _list("2", 501) + "}\n",
    "wrong sizes": HEAD + "network: {sizes: " + _list("x") + "}\n",
    "wrong sizes, as many as may be": HEAD + "network: {sizes: " + _list("xauto", 501) + "}\n",
    "wrong activations": HEAD + "network: {sizes: [2, 2], activations: " + _list("reluu") + "}\n",
    "wrong activations, as many as may be": HEAD
    + "network: {sizes: [2, 2], activations: " + _list("reluu", 500) + "}\n",
    "wrong rates": HEAD + NET + "optimizer: {learning_rate: " + _list("-1") + "}\n",
    "wrong metrics": HEAD + NET + "metrics: " + _list("accuracyy", 500) + "\n",
    "wrong warnings": HEAD + NET + "silence: " + _list("abc") + "\n",
    "wrong columns": NET + "loss: cross_entropy\ndata: {train: a.csv, target: y, columns: {"
    + "".join(f"c{i}: num, " for i in range(2_480)) + "}}\n",
    "wrong weights of classes": "data: {train: a.csv, target: y}\n" + NET
    + "loss: {name: cross_entropy, class_weight: {"
    + "".join(f"c{i}: -1, " for i in range(2_480)) + "}}\n",
    "a column given often": NET + "loss: cross_entropy\ndata: {train: a.csv, target: y, exclude: " + _list("a") + "}\n",
    "targets among features": NET + "loss: cross_entropy\ndata: {train: a.csv, target: ["
    + "".join(f"c{i}," for i in range(2_400)) + "], features: [" + "".join(f"c{i}," for i in range(2_400)) + "]}\n",
}  # fmt: skip
