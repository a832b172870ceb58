"""School subjects, as courses and classes name them (``subjectCodes``, ``subjects``, ``metadata.subjectsEn``)."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from lms_bridge.roster.models import Subject
from lms_bridge.roster.oneroster.known import Counts
from lms_bridge.roster.oneroster.values import short_code, words

CODE_LENGTH = 40
NAME_LENGTH = 100


class Subjects:
    """The subjects there are, and what the file says of them; the first row that names one decides its names."""

    def __init__(self, connection: Connection) -> None:
        found = connection.execute(sa.select(Subject.code, Subject.id, Subject.name, Subject.name_en))
        self.before = {row.code: (row.id, row.name, row.name_en) for row in found}
        self.said: dict[str, tuple[str, str]] = {}

    def __contains__(self, code: str) -> bool:
        return code in self.said or code in self.before

    def named(self, codes: str, names: str, names_en: str) -> list[str]:
        """Note the subjects of a row's list cells; their codes. Without codes the names serve as codes."""
        code_list, name_list, en_list = words(codes), words(names), words(names_en)
        if not code_list:
            code_list = name_list
        found = []
        for n, text in enumerate(code_list):
            code = short_code(text, CODE_LENGTH)
            name = name_list[n] if n < len(name_list) else ""
            if name:
                name_en = en_list[n] if n < len(en_list) else name
                self.said.setdefault(code, (name[:NAME_LENGTH], name_en[:NAME_LENGTH]))
            elif code not in self:
                self.said[code] = (code, code)
            found.append(code)
        return found

    def difference(self) -> tuple[Counts, dict[str, tuple[str, str]]]:
        """Counts, and the names (Chinese or as given, English) of each code that is new or has other names now."""
        counts, write = Counts(), {}
        for code, names in self.said.items():
            before = self.before.get(code)
            if before is None:
                counts.new += 1
            elif before[1:] == names:
                counts.unchanged += 1
                continue
            else:
                counts.changed += 1
            write[code] = names
        return counts, write
