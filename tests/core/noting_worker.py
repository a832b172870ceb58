"""The real worker with one more kind of job, for tests: ``python -m tests.core.noting_worker``.

``test.note`` writes one row for its subject, and one line to the file ``NOTES`` each time that it is run.
"""

from __future__ import annotations

import os
import time

from lms_bridge.cli import main
from lms_bridge.core import jobs
from lms_bridge.core.database import db, transaction
from lms_bridge.core.models import ExternalId

KIND = "test.note"


@jobs.job(KIND)
def note(subject: str) -> None:
    """Write the row unless it is there; takes a moment, so that a kill falls into the middle of one."""
    with open(os.environ["NOTES"], "a", encoding="ascii") as notes:
        notes.write(subject + "\n")
    with transaction():
        if not db.session.query(ExternalId).filter_by(entity="test", system="notes", key=subject).count():
            db.session.add(ExternalId(entity="test", entity_id=int(subject), system="notes", key=subject))
            db.session.flush()
        time.sleep(0.004)


if __name__ == "__main__":
    main(["worker"])
