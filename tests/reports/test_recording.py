from reports.recording import Recording


def test_how_late_arrivals_left_in_the_warm_up_does_not_count():
    recording = Recording()
    recording.add_arrival(0.5, 0.9, warm_up=True)
    recording.add_arrival(1.5, 0.001, warm_up=False)
    assert recording.delays.count == 1
    assert sum(second.planned for _, second in recording.series) == 2
