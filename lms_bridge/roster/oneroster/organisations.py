"""Reading orgs.csv into the tree of bureau, groups and campuses.

``school`` is a campus. Of all other types, the one without a parent is the bureau (one per installation) and those
below it are groups, whatever the word; a department of a school is read as the school itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from lms_bridge.core.i18n import LOCALES, N_
from lms_bridge.roster.models import Organisation, OrganisationKind
from lms_bridge.roster.oneroster.plan import Org, Plan
from lms_bridge.roster.oneroster.rows import Rows
from lms_bridge.roster.oneroster.tables import ORG_TYPES, ORGS
from lms_bridge.roster.oneroster.values import digest, is_zone, short_code

CODE_LENGTH = 40
DEEPEST = 12


@dataclass
class OrgRow:
    """One row of orgs.csv."""

    line: int
    key: str
    name: str
    type: str
    code: str
    parent: str
    name_en: str
    zone: str
    locale: str
    country: str
    digest: int


def read_organisations(plan: Plan) -> None:
    """Fill ``plan.orgs`` with all organisations in force, and spool those that change."""
    _load(plan)
    rows: dict[str, OrgRow] = {}
    known = plan.known["organisation"]
    if plan.archive.mode("orgs") != "absent":
        for line, cells in Rows(plan.archive, ORGS, plan.problems, plan.tick(ORGS)):
            if plan.is_active(known, ORGS, line, cells[0], cells[1]):
                row = _row(plan, line, cells)
                if row is not None:
                    rows[row.key] = row
    before = dict(plan.orgs)
    for key in before:
        if known.bulk or key in known.deleted:
            del plan.orgs[key]
    bureau = _Tree(plan, rows, before).place_all()
    if bureau is None and not plan.problems.count:
        plan.problems.add(
            N_("No organisation stands above the schools."),
            file=ORGS.file,
            remedy=N_("Add one of the type district without a parent: it is the bureau."),
        )
    plan.gone["organisation"] = known.close()


def _load(plan: Plan) -> None:
    """What the source's organisations were before."""
    known = plan.known["organisation"]
    query = sa.select(Organisation.id, Organisation.kind, Organisation.locale)
    rows = {row.id: row for row in plan.connection.execute(query)}
    for key in known.hashes:
        row = rows[known.ids[key]]
        plan.orgs[key] = Org(row.id, row.kind, row.locale)


def _row(plan: Plan, line: int, cells: list[str]) -> OrgRow | None:
    key, _, name, kind, identifier, parent, name_en, zone, locale, country = cells
    before = plan.problems.count
    if kind not in ORG_TYPES:
        plan.problems.add(
            N_("This is no type of an organisation."),
            file=ORGS.file,
            row=line,
            column="type",
            value=kind,
            remedy=N_("%(allowed)s would be right."),
            allowed=", ".join(sorted(ORG_TYPES)),
        )
    if zone and not is_zone(zone):
        plan.problems.add(
            N_("This is no time zone."),
            file=ORGS.file,
            row=line,
            column="metadata.zone",
            value=zone,
            remedy=N_("A name such as Asia/Shanghai would be right."),
        )
    if locale and locale not in LOCALES:
        plan.problems.add(
            N_("This language is not spoken here."),
            file=ORGS.file,
            row=line,
            column="metadata.locale",
            value=locale,
            remedy=N_("zh-CN or en would be right."),
        )
    if plan.problems.count > before:
        plan.problems.spoil(ORGS.file, key)
        return None
    code = short_code(identifier or key, CODE_LENGTH)
    return OrgRow(line, key, name, kind, code, parent, name_en, zone, locale, country, digest(cells[2:]))


