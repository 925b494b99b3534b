"""Numbers too small for a full mantissa (below 1e-38 in float32) taken for 0, while a compiled loop runs.

A processor of the x86 family takes some 150 cycles over each of them, and optimizers breed them: where a unit is
dead, the mean of adam shrinks to 0.9 of itself per update until it can shrink no more. Two bits of the processor's
control word say that such numbers are read (DAZ) and written (FTZ) as 0. The word belongs to the thread and is put
back when the loop ends. Other processors are not slowed down, and are left alone.
"""

import platform

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from bptrain.engines.compiled.runtime.loops import formula

DAZ_AND_FTZ = 0x8040
HAS_CONTROL_WORD = platform.machine().lower() in ("x86_64", "amd64")


def _call(builder, name, place):
    """Calls an instruction of the processor that takes the address of 32 bits."""
    pointer = ir.IntType(8).as_pointer()
    function = cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(ir.VoidType(), [pointer]), f"llvm.x86.sse.{name}"
    )
    builder.call(function, [builder.bitcast(place, pointer)])


@intrinsic
def _control_word(context):
    """The control word of this thread, MXCSR."""

    def build(context, builder, signature, values):
        place = cgutils.alloca_once(builder, ir.IntType(32))
        _call(builder, "stmxcsr", place)
        return builder.load(place)

    return types.uint32(), build


@intrinsic
def _set_control_word(context, word):
    """Sets MXCSR."""

    def build(context, builder, signature, values):
        _call(builder, "ldmxcsr", cgutils.alloca_once_value(builder, values[0]))
        return context.get_dummy_value()

    return types.void(types.uint32), build


if HAS_CONTROL_WORD:

    @formula
    def subnormals_to_zero():
        """From here on subnormal numbers are 0. Returns what `as_before` needs."""
        word = _control_word()
        _set_control_word(np.uint32(word | np.uint32(DAZ_AND_FTZ)))
        return word

    @formula
    def as_before(word):
        """Subnormal numbers as they were before."""
        _set_control_word(np.uint32(word))

else:

    @formula
    def subnormals_to_zero():
        """Nothing to do on this processor."""
        return np.uint32(0)

    @formula
    def as_before(word):
        """Nothing to do on this processor."""
