"""From the store to a person: tables, figures, the report page, and the dashboard. Never imports Keras."""
