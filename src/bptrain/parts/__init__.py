"""Every formula, once.

A part is one factory function, registered by name. Its keyword arguments *are* its options in YAML; what
it returns is a small NamedTuple of pure functions on NumPy arrays. A formula is written as a plain
expression (`np.where` for a case distinction, the test on `z.real`), because the same text runs on float32,
float64 and, in the gradient check, complex128: no `abs`, `maximum`, `norm` or `conj`, which lose the
imaginary part.
"""
