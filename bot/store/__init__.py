"""What we remember: `rows` are the tables, `mapping` turns rows into domain values and back, the `*_table` modules hold
the queries, `transaction` binds them, `database` opens and migrates what `address` names. Rows never leave this folder.
"""
