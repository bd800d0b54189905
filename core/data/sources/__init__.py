"""One file = one source, with the names of :class:`core.data.Source`; found by listing this folder."""
