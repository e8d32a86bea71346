"""The examples run; of the quickstart, the parts that are cheap.

`test_callbacks` has what is in `callbacks.py`.
"""

import os
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, RidgeCV

from sk_shallow import ShallowNNClassifier, ShallowNNRegressor
from sk_shallow._solvers import SOLVERS
from sk_shallow.activations import ACTIVATIONS

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples"


@pytest.fixture(scope="module")
def quickstart():
    return runpy.run_path(str(EXAMPLES / "quickstart.py"))


def test_the_quickstart_goes_over_the_registries(quickstart):
    assert {ACTIVATIONS[name] for name in quickstart["ACTIVATIONS"]} == set(
        ACTIVATIONS.values()
    )
    assert set(quickstart["SOLVERS"]) == set(SOLVERS)


def test_a_small_grid_on_the_digits(quickstart, capsys):
    pipeline, grid = quickstart["shallow_grid"]()
    assert set(grid) <= set(pipeline.get_params())
    pipeline.set_params(net__max_iter=5, net__alpha=1.0)
    small = {"net__activation": ["tanh"], "net__n_hidden": [5, 20]}
    row = quickstart["search"]("ours", pipeline, small, n_jobs=1)
    assert row.n_fits == 10
    assert 0.8 < row.score < 1
    assert "net__" not in (printed := capsys.readouterr().out)
    assert "n_hidden=20" in printed


def test_the_rivals_grid_fits_its_pipeline(quickstart):
    pipeline, grid = quickstart["mlp_grid"]()
    assert set(grid) <= set(pipeline.get_params())


@pytest.mark.slow
def test_the_regression_on_raw_columns(quickstart, capsys):
    rows = [
        quickstart["cross_validated"](name, model, n_jobs=1)
        for name, model in (
            ("ours", ShallowNNRegressor(20, alpha=30.0, random_state=0)),
            ("ridge", RidgeCV()),
        )
    ]
    assert rows[0].score > rows[1].score - 0.03
    quickstart["print_table"]("Title", "mean R²", rows)
    lines = capsys.readouterr().out.strip().splitlines()
    assert lines[0] == "Title"
    assert f"{rows[0].score:.4f}" in lines[2]
    assert len({len(line) for line in lines[1:]}) == 1


def test_the_flower_is_no_matter_for_a_linear_model(quickstart):
    X, y = quickstart["make_flower"]()
    assert X.shape == (400, 2)
    assert np.bincount(y).tolist() == [200, 200]
    assert LogisticRegression().fit(X, y).score(X, y) < 0.6
    net = ShallowNNClassifier(4, activation="tanh", solver="lbfgs", random_state=0)
    assert net.set_params(alpha=0.1).fit(X, y).score(X, y) > 0.85


def test_the_flower_is_drawn(quickstart, tmp_path):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    quickstart["draw_flower"](tmp_path / "flower.png")
    assert (tmp_path / "flower.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_every_display_is_drawn(tmp_path, monkeypatch):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    from matplotlib import pyplot as plt

    from sk_shallow import inspection

    monkeypatch.setattr(plt, "show", lambda: plt.close("all"))
    monkeypatch.setattr(sys, "argv", ["pictures.py", str(tmp_path / "page.png")])
    names = runpy.run_path(str(EXAMPLES / "pictures.py"))
    assert set(inspection.__all__) <= set(names)
    assert len(names["page"].subfigs) == len(inspection.__all__)
    assert (tmp_path / "page.png").read_bytes().startswith(b"\x89PNG")


def printed(name, *arguments, timeout=None):
    """What an example prints, run as a user does."""
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name), *arguments],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths), "MPLBACKEND": "agg"},
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_own_activation_runs():
    told = printed("own_activation.py")
    for wanted in ("Softsign()", "LeakyReLU(negative_slope=0.1)", "best: "):
        assert wanted in told
    assert "The slope of the activation WrongSoftsign is wrong" in told


@pytest.mark.slow
def test_the_petals_need_four_units():
    pytest.importorskip("matplotlib")
    right = [float(line.split()[2]) for line in printed("petals.py").splitlines()]
    assert len(right) == 6
    assert right[0] < 0.8 < 0.9 < min(right[2:])


@pytest.mark.slow
def test_seven_units_tell_cats():
    pytest.importorskip("matplotlib")
    told = printed("cat_or_not.py").splitlines()
    one, seven = (float(line.split()[-3]) for line in told)
    assert one < 0.7 < 0.9 < seven


@pytest.mark.slow
def test_a_file_is_learnt_in_pieces_with_constant_memory():
    for name in ("pandas", "polars"):
        pytest.importorskip(name)
    # It comes with the extra dask; the newest needs NumPy 2.
    pytest.importorskip("pyarrow", exc_type=ImportError)
    told = printed("chunks.py", "--rows", "200000").splitlines()
    rows = {line.split()[0]: [float(n) for n in line.split()[1:]] for line in told[1:]}
    score, small, large = rows.pop("parquet_at_once")
    assert len(rows) == 4
    for its_score, its_small, its_large in rows.values():
        assert abs(its_score - score) < 0.01
        assert its_large - its_small < 0.6 * (large - small)
