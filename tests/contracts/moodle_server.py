"""A loopback server that answers like Moodle 4.5: calendar, courses, members, activities kept in memory, and faults on
demand. Errors are the recorded ones of a real Moodle (``moodle_samples``)."""

from __future__ import annotations

import html
import json
import re
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

SAMPLES = Path(__file__).parent / "moodle_samples"
TOKEN = "0123456789abcdef"
KEY = re.compile(r"\[([^\]]*)\]")


def sample(name: str) -> Any:
    """The recorded answer ``name`` of a real Moodle."""
    return json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))["response"]


@dataclass
class Fault:
    """What is answered once instead of the truth. ``after``: the function is carried out all the same."""

    body: str = ""
    status: int = 200
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    after: bool = False
    drop: bool = False
    seconds: float = 0.0

    @classmethod
    def saying(cls, answer: Any, *, after: bool = False) -> Fault:
        """An answer as JSON with status 200."""
        return cls(json.dumps(answer), after=after)


class Moodle:
    """What the server holds, and what it was asked."""

    def __init__(self) -> None:
        self.url = ""
        self.delay = 0.0
        """So many seconds pass from a question to its answer."""
        self.faults: defaultdict[str, list[Fault]] = defaultdict(list)
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.order: list[str] = []
        """Names of the variables of the last call, in the order in which they came."""
        self.zone = "UTC"
        self.courses: list[dict[str, Any]] = []
        self.members: dict[int, list[dict[str, Any]]] = {}
        self.people: list[dict[str, Any]] = []
        self.events: dict[int, dict[str, Any]] = {}
        self.modules: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
        self.groups: list[dict[str, Any]] = [{"id": 1, "courseid": 2, "name": "Set A &amp; B", "idnumber": ""}]
        self.cohorts = [{"id": 1, "name": "Year 5", "idnumber": "Y5"}]
        self.cohort_members: dict[int, list[int]] = {}
        self.assignments: dict[int, list[dict[str, Any]]] = {}
        """By course; one that is not here may not be seen."""
        self.submissions: dict[int, list[dict[str, Any]]] = {}
        self.sessions: dict[int, dict[str, Any]] = {}
        self.statuses = [row for row in sample("att_get_session")["statuses"] if isinstance(row, dict)]
        """Those of every attendance register: present, late and excused, as recorded."""
        self.stored_at_most: int | None = None
        """So many events of one call are stored, as when PHP's ``max_input_vars`` cuts the rest off."""
        self._number = 100
        self._lock = threading.Lock()

    def calls(self, function: str) -> list[dict[str, Any]]:
        """The parameters of every call of a function."""
        return [parameters for name, parameters in self.asked if name == function]

    def next_number(self) -> int:
        """A number that nothing has yet."""
        self._number += 1
        return self._number

    def answer(self, function: str, p: dict[str, Any]) -> Any:
        """The answer of a function."""
        with self._lock:
            return getattr(self, f"_{function}", self._unknown)(p)

    def _unknown(self, p: dict[str, Any]) -> Any:
        return sample("err_unknown_function")

    def _core_webservice_get_site_info(self, p: dict[str, Any]) -> Any:
        names = [name[1:] for name in dir(self) if name.startswith(("_core_", "_mod_", "_enrol_"))]
        return {
            "sitename": "School",
            "userid": 3,
            "release": "4.5.5+ (Build: 20250613)",
            "version": "2024100705.01",
            "functions": [{"name": name, "version": "2024100705.01"} for name in names],
        }

    def _core_course_get_courses(self, p: dict[str, Any]) -> Any:
        return [{"id": 1, "format": "site", "shortname": "s", "fullname": "Site"}, *self.courses]

    def _core_course_get_courses_by_field(self, p: dict[str, Any]) -> Any:
        found = [c for c in self.courses if str(c.get(p["field"])) == p["value"] or c.get("secret") == p["value"]]
        return {"courses": [{k: v for k, v in c.items() if k != "idnumber"} for c in found], "warnings": []}

    def _core_course_delete_modules(self, p: dict[str, Any]) -> Any:
        for rows in self.modules.values():
            rows[:] = [row for row in rows if str(row["id"]) not in p["cmids"]]
        return None

    def _core_course_create_courses(self, p: dict[str, Any]) -> Any:
        made = [c | {"id": self.next_number(), "format": "topics"} for c in p["courses"]]
        self.courses += made
        return [{"id": c["id"], "shortname": c["shortname"]} for c in made]

    def _core_enrol_get_enrolled_users(self, p: dict[str, Any]) -> Any:
        options = {o["name"]: o["value"] for o in p.get("options", ())}
        start, count = int(options["limitfrom"]), int(options["limitnumber"])
        page = self.members.get(int(p["courseid"]), [])[start : start + count]
        return [person for person in page if not person.get("hidden")]

    def _enrol_manual_enrol_users(self, p: dict[str, Any]) -> Any:
        return None

    def _core_group_get_course_groups(self, p: dict[str, Any]) -> Any:
        return [group for group in self.groups if str(group["courseid"]) == p["courseid"]]

    def _core_group_create_groups(self, p: dict[str, Any]) -> Any:
        made = [group | {"id": self.next_number(), "courseid": int(group["courseid"])} for group in p["groups"]]
        self.groups += made
        return made

    def _core_group_add_group_members(self, p: dict[str, Any]) -> Any:
        for one in p["members"]:
            for person in (person for course in self.members.values() for person in course):
                if str(person["id"]) == one["userid"]:
                    person["groups"] = [*person.get("groups", ()), {"id": int(one["groupid"])}]

    def _core_cohort_get_cohorts(self, p: dict[str, Any]) -> Any:
        return self.cohorts

    def _core_cohort_get_cohort_members(self, p: dict[str, Any]) -> Any:
        found = self.cohort_members or {1: [person["id"] for person in self.people]}
        return [{"cohortid": int(number), "userids": found.get(int(number), [])} for number in p["cohortids"]]

    def _core_user_get_users_by_field(self, p: dict[str, Any]) -> Any:
        if p["field"] == "id" and p["values"] == ["3"]:
            return [{"id": 3, "firstname": "Bridge", "lastname": "Service", "timezone": self.zone}]
        everybody = self.people or [person for course in self.members.values() for person in course]
        found = {row["id"]: row for row in everybody if str(row.get(p["field"])) in p["values"]}
        return list(found.values())

    def _core_calendar_create_calendar_events(self, p: dict[str, Any]) -> Any:
        made, courses = [], {str(course["id"]) for course in self.courses}
        for event in p["events"][: self.stored_at_most]:
            if "<" in event["name"]:
                return {
                    "exception": "x",
                    "errorcode": "invalidparameter",
                    "message": "Invalid parameter value detected",
                }
            if event["courseid"] not in courses:
                return {"exception": "x", "errorcode": "invalidrecord", "message": "Can't find data record in course."}
            made.append(self._event(event))
        self.events |= {event["id"]: event for event in made}
        return {"events": made, "warnings": []}

    def _event(self, event: dict[str, Any]) -> dict[str, Any]:
        return event | {
            "id": self.next_number(),
            "timestart": int(event["timestart"]),
            "timeduration": int(event["timeduration"]),
            "visible": int(event["visible"]),
        }

    def _core_calendar_get_calendar_events(self, p: dict[str, Any]) -> Any:
        ids, courses = p["events"].get("eventids", ()), p["events"].get("courseids", ())
        end = int(p["options"]["timeend"]) or 2**40
        found = [
            event | {"name": html.escape(event["name"], quote=False)}
            for event in self.events.values()
            if (str(event["id"]) in ids or self._asked_for(event, courses, p["events"].get("groupids", ())))
            and int(p["options"]["timestart"]) <= event["timestart"] <= end
        ]
        return {"events": found, "warnings": []}

    def _asked_for(self, event: dict[str, Any], courses: Any, groups: Any) -> bool:
        """As Moodle: events of groups come only where no courses are asked for."""
        if event.get("groupid"):
            return not courses and str(event["groupid"]) in groups
        return str(event["courseid"]) in courses

    def _core_calendar_submit_create_update_form(self, p: dict[str, Any]) -> Any:
        form = dict(parse_qsl(p["formdata"]))
        event = self.events.get(int(form["id"]))
        if event is None:
            return sample("cal_delete_again")
        parts = [int(form[f"timestart[{name}]"]) for name in ("year", "month", "day", "hour", "minute")]
        start = int(datetime(*parts, tzinfo=UTC).timestamp())  # type: ignore[misc,arg-type]
        event |= {
            "name": form["name"],
            "description": form["description[text]"],
            "timestart": start,
            "timeduration": 60 * int(form["timedurationminutes"]),
            "visible": int(form["visible"]),
            "location": form["location"],
            "eventtype": form["eventtype"],
            "groupid": form.get("groupid"),
        }
        return {"event": event}

    def _core_calendar_delete_calendar_events(self, p: dict[str, Any]) -> Any:
        for wanted in p["events"]:
            if self.events.pop(int(wanted["eventid"]), None) is None:
                return sample("cal_delete_again")
        return None

    def _core_course_get_contents(self, p: dict[str, Any]) -> Any:
        return [{"id": 1, "name": "General", "modules": self.modules[int(p["courseid"])]}]

    def _core_course_import_course(self, p: dict[str, Any]) -> Any:
        for module in self.modules[int(p["importfrom"])]:
            self.modules[int(p["importto"])].append(module | {"id": self.next_number()})

    def _core_message_send_instant_messages(self, p: dict[str, Any]) -> Any:
        return sample("message")

    def _mod_assign_get_assignments(self, p: dict[str, Any]) -> Any:
        courses = [int(number) for number in p["courseids"]]
        hidden = [number for number in courses if number not in self.assignments]
        found = [{"id": n, "assignments": self.assignments[n]} for n in courses if n in self.assignments]
        warnings = [sample("assignments")["warnings"][0] | {"itemid": number} for number in hidden]
        return {"courses": found, "warnings": warnings}

    def _mod_assign_get_submissions(self, p: dict[str, Any]) -> Any:
        found = []
        for number in (int(one) for one in p["assignmentids"]):
            rows = [row for row in self.submissions.get(number, ()) if row["timemodified"] >= int(p["since"])]
            if rows:
                found.append({"assignmentid": number, "submissions": rows})
        return {"assignments": found, "warnings": []}

    def _mod_attendance_add_attendance(self, p: dict[str, Any]) -> Any:
        number = self.next_number()
        self.modules[int(p["courseid"])].append(
            {"id": number, "modname": "attendance", "name": p["name"], "instance": number}
        )
        return {"attendanceid": number}

    def _mod_attendance_get_sessions(self, p: dict[str, Any]) -> Any:
        return [row for row in self.sessions.values() if str(row["attendanceid"]) == p["attendanceid"]]

    def _mod_attendance_add_session(self, p: dict[str, Any]) -> Any:
        number = self.next_number()
        course = next(c for c, rows in self.modules.items() if any(str(m["id"]) == p["attendanceid"] for m in rows))
        recorded = [row for row in sample("att_get_session")["users"] if isinstance(row, dict)]
        self.sessions[number] = sample("att_get_session") | {
            "id": number,
            "attendanceid": int(p["attendanceid"]),
            "description": p["description"],
            "sessdate": int(p["sessiontime"]),
            "statuses": self.statuses,
            "users": self.members.get(course, recorded),
            "attendance_log": [],
        }
        return {"sessionid": number}

    def _mod_attendance_get_session(self, p: dict[str, Any]) -> Any:
        return self.sessions.get(int(p["sessionid"]), sample("cal_delete_again"))

    def _mod_attendance_update_user_status(self, p: dict[str, Any]) -> Any:
        session = self.sessions[int(p["sessionid"])]
        log = [row for row in session["attendance_log"] if str(row["studentid"]) != p["studentid"]]
        session["attendance_log"] = [*log, {"studentid": p["studentid"], "statusid": p["statusid"]}]


