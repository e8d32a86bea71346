"""One rule decides when to stop, and keeps the best."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sk_shallow import ShallowNNRegressor
from sk_shallow._solvers.watch import Monitor, Stopping

losses = st.lists(st.floats(-100, 100), min_size=1, max_size=40)
patience = st.integers(1, 6)


def run(values, tol=0.0, n_iter_no_change=5):
    """The rule after these values, and the number of values that it took."""
    stopping = Stopping(np.zeros(2), tol, n_iter_no_change)
    for n_seen, value in enumerate(values, start=1):
        if stopping.update(np.full(2, n_seen), value):
            return stopping, n_seen
    return stopping, None


@given(n_good=st.integers(1, 20), n_iter_no_change=patience)
def test_patience_is_exact(n_good, n_iter_no_change):
    values = [*np.arange(n_good, 0.0, -1), *[1.0] * 50]
    _, n_seen = run(values, n_iter_no_change=n_iter_no_change)
    assert n_seen == n_good + n_iter_no_change


@given(n_iter_no_change=patience)
def test_a_divergence_renews_patience_and_keeps_the_best(n_iter_no_change):
    monitor = Monitor(Stopping(np.zeros(2), 0.0, n_iter_no_change))
    values = [1.0, *[2.0] * (n_iter_no_change - 1)]
    assert not any(monitor(np.full(2, value), value) for value in values)
    monitor.stopping.restart()
    assert not monitor(np.zeros(2), 5.0)
    waiting = [monitor(np.zeros(2), 5.0) for _ in range(n_iter_no_change)]
    assert waiting == [False] * (n_iter_no_change - 1) + [True]
    assert monitor.best_loss == 1.0
    np.testing.assert_array_equal(monitor.stopping.best_theta, np.ones(2))


@given(n_iter_no_change=patience, n_before=st.integers(0, 5))
def test_a_restart_without_a_number_has_all_the_patience(n_iter_no_change, n_before):
    stopping = Stopping(np.zeros(1), 0.0, n_iter_no_change)
    for _ in range(n_before):
        stopping.update(np.ones(1), 1.0)
    stopping.restart()
    waiting = [stopping.update(np.ones(1), np.nan) for _ in range(n_iter_no_change)]
    assert waiting == [False] * (n_iter_no_change - 1) + [True]


@given(n_iter_no_change=patience, last=st.floats(0, 0.9))
def test_progress_at_the_last_moment_renews_patience(n_iter_no_change, last):
    waiting = [1.0] * (n_iter_no_change - 1)
    _, n_seen = run([1.0, *waiting, last, *waiting], 1e-4, n_iter_no_change)
    assert n_seen is None
    _, n_seen = run([1.0, *waiting, last, *waiting, last], 1e-4, n_iter_no_change)
    assert n_seen == 2 * n_iter_no_change + 1


@pytest.mark.parametrize("n_iter_no_change", [1, 4])
def test_patience_is_exact_in_a_fit(n_iter_no_change):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((30, 2)), rng.standard_normal(30)
    # No step improves by all of the loss: only the first one counts as progress.
    model = ShallowNNRegressor(
        3,
        solver="gd",
        learning_rate_init=1e-3,
        tol=1.0,
        n_iter_no_change=n_iter_no_change,
        random_state=0,
    ).fit(X, y)
    assert model.n_iter_ == 1 + n_iter_no_change


@given(losses, patience, st.sampled_from([0.0, 1e-4, 0.1]), st.integers(-60, 60))
def test_scaling_all_values_changes_nothing(values, n_iter_no_change, tol, power):
    # Powers of two keep every comparison exact, down to the smallest of the values.
    values = np.array(values)
    values[np.abs(values) < 1e-100] = 0
    plain, n_seen = run(values, tol, n_iter_no_change)
    scaled, n_seen_scaled = run(values * 2.0**power, tol, n_iter_no_change)
    assert n_seen == n_seen_scaled
    np.testing.assert_array_equal(plain.best_theta, scaled.best_theta)


@pytest.mark.parametrize("sign", [1, -1])
def test_tolerance_is_relative_to_the_size(sign):
    for improvement, is_progress in ((0.9, False), (1.1, True)):
        _, n_seen = run([sign * 50.0, sign * 50.0 - improvement], 0.02, 1)
        assert (n_seen is None) == is_progress


def test_slow_progress_adds_up():
    # Each step is 0.3 tolerances: every fourth one makes progress.
    values = 1 - 0.003 * np.arange(60)
    assert run(values, tol=0.01, n_iter_no_change=5)[1] is None
    assert run(values, tol=0.01, n_iter_no_change=3)[1] == 4


@given(losses)
def test_best_is_the_first_lowest(values):
    stopping, _ = run(values, n_iter_no_change=np.inf)
    assert stopping.values == values
    assert stopping.best_value == min(values)
    np.testing.assert_array_equal(stopping.best_theta, 1 + np.argmin(values))


def test_best_is_kept_even_if_the_improvement_is_within_the_tolerance():
    stopping, n_seen = run([1.0, 0.999, 1.0], tol=0.1, n_iter_no_change=2)
    assert (stopping.best_value, n_seen) == (0.999, 3)
    np.testing.assert_array_equal(stopping.best_theta, 2)


def test_best_theta_is_a_copy():
    theta = np.zeros(3)
    stopping = Stopping(theta, 0.0, 5)
    theta += 1
    np.testing.assert_array_equal(stopping.best_theta, 0)
    stopping.update(theta, 1.0)
    theta += 1
    stopping.update(theta, 2.0)
    np.testing.assert_array_equal(stopping.best_theta, 1)


@given(losses, st.data())
def test_nan_and_infinity_are_never_best(values, data):
    bad = st.sampled_from([np.nan, np.inf])
    with_bad = []
    for value in values:
        with_bad += [*data.draw(st.lists(bad, max_size=2)), value]
    stopping, _ = run(with_bad, n_iter_no_change=np.inf)
    assert stopping.best_value == min(values)


def test_nan_alone_keeps_the_start_and_runs_out_of_patience():
    stopping, n_seen = run([np.nan] * 10, n_iter_no_change=4)
    assert n_seen == 4
    np.testing.assert_array_equal(stopping.best_theta, 0)


def make_monitor(values, validate=None, **options):
    monitor = Monitor(Stopping(np.zeros(1), 0.0, np.inf), validate, **options)
    stops = [monitor(np.array([i]), value) for i, value in enumerate(values)]
    assert not any(stops)
    return monitor


def test_monitor_keeps_the_curve_and_the_best_loss():
    monitor = make_monitor([3.0, np.nan, 1.0, 2.0])
    np.testing.assert_array_equal(monitor.loss_curve, [3.0, np.nan, 1.0, 2.0])
    assert monitor.best_loss == 1.0


def test_monitor_judges_the_validation_value_and_reports_the_loss_there():
    scores = {0: 5.0, 1: -2.0, 2: 4.0}
    monitor = make_monitor([3.0, 2.0, 1.0], lambda theta: scores[theta[0]])
    assert monitor.loss_curve == [3.0, 2.0, 1.0]
    assert monitor.stopping.values == [5.0, -2.0, 4.0]
    assert monitor.best_loss == 2.0


def test_monitor_without_a_finite_value_reports_the_last_loss():
    assert make_monitor([7.0, 8.0], lambda theta: np.nan).best_loss == 8.0


def test_monitor_passes_on_the_word_of_the_rule():
    monitor = Monitor(Stopping(np.zeros(1), 0.0, 2))
    assert [bool(monitor(np.zeros(1), 1.0)) for _ in range(3)] == [False, False, True]


@pytest.mark.parametrize("validate", [None, lambda theta: -0.25])
def test_verbose_prints_one_line_per_iteration(capsys, validate):
    make_monitor([3.0, 0.125], validate, title="Iteration", n_iter=7)
    lines = capsys.readouterr().out.splitlines()
    told = [line.split(",")[0] for line in lines]
    assert told == ["Iteration 1 of 7", "Iteration 2 of 7"]
    assert "loss = 0.125" in lines[1]
    assert ("score = 0.25" in lines[1]) == (validate is not None)


def test_silent_unless_verbose(capsys):
    make_monitor([3.0, 2.0])
    assert capsys.readouterr().out == ""
