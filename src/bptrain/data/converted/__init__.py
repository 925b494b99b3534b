"""Converted data: what was prepared of a data set, kept in files that are mapped.

    <cache>/<key>/prepared.json        schema, digests, notes, and the shape and dtype of each array
                  train.X, train.T …   the arrays, row by row, without a header
                  asked.<hash>.json    what was noted when the schema was found for a config
            .new.<16 hex digits>.tmp   an entry that is being written; with its key: one that is being deleted
            .lock                      held for an instant by whoever adds or deletes an entry

The key says what the data became: it is made of the digests of the data, the settings by which it is read and split,
the schema and the dtype. The hash says what was asked for, when the schema was not known yet.
"""
