"""Extras of the installation: what can be installed beside the core, and what it is good for."""

from typing import NamedTuple


class Extra(NamedTuple):
    """An extra of the installation, such as `fast` in pip install 'bptrain[fast]'."""

    name: str
    packages: tuple[str, ...]  # as pip knows them
    use: str  # what it is good for

    @property
    def install(self) -> str:
        """The command that installs it."""
        return f"pip install 'bptrain[{self.name}]'"


TABLES = Extra("tables", ("pyarrow", "openpyxl"), "Parquet, Arrow, Feather and Excel files")
