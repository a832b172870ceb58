"""Whether this installation can work: database, migrations, job store, jobs that died. Read by pages and doctor."""

from __future__ import annotations

from datetime import timedelta
from importlib import resources

import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import current_app

from lms_bridge.core import registry
from lms_bridge.core.clock import now
from lms_bridge.core.database import db
from lms_bridge.core.i18n import N_, gettext
from lms_bridge.core.models import Job, JobState
from lms_bridge.core.plugins import Check, CheckState


def migration_head() -> str | None:
    """The newest revision that this version of the software knows."""
    config = Config()
    config.set_main_option("script_location", str(resources.files("lms_bridge") / "migrations"))
    return ScriptDirectory.from_config(config).get_current_head()


def check_database() -> Check:
    """The database answers."""
    title = gettext("Database")
    try:
        db.session.execute(sa.text("SELECT 1"))
    except sa.exc.SQLAlchemyError as error:
        db.session.rollback()
        remedy = gettext("Start the database server, or mend LMS_BRIDGE_DATABASE_URL.")
        return Check(title, CheckState.FAILED, type(error).__name__, remedy)
    return Check(title, CheckState.OK, db.engine.dialect.name)


def check_migrations() -> Check:
    """The tables are those of this version."""
    title, head = gettext("Tables"), migration_head()
    try:
        with db.engine.connect() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
    except sa.exc.SQLAlchemyError as error:
        return Check(title, CheckState.FAILED, type(error).__name__)
    if current is None:
        return Check(title, CheckState.FAILED, gettext("none yet"), gettext('Run "lms-bridge db upgrade".'))
    if current != head:
        detail = gettext("at revision %(current)s, needed is %(head)s", current=current, head=head or "-")
        return Check(title, CheckState.FAILED, detail, gettext('Run "lms-bridge db upgrade".'))
    return Check(title, CheckState.OK, head or "")


def check_job_store() -> Check:
    """The job engine's store answers."""
    title = gettext("Job store")
    try:
        waiting = current_app.extensions["huey"].pending_count()
    except Exception as error:  # three different stores raise three families of errors
        remedy = gettext("Start it, or mend LMS_BRIDGE_JOB_STORE_URL. Until then jobs are found by the sweeper alone.")
        return Check(title, CheckState.FAILED, type(error).__name__, remedy)
    return Check(title, CheckState.OK, gettext("%(n)s calls waiting", n=waiting))


def check_jobs() -> Check:
    """Jobs are being done: none dead, none due for long."""
    title = gettext("Background jobs")
    counts = job_counts()
    late = db.session.scalar(
        sa.select(sa.func.count())
        .select_from(Job)
        .where(Job.state == JobState.QUEUED, Job.not_before < now() - timedelta(minutes=5))
    )
    if late:
        detail = gettext("%(n)s jobs are late by more than 5 minutes", n=late)
        return Check(title, CheckState.WARNING, detail, gettext('Start a worker: "lms-bridge worker".'))
    if counts.get(JobState.DEAD, 0):
        detail = gettext("%(n)s jobs failed for good", n=counts[JobState.DEAD])
        return Check(title, CheckState.WARNING, detail, gettext(N_("See them on the System page.")))
    return Check(title, CheckState.OK, gettext("%(n)s waiting", n=counts.get(JobState.QUEUED, 0)))


def check_plugins() -> list[Check]:
    """Every installed plugin loads; one point for each."""
    return [
        Check(
            gettext("Plugin %(name)s (%(kind)s)", name=found.identifier, kind=gettext(registry.KINDS[found.group])),
            CheckState.OK if found.cls is not None else CheckState.FAILED,
            found.problem or found.distribution,
        )
        for found in registry.find()
    ]


def job_counts() -> dict[JobState, int]:
    """How many jobs are in each state."""
    rows = db.session.execute(sa.select(Job.state, sa.func.count()).group_by(Job.state)).all()
    return {row[0]: row[1] for row in rows}


def readiness() -> list[Check]:
    """What must stand for this process to serve: database, migrations, job store."""
    checks = [check_database()]
    if checks[0].state is CheckState.OK:
        checks.append(check_migrations())
    checks.append(check_job_store())
    return checks
