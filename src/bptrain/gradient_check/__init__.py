"""The gradient check of one network on arrays.

point                      derivatives of the parts at given weights and rows, by the complex step
forward_pass               whether z and x are right; dead and saturated units
lines                      the backward pass from these derivatives, line by line
complex_step, differences  derivatives of the whole objective, by either method
kinks                      where a slope jumps, and what the gradient may be there
cross_check                whether the complex step may be trusted
numeric_gradient           the numeric gradient: the plan, and computing it
verdicts, rounding         how an error is measured, the verdict on it, and what rounding may do
report, number_words       the report with its JSON, and numbers with the digits that they need
check                      the check itself
part_shapes                whether the parts give arrays of the right shapes
part_derivatives, slips/   which part, or which known slip, a mismatch comes from; part_slopes has what a part should
                           give, part_patterns what a wrong one looks like
submission, layers         a user's own forward and backward pass, quantity by quantity
"""
