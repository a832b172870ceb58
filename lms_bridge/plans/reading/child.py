"""The child process that opens one .docx or .xlsx file: file on stdin, answer as JSON on stdout.

Run as ``python -m lms_bridge.plans.reading.child LIMITS`` where LIMITS is a JSON object of ``ReadLimits``. A file
that takes too much memory or time ends this process and nothing else. The answer is ``{"source", "document"}`` or
``{"refused", "params"}``.
"""

from __future__ import annotations

import json
import sys
from typing import IO, Any

from lms_bridge.plans.reading.grid import to_json
from lms_bridge.plans.reading.limits import ReadLimits, Refused
from lms_bridge.plans.reading.package import DAMAGE, open_package


def restrict(limits: ReadLimits) -> None:
    """Bound memory, processor time and output of this process, where the system can (Linux, BSD).

    Elsewhere the file's own limits and the parent's wall-clock limit remain.
    """
    try:
        import resource
    except ImportError:
        return
    # JSON needs up to six bytes for a character, and a little for each cell.
    output = 6 * limits.text_characters + 64 * limits.rows * limits.columns
    bounds = {
        resource.RLIMIT_AS: limits.memory_bytes,
        resource.RLIMIT_CPU: limits.cpu_seconds,
        resource.RLIMIT_FSIZE: output,
        resource.RLIMIT_CORE: 0,
    }
    for kind, value in bounds.items():
        hard = resource.getrlimit(kind)[1]
        soft = value if hard == resource.RLIM_INFINITY else min(value, hard)
        try:
            # The hard limit stays: reaching the soft one ends the process with SIGXCPU, which the parent can name.
            resource.setrlimit(kind, (soft, hard))
        except (ValueError, OSError):
            continue  # macOS does not bound the address space


def answer(stream: IO[bytes], limits: ReadLimits) -> dict[str, Any]:
    """Read the document in ``stream``; only the library for its format is loaded."""
    try:
        package = open_package(stream, limits)
        if package.kind == "docx":
            from lms_bridge.plans.reading.word import read_word

            document = read_word(package)
        else:
            from lms_bridge.plans.reading.excel import read_excel

            document = read_excel(package)
    except Refused as refusal:
        return {"refused": refusal.code, "params": refusal.params}
    except MemoryError:
        return {"refused": "memory", "params": {}}
    except DAMAGE:
        return {"refused": "damaged", "params": {}}
    return {"source": package.kind, "document": to_json(document)}


def main() -> None:
    """The process's whole life."""
    limits = ReadLimits(**json.loads(sys.argv[1]))
    restrict(limits)
    json.dump(answer(sys.stdin.buffer, limits), sys.stdout, ensure_ascii=True)


if __name__ == "__main__":
    main()
