"""Reading teaching plans out of Word, Excel and CSV files that come from outside.

The public names are loaded when first used: the child process that opens the hostile file imports modules of this
package too, and must start without the rest of the application.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lms_bridge.plans.reading.convert import installed_converter
    from lms_bridge.plans.reading.documents import read_plan
    from lms_bridge.plans.reading.limits import ReadLimits
    from lms_bridge.plans.reading.mapped import Mapping, Remembered, heading_hash
    from lms_bridge.plans.reading.previews import Preview, preview

__all__ = [
    "Mapping", "Preview", "ReadLimits", "Remembered", "heading_hash", "installed_converter", "preview", "read_plan",
]  # fmt: skip

_MODULES = {
    "Mapping": "mapped",
    "Preview": "previews",
    "ReadLimits": "limits",
    "Remembered": "mapped",
    "heading_hash": "mapped",
    "installed_converter": "convert",
    "preview": "previews",
    "read_plan": "documents",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(name)
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
