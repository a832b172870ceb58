"""The application factory: settings, database, jobs, plugins and the ways in are put together here."""

from __future__ import annotations

import functools
from collections.abc import Callable
from importlib import import_module, resources
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from apiflask import APIFlask
from flask import Flask, has_request_context, request
from flask_migrate import Migrate
from markupsafe import Markup
from werkzeug.middleware.proxy_fix import ProxyFix

from lms_bridge import __version__
from lms_bridge.core import crypto, files, i18n, links, logging, queue
from lms_bridge.core.application import end_of_start
from lms_bridge.core.database import db
from lms_bridge.core.kept_problems import said
from lms_bridge.core.settings import Environment, Settings, load
from lms_bridge.notices import dates
from lms_bridge.roster import accounts
from lms_bridge.web import errors
from lms_bridge.web.security import csrf
from lms_bridge.web.session_cookie import SessionCookie

FEATURES = (
    "lti", "oidc", "roster", "calendar", "notices", "plans", "timetable", "lessons", "attendance", "supervision",
    "continuity", "sync",
)  # fmt: skip

BLUEPRINTS = (
    "health",
    "shell",
    "auth",
    "oidc",
    "home",
    "plans",
    "roster",
    "messages",
    "inbox",
    "feeds",
    "operations",
    "door",
    "hooks",
    "classroom",
    "lessons",
    "recordings",
    "timetable",
    "attendance",
    "absences",
    "tokens",
    "sync",
    "sync_accounts",
    "sync_removal",
    "lms_people",
    "video_accounts",
    "video_now",
    "video_rooms",
    "identity_providers",
    "lti",
    "lti_picking",
    "lti_platforms",
    "lti_registration",
)
API_BLUEPRINTS = (
    "plans", "plan_work", "plan_batches", "plan_columns", "plan_deadlines", "implementation_plans",
    "timetable", "change_sets", "solve_runs", "timetable_inputs", "calendar_inputs", "teaching_inputs", "pace",
    "timetable_exchange", "cases", "case_opening", "absences",
    "lms_accounts", "unmatched_people",
)  # fmt: skip


def template_folder(kind: str) -> Path:
    """Where the templates of ``kind`` (``pages``, ``mail``, ``documents``) lie, in a checkout or installed."""
    return Path(str(resources.files("lms_bridge_templates"))) / kind


class BridgeApp(APIFlask):
    """The application. None of its views is a coroutine, so that nothing that a request calls is looked at for that."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._fixed: dict[tuple[str, ...], str] = {}

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function as it is."""
        return func

    def url_for(self, endpoint: str, **values: Any) -> str:
        """As Flask's. The addresses that are the same for everybody, a dozen or more on each page, are built once."""
        same = not values or (endpoint == "static" and values.keys() == {"filename"})
        if not same or endpoint.startswith(".") or not has_request_context():
            return super().url_for(endpoint, **values)
        key = (request.script_root, endpoint, *values.values())
        if key not in self._fixed:
            self._fixed[key] = super().url_for(endpoint, **values)
        return self._fixed[key]


def create_app(settings: Settings | None = None) -> Flask:
    """The WSGI application for ``settings`` (default: those of the environment).

    :raises ConfigurationError: a setting is wrong, or production lacks a secret.
    """
    settings = settings or load()
    logging.configure(settings.log_level, json=settings.log_json)
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    app = BridgeApp(
        "lms_bridge",
        title="LMS Bridge",
        version=__version__,
        docs_path=None,
        spec_path="/api/v1/openapi.json",
        json_errors=False,
        static_folder=str(resources.files("lms_bridge") / "web" / "static"),
        template_folder=str(template_folder("pages")),
    )
    _configure(app, settings)
    _prepare_core(app, settings)
    _prepare_pages(app)
    load_features()
    for name in BLUEPRINTS:
        app.register_blueprint(import_module(f"lms_bridge.web.{name}").blueprint)
    for name in API_BLUEPRINTS:
        blueprint = import_module(f"lms_bridge.api.{name}").blueprint
        csrf.exempt(blueprint)  # the key in the header is sent by no browser on its own
        app.register_blueprint(blueprint)
    app.error_processor(errors.api_error)
    app.session_interface = SessionCookie(app)
    for name in ("session", "security", "errors", "watch"):
        import_module(f"lms_bridge.web.{name}").init_app(app)
    if settings.trusted_proxies:
        n = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=n, x_proto=n, x_host=n)  # type: ignore[method-assign]
    return app


