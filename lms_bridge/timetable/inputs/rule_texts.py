"""Subject rules in words, put into words only when shown, in the reader's language."""

from __future__ import annotations

from dataclasses import dataclass

from lms_bridge.core.i18n import N_, gettext
from lms_bridge.timetable.inputs.models import DayPart, RuleType, WeekParity
from lms_bridge.timetable.inputs.stated_rules import Stated
from lms_bridge.timetable.solving.problem import WEEKDAYS
from lms_bridge.timetable.wording import SubjectName

WEEK_WORDS = {
    WeekParity.EVERY: N_("every week"),
    WeekParity.ODD: N_("odd weeks"),
    WeekParity.EVEN: N_("even weeks"),
}


@dataclass(frozen=True, slots=True)
class Said:
    """A message id that is translated when it is shown."""

    message: str

    def __str__(self) -> str:
        return gettext(self.message)


@dataclass(frozen=True, slots=True)
class RuleText:
    """A rule as a sentence: "Mathematics: 2 double periods a week (grade 5, odd weeks)"."""

    rule: Stated
    subject: SubjectName
    other: SubjectName | None = None
    class_title: str = ""

    def __str__(self) -> str:
        return gettext("%(subject)s: %(what)s (%(scope)s)", subject=self.subject, what=self.what(), scope=self.scope())

    def what(self) -> str:
        """What it asks for."""
        rule = self.rule
        match rule.kind:
            case RuleType.DOUBLES:
                if (rule.number or 1) == 1:
                    return gettext("one double period a week")
                return gettext("%(number)s double periods a week", number=rule.number)
            case RuleType.SPREAD:
                return gettext("at most %(number)s periods on one day", number=rule.number or 1)
            case RuleType.NOT_SAME_DAY:
                return gettext("not on the same day as %(other)s", other=self.other)
            case RuleType.BEFORE:
                return gettext("before %(other)s on a day with both", other=self.other)
            case RuleType.PREFERRED:
                return self._part()
            case RuleType.FIXED:
                day = gettext(WEEKDAYS[rule.weekday or 0])
                return gettext("fixed on %(day)s period %(period)s", day=day, period=rule.first_period)
            case RuleType.WEEKS:
                return gettext("only taught in some weeks")

    def _part(self) -> str:
        if self.rule.day_part is DayPart.MORNING:
            return gettext("best in the morning")
        if self.rule.day_part is DayPart.AFTERNOON:
            return gettext("best in the afternoon")
        return gettext(
            "best in periods %(first)s to %(last)s", first=self.rule.first_period, last=self.rule.last_period
        )

    def scope(self) -> str:
        """For whom and when it holds."""
        if self.class_title:
            whom = gettext("class %(group)s", group=self.class_title)
        elif self.rule.grade:
            whom = gettext("grade %(grade)s", grade=self.rule.grade)
        else:
            whom = gettext("all classes")
        if self.rule.weeks is WeekParity.EVERY:
            return whom
        return gettext(", ").join((whom, gettext(WEEK_WORDS[self.rule.weeks])))
