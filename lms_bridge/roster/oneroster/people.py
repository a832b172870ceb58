"""Reading users.csv and roles.csv: people, how they are reached, and what they are where."""

from __future__ import annotations

from lms_bridge.core.i18n import LOCALES, N_
from lms_bridge.roster.oneroster.plan import Plan
from lms_bridge.roster.oneroster.rows import Rows
from lms_bridge.roster.oneroster.tables import (
    ROLE_BITS,
    ROLES,
    USER_ROLES,
    USERS_1_1,
    USERS_1_2,
    Table,
)
from lms_bridge.roster.oneroster.values import digest, is_email, is_phone, is_zone, iso_date, short_code, words

KEY_LENGTH = 255
TRUTH = {"true": True, "false": False}
NO_SUCH_PERSON = N_("There is no such user.")
NO_SUCH_ORGANISATION = N_("There is no such organisation.")


def read_users(plan: Plan) -> None:
    """Note the people in force; spool those that change, and whom each is tied to (``agentSourcedIds``)."""
    known = plan.known["person"]
    table = USERS_1_1 if plan.archive.version == "1.1" else USERS_1_2
    if plan.archive.mode("users") != "absent":
        write_person, write_ties = plan.spools["person"].add, plan.spools["agents"].add
        for line, cells in Rows(plan.archive, table, plan.problems, plan.tick(table)):
            key = cells[0]
            if not plan.is_active(known, table, line, key, cells[1]):
                continue
            language = _check_person(plan, table, line, cells)
            if language is None:
                plan.problems.spoil(table.file, key)
                continue
            row_hash = digest((*cells[2:12], *cells[13:16]))
            number, changed = known.keep(key, row_hash)
            if cells[12] or cells[16]:
                write_ties((number, line, cells[12], cells[16]))
            if changed:
                write_person((number, key, row_hash, language, *cells[2:12], cells[14], cells[15]))
            if table is USERS_1_1:
                _roles_of_user(plan, line, key, number, cells[17], cells[18])
    plan.gone["person"] = known.close()


def _check_person(plan: Plan, table: Table, line: int, cells: list[str]) -> str | None:
    """The language of the person (their own, else that of their organisation); None if the row is wrong (named)."""
    before = plan.problems.count
    problems, file = plan.problems, table.file
    if cells[2].lower() not in TRUTH:
        problems.add(
            N_("This is neither true nor false."), file=file, row=line, column="enabledUser", value=cells[2],
            remedy=N_("true or false would be right."),
        )  # fmt: skip
    if not cells[3] and not cells[4]:
        problems.add(
            N_("The person has no name."), file=file, row=line, column="familyName",
            remedy=N_("Fill in familyName and givenName."),
        )  # fmt: skip
    if cells[9] and not is_email(cells[9]):
        problems.add(
            N_("This is no e-mail address."), file=file, row=line, column="email", value=cells[9],
            remedy=N_("One address such as name@school.example, or nothing, would be right."),
        )  # fmt: skip
    for column, text in (("phone", cells[10]), ("sms", cells[11])):
        if text and not is_phone(text):
            problems.add(
                N_("This is no telephone number."), file=file, row=line, column=column, value=text,
                remedy=N_("One number such as +86 138 0000 0000, or nothing, would be right."),
            )  # fmt: skip
    home = cells[13]
    if table is USERS_1_1 and not home:
        home = words(cells[18])[0]
    elif home and home not in plan.orgs:
        plan.unknown(NO_SUCH_ORGANISATION, table, line, "primaryOrgSourcedId", home, "orgs")
    language = cells[14]
    if language and language not in LOCALES:
        problems.add(
            N_("This language is not spoken here."), file=file, row=line, column="metadata.language", value=language,
            remedy=N_("zh-CN or en would be right."),
        )  # fmt: skip
    if cells[15] and not is_zone(cells[15]):
        problems.add(
            N_("This is no time zone."), file=file, row=line, column="metadata.zone", value=cells[15],
            remedy=N_("A name such as Asia/Shanghai would be right."),
        )  # fmt: skip
    if problems.count > before:
        return None
    org = plan.orgs.get(home)
    return language or (org.locale if org is not None else plan.default_locale)


