"""The LTI 1.3 protocol alone (OIDC, launch checks, NRPS, AGS, deep linking); filled by the issue on Moodle."""
