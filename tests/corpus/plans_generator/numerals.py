"""Numbers as people write them in plans: full-width digits and Chinese numerals."""

from __future__ import annotations

FULL_WIDTH = str.maketrans("0123456789()-~:", "０１２３４５６７８９（）－～：")
DIGITS = "零一二三四五六七八九"


def full_width(text: str) -> str:
    """The text with digits, brackets and dashes as wide as a Chinese character."""
    return text.translate(FULL_WIDTH)


def chinese(number: int) -> str:
    """A number from 1 to 99 in Chinese numerals, such as ``十二``."""
    tens, ones = divmod(number, 10)
    head = "" if tens == 0 else "十" if tens == 1 else DIGITS[tens] + "十"
    return head + (DIGITS[ones] if ones or not tens else "")
