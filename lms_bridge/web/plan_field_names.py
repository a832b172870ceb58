"""What people call the fields of a unit, where columns are named and assumed values are marked."""

from __future__ import annotations

from lms_bridge.core.i18n import N_
from lms_bridge.plans.reading.headings import Field

FIELD_NAMES: dict[Field, str] = {
    "week": N_("Week of teaching"),
    "dates": N_("Dates"),
    "starts": N_("First day"),
    "ends": N_("Last day"),
    "when": N_("Week or dates"),
    "unit": N_("Unit"),
    "topic": N_("Topic of the lesson"),
    "content": N_("Content"),
    "periods": N_("Periods"),
    "objectives": N_("Objectives"),
    "key_points": N_("Key and difficult points"),
    "methods": N_("Methods"),
    "homework": N_("Homework"),
    "materials": N_("Materials"),
    "remarks": N_("Remarks"),
    "online_alternative": N_("Online alternative"),
    "number": N_("Number in the list"),
}
ASSUMED_NAMES = {
    "title": N_("title"),
    "content": N_("content"),
    "periods": N_("periods"),
    "week_from": N_("weeks"),
    "week_to": N_("weeks"),
    "date_from": N_("dates"),
    "date_to": N_("dates"),
    "objectives": N_("objectives"),
    "key_points": N_("key points"),
    "methods": N_("methods"),
    "homework": N_("homework"),
    "materials": N_("materials"),
    "remarks": N_("remarks"),
    "online_alternative": N_("online instead"),
}
