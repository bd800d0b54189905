"""Measurements of this machine: a recipe's step beside a plain one, time to an accuracy, the cost of being watched.

One file, one measurement (``step``, ``parts``, ``target``, ``watched``) or one thing that is measured; ``results`` holds what
they give and, like ``target``, imports no torch.
"""
