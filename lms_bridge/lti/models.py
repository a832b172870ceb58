"""Tables of LTI 1.3: platforms with their deployments, our own keys, what was sent to gradebooks."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lms_bridge.core.clock import now
from lms_bridge.core.database import Base, PrimaryKey, Uid
from lms_bridge.core.ids import new_uid
from lms_bridge.core.types import EncryptedJSON, KeptProblem


def system_of(uid: str) -> str:
    """The system in ``external_id`` of the users of the platform with this public id."""
    return f"lti:{uid}"


class LtiPlatform(Base):
    """An LMS from which an organisation's people come: one registration, named by issuer and client id.

    ``key_set`` is what the platform last said of its keys; ``key_set_tried_at`` bounds how often it is asked.
    """

    __tablename__ = "lti_platform"
    __table_args__ = (sa.UniqueConstraint("issuer", "client_id"),)

    id: Mapped[PrimaryKey]
    uid: Mapped[Uid] = mapped_column(default=new_uid)
    organisation_id: Mapped[int] = mapped_column(sa.ForeignKey("organisation.id"), index=True)
    name: Mapped[str] = mapped_column(sa.String(120))
    product: Mapped[str] = mapped_column(sa.String(60), default="")
    issuer: Mapped[str] = mapped_column(sa.String(255))
    client_id: Mapped[str] = mapped_column(sa.String(255))
    login_url: Mapped[str] = mapped_column(sa.String(500))
    token_url: Mapped[str] = mapped_column(sa.String(500))
    key_set_url: Mapped[str] = mapped_column(sa.String(500))
    token_audience: Mapped[str] = mapped_column(sa.String(500), default="")
    """What the platform wants as audience of our requests for tokens; empty: the token address."""
    email_counts: Mapped[bool] = mapped_column(default=False)
    """Whether a person may be found by the e-mail address that the platform names."""
    sends_scores: Mapped[bool] = mapped_column(default=False)
    """Whether the share of lessons attended goes into the gradebooks of its courses."""
    reads_members: Mapped[bool] = mapped_column(default=True)
    """Whether the members of its courses are read."""
    web_origins: Mapped[list[str]] = mapped_column(default=list)
    """Further origins at which people use the LMS, and whose pages may frame ours (Canvas: the school's own domain)."""
    key_set: Mapped[dict[str, Any] | None]
    key_set_tried_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    disabled_at: Mapped[datetime | None]

    deployments: Mapped[list[LtiDeployment]] = relationship(
        back_populates="platform", cascade="all, delete-orphan", order_by="LtiDeployment.id"
    )

    @property
    def system(self) -> str:
        """The system under which its users are kept in ``external_id``."""
        return system_of(self.uid)


class LtiDeployment(Base):
    """One installation of the tool in a platform. One that came with a genuine launch but that nobody allowed yet
    waits for the administrator (``allowed_at`` is empty), and its launches are refused."""

    __tablename__ = "lti_deployment"
    __table_args__ = (sa.UniqueConstraint("platform_id", "deployment_id"),)

    id: Mapped[PrimaryKey]
    platform_id: Mapped[int] = mapped_column(sa.ForeignKey("lti_platform.id"))
    deployment_id: Mapped[str] = mapped_column(sa.String(255))
    allowed_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=now)

    platform: Mapped[LtiPlatform] = relationship(back_populates="deployments")


class LtiKey(Base):
    """A key pair of ours. It is published from the first moment, signs from ``signs_from`` on (platforms keep what
    they fetched for a while), and stays published until ``published_until``."""

    __tablename__ = "lti_key"

    id: Mapped[PrimaryKey]
    kid: Mapped[str] = mapped_column(sa.String(64), unique=True)
    private_key: Mapped[dict[str, Any]] = mapped_column(EncryptedJSON)
    public_jwk: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(default=now)
    signs_from: Mapped[datetime] = mapped_column(default=now)
    published_until: Mapped[datetime | None]


class LtiCourse(Base):
    """A course of a platform as launches named it, with what the platform serves of it: a gradebook into which we may
    write, and a list of its members (empty: it does not). ``sourcedid`` is the key by which its class is found;
    ``last_error`` is why the last scores were not sent."""

    __tablename__ = "lti_course"
    __table_args__ = (sa.UniqueConstraint("platform_id", "deployment_id", "context_id"),)

    id: Mapped[PrimaryKey]
    platform_id: Mapped[int] = mapped_column(sa.ForeignKey("lti_platform.id"))
    deployment_id: Mapped[str] = mapped_column(sa.String(255))
    context_id: Mapped[str] = mapped_column(sa.String(255))
    line_items_url: Mapped[str] = mapped_column(sa.String(500), default="")
    members_url: Mapped[str] = mapped_column(sa.String(500), default="")
    sourcedid: Mapped[str] = mapped_column(sa.String(255), default="")
    title: Mapped[str] = mapped_column(sa.String(255), default="")
    sent_at: Mapped[datetime | None]
    last_error: Mapped[dict[str, Any] | None] = mapped_column(KeptProblem)
    members_asked_at: Mapped[datetime | None]
    """When somebody asked for its members to be read, until that was done or failed."""
    members_read_at: Mapped[datetime | None]
    """When all of its members were read last."""
    members_found: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """What was found then, or at a later dry run: counts, and uids of people who are in one list only."""
    members_error: Mapped[dict[str, Any] | None] = mapped_column(KeptProblem)
    """Why the last reading failed."""
    busy_until: Mapped[datetime | None]
    """The lease of the job that reads its members."""
    busy_by: Mapped[str | None] = mapped_column(sa.String(80))

    platform: Mapped[LtiPlatform] = relationship()


class LtiLineItem(Base):
    """A column of ours in a course's gradebook: found again by ``resource_id``, so that there is never a second."""

    __tablename__ = "lti_line_item"
    __table_args__ = (sa.UniqueConstraint("platform_id", "line_items_url", "resource_id"),)

    id: Mapped[PrimaryKey]
    platform_id: Mapped[int] = mapped_column(sa.ForeignKey("lti_platform.id"))
    line_items_url: Mapped[str] = mapped_column(sa.String(500))
    resource_id: Mapped[str] = mapped_column(sa.String(120))
    url: Mapped[str] = mapped_column(sa.String(500))


class LtiScore(Base):
    """What was last sent for one user into one column: its moment, which only grows, and what it said.

    Written before it is sent: when the answer is lost, the same score goes out again with the same moment, and the
    platform's refusal of that moment says that it had arrived.
    """

    __tablename__ = "lti_score"
    __table_args__ = (sa.UniqueConstraint("line_item_id", "subject"),)

    id: Mapped[PrimaryKey]
    line_item_id: Mapped[int] = mapped_column(sa.ForeignKey("lti_line_item.id"))
    subject: Mapped[str] = mapped_column(sa.String(255))
    sent_at: Mapped[datetime]
    content: Mapped[str] = mapped_column(sa.String(64))
    """The SHA-256 of what was said, without the moment."""
    arrived: Mapped[bool] = mapped_column(default=False)
