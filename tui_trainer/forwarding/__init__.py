"""What a run's journal tells, given on to another tool (:mod:`tui_trainer.trackers`) by a process of its own, so that a tool
that hangs or fails never holds a training up: it is one more reader of the journal."""
