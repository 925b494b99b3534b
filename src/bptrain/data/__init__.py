"""The data room: sources to arrays. Column schema, preprocessing, splits.

    source (sources; files by their format) → a sheet of cells, or arrays → columns of numbers or texts (readers)
          → roles (columns) → task, classes (task) → split (splitting)
          → what is fitted on the training rows (fitting) → a Schema, which encodes any source (schema)

`prepare` walks that way once for a training run; `encode_file` and `encode_columns` take a finished Schema.
"""
