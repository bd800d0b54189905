"""A run as one page that needs nothing else: ``contents`` says what stands in it, ``page`` and ``markdown`` write that down."""
