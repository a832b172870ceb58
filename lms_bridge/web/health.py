"""For machines: is the process alive, is it ready, and its figures for Prometheus."""

from __future__ import annotations

import hmac
from ipaddress import ip_address

import sqlalchemy as sa
from apiflask import APIBlueprint
from flask import Response, abort, jsonify, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, ProcessCollector, generate_latest

from lms_bridge.core import health
from lms_bridge.core.application import current_settings
from lms_bridge.core.database import db
from lms_bridge.core.plugins import CheckState
from lms_bridge.notices.models import Delivery

blueprint = APIBlueprint("health", __name__, enable_openapi=False)


@blueprint.get("/healthz")
def healthz() -> Response:
    """The process answers; asks nothing else."""
    return Response("ok\n", mimetype="text/plain")


@blueprint.get("/readyz")
def readyz() -> tuple[Response, int]:
    """Database, migrations and job store stand; 503 and the failed ones by name otherwise."""
    checks = health.readiness()
    ready = all(check.state is not CheckState.FAILED for check in checks)
    answer = jsonify(ready=ready, checks=[{"title": c.title, "state": c.state, "detail": c.detail} for c in checks])
    return answer, 200 if ready else 503


@blueprint.get("/metrics")
def metrics() -> Response:
    """Figures from the database (the same from every process) and of this process, in Prometheus's text form."""
    _require_reader()
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    jobs = Gauge("lms_bridge_jobs", "Background jobs by state.", ["state"], registry=registry)
    for state, count in health.job_counts().items():
        jobs.labels(state=state.value).set(count)
    ready = Gauge("lms_bridge_ready", "1 when a part of the installation stands.", ["part"], registry=registry)
    for part, check in zip(("database", "migrations", "job_store"), health.readiness(), strict=False):
        ready.labels(part=part).set(check.state is not CheckState.FAILED)
    for collect in COLLECTORS:
        collect(registry)
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _require_reader() -> None:
    token = current_settings().metrics_token.get_secret_value()
    if token:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(given.encode(), token.encode()):
            abort(404)
    elif not (request.remote_addr and ip_address(request.remote_addr).is_loopback):
        abort(404)


def _collect_deliveries(registry: CollectorRegistry) -> None:
    gauge = Gauge("lms_bridge_deliveries", "Messages by channel and state.", ["channel", "state"], registry=registry)
    rows = db.session.execute(
        sa.select(Delivery.channel, Delivery.state, sa.func.count()).group_by(Delivery.channel, Delivery.state)
    )
    for channel, state, count in rows:
        gauge.labels(channel=channel, state=state.value).set(count)


COLLECTORS = (_collect_deliveries,)
