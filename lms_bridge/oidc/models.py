"""The identity providers that administrators set up on their page."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from lms_bridge.core.clock import now
from lms_bridge.core.database import Base, PrimaryKey
from lms_bridge.core.types import EncryptedJSON


class StoredProvider(Base):
    """One identity provider of an organisation. ``said`` is what a table of the settings file would hold (without the
    organisation), encrypted because of the client's secret."""

    __tablename__ = "identity_provider"

    id: Mapped[PrimaryKey]
    identifier: Mapped[str] = mapped_column(sa.String(40), unique=True)
    """Under which name it stands in addresses."""
    organisation_id: Mapped[int] = mapped_column(sa.ForeignKey("organisation.id"), index=True)
    said: Mapped[dict[str, Any]] = mapped_column(EncryptedJSON)
    enabled: Mapped[bool] = mapped_column(default=False)
    """Whether the sign-in page offers it."""
    created_at: Mapped[datetime] = mapped_column(default=now)
