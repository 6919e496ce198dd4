"""Files, links and environment variables, as the operating system has them: handled with care."""
