"""Programs state rules and absences and ask what stands in the way of a week, with the rights of their person."""

from __future__ import annotations

from tests.api.conftest import MakeCaller
from tests.builders import SchoolSystem

RULES = "/campuses/campus-a/subject-rules"


def test_rules_are_stated_listed_and_taken_back(school: SchoolSystem, caller_of: MakeCaller) -> None:
    program = caller_of(school.a.administrator)
    english = {"Accept-Language": "en"}
    rule = {"kind": "doubles", "subject": "physics", "grade": "5", "weeks": "odd", "number": 1}
    made = program.post(RULES, json=rule, headers=english)
    assert made.status_code == 201
    assert made.json["text"] == "Physics: one double period a week (grade 5, odd weeks)"
    refused = program.post(RULES, json={"kind": "spread", "subject": "physics", "number": 1}, headers=english)
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
