"""The online-teaching implementation plan of a class or a campus as a Word document."""

from __future__ import annotations

from collections import defaultdict

from lms_bridge.core.clock import local
from lms_bridge.core.i18n import get_locale, gettext, use_locale
from lms_bridge.notices.dates import say_day
from lms_bridge.plans.export.about import made_on, say_full_day
from lms_bridge.plans.export.pieces import Cell, Head, Paper, TableColumn
from lms_bridge.plans.models import PlanUnit
from lms_bridge.plans.review import STATE_NAMES
from lms_bridge.roster.models import ClassGroup
from lms_bridge.timetable.models import Lesson, LessonMode
from lms_bridge.timetable.reports.implementation import Implementation, Taught


def class_docx(found: Implementation, locale: str) -> bytes:
    """The plan of the one class of ``found``, in ``locale``."""
    with use_locale(locale):
        (group,) = found.groups
        title = gettext("Online teaching plan of class %(group)s", group=group.title)
        paper = _paper(found, title)
        paper.facts(
            [
                (gettext("Class"), group.title),
                (gettext("Grade"), group.grade),
                (gettext("Term"), found.term.title),
                (gettext("Subjects"), str(len(found.taught))),
                (gettext("Lessons in the week"), str(len(found.lessons))),
            ],
            columns=3,
        )
        _online(paper, found)
        paper.heading(gettext("Subjects and teachers"))
        _subjects(paper, found.of(group))
        paper.heading(gettext("Lessons of week %(week)s", week=found.week))
        _week(paper, found)
        _limits(paper, found)
        _units(paper, found.of(group))
        paper.heading(gettext("How to join"))
        paper.paragraph(
            gettext(
                "Each lesson has one link, in the timetable, in the messages and in the calendar. It stays the same "
                "when the time, the teacher or the room changes."
            )
        )
        return _end(paper, found)


def campus_docx(found: Implementation, locale: str) -> bytes:
    """The plan of a whole campus, in ``locale``."""
    with use_locale(locale):
        title = gettext("Online teaching plan of %(campus)s", campus=found.campus.label(locale))
        paper = _paper(found, title)
        missing = [row for row in found.taught if row.approved is None]
        paper.facts(
            [
                (gettext("Classes"), str(len(found.groups))),
                (gettext("Plans needed"), str(len(found.taught))),
                (gettext("approved"), str(len(found.taught) - len(missing))),
                (gettext("Lessons in the week"), str(len(found.lessons))),
                (gettext("Weeks"), found.week),
            ],
            columns=3,
        )
        _online(paper, found)
        paper.heading(gettext("Classes and subjects"))
        _subjects(paper, found.taught, with_class=True)
        paper.heading(gettext("What is missing"))
        _missing(paper, missing)
        _limits(paper, found)
        paper.heading(gettext("Teachers of week %(week)s", week=found.week))
        _loads(paper, found)
        paper.heading(gettext("Units that cannot be taught online as they are"))
        _offline(paper, found)
        return _end(paper, found)


def _paper(found: Implementation, title: str) -> Paper:
    locale = get_locale()
    school = found.campus.label(locale)
    paper = Paper(Head(title=title, school=school, term=found.term.title, locale=locale, foot=title, landscape=True))
    paper.title(title, f"{school} · {found.term.title}")
    return paper


def _end(paper: Paper, found: Implementation) -> bytes:
    paper.signatures([gettext("Class teacher"), gettext("Head of the grade"), gettext("School leader")])
    paper.paragraph(made_on(found.campus.zone), "Remark")
    return paper.save()


def _online(paper: Paper, found: Implementation) -> None:
    paper.heading(gettext("Days online"))
    if not found.online:
        paper.paragraph(gettext("No day of this term is set as online yet."))
        return
    titles = {group.id: group.title for group in found.groups}
    columns = [
        TableColumn(gettext("First day"), 4, fixed=True), TableColumn(gettext("Last day"), 4, fixed=True),
        TableColumn(gettext("Who"), 5), TableColumn(gettext("Why"), 9),
    ]  # fmt: skip
    paper.table(
        columns,
        [
            [
                say_full_day(span.first_day),
                say_full_day(span.last_day) if span.last_day else gettext("until further notice"),
                titles.get(span.class_id or 0, gettext("All classes")),
                span.reason or "–",
            ]
            for span in found.online
        ],
    )


