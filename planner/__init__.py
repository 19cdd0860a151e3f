"""Hardware cost-performance planner: which hardware to take for a machine-learning workload, why, and at what cost."""

__all__ = ["__version__"]


def __getattr__(name: str) -> str:
    """``__version__``, looked up only when asked for: the metadata reader takes longer to import than the rest of a help page."""
    if name != "__version__":
        raise AttributeError(f"module 'planner' has no attribute '{name}'")
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("planner")
    except PackageNotFoundError:  # run from a checkout that was never installed
        return "0+unknown"
