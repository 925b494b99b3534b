"""Matrix products, called from compiled code, on matrices stored row by row.

BLAS stores matrices column by column, so it sees the transpose of each. With Cᵀ = Bᵀ Aᵀ the rows come out right when
the factors change places. Its functions are those of `scipy.linalg.cython_blas`. Large products of float32 are oneDNN's
where that is installed. The functions' addresses are registered under a name, so that machine code that refers to them
can be kept on disk.
"""

import ctypes

import numpy as np
from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.extending import get_cython_function_address, intrinsic

from bptrain.engines.compiled.onednn import onednn
from bptrain.engines.compiled.runtime.loops import formula

for function in ("sgemm", "dgemm"):
    address = get_cython_function_address("scipy.linalg.cython_blas", function)
    binding.add_symbol(f"bptrain_{function}", address)

library = onednn()
if library is not None:
    binding.add_symbol("bptrain_dnnl_sgemm", ctypes.cast(library.dnnl_sgemm, ctypes.c_void_p).value)

KEEP, TRANSPOSE = np.int8(ord("N")), np.int8(ord("T"))

# oneDNN's products are faster from here on, in multiply-adds. OpenBLAS uses one thread below it, so that never two
# libraries hold threads in readiness.
ONEDNN_FROM = 262_144 if library is not None else 2**62

# OpenBLAS multiplies small matrices as they lie, and copies larger ones first. Where that gains little, a gradient in
# pieces of the small kind, each used while it is in the cache, takes 6 % off an update of 784-128-10 with 32 rows.
SMALL, LARGE = 1_000_000, 8_000_000 if library is None else 0  # multiply-adds


@intrinsic
def gemm(context, op_a, op_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc):
    """C ← α op(A) op(B) + β C with op(A) m × k and op(B) k × n, stored by rows; matrices are given by address."""
    real = alpha
    if real not in (types.float32, types.float64) or beta != real:
        return None
    operation, size, address = types.int8, types.int64, types.uintp
    signature = types.void(
        operation, operation, size, size, size, real, address, size, address, size, real, address, size
    )

    def build(context, builder, signature, values):
        if real is types.float64 or library is None:
            call_blas(builder, values)
        else:
            m, n, k = values[2:5]
            work = builder.mul(m, builder.mul(n, k))
            large = builder.icmp_signed(">=", work, ir.Constant(work.type, ONEDNN_FROM))
            with builder.if_else(large) as (then, otherwise):
                with then:
                    call_onednn(builder, values)
                with otherwise:
                    call_blas(builder, values)
        return context.get_dummy_value()

    return signature, build


POINTER = ir.IntType(8).as_pointer()
BY_ADDRESS = (6, 8, 11)  # a, b and c among the arguments


def call_blas(builder, values):
    """xGEMM, every argument by address: stored by columns it is Cᵀ ← α op(B)ᵀ op(A)ᵀ + β Cᵀ."""
    op_a, op_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc = values
    arguments = []
    for value in (op_b, op_a, n, m, k, alpha, b, ldb, a, lda, beta, c, ldc):
        if any(value is values[place] for place in BY_ADDRESS):
            arguments.append(builder.inttoptr(value, POINTER))
            continue
        number = builder.trunc(value, ir.IntType(32)) if value.type == ir.IntType(64) else value
        arguments.append(builder.bitcast(cgutils.alloca_once_value(builder, number), POINTER))
    name = "bptrain_sgemm" if alpha.type == ir.FloatType() else "bptrain_dgemm"
    kind = ir.FunctionType(ir.VoidType(), [POINTER] * len(arguments))
    builder.call(cgutils.get_or_insert_function(builder.module, kind, name), arguments)


def call_onednn(builder, values):
    """dnnl_sgemm, its arguments by value."""
    arguments = [
        builder.inttoptr(value, POINTER) if place in BY_ADDRESS else value
        for place, value in enumerate(values)
    ]
    kind = ir.FunctionType(ir.IntType(32), [argument.type for argument in arguments])
    builder.call(cgutils.get_or_insert_function(builder.module, kind, "bptrain_dnnl_sgemm"), arguments)


@formula
def times_transposed(A, B, n, beta, C):
    """C ← A Bᵀ + β C over the first n rows of A and C."""
    outer, inner = B.shape
    gemm(
        KEEP, TRANSPOSE, n, outer, inner,
        C.dtype.type(1.0), A.ctypes.data, inner, B.ctypes.data, inner, beta, C.ctypes.data, outer,
    )  # fmt: skip


@formula
def times(A, B, n, C):
    """C ← A B over the first n rows of A and C."""
    inner, outer = B.shape
    gemm(
        KEEP, KEEP, n, outer, inner,
        C.dtype.type(1.0), A.ctypes.data, inner, B.ctypes.data, outer, C.dtype.type(0.0), C.ctypes.data, outer,
    )  # fmt: skip


@formula
def rows_at_once(n, C):
    """How many rows of C ← Aᵀ B, over n rows of A and B, are best worked out at once."""
    rows, columns = C.shape
    if SMALL < n * rows * columns < LARGE:
        return max(1, SMALL // (n * columns))
    return rows


@formula
def transposed_times_rows(A, B, n, alpha, beta, C, start):
    """C ← α A'ᵀ B + β C with A' the columns of A from `start` on, as many as C has rows, over n rows of A and B."""
    rows, columns = C.shape
    gemm(
        TRANSPOSE, KEEP, rows, columns, n,
        alpha, A.ctypes.data + start * A.itemsize, A.shape[1], B.ctypes.data, columns,
        beta, C.ctypes.data, columns,
    )  # fmt: skip


@formula
def transposed_times(A, B, n, alpha, beta, C):
    """C ← α Aᵀ B + β C over the first n rows of A and B."""
    rows = C.shape[0]
    piece = rows_at_once(n, C)
    for start in range(0, rows, piece):
        transposed_times_rows(A, B, n, alpha, beta, C[start : min(start + piece, rows)], start)
