"""From pictures to a table: what `lt predict` reads, and what it writes."""
