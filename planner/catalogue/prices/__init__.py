"""Fresh prices: from the ecosystem's feeds, or from files in their formats, into a table that the catalogue reads.

The only code of the planner that opens a network connection, and only for ``planner prices refresh``.
"""
