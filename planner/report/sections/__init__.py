"""The sections of the page. A new one is ``<name>.py`` with ORDER, TITLE and ``context(result)``, and
``<name>.html.j2`` beside it; being in this folder is all it takes. An empty context leaves the section out.
"""

from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType


def found() -> list[ModuleType]:
    """Every section module, in the order of the page."""
    modules = [import_module(f"{__name__}.{info.name}") for info in iter_modules(__path__)]
    return sorted(modules, key=lambda module: (module.ORDER, module.__name__))
