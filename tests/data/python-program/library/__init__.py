"""Members, loans and what is overdue."""