def nested(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """``a[0][b]=1`` as ``{"a": [{"b": "1"}]}``, as PHP reads it."""
    root: dict[str, Any] = {}
    for name, value in pairs:
        head, *rest = [name.partition("[")[0], *KEY.findall(name)]
        place, key = root, head
        for part in rest:
            place, key = place.setdefault(key, {}), part
        place[key] = value
    return {key: listed(value) for key, value in root.items()}


def listed(value: Any) -> Any:
    """Objects whose keys are 0, 1, 2 ... as lists."""
    if not isinstance(value, dict):
        return value
    inner = {key: listed(one) for key, one in value.items()}
    return list(inner.values()) if inner and all(key.isdigit() for key in inner) else inner


def handler(moodle: Moodle) -> type[BaseHTTPRequestHandler]:
    """The server's way of answering."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1  # an answer leaves in one piece
        came = 0.0

        def parse_request(self) -> bool:
            self.came = time.monotonic()
            return super().parse_request()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            pairs = parse_qsl(body, keep_blank_values=True)
            moodle.order = [name for name, _ in pairs]
            parameters = nested(pairs)
            function, token = parameters.pop("wsfunction"), parameters.pop("wstoken")
            parameters.pop("moodlewsrestformat")
            moodle.asked.append((function, parameters))
            fault = moodle.faults[function].pop(0) if moodle.faults[function] else None
            if fault is None:
                answer = moodle.answer(function, parameters) if token == TOKEN else sample("err_invalid_token")
                fault = Fault.saying(answer)
            elif fault.after:
                moodle.answer(function, parameters)
            if moodle.delay:
                time.sleep(max(0.0, moodle.delay - (time.monotonic() - self.came)))
            self.say(fault)

        def say(self, fault: Fault) -> None:
            """Write one answer, or none."""
            time.sleep(fault.seconds)
            if fault.drop:
                self.close_connection = True
                self.connection.shutdown(2)
                return
            body = fault.body.encode()
            self.send_response(fault.status)
            headers = {"Content-Type": fault.content_type, "Content-Length": str(len(body))}
            for name, value in (headers | fault.headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_request(self, code: object = "-", size: object = "-") -> None:
            pass

    return Handler


@contextmanager
def moodle_server() -> Iterator[Moodle]:
    """A running server on loopback."""
    moodle = Moodle()
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(moodle))
    server.daemon_threads = True
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02), daemon=True)
    thread.start()
    moodle.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield moodle
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def member(number: int, *, role: str = "student", **more: Any) -> dict[str, Any]:
    """A person of a course as Moodle lists them."""
    return {
        "id": number,
        "username": f"user{number}",
        "firstname": f"小{number}",
        "lastname": "王",
        "idnumber": f"S{number}",
        "email": f"user{number}@example.test",
        "roles": [{"roleid": 5, "shortname": role}],
    } | more
