"""The data room: files to arrays. Readers, column schema, preprocessing, splits.

    files → tables (readers) → columns (columns) → task, classes (task) → split (splitting)
          → what is fitted on the training rows (fitting) → a Schema, which encodes any file (schema)

`prepare` walks that way once for a training run; `encode_file` and `encode_columns` take a finished Schema.
"""
