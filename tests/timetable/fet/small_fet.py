"""A small school as a ``.fet`` file, to which a test adds the constraints it is about."""

from __future__ import annotations

from collections.abc import Iterable
from xml.sax.saxutils import escape

from lms_bridge.timetable.fet.timetable import Timetable

NESTED = {
    "Preferred_Starting_Time": ("Preferred_Starting_Day", "Preferred_Starting_Hour"),
    "Preferred_Time_Slot": ("Preferred_Day", "Preferred_Hour"),
    "Selected_Time_Slot": ("Selected_Day", "Selected_Hour"),
}
DAYS, HOURS = ("Monday", "Tuesday", "Wednesday"), ("1", "2", "3", "4")

STARTS = {1: (0, 0), 2: (1, 0), 3: (0, 2), 4: (0, 0), 5: (1, 1)}
"""A timetable that keeps the basic rules. Ms Wang teaches on Monday 1 and Tuesday 1-2, Mr Li on Monday 1 and 3-4; 5-1
is there on Monday 1, 3, 4 and Tuesday 1, 5-2 on Monday 1 and Tuesday 2."""

ROOMS = {1: "Lab", 2: "Lab", 3: "Hall"}
BASE = Timetable(STARTS, ROOMS)


def constraint(kind: str, fields: str, weight: float = 100, *, active: bool = True) -> str:
    """One constraint in XML; ``fields`` is like ``Activity_Id=1; Activity_Id=2; Break_Time=Monday/4``."""
    parts = []
    for pair in filter(None, (part.strip() for part in fields.split(";"))):
        name, value = pair.split("=", 1)
        if "/" in value:
            day, hour = value.split("/")
            first, second = NESTED.get(name, ("Day", "Hour"))
            parts.append(f"<{name}><{first}>{day}</{first}><{second}>{hour}</{second}></{name}>")
        else:
            parts.append(f"<{name}>{escape(value)}</{name}>")
    return (
        f"<Constraint{kind}><Weight_Percentage>{weight:g}</Weight_Percentage>{''.join(parts)}"
        f"<Active>{str(active).lower()}</Active><Comments></Comments></Constraint{kind}>"
    )


def small_fet(time: Iterable[str] = (), space: Iterable[str] = (), *, mode: str = "Official") -> bytes:
    """The file. Year 5 has the classes 5-1 (30 students) and 5-2 (28); activities 1 and 2 are one split course."""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<fet version="6.8.5"><Mode>{mode}</Mode><Institution_Name>Small school</Institution_Name><Comments></Comments>
<Days_List><Number_of_Days>3</Number_of_Days>{_named("Day", DAYS)}</Days_List>
<Hours_List><Number_of_Hours>4</Number_of_Hours>{_named("Hour", HOURS)}</Hours_List>
<Subjects_List>{_named("Subject", ("Maths", "Music"))}</Subjects_List>
<Activity_Tags_List>{_named("Activity_Tag", ("Loud",))}</Activity_Tags_List>
<Teachers_List>{_named("Teacher", ("Wang", "Li"))}</Teachers_List>
<Students_List><Year><Name>5</Name><Number_of_Students>58</Number_of_Students>
<Group><Name>5-1</Name><Number_of_Students>30</Number_of_Students></Group>
<Group><Name>5-2</Name><Number_of_Students>28</Number_of_Students></Group></Year></Students_List>
<Activities_List>
{_activity(1, "Wang", "Maths", "5-1", 1, total=2, group=1)}{_activity(2, "Wang", "Maths", "5-1", 1, total=2, group=1)}
{_activity(3, "Li", "Music", "5-1", 2, tag="Loud")}{_activity(4, "Li", "Maths", "5-2", 1)}
{_activity(5, "Wang", "Music", "5-2", 1, tag="Loud")}
</Activities_List>
<Buildings_List>{_named("Building", ("North", "South"))}</Buildings_List>
<Rooms_List>{_room("Lab", "North", 30)}{_room("Hall", "South", 200)}{_room("Closet", "", 5)}
<Room><Name>Both</Name><Building></Building><Capacity>200</Capacity><Virtual>true</Virtual>
<Number_of_Sets_of_Real_Rooms>2</Number_of_Sets_of_Real_Rooms>
<Set_of_Real_Rooms><Number_of_Real_Rooms>1</Number_of_Real_Rooms><Real_Room>Lab</Real_Room></Set_of_Real_Rooms>
<Set_of_Real_Rooms><Number_of_Real_Rooms>2</Number_of_Real_Rooms><Real_Room>Lab</Real_Room><Real_Room>Hall</Real_Room>
</Set_of_Real_Rooms></Room></Rooms_List>
<Time_Constraints_List>{constraint("BasicCompulsoryTime", "")}{"".join(time)}</Time_Constraints_List>
<Space_Constraints_List>{constraint("BasicCompulsorySpace", "")}{"".join(space)}</Space_Constraints_List>
</fet>""".encode()


def _named(item: str, names: Iterable[str]) -> str:
    return "".join(f"<{item}><Name>{name}</Name></{item}>" for name in names)


def _room(name: str, building: str, capacity: int) -> str:
    return (
        f"<Room><Name>{name}</Name><Building>{building}</Building><Capacity>{capacity}</Capacity>"
        "<Virtual>false</Virtual></Room>"
    )


def _activity(
    number: int, teacher: str, subject: str, students: str, hours: int, total: int = 0, group: int = 0, tag: str = ""
) -> str:
    return (
        f"<Activity><Teacher>{teacher}</Teacher><Subject>{subject}</Subject>"
        f"{f'<Activity_Tag>{tag}</Activity_Tag>' if tag else ''}<Students>{students}</Students>"
        f"<Duration>{hours}</Duration><Total_Duration>{total or hours}</Total_Duration><Id>{number}</Id>"
        f"<Activity_Group_Id>{group}</Activity_Group_Id><Active>true</Active><Comments></Comments></Activity>"
    )
