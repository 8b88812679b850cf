"""The site database: connection, transactions, migrations; SQLite and PostgreSQL."""
