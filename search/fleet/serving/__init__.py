"""Which of its studies a worker of many serves: whose data are prepared, and of which nothing runs here."""