class _Tree:
    """Places every row below its parent and gives it its kind."""

    def __init__(self, plan: Plan, rows: dict[str, OrgRow], before: dict[str, Org]) -> None:
        self.plan = plan
        self.rows = rows
        self.before = before
        self.known = plan.known["organisation"]
        self.placed: dict[str, Org | None] = {}
        found = plan.connection.execute(
            sa.select(Organisation.id, Organisation.code, Organisation.kind, Organisation.locale)
        ).all()
        self.codes = {row.code: row.id for row in found}
        self.bureau: Org | None = next(
            (Org(row.id, row.kind, row.locale) for row in found if row.kind is OrganisationKind.BUREAU), None
        )

    def place_all(self) -> Org | None:
        """Place all rows, parents first; the bureau, or None if there is none."""
        roots = [row for row in self.rows.values() if not row.parent and row.type != "school"]
        for row in roots[1:]:
            self.plan.problems.add(
                N_("A second organisation without a parent; the bureau is the one in row %(first)s."),
                file=ORGS.file,
                row=row.line,
                column="parentSourcedId",
                remedy=N_("Name its parent; an installation has one bureau."),
                first=roots[0].line,
            )
            self._spoil(row.key)
        if roots:
            self._place_bureau(roots[0])
        for key in self.rows:
            self._place(key, ())
        return self.bureau

    def _spoil(self, key: str) -> None:
        self.placed[key] = None
        self.plan.problems.spoil(ORGS.file, key)

    def _place_bureau(self, row: OrgRow) -> None:
        bureau = self.bureau
        if bureau is not None and self.known.ids.get(row.key, bureau.number) != bureau.number:
            self.plan.problems.add(
                N_("This organisation was below the bureau before, and there is one bureau already."),
                file=ORGS.file,
                row=row.line,
                column="parentSourcedId",
                remedy=N_("Name its parent; an installation has one bureau."),
            )
            self._spoil(row.key)
            return
        self.bureau = self._add(row, OrganisationKind.BUREAU, None, bureau.number if bureau is not None else None)

    def _place(self, key: str, below: tuple[str, ...]) -> Org | None:
        """Place one row and, before it, those above it; None if it is not there or cannot be placed (then named)."""
        if key in self.placed:
            return self.placed[key]
        row = self.rows.get(key)
        if row is None:
            return self.plan.orgs.get(key)
        if key in below or len(below) >= DEEPEST:
            self.plan.problems.add(
                N_("The organisation stands, through its parents, below itself or too deep."),
                file=ORGS.file,
                row=row.line,
                column="parentSourcedId",
                value=row.parent,
                remedy=N_("Correct the parents; at most %(deepest)s levels are allowed."),
                deepest=DEEPEST,
            )
            self._spoil(key)
            return None
        parent = self._place(row.parent, (*below, key)) if row.parent else self.bureau
        if key in self.placed:
            return None
        if parent is None:
            self._spoil(key)
            if row.parent:
                self.plan.unknown(
                    N_("There is no such organisation."), ORGS, row.line, "parentSourcedId", row.parent, "orgs"
                )
            return None
        if row.type == "school":
            return self._add(row, OrganisationKind.CAMPUS, parent)
        if parent.kind is OrganisationKind.CAMPUS:
            self.plan.note(N_("Departments below a school are read as the school itself."))
            return self._add(row, OrganisationKind.CAMPUS, parent, parent.number)
        return self._add(row, OrganisationKind.GROUP, parent)

    def _add(self, row: OrgRow, kind: OrganisationKind, parent: Org | None, same_as: int | None = None) -> Org:
        """Put a row in force. ``same_as``: the number of the organisation that it stands for (none: its own row)."""
        number, write = self.known.keep(row.key, row.digest)
        if same_as is not None:
            number = self.known.ids[row.key] = self.known.active[row.key] = same_as
        stands_for = parent is not None and same_as is not None
        if not stands_for:
            self._claim_code(row, number)
        before = self.before.get(row.key)
        inherited = before.locale if before is not None else parent.locale if parent else self.plan.default_locale
        org = Org(number, kind, row.locale or inherited)
        self.placed[row.key] = self.plan.orgs[row.key] = org
        if write:
            above = None if parent is None or stands_for else parent.number
            self.plan.spools["organisation"].add(
                (
                    number, row.key, row.digest, stands_for, kind.value, above, row.code, row.name,
                    row.name_en, row.zone, row.locale, row.country,
                )
            )  # fmt: skip
        return org

    def _claim_code(self, row: OrgRow, number: int) -> None:
        if self.codes.setdefault(row.code, number) != number:
            self.plan.problems.add(
                N_("Another organisation has this code."),
                file=ORGS.file,
                row=row.line,
                column="identifier",
                value=row.code,
                remedy=N_("Give each organisation an identifier of its own, or none."),
            )
