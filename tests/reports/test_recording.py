import pytest

from gatecrash.authorizers import wire
from gatecrash.reports.recording.recording import Recording


def test_how_late_arrivals_left_in_the_warm_up_does_not_count():
    recording = Recording()
    recording.add_arrival(0.5, 0.9, warm_up=True)
    recording.add_arrival(1.5, 0.001, warm_up=False)
    assert recording.delays.count == 1
    assert sum(second.planned for _, second in recording.series) == 2


@pytest.mark.parametrize(("timed_here", "by_kernel"), [(0, True), (1, True), (2, False)])
def test_who_timed_the_answers_survives_and_adds_up(timed_here, by_kernel):
    recording = Recording(warm_up_exchanges=400, timed_here=timed_here)
    recording.outcomes["allow"] = 600
    assert recording.is_timed_by_kernel is by_kernel
    again = Recording.decode(recording.encode())
    again.add(recording)
    assert again.timed_here == 2 * timed_here
    assert Recording.from_json(wire.decode(b"".join(recording.pieces()))).timed_here == timed_here
