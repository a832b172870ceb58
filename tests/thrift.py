"""What makes the thousandth application of a test process as cheap as it can be, without being another application.

A server makes one application: it compiles each route, template and statement once, and waits for its disk so that a
power cut loses nothing. A test process makes a thousand applications from the same source and keeps none of them.
``begin`` therefore keeps what is compiled from one application to the next and lets SQLite not wait for the disk. A
killed process still loses nothing (https://www.sqlite.org/pragma.html#pragma_synchronous). Without it four fifths of
the time of a short test go there.
"""

from __future__ import annotations

import gc
from typing import Any

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from huey.storage import SqliteStorage
from jinja2.bccache import Bucket, BytecodeCache
from sqlalchemy import event
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine import Engine
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule

STATEMENTS = 5000


class CompiledTemplates(BytecodeCache):
    """The code of each template, as long as its source stays the same."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Any] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give the code that was kept of this source, if any."""
        bucket.code = self._known.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep the code."""
        self._known[bucket.key, bucket.checksum] = bucket.code


def keep_templates() -> None:
    """Compile a template once for all applications."""
    Flask.jinja_options = Flask.jinja_options | {"bytecode_cache": CompiledTemplates()}


def keep_routes() -> None:
    """Compile a route once for all applications: what becomes of it depends only on what is written in it."""
    compile_rule = Rule.compile
    known: dict[tuple[object, ...], dict[str, Any]] = {}

    def compile_once(rule: Rule) -> None:
        key = (
            rule.rule, rule.subdomain, rule.host, rule.merge_slashes, rule.map and rule.map.host_matching,
            repr(rule.defaults),
        )  # fmt: skip
        if key not in known:
            compile_rule(rule)
            kept = {name: getattr(rule, name) for name in ("_parts", "_trace", "_converters", "arguments")}
            builders = {name: getattr(rule, name).__func__ for name in ("_build", "_build_unknown")}
            known[key] = kept | builders
            return
        for name, value in known[key].items():
            setattr(rule, name, value.__get__(rule, None) if callable(value) else value)

    Rule.compile = compile_once  # type: ignore[method-assign]


def keep_statements() -> None:
    """Compile a statement once for all databases of a kind; the product makes all its dialects alike."""
    for dialect in (SQLiteDialect_pysqlite, PGDialect_psycopg):
        dialect.__eq__ = lambda self, other: type(self) is type(other)  # type: ignore[method-assign,assignment]
        dialect.__hash__ = lambda self: hash(type(self))  # type: ignore[method-assign,assignment]
    known: LRUCache[Any, Any] = LRUCache(STATEMENTS)
    make_engine = SQLAlchemy._make_engine

    def make_thrifty_engine(*args: Any, **kwargs: Any) -> Engine:
        engine = make_engine(*args, **kwargs)
        engine._compiled_cache = known
        return engine

    SQLAlchemy._make_engine = make_thrifty_engine  # type: ignore[method-assign]


def do_not_wait(connection: Any, record: Any = None) -> None:
    """SQLite hands its writes to the operating system and goes on."""
    if type(connection).__module__.startswith(("sqlite3", "sqlalchemy.dialects.sqlite")):
        connection.execute("PRAGMA synchronous = OFF")


def let_the_job_store_not_wait() -> None:
    """The same for the job engine, which connects by itself."""
    connect = SqliteStorage._create_connection

    def connect_thriftily(store: SqliteStorage) -> Any:
        connection = connect(store)
        do_not_wait(connection)
        return connection

    SqliteStorage._create_connection = connect_thriftily


def begin() -> None:
    """Once for a test process, before the first application is made."""
    keep_templates()
    keep_routes()
    keep_statements()
    let_the_job_store_not_wait()
    event.listen(Engine, "connect", do_not_wait)


def leave_alone_what_stays() -> None:
    """Modules and tests stay to the end: the search for unused objects is not to walk through them each time."""
    gc.collect()
    gc.freeze()
