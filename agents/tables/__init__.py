"""Questions to tables: rules from words to cells, SQL over them, and the sentence with its quotes."""
