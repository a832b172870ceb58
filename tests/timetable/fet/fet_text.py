"""Small ``.fet`` files for tests, written out as FET writes them."""

from __future__ import annotations

from collections.abc import Iterable
from xml.sax.saxutils import escape


def element(name: str, *inside: str | tuple[str, object]) -> str:
    """An XML element with ready-made inner elements or (name, text) pairs."""
    parts = [part if isinstance(part, str) else f"<{part[0]}>{escape(str(part[1]))}</{part[0]}>" for part in inside]
    return f"<{name}>{''.join(parts)}</{name}>"


def named(part: str, item: str, names: Iterable[str]) -> str:
    """A list of things that have a name only."""
    return element(part, *(element(item, ("Name", name)) for name in names))


def activity(
    number: int, teacher: str, students: str, *, hours: int = 1, subject: str = "S", tags: Iterable[str] = (), group=0
) -> str:
    """One activity of one teacher and one students set."""
    return element(
        "Activity", ("Teacher", teacher), ("Subject", subject), *(("Activity_Tag", tag) for tag in tags),
        ("Students", students), ("Duration", hours), ("Total_Duration", hours), ("Id", number),
        ("Activity_Group_Id", group), ("Active", "true"),
    )  # fmt: skip


def rule(kind: str, *fields: str | tuple[str, object], weight: float = 100, active: bool = True) -> str:
    """A constraint."""
    return element(
        f"Constraint{kind}", ("Weight_Percentage", weight), *fields, ("Active", "true" if active else "false")
    )


def times(part: str, slots: Iterable[tuple[int, int]], day: str = "Day", hour: str = "Hour") -> list[str]:
    """Nested elements for (day, hour) slots; days are D1, D2, ... and hours H1, H2, ..."""
    return [element(part, (day, f"D{d + 1}"), (hour, f"H{h + 1}")) for d, h in slots]


def fet_text(
    activities: Iterable[str],
    *,
    days: int = 5,
    hours: int = 4,
    teachers: Iterable[str] = ("T1", "T2", "T3"),
    students: Iterable[str] = ("A", "B"),
    rooms: Iterable[str] = (),
    time: Iterable[str] = (),
    space: Iterable[str] = (),
    years: str | None = None,
    version: str = "6.8.5",
) -> bytes:
    """A whole file. ``students`` are years without groups unless ``years`` gives the inside of the list."""
    if years is None:
        years = "".join(element("Year", ("Name", name), ("Number_of_Students", 10)) for name in students)
    inside = [
        element("Institution_Name"),
        named("Days_List", "Day", (f"D{d + 1}" for d in range(days))),
        named("Hours_List", "Hour", (f"H{h + 1}" for h in range(hours))),
        named("Subjects_List", "Subject", ("S", "Sport")),
        named("Activity_Tags_List", "Activity_Tag", ("lab", "late")),
        named("Teachers_List", "Teacher", teachers),
        f"<Students_List>{years}</Students_List>",
        element("Activities_List", *activities),
        element("Buildings_List"),
        element("Rooms_List", *(element("Room", ("Name", name), ("Capacity", 30)) for name in rooms)),
        element("Time_Constraints_List", rule("BasicCompulsoryTime"), *time),
        element("Space_Constraints_List", rule("BasicCompulsorySpace"), *space),
    ]
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<fet version="{version}">{"".join(inside)}</fet>'
    return text.encode()
