"""Matrix products by BLAS, called from compiled code, on matrices stored row by row.

BLAS stores matrices column by column, so it sees the transpose of each. With Cᵀ = Bᵀ Aᵀ the rows come out right when
the factors change places.

The functions are those of `scipy.linalg.cython_blas`. Their addresses are registered under a name, so that machine code
that refers to them can be kept on disk.
"""

import numpy as np
from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.extending import get_cython_function_address, intrinsic

from bptrain.engines.compiled.runtime.loops import formula

for function in ("sgemm", "dgemm"):
    address = get_cython_function_address("scipy.linalg.cython_blas", function)
    binding.add_symbol(f"bptrain_{function}", address)

KEEP, TRANSPOSE = 78, 84  # "N" and "T"

# OpenBLAS multiplies small matrices as they lie, and copies larger ones first. Where that gains little, a gradient in
# pieces of the small kind, each used while it is in the cache, takes 6 % off an update of 784-128-10 with 32 rows.
SMALL, LARGE = 1_000_000, 8_000_000  # multiply-adds


@intrinsic
def gemm(context, op_a, op_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc):
    """C ← α op(A) op(B) + β C, stored by columns: BLAS's xGEMM with its own arguments, each passed by address."""
    real = alpha
    if real not in (types.float32, types.float64) or beta != real:
        return None
    sizes = (types.int32,) * 5
    signature = types.void(
        types.int8, types.int8, *sizes[:3], real, types.uintp, sizes[3], types.uintp, sizes[4], real, types.uintp,
        types.int32,
    )  # fmt: skip

    def build(context, builder, signature, values):
        pointer = ir.IntType(8).as_pointer()
        arguments = []
        for kind, value in zip(signature.args, values, strict=True):
            if kind is types.uintp:
                arguments.append(builder.inttoptr(value, pointer))
            else:
                place = cgutils.alloca_once_value(builder, value)
                arguments.append(builder.bitcast(place, pointer))
        name = "bptrain_sgemm" if real is types.float32 else "bptrain_dgemm"
        kind = ir.FunctionType(ir.VoidType(), [pointer] * len(arguments))
        builder.call(cgutils.get_or_insert_function(builder.module, kind, name), arguments)
        return context.get_dummy_value()

    return signature, build


@formula
def times_transposed(A, B, n, beta, C):
    """C ← A Bᵀ + β C over the first n rows of A and C."""
    outer, inner = B.shape
    gemm(
        np.int8(TRANSPOSE), np.int8(KEEP), np.int32(outer), np.int32(n), np.int32(inner),
        C.dtype.type(1.0), B.ctypes.data, np.int32(inner), A.ctypes.data, np.int32(inner),
        beta, C.ctypes.data, np.int32(outer),
    )  # fmt: skip


@formula
def times(A, B, n, C):
    """C ← A B over the first n rows of A and C."""
    inner, outer = B.shape
    gemm(
        np.int8(KEEP), np.int8(KEEP), np.int32(outer), np.int32(n), np.int32(inner),
        C.dtype.type(1.0), B.ctypes.data, np.int32(outer), A.ctypes.data, np.int32(inner),
        C.dtype.type(0.0), C.ctypes.data, np.int32(outer),
    )  # fmt: skip


@formula
def rows_at_once(n, C):
    """How many rows of C ← Aᵀ B, over n rows of A and B, are best worked out at once."""
    rows, columns = C.shape
    if SMALL < n * rows * columns < LARGE:
        return max(1, SMALL // (n * columns))
    return rows


@formula
def transposed_times_rows(A, B, n, alpha, beta, C, start, rows):
    """Rows `start` to `start + rows` of C ← α Aᵀ B + β C, over the first n rows of A and B."""
    outer, columns = C.shape
    gemm(
        np.int8(KEEP), np.int8(TRANSPOSE), np.int32(columns), np.int32(rows), np.int32(n),
        alpha, B.ctypes.data, np.int32(columns), A.ctypes.data + start * A.itemsize, np.int32(outer),
        beta, C.ctypes.data + start * columns * C.itemsize, np.int32(columns),
    )  # fmt: skip


@formula
def transposed_times(A, B, n, alpha, beta, C):
    """C ← α Aᵀ B + β C over the first n rows of A and B."""
    rows = C.shape[0]
    piece = rows_at_once(n, C)
    for start in range(0, rows, piece):
        transposed_times_rows(A, B, n, alpha, beta, C, start, min(piece, rows - start))