def _roles_of_user(plan: Plan, line: int, key: str, number: int, word: str, org_keys: str) -> None:
    """OneRoster 1.1: one role, in one or several organisations, stands on the user's row."""
    for n, org_key in enumerate(words(org_keys)):
        if not _known_role(plan, USERS_1_1, line, word):
            return
        org = plan.orgs.get(org_key)
        if org is None:
            plan.unknown(NO_SUCH_ORGANISATION, USERS_1_1, line, "orgSourcedIds", org_key, "orgs")
            continue
        if word in ROLE_BITS:
            plan.bits[number] = plan.bits.get(number, 0) | ROLE_BITS[word]
        if USER_ROLES.get(word) is not None:
            # A tab cannot stand in a sourcedId, so that two different triples never give the same key.
            role_key = short_code(f"{key}\t{word}\t{org_key}", KEY_LENGTH)
            _keep_role(plan, role_key, number, word, org.number, (key, word, org_key), n == 0, "", "")


def read_roles(plan: Plan) -> None:
    """OneRoster 1.2: read roles.csv, and count what the roles of every version change."""
    known = plan.known["role_assignment"]
    if plan.archive.version == "1.2" and plan.archive.mode("roles") != "absent":
        people = plan.known["person"].active
        for line, cells in Rows(plan.archive, ROLES, plan.problems, plan.tick(ROLES)):
            key, status, person_key, kind, word, begin, end, org_key = cells
            if not plan.is_active(known, ROLES, line, key, status) or not _known_role(plan, ROLES, line, word):
                continue
            number, org = people.get(person_key), plan.orgs.get(org_key)
            good = check_dates(plan, ROLES, line, begin, end)
            if number is None:
                plan.unknown(NO_SUCH_PERSON, ROLES, line, "userSourcedId", person_key, "users")
            if org is None:
                plan.unknown(NO_SUCH_ORGANISATION, ROLES, line, "orgSourcedId", org_key, "orgs")
            if kind not in ("primary", "secondary"):
                plan.problems.add(
                    N_("This is no kind of a role."), file=ROLES.file, row=line, column="roleType", value=kind,
                    remedy=N_("primary or secondary would be right."),
                )  # fmt: skip
            if not good or number is None or org is None:
                continue
            if word in ROLE_BITS:
                plan.bits[number] = plan.bits.get(number, 0) | ROLE_BITS[word]
            if USER_ROLES.get(word) is not None:
                _keep_role(plan, key, number, word, org.number, cells[2:], kind == "primary", begin, end)
    _end_roles_left_out(plan)
    plan.gone["role_assignment"] = known.close()


def _keep_role(
    plan: Plan,
    key: str,
    person: int,
    word: str,
    org: int,
    said: list[str] | tuple[str, ...],
    primary: bool,
    begin: str,
    end: str,
) -> None:
    row_hash = digest(said)
    known = plan.known["role_assignment"]
    if not known.bulk:
        known.named.add(key)
    number, changed = known.keep(key, row_hash)
    if changed:
        record = (number, key, row_hash, person, org, USER_ROLES[word].value, primary, begin, end)
        plan.spools["role_assignment"].add(record)


def _end_roles_left_out(plan: Plan) -> None:
    """In a 1.1 delta a user's row names all of that user's roles: those that it leaves out end."""
    known = plan.known["role_assignment"]
    if plan.archive.version != "1.1" or plan.archive.mode("users") != "delta":
        return
    users = plan.known["person"].named
    for key in known.hashes:
        if key.partition("\t")[0] in users and key not in known.named:
            known.delete(key)


def _known_role(plan: Plan, table: Table, line: int, word: str) -> bool:
    """Whether a role word can be read; other extensions are noted and left out, other words named as wrong."""
    if word in USER_ROLES:
        return True
    if word.startswith("ext:"):
        plan.note(N_("The role %(role)s means nothing here; its rows were left out."), role=word)
        return False
    plan.problems.add(
        N_("This is no role."), file=table.file, row=line, column="role", value=word,
        remedy=N_("%(allowed)s would be right."), allowed=", ".join(USER_ROLES),
    )  # fmt: skip
    return False


def check_dates(plan: Plan, table: Table, line: int, begin: str, end: str) -> bool:
    """Whether beginDate and endDate (either may be blank) are dates in order; names them if not."""
    good = True
    for column, text in (("beginDate", begin), ("endDate", end)):
        if text and iso_date(text) is None:
            good = False
            plan.problems.add(
                N_("This is no date."), file=table.file, row=line, column=column, value=text,
                remedy=N_("The form YYYY-MM-DD would be right."),
            )  # fmt: skip
    if good and begin and end and end < begin:
        good = False
        plan.problems.add(
            N_("It ends before it begins."), file=table.file, row=line, column="endDate", value=end,
            remedy=N_("endDate is the first day on which it no longer holds."),
        )  # fmt: skip
    return good
