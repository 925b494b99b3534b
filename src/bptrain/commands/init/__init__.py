"""A ready config for a data file, or from a template: what `bptrain init` writes.

profile (data) → columns: which are inputs → choices: task, loss, network → page: YAML with comments → writing
"""
