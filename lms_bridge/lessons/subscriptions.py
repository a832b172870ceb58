"""What lessons listen to, and what they hand down to the timetable."""

from __future__ import annotations

from lms_bridge.core.events import subscribe
from lms_bridge.lessons import capacity, joinlinks, meetings, stuck, telling
from lms_bridge.notices import kinds
from lms_bridge.timetable.addresses import register_personal_links
from lms_bridge.timetable.events import LessonsChanged
from lms_bridge.timetable.rooms import register_room_states
from lms_bridge.timetable.weeks.capacity import register_rooms


@subscribe(LessonsChanged)
def follow_the_timetable(fact: LessonsChanged) -> None:
    """Rooms follow their lessons, in the transaction of the change."""
    meetings.follow(fact.lesson_ids)


register_personal_links(joinlinks.personal_urls)
register_room_states(meetings.room_states)
register_rooms(capacity.rooms)
kinds.register(telling.KIND)
kinds.register(stuck.KIND)
