"""Converted data: what was prepared of a data set, kept in files that are mapped.

    <cache>/<key>/prepared.json        the schema, notes, digests, and the shape and dtype of each array
                  train.X, train.T …   the arrays, row by row, without a header
            .<key>.<16 hex digits>.tmp an entry that is being written, or deleted
            .lock                      held for an instant by whoever adds or deletes an entry
"""
