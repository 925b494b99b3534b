"""What `bptrain init` writes: a config for a data file, or a template.

profile (data) → input_columns → choices: task, loss, network, training → config_text: YAML with comments → writing
"""
