"""What others wrote, read while it grows: TensorBoard event files, Lightning's CSVLogger, plain CSV and JSON lines.

::

    files of others ──► reader ──► rows ──► translator ──► run folder of ours ──► the console, unchanged

A process of its own (``process.py``) finds the files, reads what is new in them and tells it as our own events in the journal
of a temporary run folder (``folders.py``), so that whoever shows runs shows these as well: live, zoomed in, looked back at,
compared. One file reads one format: ``event_files.py`` (over ``records.py`` and ``summaries.py``), ``tables.py``,
``json_lines.py``. ``names.py`` says what a scalar is called here, ``axis.py`` which step a row belongs to.
"""
