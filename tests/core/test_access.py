"""Who may do what: the whole table, written out by hand, against the rules in force."""

from __future__ import annotations

import pytest

from lms_bridge.core.access import RULES, Grant, Permission, Role, Scope, Target
from lms_bridge.core.errors import NotFound

ME, CHILD, STRANGER = 1, 2, 3
MY_CLASS, CHILDS_CLASS, OTHER_CLASS, FOREIGN_CLASS = 11, 12, 13, 14
HERE, THERE = "/1/2/3/", "/1/2/4/"

TARGETS = {
    "my campus": Target(path=HERE),
    "another class of my campus": Target(path=HERE, class_ids=frozenset({OTHER_CLASS})),
    "my class": Target(path=HERE, class_ids=frozenset({MY_CLASS})),
    "my own": Target(path=HERE, person_ids=frozenset({ME})),
    "my child's class": Target(path=HERE, class_ids=frozenset({CHILDS_CLASS})),
    "my child's own": Target(path=HERE, class_ids=frozenset({CHILDS_CLASS}), person_ids=frozenset({CHILD})),
    "a classmate's own": Target(path=HERE, class_ids=frozenset({CHILDS_CLASS}), person_ids=frozenset({STRANGER})),
    "another campus": Target(path=THERE, class_ids=frozenset({FOREIGN_CLASS}), person_ids=frozenset({STRANGER})),
    "the bureau": Target(path="/1/"),
}
HERE_ALL = frozenset(TARGETS) - {"another campus", "the bureau"}

ALLOWED: dict[Role, dict[str, frozenset[str]]] = {
    Role.ADMINISTRATOR: {p.value: HERE_ALL for p in Permission if p is not Permission.PLAN_REVIEW},
    Role.RESEARCHER: dict.fromkeys(
        ("plan.read", "plan.review", "benchmark.write", "timetable.read", "lesson.enter"), HERE_ALL
    ),
    Role.TEACHER: dict.fromkeys(
        ("plan.read", "timetable.read", "lesson.enter", "attendance.read", "attendance.write"),
        frozenset({"my class", "my own"}),
    )
    | dict.fromkeys(("plan.write", "lesson.lead"), frozenset({"my own"}))
    | {"roster.read": frozenset({"my class"})},
    Role.STUDENT: dict.fromkeys(("timetable.read", "lesson.enter"), frozenset({"my class", "my own"}))
    | {"attendance.read": frozenset({"my own"})},
    Role.GUARDIAN: dict.fromkeys(
        ("timetable.read", "attendance.read"), frozenset({"my child's class", "my child's own"})
    )
    | {"messages.read": frozenset({"my own"})},
    Role.COUNSELLOR: {},
    Role.SUPERVISOR: dict.fromkeys(("timetable.read", "attendance.read"), HERE_ALL),
}


def scope(role: Role) -> Scope:
    """Somebody who is ``role`` at one campus, with a class and a child where the role has them."""
    return Scope(
        person_id=ME,
        person_uid="me",
        grants=(Grant(role, 3, HERE),),
        taught_class_ids=frozenset({MY_CLASS}) if role is Role.TEACHER else frozenset(),
        enrolled_class_ids=frozenset({MY_CLASS}) if role is Role.STUDENT else frozenset(),
        child_ids=frozenset({CHILD}) if role is Role.GUARDIAN else frozenset(),
        child_class_ids=frozenset({CHILDS_CLASS}) if role is Role.GUARDIAN else frozenset(),
    )


@pytest.mark.parametrize("role", Role)
def test_a_role_reaches_exactly_what_the_table_says(role: Role) -> None:
    reached = {
        permission.value: frozenset(name for name, target in TARGETS.items() if scope(role).allows(permission, target))
        for permission in Permission
    }
    assert {permission: names for permission, names in reached.items() if names} == ALLOWED[role]


@pytest.mark.parametrize("role", Role)
def test_a_role_lists_whole_subtrees_only_where_it_covers_them(role: Role) -> None:
    for permission in Permission:
        covers = "another class of my campus" in ALLOWED[role].get(permission.value, ())
        assert scope(role).paths(permission) == ((HERE,) if covers else ())


def test_what_is_out_of_reach_is_not_there_rather_than_forbidden() -> None:
    with pytest.raises(NotFound):
        scope(Role.TEACHER).require(Permission.TIMETABLE_READ, TARGETS["another campus"])


def test_several_roles_reach_what_each_of_them_reaches_and_no_more() -> None:
    both = Scope(
        person_id=ME,
        person_uid="me",
        grants=(Grant(Role.TEACHER, 3, HERE), Grant(Role.GUARDIAN, 4, THERE)),
        taught_class_ids=frozenset({MY_CLASS}),
        child_ids=frozenset({CHILD}),
        child_class_ids=frozenset({FOREIGN_CLASS}),
    )
    assert both.allows(Permission.ATTENDANCE_WRITE, TARGETS["my class"])
    assert both.allows(Permission.TIMETABLE_READ, Target(path=THERE, class_ids=frozenset({FOREIGN_CLASS})))
    assert not both.allows(Permission.ATTENDANCE_WRITE, Target(path=THERE, class_ids=frozenset({FOREIGN_CLASS})))


def test_a_path_is_a_prefix_of_whole_parts() -> None:
    administrator = Scope(ME, "me", (Grant(Role.ADMINISTRATOR, 1, "/1/"),))
    assert administrator.allows(Permission.ROSTER_READ, Target(path="/1/10/"))
    assert not administrator.allows(Permission.ROSTER_READ, Target(path="/10/1/"))


def test_nobody_without_a_role_reaches_anything() -> None:
    nobody = Scope(ME, "me")
    assert not any(nobody.allows(p, t) or nobody.may(p) for p in Permission for t in TARGETS.values())
    assert set(RULES) == set(Role)