def _subjects(paper: Paper, rows: list[Taught] | tuple[Taught, ...], *, with_class: bool = False) -> None:
    locale = get_locale()
    columns = [TableColumn(gettext("Class"), 3)] if with_class else []
    columns += [
        TableColumn(gettext("Subject"), 3), TableColumn(gettext("Teachers"), 5),
        TableColumn(gettext("Lessons in the week"), 2.4, centre=True),
        TableColumn(gettext("Teaching plan"), 3), TableColumn(gettext("Coverage"), 2, centre=True),
        TableColumn(gettext("Units"), 1.6, centre=True), TableColumn(gettext("Periods"), 1.6, centre=True),
    ]  # fmt: skip
    lines: list[list[Cell | str]] = []
    for row in rows:
        version = row.approved or row.newest
        state = gettext(STATE_NAMES[version.state]) if version is not None else gettext("no plan yet")
        coverage = f"{version.coverage:.0%}" if version is not None and version.coverage is not None else "–"
        line: list[Cell | str] = [row.group.title] if with_class else []
        lines.append(
            [
                *line, row.subject.label(locale), gettext(", ").join(row.teachers), str(row.lessons),
                Cell(state, bold=row.approved is None), coverage,
                str(len(version.units)) if version is not None else "–",
                str(sum(unit.periods for unit in version.units)) if version is not None else "–",
            ]
        )  # fmt: skip
    paper.table(columns, lines)


def _week(paper: Paper, found: Implementation) -> None:
    if not found.lessons:
        paper.paragraph(gettext("No lessons are scheduled yet."))
        return
    zone, locale = found.campus.zone, get_locale()
    cells: defaultdict[tuple[int, str], list[str]] = defaultdict(list)
    times: dict[int, str] = {}
    for lesson in found.lessons:
        start, end = local(lesson.starts_at, zone), local(lesson.ends_at, zone)
        row = lesson.period_number or start.hour * 60 + start.minute
        times.setdefault(row, f"{start:%H:%M}–{end:%H:%M}")
        cells[row, start.date().isoformat()].append(_said(lesson, locale))
    columns = [
        TableColumn(gettext("Period"), 1.8, centre=True, fixed=True),
        TableColumn(gettext("Time"), 2.6, fixed=True),
    ]
    columns += [TableColumn(say_day(day, locale), 4) for day in found.days]
    paper.table(
        columns,
        [
            [str(row) if row < 60 else "–", times[row],
             *("\n".join(cells[row, day.isoformat()]) or "–" for day in found.days)]
            for row in sorted(times)
        ],
    )  # fmt: skip


def _said(lesson: Lesson, locale: str) -> str:
    teachers = gettext(", ").join(part.person.display_name for part in lesson.teachers if part.person.erased_at is None)
    mode = "" if lesson.mode is LessonMode.ONLINE else gettext(" (in person)")
    return f"{lesson.subject.label(locale)}{mode}\n{teachers}"


def _limits(paper: Paper, found: Implementation) -> None:
    paper.heading(gettext("Limits by grade"))
    columns = [
        TableColumn(gettext("Grade"), 2, centre=True, fixed=True),
        TableColumn(gettext("Lessons a day at most"), 4, centre=True),
        TableColumn(gettext("Minutes before a screen at a stretch"), 5, centre=True),
        TableColumn(gettext("Minutes before a screen a day"), 5, centre=True),
        TableColumn(gettext("Written homework a day"), 5, centre=True),
    ]
    lines: list[list[Cell | str]] = []
    for grade, limits in sorted(found.limits.items(), key=lambda item: (len(item[0]), item[0])):
        lines.append(
            [grade, str(limits.periods_per_day), _minutes(limits.minutes_per_lesson),
             _minutes(limits.screen_minutes_per_day), _minutes(limits.homework_minutes_per_day)]
        )  # fmt: skip
    paper.table(columns, lines)
    paper.paragraph("；".join(dict.fromkeys(limits.source for limits in found.limits.values())), "Remark")


