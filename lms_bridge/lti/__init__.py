"""The LTI 1.3 protocol alone: OIDC login, launch checks, deep linking, NRPS, AGS, dynamic registration, keys.

It knows platforms and claims, neither people nor lessons: whom a launch is about is found by :mod:`lms_bridge.roster`,
what they see is of :mod:`lms_bridge.web`. The library pylti1p3next is used in :mod:`lms_bridge.lti.library` only.
"""
