"""What people read of a study: tables, figures, the report page, and the dashboard. Never imports Keras."""
