"""Programs state rules and absences and ask what stands in the way of a week, with the rights of their person."""

from __future__ import annotations

from lms_bridge.core.database import transaction
from tests.api.conftest import MakeCaller
from tests.builders import SchoolSystem, plan, provider_account

RULES = "/campuses/campus-a/subject-rules"
ENGLISH = {"Accept-Language": "en"}


def test_rules_are_stated_listed_and_taken_back(school: SchoolSystem, caller_of: MakeCaller) -> None:
    program = caller_of(school.a.administrator)
    rule = {"kind": "doubles", "subject": "physics", "grade": "5", "weeks": "odd", "number": 1}
    made = program.post(RULES, json=rule, headers=ENGLISH)
    assert made.status_code == 201
    assert made.json["text"] == "Physics: one double period a week (grade 5, odd weeks)"
    refused = program.post(RULES, json={"kind": "spread", "subject": "physics", "number": 1}, headers=ENGLISH)
    assert refused.status_code == 422
    assert "a double period is two periods on one day" in refused.json["errors"][0]["message"]
    assert [row["uid"] for row in program.get(RULES).json["rules"]] == [made.json["uid"]]
    assert program.call("DELETE", f"{RULES}/{made.json['uid']}").status_code == 200
    assert program.get(RULES).json["rules"] == []


def test_absences_are_stated_and_the_check_answers(school: SchoolSystem, caller_of: MakeCaller) -> None:
    program = caller_of(school.a.administrator)
    absence = {"teacher": school.a.teacher.uid, "weekdays": [0], "periods": [1, 2]}
    made = program.post("/campuses/campus-a/absences", json=absence)
    assert [row["period"] for row in made.json["absences"]] == [1, 2]
    number = made.json["absences"][0]["number"]
    assert program.call("DELETE", f"/campuses/campus-a/absences/{number}").status_code == 200
    assert len(program.get("/campuses/campus-a/absences").json["absences"]) == 1
    checked = program.get("/campuses/campus-a/input-check?week=2040-W01")
    assert checked.status_code == 200
    assert checked.json["problems"][0]["remedy"]


def test_another_campus_and_a_teacher_find_nothing(school: SchoolSystem, caller_of: MakeCaller) -> None:
    for person in (school.b.administrator, school.a.teacher):
        program = caller_of(person)
        assert program.get(RULES).status_code == 404
        assert program.post(RULES, json={"kind": "doubles", "subject": "physics"}).status_code == 404
    reader = caller_of(school.a.administrator, write=False)
    assert reader.get(RULES).status_code == 200
    assert reader.post(RULES, json={"kind": "doubles", "subject": "physics", "number": 1}).status_code == 403


def test_grids_are_set_listed_and_removed(school: SchoolSystem, caller_of: MakeCaller) -> None:
    program = caller_of(school.a.administrator)
    known = program.get("/campuses/campus-a/grids").json["grids"]
    assert (known[0]["name"], known[0]["periods"][0]["starts"]) == (school.a.grid.name, "08:00")
    times = {"weekday": 0, "number": 1, "starts": "08:00", "ends": "08:20"}
    made = program.post("/campuses/campus-a/grids", json={"name": "Grade 9", "grades": ["9"], "periods": [times]})
    assert (made.status_code, made.json["grades"], made.json["periods"]) == (201, ["9"], [times])
    overlapping = [times, times | {"number": 2, "starts": "08:10", "ends": "08:30"}]
    wrong = {"name": "Grade 9", "grades": ["9"], "periods": overlapping}
    refused = program.post("/campuses/campus-a/grids", json=wrong, headers=ENGLISH)
    assert "overlaps" in refused.json["errors"][0]["message"]
    path = f"/campuses/campus-a/grids/{made.json['number']}"
    assert program.call("DELETE", path).status_code == 200
    assert program.call("DELETE", path).status_code == 404
    assert program.get("/campuses/campus-a/grids").json["grids"] == known


def test_school_days_are_set_and_taken_back(school: SchoolSystem, caller_of: MakeCaller) -> None:
    program = caller_of(school.a.administrator)
    path = "/campuses/campus-a/school-days"
    day = program.get(path).json["weeks"][-1]["days"][-1]
    said = {"kind": "holiday", "first_day": day, "name": "校庆"}
    made = program.post(path, json=said).json
    assert day not in made["weeks"][-1]["days"]
    row = next(row for row in made["days"] if row["day"] == day)
    assert (row["school"], row["name"], row["set_by"]) == (False, "校庆", "campus")
    assert program.call("DELETE", f"{path}/{row['number']}").status_code == 200
    assert day in program.get(path).json["weeks"][-1]["days"]
    refused = program.post(path, json=said | {"last_day": "2100-01-01"}, headers=ENGLISH)
    assert (refused.status_code, refused.json["detail"]) == (422, "1 problem was found; nothing was stored.")


