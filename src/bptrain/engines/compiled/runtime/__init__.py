"""What a kernel imports; needs Numba and SciPy (the extra `fast`)."""