def _minutes(value: int | None) -> str:
    if value is None:
        return gettext("no limit")
    return gettext("%(n)s min", n=value) if value else gettext("none")


def _units(paper: Paper, rows: list[Taught]) -> None:
    paper.heading(gettext("What is taught"))
    locale = get_locale()
    columns = [
        TableColumn(gettext("Subject"), 3), TableColumn(gettext("Weeks"), 2, centre=True, fixed=True),
        TableColumn(gettext("Unit"), 8), TableColumn(gettext("Periods"), 1.8, centre=True, fixed=True),
        TableColumn(gettext("Online instead"), 6),
    ]  # fmt: skip
    lines: list[list[Cell | str]] = []
    for row in rows:
        for number, unit in enumerate(row.approved.units if row.approved is not None else ()):
            lines.append(
                [Cell(row.subject.label(locale) if not number else "", bold=True), _weeks(unit), unit.title,
                 str(unit.periods), _alternative(unit)]
            )  # fmt: skip
    if lines:
        paper.table(columns, lines)
    else:
        paper.paragraph(gettext("No teaching plan is approved yet."))


def _weeks(unit: PlanUnit) -> str:
    ends = dict.fromkeys(str(week) for week in (unit.week_from, unit.week_to) if week is not None)
    return "–".join(ends) or "–"


def _alternative(unit: PlanUnit) -> str:
    if unit.online_alternative:
        return unit.online_alternative
    return "–" if unit.online_possible else gettext("not settled yet")


def _missing(paper: Paper, rows: list[Taught]) -> None:
    if not rows:
        paper.paragraph(gettext("Every class and subject has an approved plan."))
        return
    locale = get_locale()
    columns = [
        TableColumn(gettext("Class"), 4), TableColumn(gettext("Subject"), 4), TableColumn(gettext("Teachers"), 7),
        TableColumn(gettext("State"), 5),
    ]  # fmt: skip
    paper.table(
        columns,
        [
            [row.group.title, row.subject.label(locale), gettext(", ").join(row.teachers),
             gettext(STATE_NAMES[row.newest.state]) if row.newest is not None else gettext("no plan yet")]
            for row in rows
        ],
    )  # fmt: skip


def _loads(paper: Paper, found: Implementation) -> None:
    columns = [
        TableColumn(gettext("Teacher"), 6), TableColumn(gettext("Lessons in the week"), 4, centre=True),
        TableColumn(gettext("Classes"), 4, centre=True),
    ]  # fmt: skip
    loads = found.loads()
    if loads:
        paper.table(columns, [[name, str(lessons), str(classes)] for name, lessons, classes in loads])
    else:
        paper.paragraph(gettext("No lessons are scheduled yet."))


def _offline(paper: Paper, found: Implementation) -> None:
    units: dict[str, tuple[PlanUnit, Taught, list[ClassGroup]]] = {}
    for row in found.taught:
        for unit in row.approved.units if row.approved is not None else ():
            if not unit.online_possible or unit.online_alternative:
                units.setdefault(unit.key, (unit, row, []))[2].append(row.group)
    if not units:
        paper.paragraph(gettext("None is marked."))
        return
    locale = get_locale()
    columns = [
        TableColumn(gettext("Subject"), 3), TableColumn(gettext("Unit"), 7), TableColumn(gettext("Classes"), 5),
        TableColumn(gettext("Online instead"), 7),
    ]  # fmt: skip
    paper.table(
        columns,
        [
            [row.subject.label(locale), unit.title, gettext(", ").join(group.title for group in groups),
             Cell(_alternative(unit), bold=not unit.online_alternative)]
            for unit, row, groups in units.values()
        ],
    )  # fmt: skip