def served_app() -> Flask:
    """The application of a web process, from the environment, ready for its first visitors."""
    app = create_app()
    end_of_start()
    return app


@functools.cache
def load_features() -> None:
    """Import each feature's tables, jobs and subscriptions, so that they are known before the first request."""
    import_module("lms_bridge.core.models")

    for feature in FEATURES:
        for module in ("models", "subscriptions", "tasks"):
            name = f"lms_bridge.{feature}.{module}"
            if find_spec(name) is not None:
                import_module(name)


def _configure(app: Flask, settings: Settings) -> None:
    app.config.update(
        SECRET_KEY=settings.secret_key.get_secret_value(),
        SECRET_KEY_FALLBACKS=[key.get_secret_value() for key in settings.previous_secret_keys],
        SQLALCHEMY_DATABASE_URI=settings.effective_database_url(),
        # hide_parameters: errors are logged, and the values of a statement may be personal data.
        SQLALCHEMY_ENGINE_OPTIONS={
            "hide_parameters": True,
            "pool_pre_ping": settings.database_url.startswith("postgresql"),
            # Every thread keeps its connection: those over this number would be opened anew for each request.
            "pool_size": max(settings.web_threads, settings.worker_threads) + 2,
        },
        MAX_CONTENT_LENGTH=settings.max_upload_bytes,
        SESSION_COOKIE_NAME="lms_bridge",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.base_url.startswith("https://"),
        # session.py renews it.
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=settings.session_hours * 3600,
        # Pages that hold a token in their address send no referrer, so its absence proves nothing.
        WTF_CSRF_SSL_STRICT=False,
        RATELIMIT_STORAGE_URI=settings.rate_limit_store,
        RATELIMIT_HEADERS_ENABLED=True,
        RATELIMIT_ENABLED=settings.environment is not Environment.TEST,
        TESTING=settings.environment is Environment.TEST,
    )
    app.extensions["lms_bridge"] = settings


def _prepare_core(app: Flask, settings: Settings) -> None:
    crypto.configure([key.get_secret_value() for key in settings.encryption_keys])
    signing = [key.get_secret_value() for key in settings.previous_secret_keys]
    links.configure([*signing, settings.secret_key.get_secret_value()])
    files.configure(settings.data_dir / "files")
    accounts.configure(settings.password_hashing)
    db.init_app(app)
    Migrate(app, db, directory=str(resources.files("lms_bridge") / "migrations"), render_as_batch=True)
    queue.init_app(app, settings)


@functools.lru_cache(maxsize=8192)
def _marked(locale: str, text: str) -> Markup:
    return Markup(i18n.catalogue(locale).gettext(text))  # noqa: S704 - a text of ours


@functools.lru_cache(maxsize=8192)
def _whole(locale: str, text: str) -> Markup:
    return _marked(locale, text) % {}


def _say(text: str, **values: Any) -> Markup:
    """What ``_`` says in a page, with ``values`` escaped: as Jinja's own does it. But a page has dozens of words, and
    for each of them that one looks up how the template escapes (ours are all HTML) and what the function is called."""
    locale = i18n.get_locale()
    return _marked(locale, text) % values if values else _whole(locale, text)


def _prepare_pages(app: Flask) -> None:
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        lambda text: i18n.catalogue(i18n.get_locale()).gettext(text),
        lambda one, many, n: i18n.catalogue(i18n.get_locale()).ngettext(one, many, n),
        newstyle=True,
    )
    app.jinja_env.globals |= {"_": _say, "gettext": _say}
    app.jinja_env.filters |= {
        "said": said,
        "say_day": lambda day: dates.say_day(day, i18n.get_locale()),
        "say_time": dates.say_time,
        "say_date": lambda moment, zone: dates.say_date(moment, zone, i18n.get_locale()),
        "say_moment": lambda moment, zone: dates.say_date(moment, zone, i18n.get_locale(), with_time=True),
        "say_span": lambda start, end, zone: dates.say_span(start, end, zone, i18n.get_locale()),
    }
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
