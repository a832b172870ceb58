"""What upsets a timetable becomes a case with ranked proposals; one is put in force, the others are given up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from lms_bridge.calendar.days import days_of_week, iso_week
from lms_bridge.calendar.models import OnlineSpan
from lms_bridge.core import clock, jobs
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BadInputs, Conflict
from lms_bridge.core.models import AuditEntry
from lms_bridge.notices.models import Delivery, DeliveryItem, DeliveryState, Notification
from lms_bridge.plans.models import PlanUnit, PlanVersion, TeachingPlan, VersionState
from lms_bridge.roster.models import EnrolmentRole, Organisation
from lms_bridge.timetable.cases import cases, opening, plan_changes, runs
from lms_bridge.timetable.cases.absences import read_reason, report_absence, withdraw_absence
from lms_bridge.timetable.cases.desk import Desk
from lms_bridge.timetable.cases.models import CaseState, ChangeCase, TeacherAbsence
from lms_bridge.timetable.cases.plan_changes import follow_approval
from lms_bridge.timetable.cases.proposals import Change, Option
from lms_bridge.timetable.changing import changes, slot_checks
from lms_bridge.timetable.changing.lesson_changes import cancel_lesson
from lms_bridge.timetable.changing.slot_checks import Verdict
from lms_bridge.timetable.inputs.models import RuleType
from lms_bridge.timetable.inputs.stated_rules import Stated
from lms_bridge.timetable.inputs.subject_rules import add_rule
from lms_bridge.timetable.making.building import build_problem
from lms_bridge.timetable.making.input_check import check_week
from lms_bridge.timetable.models import (
    ChangeState,
    Lesson,
    LessonMode,
    LessonStatus,
    RunState,
    TeacherPart,
    Unavailability,
)
from lms_bridge.timetable.solving.problem import Problem
from lms_bridge.timetable.telling.told_of import told_of
from tests.builders import class_group, enrol, guardianship, lesson, online
from tests.timetable.school import FRIDAY, WEEK
from tests.timetable.upset import MONDAY, Upset, by_way, computed, day_of, stored, timetabled, units, ways

TUESDAY, WEDNESDAY, THURSDAY = (MONDAY + timedelta(days=n) for n in (1, 2, 3))


@pytest.fixture
def upset(app: Flask) -> Iterator[Upset]:
    """The campus on Friday, its next two weeks timetabled."""
    with clock.at(FRIDAY):
        yield timetabled()


def campus(upset: Upset) -> Organisation:
    """Campus A."""
    return upset.school.a.campus


def absent(upset: Upset, **more: object) -> ChangeCase:
    """The teacher of Chinese is ill on Monday and Tuesday; the case, with its proposals."""
    values: dict[str, object] = {"reason": "发烧", "actor": upset.wang} | more
    with transaction():
        row = report_absence(upset.wang, MONDAY, TUESDAY, **values)  # type: ignore[arg-type]
    return computed(db.session.scalars(sa.select(ChangeCase).filter_by(absence_id=row.id)).one())


def put_in_force(upset: Upset, case: ChangeCase, way: str) -> changes.ChangeSet:
    """Apply the proposal of a way; messages are sent."""
    with transaction():
        done = cases.decide(case, by_way(case, way).change_set, upset.administrator)
    jobs.run_due()
    return done


def refusals(refusal: pytest.ExceptionInfo[BadInputs]) -> list[str]:
    """What a refusal lists."""
    return [problem.text() for problem in refusal.value.problems]


def leads(row: Lesson) -> list[int]:
    """Who leads a lesson."""
    return [t.person_id for t in row.teachers if t.part is not TeacherPart.ASSISTANT]


def approved_again(upset: Upset, title: str) -> PlanVersion:
    """A newer version of the plan of Chinese of class 5-1 is approved."""
    plan = db.session.scalars(
        sa.select(TeachingPlan).filter_by(subject_id=upset.chinese.id).order_by(TeachingPlan.id)
    ).all()[0]
    with transaction():
        plan.versions[-1].state = VersionState.SUPERSEDED
        number = plan.versions[-1].number + 1
        newer = PlanVersion(number=number, state=VersionState.APPROVED, created_by_id=upset.wang.id)
        newer.units = [PlanUnit(sequence=n, title=f"{title}{n}", periods=8) for n in range(1, 11)]
        plan.versions.append(newer)
        db.session.flush()
        follow_approval(plan.id)
    return newer


def test_an_absence_changes_no_lesson_but_waits_to_be_decided(upset: Upset) -> None:
    before = [(row.uid, row.starts_at, leads(row)) for row in upset.lessons()]
    case = absent(upset)
    assert [(row.uid, row.starts_at, leads(row)) for row in upset.lessons()] == before
    assert (case.state, case.computing, case.progress["hit"]) == (CaseState.OPEN, RunState.DONE, 4)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Notification)) == 0


def test_only_the_periods_of_an_absence_are_hit(upset: Upset) -> None:
    case = absent(upset, periods=[2])
    assert {day_of(db.session.get_one(Lesson, c.lesson_id)) for c in by_way(case, "cancel").change_set.changes} >= {
        MONDAY
    }
    assert case.progress["hit"] == 2


def test_the_reason_of_an_absence_is_private_and_looking_at_it_is_written_down(upset: Upset) -> None:
    case = absent(upset)
    absence = case.absence
    assert absence is not None
    raw = db.session.execute(sa.text("SELECT reason FROM teacher_absence")).scalar_one()
    assert "发烧" not in str(raw)
    assert case.reason == ""
    assert all(p.change_set.reason == "" for p in case.proposals)
    with transaction():
        assert read_reason(absence, actor=upset.wang) == "发烧"
        assert read_reason(absence, actor=upset.administrator) == "发烧"
    looks = db.session.scalars(sa.select(AuditEntry).filter_by(action="absence.reason_read")).all()
    assert [row.actor_uid for row in looks] == [upset.administrator.uid]


def test_everything_wrong_with_an_absence_is_said_at_once(upset: Upset) -> None:
    student = upset.school.a.students[0]
    with pytest.raises(BadInputs) as refusal, transaction():
        report_absence(student, MONDAY - timedelta(days=7), MONDAY - timedelta(days=9), periods=[99], actor=None)
    texts = refusals(refusal)
    assert f"{student.display_name} is not a teacher." in texts
    assert "The absence ends before it begins." in texts
    assert "Wed 11 Nov is past." not in texts
    assert any(text.endswith("is past.") for text in texts)
    assert "There is no such period." in texts
    assert db.session.scalar(sa.select(sa.func.count()).select_from(TeacherAbsence)) == 0
    absent(upset)
    with pytest.raises(BadInputs) as refusal, transaction():
        report_absence(upset.wang, MONDAY, MONDAY, actor=None)
    assert refusals(refusal) == ["This absence is reported already."]


def test_a_withdrawn_absence_gives_its_proposals_up_and_frees_the_teacher(upset: Upset) -> None:
    case = absent(upset)
    assert case.absence is not None
    with transaction():
        withdraw_absence(case.absence, actor=upset.wang)
    case = stored(case)
    assert case.state is CaseState.WITHDRAWN
    assert {p.change_set.state for p in case.proposals} == {ChangeState.DISCARDED}
    assert db.session.scalars(sa.select(Unavailability)).all() == []
    with pytest.raises(Conflict) as refusal, transaction():
        cases.decide(case, case.proposals[0].change_set, upset.administrator)
    assert refusal.value.text() == "This case was dealt with already."


def test_proposals_are_ranked_by_people_and_cancelling_comes_last(upset: Upset) -> None:
    case = absent(upset)
    assert len(case.proposals) >= 4
    ranks = [(p.figures["lost"], p.figures["people"], p.figures["delayed"]) for p in case.proposals]
    assert ranks == sorted(ranks)
    assert ways(case)[-1] == "cancel"
    moved, given = by_way(case, "move").figures, by_way(case, "substitute").figures
    # Three students in three families; a substitute is one more person to disturb.
    assert (moved["students"], moved["families"], moved["teachers"]) == (3, 3, 1)
    assert given["people"] == moved["people"] + 1
    assert given["delayed"] == 0 < moved["delayed"]


def test_a_family_with_two_children_counts_once(upset: Upset) -> None:
    world = upset.school.a
    with transaction():
        guardianship(world.guardians[0], world.students[2])
    figures = by_way(absent(upset), "cancel").figures
    assert (figures["students"], figures["families"]) == (3, 2)


def test_the_solver_proves_that_no_change_moves_fewer_lessons(upset: Upset) -> None:
    case = absent(upset)
    proved = [p for p in case.proposals if p.figures["proved"] == "campus"]
    assert proved
    assert {p.figures["kinds"]["moved"] for p in proved} == {4}
    assert {p.figures["gap"] for p in proved} == {0.0}


def test_a_change_larger_than_need_be_says_by_how_much_at_most(upset: Upset) -> None:
    figures = by_way(absent(upset), "swap").figures
    assert (figures["kinds"]["moved"], figures["proved"]) == (6, "")
    # 4 lessons of 6 students must move, and 6 lessons of 9 students do.
    assert figures["gap"] == pytest.approx(1 / 3)


def test_the_whole_week_is_never_proposed_where_a_move_is_as_small_and_ranks_better(upset: Upset) -> None:
    case = absent(upset, periods=[1])
    moved = by_way(case, "move").figures
    assert (moved["proved"], moved["delayed"]) == ("campus", 2)
    assert [p.position for p in case.proposals if p.way == "solver"] in ([], [1], [2])
    assert all(p.figures["delayed"] <= moved["delayed"] for p in case.proposals if p.way == "solver")


def test_lessons_that_another_case_hits_do_not_make_the_smallest_change_larger(upset: Upset) -> None:
    with transaction():
        opening.lose_rooms(campus(upset), THURSDAY, THURSDAY, 0, actor=None)
    case = absent(upset, periods=[1])
    assert by_way(case, "move").figures["proved"] == "campus"


def test_one_proposal_in_force_changes_the_lessons_and_tells_each_family_once(upset: Upset) -> None:
    before = {row.uid: row.id for row in upset.lessons()}
    case = absent(upset)
    told = told_of(by_way(case, "substitute").change_set)
    done = put_in_force(upset, case, "substitute")
    assert {row.uid: row.id for row in upset.lessons()} == before
    given = [row for row in upset.lessons(upset.chinese) if day_of(row) <= TUESDAY]
    assert [leads(row) for row in given] == [[upset.zhao.id]] * 4
    case = stored(case)
    assert case.state is CaseState.DECIDED
    assert Counter(p.change_set.state for p in case.proposals)[ChangeState.APPLIED] == 1
    assert ChangeState.PROPOSED not in {p.change_set.state for p in case.proposals}
    world = upset.school.a
    expected = {p.id for p in (*world.students, *world.guardians, upset.wang, upset.zhao)}
    heard = Counter(db.session.scalars(sa.select(Notification.person_id)))
    assert heard == dict.fromkeys(expected, 1)
    assert told.people == len(expected)
    assert (len(told.families), told.guardians, told.teachers) == (3, 3, 2)
    mails = Counter(
        db.session.scalars(
            sa.select(Notification.person_id)
            .join(DeliveryItem, DeliveryItem.notification_id == Notification.id)
            .join(Delivery, Delivery.id == DeliveryItem.delivery_id)
            .where(Delivery.state == DeliveryState.SENT)
        )
    )
    assert mails == {guardian.id: 1 for guardian in world.guardians}
    assert done.cause_ref == f"case:{case.uid}"


def test_whoever_cannot_be_reached_is_named_before(upset: Upset) -> None:
    told = told_of(by_way(absent(upset), "move").change_set)
    assert told.message == "Timetable change"
    assert told.channels == (("Mailbox folder", 3),)
    assert upset.wang.display_name in {name for name, _ in told.unreachable}


def test_made_up_lessons_replace_the_lost_ones_and_units_stay_in_order(upset: Upset) -> None:
    before = units(upset.lessons(upset.chinese, upset.one))
    case = absent(upset)
    put_in_force(upset, case, "make_up")
    after = upset.lessons(upset.chinese, upset.one)
    assert units(after) == before
    made = [row for row in after if row.replaces_id is not None]
    assert len(made) == 2
    lost = [db.session.get_one(Lesson, row.replaces_id) for row in made]
    assert {row.status for row in lost} == {LessonStatus.CANCELLED}
    assert all(new.starts_at > old.starts_at for new, old in zip(made, lost, strict=True))


def test_a_swap_changes_places_within_the_class(upset: Upset) -> None:
    before = sorted(row.starts_at for row in upset.lessons(group=upset.one))
    with transaction():
        report_absence(upset.wang, MONDAY, MONDAY, periods=[1], actor=upset.wang)
    case = computed(db.session.scalars(sa.select(ChangeCase)).one())
    put_in_force(upset, case, "swap")
    assert sorted(row.starts_at for row in upset.lessons(group=upset.one)) == before
    assert all(day_of(row) > MONDAY for row in upset.lessons(upset.chinese, upset.one))


def test_substitutes_are_of_the_campus_first_and_of_its_group_where_it_has_none(upset: Upset) -> None:
    with transaction():
        report_absence(upset.zhao, MONDAY, MONDAY, actor=None)
    case = absent(upset)
    put_in_force(upset, case, "substitute")
    found = {day_of(row): leads(row) for row in upset.lessons(upset.chinese, upset.one) if day_of(row) <= TUESDAY}
    assert found == {MONDAY: [upset.far.id], TUESDAY: [upset.zhao.id]}


def test_lessons_at_school_are_not_given_to_teachers_of_another_campus(upset: Upset) -> None:
    with transaction():
        db.session.execute(sa.delete(OnlineSpan))
        for row in upset.lessons():
            row.mode = LessonMode.IN_PERSON
        report_absence(upset.zhao, MONDAY, TUESDAY, actor=None)
    case = absent(upset)
    asked = {i for p in case.proposals for c in p.change_set.changes if c.after for i, _ in c.after["teachers"]}
    assert upset.far.id not in asked


def test_who_stood_in_least_is_asked_first(upset: Upset) -> None:
    with transaction():
        other = lesson(upset.two, upset.chinese, upset.zhao, FRIDAY - timedelta(days=3))
        other.teachers[0].part = TeacherPart.SUBSTITUTE
        helper = upset.school.a.teacher
        fourth = class_group(campus(upset), upset.school.term, code="5-4")
        enrol(helper, fourth, EnrolmentRole.TEACHER, teaches=upset.chinese)
    case = absent(upset, periods=[1])
    put_in_force(upset, case, "substitute")
    first = next(row for row in upset.lessons(upset.chinese, upset.one))
    assert leads(first) == [helper.id]


def test_the_second_of_two_people_sees_what_changed_and_solves_again(upset: Upset) -> None:
    case = absent(upset)
    friday = next(row for row in upset.lessons(upset.english) if day_of(row) == MONDAY)
    with transaction():
        other = cancel_lesson(friday, actor=upset.school.bureau_administrator, reason="体检")
    before = [(row.uid, row.starts_at, leads(row)) for row in upset.lessons()]
    with pytest.raises(Conflict) as refusal, transaction():
        cases.decide(case, case.proposals[0].change_set, upset.administrator)
    assert refusal.value.text().startswith(f"The timetable of {WEEK} was changed meanwhile")
    assert [(row.uid, row.starts_at, leads(row)) for row in upset.lessons()] == before
    between = cases.meanwhile(stored(case))
    assert between.stale
    assert [row.id for row in between.change_sets] == [other.id]
    with transaction():
        cases.compute_again(stored(case), actor=upset.administrator)
    case = computed(case)
    assert not cases.meanwhile(case).stale
    put_in_force(upset, case, "move")
    assert stored(case).state is CaseState.DECIDED


def test_a_decision_is_undone_on_its_day_and_the_case_is_open_again(upset: Upset) -> None:
    before = [(row.uid, row.starts_at, leads(row)) for row in upset.lessons()]
    case = absent(upset)
    done = put_in_force(upset, case, "substitute")
    with clock.at(FRIDAY + timedelta(hours=11)):
        with transaction():
            changes.undo(done, upset.administrator)
        assert [(row.uid, row.starts_at, leads(row)) for row in upset.lessons()] == before
        case = computed(case)
    assert case.state is CaseState.OPEN
    assert len([p for p in case.proposals if p.change_set.state is ChangeState.PROPOSED]) >= 4


def test_the_day_after_it_is_too_late_to_undo(upset: Upset) -> None:
    done = put_in_force(upset, absent(upset), "substitute")
    # Midnight of the campus, 16:00 UTC.
    with clock.at(FRIDAY.replace(hour=16)), pytest.raises(BadInputs) as refusal, transaction():
        changes.undo(done, upset.administrator)
    assert refusals(refusal) == ["This change was put in force on Fri 20 Nov and can be undone on that day only."]
    assert leads(upset.lessons(upset.chinese)[0]) == [upset.zhao.id]


def test_a_lost_day_is_made_up_for_and_can_be_taken_back(upset: Upset) -> None:
    with transaction():
        case = opening.lose_day(campus(upset), MONDAY, reason="台风", actor=upset.administrator)
    case = computed(case)
    assert case.progress["hit"] == 4
    assert {"move", "make_up", "cancel"} <= set(ways(case))
    put_in_force(upset, case, "make_up")
    assert all(day_of(row) > MONDAY for row in upset.lessons())
    with transaction():
        other = opening.lose_day(campus(upset), WEDNESDAY, actor=upset.administrator)
        cases.end_case(other, CaseState.WITHDRAWN, upset.administrator)
    days = {day.day for day in days_of_week(campus(upset), WEEK)[0]}
    assert WEDNESDAY in days
    assert MONDAY not in days


def test_with_fewer_rooms_the_smallest_lessons_give_way(upset: Upset) -> None:
    with transaction():
        case = opening.lose_rooms(campus(upset), MONDAY, MONDAY, 1, actor=upset.administrator)
    case = computed(case)
    put_in_force(upset, case, "move")
    monday = [row for row in upset.lessons() if day_of(row) == MONDAY]
    assert max(Counter(row.starts_at for row in monday).values()) == 1
    moved = {row.audience[0].class_id for row in upset.lessons() if row.sequence}
    assert moved == {upset.two.id}


def test_a_lost_provider_leaves_no_online_lesson_on_its_days(upset: Upset) -> None:
    with transaction():
        case = opening.lose_rooms(campus(upset), MONDAY, TUESDAY, 0, actor=upset.administrator)
    case = computed(case)
    put_in_force(upset, case, ways(case)[0])
    assert all(day_of(row) > TUESDAY for row in upset.lessons())


def at_once(problem: Problem, day: int) -> set[int]:
    """How many online lessons may be at once in the slots of a weekday."""
    (pool,) = problem.pools.values()
    return {pool.at.get(slot, pool.limit) for slot in problem.slots if slot.day == day}


def test_a_week_is_solved_with_the_rooms_that_are_left(upset: Upset) -> None:
    later = MONDAY + timedelta(days=14)
    week = iso_week(later)
    assert not build_problem(campus(upset), week)[0].pools
    with transaction():
        case = opening.lose_rooms(campus(upset), later, later + timedelta(days=1), 1, actor=None)
    case = computed(case)
    assert case.state is CaseState.DECIDED
    problem = build_problem(campus(upset), week)[0]
    assert at_once(problem, 0) == at_once(problem, 1) == {1}
    assert min(at_once(problem, 2)) > 1000
    with transaction():
        opening.correct_rooms(case, 0, later + timedelta(days=2), actor=upset.administrator)
    case = computed(case)
    assert (case.state, case.last_day) == (CaseState.DECIDED, later + timedelta(days=2))
    problem = build_problem(campus(upset), week)[0]
    assert at_once(problem, 0) == at_once(problem, 2) == {0}
    with transaction():
        cases.end_case(case, CaseState.WITHDRAWN, upset.administrator)
    assert not build_problem(campus(upset), week)[0].pools


def test_a_week_for_which_rooms_are_too_few_is_refused_with_the_numbers(upset: Upset) -> None:
    later = MONDAY + timedelta(days=14)
    with transaction():
        opening.lose_rooms(campus(upset), later, later + timedelta(days=4), 0, actor=None)
    texts = [problem.text() for problem in check_week(campus(upset), iso_week(later)).problems]
    assert f"{campus(upset).label('en')} has rooms for 0 lessons this week, but 14 need one." in texts


def test_a_wrong_number_of_rooms_is_corrected_and_worked_out_again(upset: Upset) -> None:
    with transaction():
        case = opening.lose_rooms(campus(upset), MONDAY, MONDAY, 50, actor=upset.administrator)
    case = computed(case)
    assert case.state is CaseState.DECIDED
    with transaction():
        opening.correct_rooms(case, 0, MONDAY, actor=upset.administrator)
    case = computed(case)
    assert (case.state, case.progress["hit"]) == (CaseState.OPEN, 4)
    with pytest.raises(BadInputs) as refusal, transaction():
        opening.correct_rooms(case, -1, MONDAY - timedelta(days=9), actor=upset.administrator)
    assert refusals(refusal) == [
        "The last day lies before the first.", "Sat 14 Nov is past.", "-1 is no number of rooms.",
    ]  # fmt: skip
    with transaction():
        cases.end_case(stored(case), CaseState.WITHDRAWN, upset.administrator)
    with pytest.raises(Conflict), transaction():
        cases.end_case(stored(case), CaseState.WITHDRAWN, upset.administrator)
    with pytest.raises(BadInputs), transaction():
        opening.correct_rooms(stored(case), 3, MONDAY, actor=upset.administrator)


def test_a_lesson_is_not_moved_by_hand_to_where_no_room_is_free(upset: Upset) -> None:
    with transaction():
        opening.lose_rooms(campus(upset), THURSDAY, THURSDAY, 1, actor=None)
    row = upset.lessons(upset.english, upset.two)[0]
    taken = upset.lessons(upset.chinese, upset.one)[3]
    slots = {(c.at.day, c.at.slot.period): c for c in slot_checks.check_week(row, WEEK)}
    assert slots[THURSDAY, taken.period_number].verdict is Verdict.CLASH
    assert [p.text() for p in slots[THURSDAY, taken.period_number].reasons] == [
        "No online room is free on Thu 26 Nov, 8:00: there are 1, and 1 lessons need one then."
    ]
    assert slots[THURSDAY, 5].verdict is Verdict.FREE


def test_going_back_to_school_changes_the_place_and_nothing_else(upset: Upset) -> None:
    before = [(row.uid, row.starts_at, leads(row)) for row in upset.lessons()]
    with transaction():
        case = opening.come_back(campus(upset), WEDNESDAY, reason="复课", actor=upset.administrator)
    case = computed(case)
    put_in_force(upset, case, ways(case)[0])
    assert [(row.uid, row.starts_at, leads(row)) for row in upset.lessons()] == before
    modes = {day_of(row) >= WEDNESDAY: row.mode for row in upset.lessons()}
    assert modes == {False: LessonMode.ONLINE, True: LessonMode.IN_PERSON}
    assert by_way(stored(case), ways(case)[0]).figures["delayed"] == 0


def test_nobody_comes_back_to_a_school_that_an_organisation_above_has_closed(upset: Upset) -> None:
    """Nor is a closure that was announced for later called off with it."""
    later = date(2027, 1, 4)
    with transaction():
        db.session.execute(sa.delete(OnlineSpan))
        online(upset.school.group, MONDAY, THURSDAY)
        online(campus(upset), later, later + timedelta(days=4))
    with pytest.raises(BadInputs) as refusal, transaction():
        opening.come_back(campus(upset), WEDNESDAY, actor=upset.administrator)
    assert refusals(refusal) == [f"{upset.school.group.name} is closed on Wed 25 Nov, and its schools with it."]
    with pytest.raises(BadInputs) as refusal, transaction():
        opening.come_back(campus(upset), later - timedelta(days=7), actor=upset.administrator)
    assert refusals(refusal) == ["It is not online on Mon 28 Dec."]
    own = db.session.scalars(sa.select(OnlineSpan).filter_by(organisation_id=campus(upset).id)).one()
    assert own.last_day == later + timedelta(days=4)


def test_one_class_goes_online_alone(upset: Upset) -> None:
    with transaction():
        db.session.execute(sa.delete(OnlineSpan))
        for row in upset.lessons():
            row.mode = LessonMode.IN_PERSON
        case = opening.go_online(campus(upset), MONDAY, TUESDAY, group=upset.two, actor=upset.administrator)
    case = computed(case)
    put_in_force(upset, case, ways(case)[0])
    online = {(row.audience[0].class_id, day_of(row)) for row in upset.lessons() if row.mode is LessonMode.ONLINE}
    assert online == {(upset.two.id, MONDAY), (upset.two.id, TUESDAY)}


def test_days_that_are_online_already_are_refused(upset: Upset) -> None:
    with pytest.raises(BadInputs) as refusal, transaction():
        opening.go_online(campus(upset), MONDAY, TUESDAY, actor=upset.administrator)
    assert refusals(refusal) == ["These days are online already."]


def test_a_teacher_asks_for_a_lesson_to_move_and_gets_what_was_wished_for(upset: Upset) -> None:
    row = upset.lessons(upset.chinese, upset.one)[0]
    with transaction():
        case = opening.ask_to_move(row, day=THURSDAY, period=4, reason="家长会", actor=upset.wang)
    with pytest.raises(BadInputs) as refusal, transaction():
        opening.ask_to_move(row, actor=upset.wang)
    assert refusals(refusal) == ["It was asked already that this lesson moves."]
    case = computed(case)
    put_in_force(upset, case, "wish")
    moved = next(lesson for lesson in upset.lessons() if lesson.uid == row.uid)
    assert (day_of(moved), moved.period_number) == (THURSDAY, 4)
    assert stored(case).state is CaseState.DECIDED


def test_a_changed_plan_gives_the_lessons_their_new_units_without_disturbing_anybody(upset: Upset) -> None:
    newer = approved_again(upset, "新")
    case = computed(db.session.scalars(sa.select(ChangeCase)).one())
    assert ways(case)[0] == "units"
    assert by_way(case, "units").figures["people"] == 0
    put_in_force(upset, case, "units")
    keys = {unit.key for unit in newer.units}
    assert {key for key, _ in units(upset.lessons(upset.chinese, upset.one))} <= keys
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Notification)) == 0


def test_proposals_for_an_older_version_of_a_plan_are_given_up_at_once(upset: Upset) -> None:
    approved_again(upset, "新")
    case = computed(db.session.scalars(sa.select(ChangeCase)).one())
    old = by_way(case, "units").change_set
    newest = approved_again(upset, "最新")
    with pytest.raises(Conflict) as refusal, transaction():
        changes.apply(old, upset.administrator)
    assert refusal.value.text() == "This change was given up."
    put_in_force(upset, computed(case), "units")
    keys = {unit.key for unit in newest.units}
    assert {key for key, _ in units(upset.lessons(upset.chinese, upset.one))} <= keys


def test_no_way_to_follow_a_changed_plan_breaks_a_rule(upset: Upset, monkeypatch: pytest.MonkeyPatch) -> None:
    def torn(desk: Desk, courses: object) -> tuple[list[Change], set[str]]:
        first = next(row for row in upset.lessons(upset.chinese, upset.one))
        after = replace(desk.lessons[first.id], period_number=5)
        second = upset.lessons(upset.chinese, upset.one)[1]
        move = second.starts_at - first.starts_at + timedelta(hours=5)
        after = replace(after, starts_at=first.starts_at + move, ends_at=first.ends_at + move)
        return [(first.id, after)], {WEEK}

    monkeypatch.setattr(plan_changes, "_filled", torn)
    approved_again(upset, "新")
    case = computed(db.session.scalars(sa.select(ChangeCase)).one())
    assert "fill" in ways(case)
    with transaction():
        rule = Stated(upset.chinese.id, RuleType.SPREAD, number=1)
        add_rule(campus(upset), rule, actor=None)
        cases.compute_again(case, actor=None)
    assert "fill" not in ways(computed(case))


def test_asking_again_while_proposals_are_worked_out_is_not_lost(upset: Upset, monkeypatch: pytest.MonkeyPatch) -> None:
    english = next(row for row in upset.lessons(upset.english) if day_of(row) == MONDAY)
    worked_out = runs.options

    def slow(case: ChangeCase, *more: object) -> list[Option]:
        found = worked_out(case, *more)  # type: ignore[arg-type]
        if case.asked == 1:
            with transaction():
                cancel_lesson(english, actor=upset.administrator)
                cases.compute_again(stored(case), actor=upset.administrator)
        return found

    monkeypatch.setattr(runs, "options", slow)
    case = absent(upset)
    assert case.computing is RunState.DONE
    assert not cases.meanwhile(case).stale


def test_proposals_for_lessons_that_have_begun_are_said_to_be_stale(upset: Upset) -> None:
    case = absent(upset)
    first = upset.lessons(upset.chinese)[0]
    with clock.at(first.starts_at):
        assert cases.meanwhile(stored(case)).stale
        with pytest.raises(Conflict), transaction():
            cases.decide(case, by_way(case, "substitute").change_set, upset.administrator)
    assert leads(upset.lessons(upset.chinese)[0]) == [upset.wang.id]


def test_where_nothing_is_hit_there_is_nothing_to_decide(upset: Upset) -> None:
    with transaction():
        case = opening.lose_rooms(campus(upset), MONDAY, TUESDAY, 50, actor=upset.administrator)
    assert computed(case).state is CaseState.DECIDED


def test_a_closed_case_changes_nothing(upset: Upset) -> None:
    case = absent(upset)
    with transaction():
        cases.end_case(case, CaseState.CLOSED, upset.administrator)
    assert stored(case).state is CaseState.CLOSED
    assert {p.change_set.state for p in stored(case).proposals} == {ChangeState.DISCARDED}
    assert leads(upset.lessons(upset.chinese)[0]) == [upset.wang.id]
