"""The benchmark runs, and holds what must not depend on the number of workers; rates depend on the machine."""

from tests.benchmarks.workers import same_exchanges


def test_one_two_and_four_workers_make_the_same_of_the_same_exchanges(capsys):
    assert same_exchanges(40_000)
    rows = [line.split() for line in capsys.readouterr().out.splitlines()[2:]]
    assert [row[0] for row in rows] == ["1", "2", "4"]
    assert len({tuple(row[1:5]) for row in rows}) == 1
