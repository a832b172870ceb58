"""Bounds this process and then becomes LibreOffice: ``python -m lms_bridge.plans.reading.convert_child ARGUMENTS``."""

from __future__ import annotations

import json
import os
import sys

# LibreOffice maps its libraries and fonts several times over; a plan needs a tenth of this.
_ADDRESS_SPACE = 4 * 1024**3


def main() -> None:
    """Set the limits that the system has, and start the program."""
    arguments = json.loads(sys.argv[1])
    try:
        import resource
    except ImportError:
        pass
    else:
        for kind, value in (
            (resource.RLIMIT_AS, _ADDRESS_SPACE),
            (resource.RLIMIT_CPU, arguments["seconds"]),
            (resource.RLIMIT_FSIZE, arguments["file_bytes"]),
            (resource.RLIMIT_CORE, 0),
        ):
            try:
                resource.setrlimit(kind, (value, value))
            except (ValueError, OSError):
                continue
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    os.execve(arguments["program"], [arguments["program"], *arguments["arguments"]], environment)  # noqa: S606


if __name__ == "__main__":
    main()
