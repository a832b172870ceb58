"""The REST API, for programs: what pages do, with the same operations, rights and refusals."""
