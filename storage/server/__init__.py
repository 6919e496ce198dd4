"""A PostgreSQL server of tunefront's own, from programs that pip installs: for studies that several machines share."""
