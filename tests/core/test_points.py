"""A scalar as columns: kept up to date bin by bin it is what it would be if made at once."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.view.points import Points, Track
from core.view.series import Series, extended, rewound


def followed(*series: Series, weight: float = 0.8) -> Track:
    track = Track()
    for item in series:
        track.follow(item, weight)
    return track


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(1, 1500), min_size=1, max_size=4), st.none() | st.integers(0, 2000), st.sampled_from([0.0, 0.6, 0.9])
)
def test_what_is_kept_up_to_date_is_what_would_be_made_at_once(counts: list[int], back: int | None, weight: float) -> None:
    series, states = Series(), []
    for number, count in enumerate(counts):
        first = series.bins[-1].step + 1 if series.bins else 1
        series = extended(series, range(first, first + count), [float((step * 31 + number) % 97) for step in range(count)])
        states.append(series)
        if back is not None:
            series = rewound(series, back)
            states.append(series)
    track, anew = followed(*states, weight=weight), followed(series, weight=weight)
    assert track.points == anew.points == Points.of(series.bins)
    assert track.smoothed == anew.smoothed


def test_smoothing_has_no_pull_towards_zero() -> None:
    track = followed(extended(Series(), range(1, 8), [5.0] * 7), weight=0.9)
    assert track.smoothed.means == pytest.approx([5.0] * 7) and track.smoothed.steps == list(range(1, 8))
    assert followed(extended(Series(), [1, 2], [0.0, 1.0]), weight=0.5).smoothed.means[1] == pytest.approx(2 / 3)


def test_another_weight_smooths_anew() -> None:
    series, track = extended(Series(), range(1, 50), [float(step % 7) for step in range(1, 50)]), Track()
    track.follow(series, 0.9)
    track.follow(series, 0.0)
    assert track.smoothed.means == track.points.means
