"""The console in a browser: a process of its own for each tab, behind a server that asks for a token."""