def test_limits_of_online_teaching_and_rooms_are_set(school: SchoolSystem, caller_of: MakeCaller) -> None:
    program, path = caller_of(school.a.administrator), "/campuses/campus-a"
    grade = school.a.classes[0].grade
    before = {row["grade"]: row for row in program.get(f"{path}/online-limits").json["limits"]}
    assert before[grade]["is_default"]
    figures = {"periods_per_day": 5, "minutes_per_lesson": 25, "source": "district"}
    made = program.call("PUT", f"{path}/online-limits/{grade}", json=figures).json
    assert (made["periods_per_day"], made["is_default"]) == (5, False)
    wrong = figures | {"periods_per_day": 99, "minutes_per_lesson": 0}
    refused = program.call("PUT", f"{path}/online-limits/{grade}", json=wrong)
    assert len(refused.json["errors"]) == 2
    with transaction():
        account = provider_account(school.a.campus)
    rooms = program.call("PUT", f"{path}/rooms/{account.uid}", json={"rooms": 12}).json
    assert next(row["rooms"] for row in rooms["accounts"] if row["uid"] == account.uid) == 12
    assert program.get(f"{path}/rooms").json == rooms
    assert program.call("PUT", f"{path}/rooms/{account.uid}", json={"rooms": -1}).status_code == 422
    assert program.call("PUT", f"{path}/rooms/nothing", json={"rooms": 1}).status_code == 404


def test_classes_are_arranged_and_groups_get_their_students(school: SchoolSystem, caller_of: MakeCaller) -> None:
    program, path = caller_of(school.a.administrator), "/campuses/campus-a/arrangements"
    group, student = school.a.classes[0], school.a.students[0]
    said = {"subject": "physics", "classes": [{"class": group.code, "part": "A"}], "lead": school.a.teacher.uid}
    made = program.post(path, json=said)
    assert made.status_code == 201
    refused = program.post(path, json=said, headers=ENGLISH)
    assert "arranged otherwise already" in refused.json["errors"][0]["message"]
    members = f"{path}/{made.json['uid']}/groups/{group.code}"
    row = program.call("PUT", members, json={"students": [student.uid]}).json
    assert row["classes"] == [{"class": group.code, "part": "A", "students": [student.uid]}]
    assert program.call("PUT", members, json={"students": [school.b.students[0].uid]}).status_code == 422
    assert program.call("PUT", members, json={"students": ["nobody"]}).status_code == 422
    assert program.get(path).json["arrangements"] == [row]
    assert program.call("DELETE", f"{path}/{made.json['uid']}").status_code == 200
    assert program.get(path).json["arrangements"] == []


def test_the_periods_a_day_of_a_teacher_are_limited(school: SchoolSystem, caller_of: MakeCaller) -> None:
    program, path = caller_of(school.a.administrator), "/campuses/campus-a/teacher-limits"
    teacher = school.a.teacher
    assert program.call("PUT", f"{path}/{teacher.uid}", json={"periods_per_day": 4}).status_code == 200
    (row,) = program.get(path).json["limits"]
    assert (row["teacher"], row["periods_per_day"]) == (teacher.uid, 4)
    assert program.call("PUT", f"{path}/{teacher.uid}", json={"periods_per_day": 0}).status_code == 422
    assert program.call("PUT", f"{path}/{school.b.teacher.uid}", json={"periods_per_day": 4}).status_code == 404
    program.call("PUT", f"{path}/{teacher.uid}", json={"periods_per_day": None})
    assert program.get(path).json["limits"] == []


def test_strangers_find_no_calendar_and_readers_change_none(school: SchoolSystem, caller_of: MakeCaller) -> None:
    steps: list[tuple[str, str, dict[str, object] | None]] = [
        ("GET", "grids", None),
        ("POST", "grids", {"name": "x", "periods": []}),
        ("DELETE", f"grids/{school.a.grid.id}", None),
        ("GET", "school-days", None),
        ("POST", "school-days", {"kind": "holiday", "first_day": "2040-01-02"}),
        ("GET", "online-limits", None),
        ("PUT", "online-limits/5", {"periods_per_day": 5, "minutes_per_lesson": 25}),
        ("GET", "rooms", None),
        ("GET", "arrangements", None),
        ("GET", "teacher-limits", None),
        ("PUT", f"teacher-limits/{school.a.teacher.uid}", {"periods_per_day": 4}),
    ]
    reader = caller_of(school.a.administrator, write=False)
    strangers = [caller_of(person) for person in (school.b.administrator, school.a.teacher)]
    for method, path, body in steps:
        for stranger in strangers:
            answer = stranger.call(method, f"/campuses/campus-a/{path}", json=body)
            assert answer.status_code == 404, (method, path)
        status = reader.call(method, f"/campuses/campus-a/{path}", json=body).status_code
        assert status == (200 if method == "GET" else 403), (method, path)


def test_the_pace_of_a_class_is_told_beside_the_benchmark(school: SchoolSystem, caller_of: MakeCaller) -> None:
    group = school.a.classes[0]
    with transaction():
        plan([group], school.subject, school.a.teacher, units=[("机械运动", 4), ("声现象", 9)])
    teacher, course = caller_of(school.a.teacher), f"/pace/weeks?class=campus-a/{group.code}&subject=physics"
    mine = {(row["class"], row["subject"], row["total"]) for row in teacher.get("/pace").json["courses"]}
    assert (group.code, "physics", 13) in mine
    said = teacher.get(course).json
    assert (said["subject"], said["weeks"][-1]["planned"]) == ("physics", 13)
    assert said["weeks"][-1]["benchmark"] == 8
    whole = caller_of(school.a.administrator).get("/pace?campus=campus-a").json["courses"]
    assert (group.code, "physics") in {(row["class"], row["subject"]) for row in whole}
    assert teacher.get("/pace?campus=campus-a").status_code == 404
    assert caller_of(school.b.administrator).get(course).status_code == 404
    assert teacher.get("/pace/weeks?class=nothing&subject=physics").status_code == 404
