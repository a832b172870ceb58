"""Messages by e-mail over SMTP."""

from lms_bridge_smtp.channel import SmtpChannel

__all__ = ["SmtpChannel"]
