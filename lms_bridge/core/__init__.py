"""The ground floor: database, settings, events, jobs, plugins, access scopes, links, audit, clock."""
