"""LTI 1.3: the protocol and its pages, against an LMS on loopback."""
