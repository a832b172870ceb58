"""Reading teaching plans out of Word, Excel and CSV files that come from outside.

The public names are loaded when first used: the child process that opens the hostile file imports modules of this
package too, and must start without the rest of the application.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lms_bridge.plans.reading.documents import read_plan
    from lms_bridge.plans.reading.limits import ReadLimits

__all__ = ["ReadLimits", "read_plan"]


def __getattr__(name: str) -> Any:
    if name == "read_plan":
        from lms_bridge.plans.reading.documents import read_plan

        return read_plan
    if name == "ReadLimits":
        from lms_bridge.plans.reading.limits import ReadLimits

        return ReadLimits
    raise AttributeError(name)
