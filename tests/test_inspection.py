"""What the displays draw is what was fitted: of the artists the data, not pixels."""

import ast
import builtins
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import Bunch

import sk_shallow.inspection
from sk_shallow import ShallowNNClassifier, ShallowNNRegressor
from sk_shallow.inspection import (
    CalibrationOfIntervalsDisplay,
    FeatureEffectDisplay,
    FeatureRelevanceDisplay,
    HiddenUnitsDisplay,
    LossCurveDisplay,
    NetworkDisplay,
)

mpl = pytest.importorskip("matplotlib")
plt = pytest.importorskip("matplotlib.pyplot")

N = 60
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 4)) * [1, 10, 0.1, 1]
Y = X[:, 0] + 0.1 * X[:, 1] ** 2 + 0.1 * RNG.normal(size=N)
LABELS = np.array(["low", "middle", "high"])[np.digitize(X[:, 0], [-0.5, 0.5])]
FRAME = pd.DataFrame(
    {
        "area": X[:, 0],
        "street": np.array(["oak", "elm", "ash"])[np.arange(N) % 3],
        "new": np.arange(N) % 2 == 0,
    }
)
FRAME.loc[::7, "street"] = None
FRAME.loc[3::9, "area"] = np.nan
LINEAR = {"activation": "identity", "solver": "lbfgs", "max_iter": None}
QUICK = {"alpha": 1.0, "max_iter": 4, "random_state": 0}


def regressor(n_hidden=3, y=Y, data=X, **parameters):
    return ShallowNNRegressor(n_hidden, **{**QUICK, **parameters}).fit(data, y)


def classifier(n_hidden=3, y=LABELS, data=X, **parameters):
    return ShallowNNClassifier(n_hidden, **{**QUICK, **parameters}).fit(data, y)


NETS = {
    "regressor": regressor(),
    "one unit": regressor(1),
    "wide": regressor(200),
    "outputs": regressor(y=np.column_stack([Y, -Y])),
    "committee": regressor(n_estimators=3),
    "levels": regressor(loss="quantile", quantile=[0.1, 0.9]),
    "counts": regressor(loss="poisson", y=np.arange(N) % 5),
    "path": regressor(linear_path=True),
    "single": regressor(data=X.astype(np.float32)),
    "piecewise": regressor(encoding="piecewise", linear_path=True),
    "classes": classifier(),
    "two classes": classifier(y=X[:, 0] > 0),
    "labels": classifier(y=np.column_stack([Y > 1, X[:, 3] > 0]).astype(int)),
    "classes, committee": classifier(n_estimators=2),
}
FRAMED = regressor(data=FRAME, n_estimators=2)
HELD_OUT = regressor(cv=3, n_estimators=3)

every_net = pytest.mark.parametrize("net", NETS.values(), ids=NETS)


@pytest.fixture(autouse=True)
def _closed():
    """Each picture is drawn, and closed."""
    before = set(plt.get_fignums())
    yield
    for number in set(plt.get_fignums()) - before:
        plt.figure(number).draw_without_rendering()
        plt.close(number)


def ax_of_a_figure():
    return plt.subplots()[1]


DRAWN = {
    "loss": lambda **kw: LossCurveDisplay.from_estimator(NETS["regressor"], **kw),
    "units": lambda **kw: HiddenUnitsDisplay.from_estimator(NETS["regressor"], **kw),
    "network": lambda **kw: NetworkDisplay.from_estimator(NETS["regressor"], **kw),
    "effect": lambda **kw: FeatureEffectDisplay.from_estimator(
        NETS["regressor"], X, [1], **kw
    ),
    "intervals": lambda **kw: CalibrationOfIntervalsDisplay.from_estimator(
        HELD_OUT, X, Y, levels=[0.5], **kw
    ),
    "relevance": lambda **kw: FeatureRelevanceDisplay.from_estimator(
        NETS["regressor"], [4, 3, 2, 1], **kw
    ),
}
every_display = pytest.mark.parametrize("draw", DRAWN.values(), ids=DRAWN)


@every_display
def test_in_the_axes_that_are_given_or_in_one_new_figure(draw):
    ax = ax_of_a_figure()
    before = len(plt.get_fignums())
    display = draw(ax=ax)
    assert display.ax_ is ax
    assert display.figure_ is ax.figure
    assert len(plt.get_fignums()) == before
    display = draw()
    assert display.figure_ is display.ax_.figure is not ax.figure
    assert len(plt.get_fignums()) == before + 1


@every_display
def test_a_display_can_be_drawn_again(draw):
    display = draw()
    first = display.ax_
    assert display.plot() is display
    assert display.ax_ is not first


@every_display
def test_in_the_colours_of_a_dark_style(draw):
    with plt.style.context("dark_background"):
        display = draw()
        display.figure_.canvas.draw()
    for text in display.ax_.texts:
        assert mpl.colors.to_rgb(text.get_color()) == (1, 1, 1)


@every_display
def test_a_missing_matplotlib_is_told_with_its_cure(draw, monkeypatch):
    genuine = builtins.__import__

    def without(name, *args, **kwargs):
        if name.startswith("matplotlib"):
            raise ModuleNotFoundError(name)
        return genuine(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r'pip install "\.\[plot\]"'):
        draw()


def imported_at_once(path):
    """What a module imports before any function of it is called."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module


def test_matplotlib_is_imported_when_something_is_drawn():
    folder = Path(sk_shallow.inspection.__file__).parent
    for path in folder.glob("*.py"):
        names = list(imported_at_once(path))
        assert not [name for name in names if name.startswith("matplotlib")], path
    names = list(imported_at_once(folder.parent / "__init__.py"))
    assert not [name for name in names if "inspection" in name]


@pytest.mark.parametrize("name", sk_shallow.inspection.__all__)
def test_what_is_no_fitted_network_is_refused(name):
    display = getattr(sk_shallow.inspection, name)
    data = {"FeatureEffectDisplay": [X], "CalibrationOfIntervalsDisplay": [X, Y]}
    with pytest.raises(NotFittedError):
        display.from_estimator(ShallowNNRegressor(), *data.get(name, []))
    pipeline = make_pipeline(StandardScaler(), ShallowNNRegressor(3, **QUICK))
    with pytest.raises(TypeError, match="its last step"):
        display.from_estimator(pipeline.fit(X, Y), *data.get(name, []))


# The loss.


@pytest.mark.parametrize("solver", ["adam", "lbfgs", "gd", "lm"])
def test_the_losses_are_those_of_training_and_of_what_was_held_out(solver):
    given = {"solver": solver, "max_iter": None, "tol": 0.1, "early_stopping": True}
    net = regressor(**given)
    display = LossCurveDisplay.from_estimator(net)
    steps = np.arange(1, len(net.loss_curve_) + 1)
    np.testing.assert_array_equal(display.line_.get_xdata(), steps)
    np.testing.assert_array_equal(display.line_.get_ydata(), net.loss_curve_)
    losses = -np.array(net.validation_scores_)
    np.testing.assert_array_equal(display.held_out_line_.get_ydata(), losses)
    kept = int(np.argmin(losses)) + 1
    np.testing.assert_allclose(display.kept_.get_offsets(), [[kept, losses.min()]])
    assert net.loss_curve_[kept - 1] == net.loss_
    assert display.ax_.get_ylabel() == "loss, in variances of y"


@every_net
def test_the_iterate_that_was_kept_is_marked(net):
    display = LossCurveDisplay.from_estimator(net)
    ((kept, loss),) = display.kept_.get_offsets()
    assert loss == pytest.approx(net.loss_)
    assert net.loss_curve_[int(kept) - 1] == loss
    assert display.held_out_line_ is display.score_ax_ is None
    assert list(display.ax_.lines) == [display.line_]


def test_scores_in_another_unit_have_a_scale_of_their_own():
    net = classifier(early_stopping=True, scoring="accuracy")
    display = LossCurveDisplay.from_estimator(net)
    scores = net.validation_scores_
    np.testing.assert_array_equal(display.score_line_.get_ydata(), scores)
    assert display.score_line_.axes is display.score_ax_ is not display.ax_
    assert display.kept_.get_offsets()[0, 1] == max(scores)
    assert display.held_out_line_ is None
    assert display.ax_.get_ylabel() == "loss, in nats"


def test_the_candidates_are_those_of_the_race():
    net = ShallowNNRegressor(3, activation="relu", max_iter=8, random_state=0)
    net.set_params(batch_size=8).fit(X, Y)
    table = net.search_results_
    display = LossCurveDisplay.from_estimator(net, candidates=True)
    drawn = np.concatenate([points.get_offsets() for points in display.candidates_])
    wanted = np.column_stack([table["n_steps"], table["loss"]])
    np.testing.assert_allclose(sorted(drawn.tolist()), sorted(wanted.tolist()))
    labels = {points.get_label() for points in display.candidates_}
    assert len(labels) == len(display.candidates_) > 1
    assert "piecewise" in labels
    assert display.candidates_ax_.figure is display.figure_
    ax = ax_of_a_figure()
    assert LossCurveDisplay.from_estimator(net, candidates=True, ax=ax).figure_ is (
        ax.figure
    )
    assert not ax.axison


def test_a_candidate_that_has_diverged_is_left_out():
    table = {"n_steps": [100, 100, 200], "loss": [np.inf, 9.0, 0.1]}
    display = LossCurveDisplay([2.0, 1.0], candidates=table).plot()
    np.testing.assert_array_equal(
        display.candidates_[0].get_offsets(), [[100, 9], [200, 0.1]]
    )
    assert display.candidates_ax_.get_yscale() == "log"


def test_without_a_race_there_are_no_candidates():
    display = LossCurveDisplay.from_estimator(NETS["regressor"], candidates=True)
    assert display.candidates_ == []
    assert display.candidates_ax_ is None


def test_a_name_and_a_style_for_the_line():
    display = LossCurveDisplay.from_estimator(
        NETS["classes"], name="net", linewidth=3, color="red"
    )
    assert display.line_.get_label() == "net: training"
    assert (display.line_.get_linewidth(), display.line_.get_color()) == (3, "red")
    assert display.plot(name="other").line_.get_label() == "other: training"


def test_losses_of_several_sizes_have_a_logarithmic_scale():
    assert LossCurveDisplay([100.0, 1.0]).plot().ax_.get_yscale() == "log"
    assert LossCurveDisplay([100.0, -1.0]).plot().ax_.get_yscale() == "linear"
    assert LossCurveDisplay([2.0, np.inf, 1.0]).plot().ax_.get_yscale() == "linear"


def test_iterations_are_counted_in_ones():
    display = LossCurveDisplay([3.0, 2.0, 1.0]).plot()
    assert all(tick == int(tick) for tick in display.ax_.get_xticks())


def test_one_iteration_is_a_point():
    net = ShallowNNRegressor(3, random_state=0).partial_fit(X, Y)
    assert LossCurveDisplay.from_estimator(net).line_.get_marker() == "."


def test_without_standardisation_the_loss_has_the_unit_of_the_targets():
    net = regressor(standardize=False)
    assert LossCurveDisplay.from_estimator(net).ax_.get_ylabel() == "loss"


# The hidden units.


def units_by_importance(W1, W2):
    sizes = np.sqrt((W1**2).sum(axis=0) * (W2**2).sum(axis=1))
    return np.argsort(-sizes, kind="stable")


@pytest.mark.parametrize("name", ["regressor", "one unit", "wide", "classes", "path"])
def test_the_colours_are_the_weights_of_the_most_important_units(name):
    net = NETS[name]
    W1, W2, *_ = net.coefs_
    display = HiddenUnitsDisplay.from_estimator(net)
    units = units_by_importance(W1, W2)[:16]
    np.testing.assert_array_equal(display.units, units)
    np.testing.assert_allclose(display.image_.get_array(), W1[:, units], rtol=1e-12)
    low, high = display.image_.get_clim()
    assert -low == high == np.abs(W1[:, units]).max()
    told = [tick.get_text() for tick in display.ax_.get_xticklabels()]
    assert told == [str(u) for u in units]


@pytest.mark.parametrize("data", [X, sparse.csr_array(X)], ids=["dense", "sparse"])
def test_with_samples_the_weights_are_times_the_spread_of_the_inputs(data):
    net = NETS["regressor"]
    display = HiddenUnitsDisplay.from_estimator(net, data, max_units=2)
    weights = net.coefs_[0] * X.std(axis=0)[:, None]
    units = units_by_importance(weights, net.coefs_[1])[:2]
    np.testing.assert_allclose(display.image_.get_array(), weights[:, units])


@pytest.mark.parametrize("n_features", [1, 3])
def test_samples_of_other_features_are_refused(n_features):
    data = X[:, :n_features]
    with pytest.raises(ValueError, match=f"{n_features} features, .* has 4"):
        HiddenUnitsDisplay.from_estimator(NETS["regressor"], data)


@pytest.mark.parametrize("n_hidden", [1, 2, 200])
def test_each_unit_is_an_image(n_hidden):
    net = regressor(n_hidden)
    display = HiddenUnitsDisplay.from_estimator(net, image_shape=(2, 2), max_units=9)
    mosaic = np.ma.filled(display.image_.get_array(), np.nan)
    found = [w for w in mosaic.ravel() if not np.isnan(w)]
    assert sorted(found) == sorted(net.coefs_[0][:, display.units].ravel())
    first = np.argwhere(~np.isnan(mosaic))[0]
    tile = mosaic[first[0] : first[0] + 2, first[1] : first[1] + 2]
    image = net.coefs_[0][:, display.units[0]].reshape(2, 2)
    np.testing.assert_array_equal(tile, image)
    numbers = [text.get_text() for text in display.ax_.texts]
    assert numbers == [str(u) for u in display.units]
    assert len(display.ax_.patches) == min(n_hidden, 9)


def test_so_many_images_have_no_numbers():
    net = NETS["wide"]
    display = HiddenUnitsDisplay.from_estimator(net, image_shape=(4, 1), max_units=200)
    assert len(display.ax_.patches) == 200
    assert not display.ax_.texts


def test_an_image_has_as_many_pixels_as_there_are_features():
    with pytest.raises(ValueError, match=r"image_shape=\(3, 3\) .* 4 features"):
        HiddenUnitsDisplay.from_estimator(NETS["regressor"], image_shape=(3, 3))


def test_the_inputs_of_an_encoded_feature_are_one_weight():
    net = NETS["piecewise"]
    display = HiddenUnitsDisplay.from_estimator(net)
    names = net.encoder_.get_feature_names_out()
    rows = [[j for j, n in enumerate(names) if n.startswith(f)] for f in ("x0", "x1")]
    assert len(rows[0]) > 1
    for feature, inputs in enumerate(rows):
        W = net.coefs_[0][inputs][:, display.units]
        wanted = np.sign(W.sum(axis=0)) * np.sqrt((W**2).sum(axis=0))
        np.testing.assert_allclose(display.weights[feature], wanted)


def test_of_many_features_those_of_the_largest_weights_are_shown():
    data = np.random.default_rng(1).normal(size=(N, 50))
    net = regressor(data=data, y=data[:, 7] - data[:, 40], **LINEAR)
    display = HiddenUnitsDisplay.from_estimator(net, max_features=2)
    assert display.feature_names.tolist() == ["x7", "x40"]
    assert display.ax_.get_ylabel() == "2 of 50 features"


def test_the_names_of_a_frame_and_a_style_for_the_image():
    display = HiddenUnitsDisplay.from_estimator(FRAMED, FRAME, cmap="PuOr")
    told = [tick.get_text() for tick in display.ax_.get_yticklabels()]
    assert told == ["area", "street", "new"]
    assert display.image_.get_cmap().name == "PuOr"
    assert display.plot(colorbar=False).colorbar_ is None


# The network.


def drawn_weights(lines):
    """Widths with the signs that the colours tell."""
    blue = mpl.colors.to_rgb("#4393c3")
    signs = [1 if np.allclose(c[:3], blue) else -1 for c in lines.get_colors()]
    return np.array(lines.get_linewidths()) * signs


@every_net
def test_the_widths_of_the_lines_are_the_weights(net):
    display = NetworkDisplay.from_estimator(net, max_units=12, max_width=7)
    units = [int(u) for u in display.names[1]]
    W1, W2, *path = net.coefs_
    assert len(units) == min(12, W1.shape[1])
    shown = [W2[units], *path] if net.encoder_ else [W1[:, units], W2[units], *path]
    lines = display.lines_[1:] if net.encoder_ else display.lines_
    if net.encoder_:
        shown, lines = shown[:1], lines[:1]
    for W, drawn in zip(shown, lines, strict=True):
        wanted = 7 * W.ravel() / np.abs(W).max()
        np.testing.assert_allclose(drawn_weights(drawn), wanted, rtol=1e-6)
    assert len(display.lines_) == len(net.coefs_)


def test_the_lines_lead_from_circle_to_circle():
    display = NetworkDisplay.from_estimator(NETS["outputs"])
    inputs, hidden, outputs = (n.get_offsets() for n in display.nodes_)
    assert (len(inputs), len(hidden), len(outputs)) == (4, 3, 2)
    for lines, a, b in zip(
        display.lines_, (inputs, hidden), (hidden, outputs), strict=True
    ):
        wanted = [[p, q] for p in a for q in b]
        np.testing.assert_allclose(lines.get_segments(), wanted)


def texts(display):
    return [text.get_text() for text in display.ax_.texts]


def test_what_is_not_drawn_is_told():
    told = texts(NetworkDisplay.from_estimator(NETS["wide"]))
    assert "… 188 more" in told
    assert "200 hidden units" in told
    display = NetworkDisplay.from_estimator(NETS["wide"], max_units=199)
    assert texts(display) == ["4 inputs", "200 hidden units", "1 output"]
    assert max(display.lines_[0].get_linewidths()) < 1
    assert "1 output" in texts(NetworkDisplay.from_estimator(NETS["one unit"]))


def test_the_names_of_inputs_and_outputs():
    net = classifier(data=FRAME)
    told = texts(NetworkDisplay.from_estimator(net, FRAME))
    for name in ("area", "street", "new", "high", "low", "middle"):
        assert name in told
    told = texts(NetworkDisplay.from_estimator(NETS["levels"]))
    assert "quantile 0.1" in told
    two = regressor(
        y=np.column_stack([Y, Y]), loss="quantile", quantile=[0.1, 0.5], solver="adam"
    )
    assert "output 1, quantile 0.5" in texts(NetworkDisplay.from_estimator(two))
    assert "True" in texts(NetworkDisplay.from_estimator(NETS["two classes"]))


def test_a_style_for_the_lines():
    display = NetworkDisplay.from_estimator(NETS["regressor"], alpha=0.3)
    assert display.lines_[0].get_alpha() == 0.3


def test_weights_of_zero_have_no_width():
    display = NetworkDisplay([np.zeros((2, 1)), np.ones((1, 1))], ["ab", "0", "y"])
    assert not np.any(display.plot().lines_[0].get_linewidths())


# The effect of a feature.


def told_by(net, data):
    if hasattr(net, "classes_"):
        P = net.predict_proba(data)
        return P[:, 1:] if net.n_outputs_ == 1 else P
    return net.predict(data).reshape(len(data), -1)


@every_net
def test_the_lines_are_means_of_predictions(net):
    display = FeatureEffectDisplay.from_estimator(net, X, [1], grid_resolution=3)
    lines = display.lines_[0]
    for at, x in enumerate(np.quantile(X[:, 1], [0, 0.5, 1])):
        changed = X.astype(net.coefs_[0].dtype)
        changed[:, 1] = x
        wanted = told_by(net, changed).mean(axis=0)
        drawn = [line.get_ydata()[at] for line in lines]
        np.testing.assert_allclose(drawn, wanted, rtol=1e-4, atol=1e-6)
        assert lines[0].get_xdata()[at] == pytest.approx(x)
    np.testing.assert_allclose(display.rugs_[0].get_xdata(), X[:, 1], rtol=1e-6)


def test_it_is_the_mean_prediction_with_the_feature_replaced():
    net = NETS["committee"]
    display = FeatureEffectDisplay.from_estimator(net, X, [0], grid_resolution=5)
    for x, told in zip(*display.line_.get_data(), strict=True):
        replaced = np.column_stack([np.full(len(X), x), X[:, 1:]])
        assert told == pytest.approx(net.predict(replaced).mean(), rel=1e-6)


@pytest.mark.parametrize("name", ["committee", "classes, committee"])
def test_the_band_is_of_the_members(name):
    net = NETS[name]
    display = FeatureEffectDisplay.from_estimator(net, X, [0], grid_resolution=4)
    (effect,) = display.effects
    assert effect.members.shape[0] == net.n_estimators_
    for k, band in enumerate(display.bands_[0]):
        vertices = band.get_paths()[0].vertices
        low, high = effect.members[:, k].min(axis=0), effect.members[:, k].max(axis=0)
        for x, a, b in zip(effect.grid, low, high, strict=True):
            drawn = vertices[vertices[:, 0] == x, 1]
            np.testing.assert_allclose([drawn.min(), drawn.max()], [a, b])
    if name == "committee":  # numbers are averaged, of classes it is the logits
        mean = effect.members.mean(axis=0)
        np.testing.assert_allclose(effect.average, mean)


def test_a_single_network_has_no_band():
    net = NETS["regressor"]
    assert FeatureEffectDisplay.from_estimator(net, X, [0]).bands_ == [[]]


def polars_of(frame):
    """The same columns, labels as strings, without the help of pyarrow."""
    columns = frame.astype(object).where(frame.notna(), None)
    return pl.DataFrame({name: column.tolist() for name, column in columns.items()})


@pytest.mark.parametrize("data", [FRAME, polars_of(FRAME)], ids=["pandas", "polars"])
def test_labels_have_bars(data):
    net = regressor(data=data, n_estimators=2)
    display = FeatureEffectDisplay.from_estimator(net, data)
    assert [effect.name for effect in display.effects] == ["area", "street", "new"]
    bars = display.lines_[1][0]
    names = display.effects[1].grid
    assert sorted(names) == ["ash", "elm", "missing", "oak"]
    for name, bar in zip(names, bars, strict=True):
        label = None if name == "missing" else name
        changed = FRAME.assign(street=pd.Series([label] * N, dtype=FRAME.street.dtype))
        changed = changed if data is FRAME else polars_of(changed)
        if name != "missing" or data is FRAME:
            wanted = net.predict(changed).mean()
            assert bar.get_height() == pytest.approx(wanted)
    assert display.rugs_[1] is None
    known = FRAME.area.dropna()
    np.testing.assert_array_equal(display.rugs_[0].get_xdata(), known)


def test_a_sparse_matrix_is_as_good():
    data = np.where(np.abs(X) < 0.5, 0, X)
    net = regressor(data=sparse.csr_array(data))
    sparsely = FeatureEffectDisplay.from_estimator(net, sparse.csr_array(data))
    densely = FeatureEffectDisplay.from_estimator(net, data)
    for one, other in zip(sparsely.effects, densely.effects, strict=True):
        np.testing.assert_allclose(one.average, other.average)


def test_one_class_or_output_may_be_wanted():
    net = NETS["classes"]
    display = FeatureEffectDisplay.from_estimator(net, X, [0], target="low")
    all_classes = FeatureEffectDisplay.from_estimator(net, X, [0])
    assert len(display.lines_[0]) == 1
    assert [line.get_label() for line in all_classes.lines_[0]] == list(net.classes_)
    k = list(net.classes_).index("low")
    wanted = all_classes.lines_[0][k].get_ydata()
    np.testing.assert_array_equal(display.line_.get_ydata(), wanted)
    assert display.ax_.get_ylabel() == "mean probability of low"
    second = FeatureEffectDisplay.from_estimator(NETS["outputs"], X, [0], target=1)
    both = FeatureEffectDisplay.from_estimator(NETS["outputs"], X, [0])
    np.testing.assert_array_equal(
        second.line_.get_ydata(), both.lines_[0][1].get_ydata()
    )
    no, yes = (
        FeatureEffectDisplay.from_estimator(
            NETS["two classes"], X, [0], target=target
        ).line_.get_ydata()
        for target in (False, True)
    )
    np.testing.assert_allclose(no + yes, 1)


def test_of_many_features_the_nine_of_the_largest_weights():
    data = np.random.default_rng(1).normal(size=(N, 30))
    net = regressor(data=data, y=data[:, 7] - data[:, 20], **LINEAR)
    display = FeatureEffectDisplay.from_estimator(net, data, grid_resolution=2)
    names = [effect.name for effect in display.effects]
    assert len(names) == len(display.axes_) == 9
    assert {"x7", "x20"} < set(names)


def test_there_may_be_no_data_about_a_feature():
    data = FRAME.assign(gone=np.nan, one=1.0)
    net = regressor(data=data, encoding="piecewise")
    display = FeatureEffectDisplay.from_estimator(net, data, ["gone", "one"])
    assert [len(lines[0].get_xdata()) for lines in display.lines_] == [1, 1]
    wanted = net.predict(data).mean()
    for lines in display.lines_:
        np.testing.assert_allclose(lines[0].get_ydata(), wanted)


def test_a_part_of_the_samples_is_enough():
    net = NETS["regressor"]
    display = FeatureEffectDisplay.from_estimator(net, X, [0], subsample=10)
    assert len(display.rugs_[0].get_xdata()) == 10


def test_an_unknown_feature_or_target_is_refused():
    with pytest.raises(ValueError, match="no feature 'z'"):
        FeatureEffectDisplay.from_estimator(FRAMED, FRAME, ["z"])
    with pytest.raises(ValueError, match="no feature 4 among 4"):
        FeatureEffectDisplay.from_estimator(NETS["regressor"], X, [4])
    with pytest.raises(ValueError, match="one feature at least"):
        FeatureEffectDisplay.from_estimator(NETS["regressor"], X, [])
    with pytest.raises(ValueError, match="target='z'"):
        FeatureEffectDisplay.from_estimator(NETS["classes"], X, [0], target="z")


def test_several_pictures_in_the_place_of_one_or_in_axes_of_their_own():
    net = NETS["regressor"]
    figure, axes = plt.subplots(1, 2)
    display = FeatureEffectDisplay.from_estimator(net, X, [0, 1], ax=axes[0])
    assert len(display.axes_) == 2
    assert not axes[0].axison
    assert display.figure_ is figure
    display = FeatureEffectDisplay.from_estimator(net, X, [0, 1], ax=axes)
    assert list(display.axes_) == list(axes)
    with pytest.raises(ValueError, match="ax must be 3 axes"):
        FeatureEffectDisplay.from_estimator(net, X, [0, 1, 2], ax=axes)
    alone = figure.add_axes((0, 0, 1, 1))
    with pytest.raises(ValueError, match="of a grid"):
        FeatureEffectDisplay.from_estimator(net, X, [0, 1], ax=alone)
    assert FeatureEffectDisplay.from_estimator(net, X, [0], ax=alone).ax_ is alone


def test_a_long_legend_stands_beside():
    net = classifier(y=np.arange(N) % 8)
    display = FeatureEffectDisplay.from_estimator(net, X, [0, 1, 2], n_columns=2)
    assert display.axes_[0].get_legend() is None
    assert len(display.axes_[1].get_legend().get_texts()) == 8
    short = FeatureEffectDisplay.from_estimator(NETS["classes"], X, [0, 1])
    assert len(short.ax_.get_legend().get_texts()) == 3


def test_a_single_class_is_an_output():
    net = classifier(y=np.full(N, "all"))
    display = FeatureEffectDisplay.from_estimator(net, X, [0])
    np.testing.assert_array_equal(display.line_.get_ydata(), 1)
    assert "all" in texts(NetworkDisplay.from_estimator(net))


def test_a_style_for_lines_and_bars():
    display = FeatureEffectDisplay.from_estimator(FRAMED, FRAME, color="red")
    assert display.lines_[0][0].get_color() == "red"
    assert mpl.colors.same_color(display.lines_[1][0][0].get_facecolor()[:3], "red")


# The intervals.


@pytest.mark.parametrize("n_outputs", [1, 2])
def test_the_coverage_is_what_the_intervals_hold(n_outputs):
    y = np.column_stack([Y, Y**2])[:, :n_outputs]
    y = y[:, 0] if n_outputs == 1 else y
    net = regressor(y=y, cv=3, n_estimators=3)
    levels = [0.2, 0.5, 0.8]
    display = CalibrationOfIntervalsDisplay.from_estimator(net, X, y, levels=levels)
    for level, drawn in zip(
        levels, np.transpose([line.get_ydata() for line in display.lines_]), strict=True
    ):
        bounds = net.predict_interval(X, confidence_level=level)
        within = (bounds[..., 0] <= y) & (y <= bounds[..., 1])
        np.testing.assert_allclose(drawn, np.atleast_1d(within.mean(axis=0)))
    np.testing.assert_array_equal(display.line_.get_xdata(), levels)
    np.testing.assert_array_equal(display.diagonal_.get_ydata(), [0, 1])
    vertices = display.band_.get_paths()[0].vertices
    at_half = vertices[vertices[:, 0] == 0.5, 1]
    assert np.ptp(at_half) == pytest.approx(4 * 0.5 / np.sqrt(N))


def test_several_networks_in_one_picture_have_one_diagonal():
    first = CalibrationOfIntervalsDisplay.from_estimator(HELD_OUT, X, Y, name="a")
    second = CalibrationOfIntervalsDisplay.from_estimator(
        HELD_OUT, X, Y, name="b", ax=first.ax_, linestyle="--"
    )
    told = [text.get_text() for text in first.ax_.get_legend().get_texts()]
    assert told == ["as promised", "a", "b"]
    assert second.line_.get_linestyle() == "--"
    assert second.band_ is None


def test_intervals_need_a_regressor_and_held_out_samples():
    before = len(plt.get_fignums())
    with pytest.raises(TypeError, match="Got ShallowNNClassifier"):
        CalibrationOfIntervalsDisplay.from_estimator(NETS["classes"], X, LABELS)
    with pytest.raises(AttributeError, match="nothing was held out"):
        CalibrationOfIntervalsDisplay.from_estimator(NETS["regressor"], X, Y)
    assert len(plt.get_fignums()) == before


# The relevance of features.


def test_the_bars_are_the_relevance_of_features():
    net = regressor(2, solver="lm", alpha="ard")
    display = FeatureRelevanceDisplay.from_estimator(net)
    order = np.argsort(-net.feature_relevance_)
    np.testing.assert_array_equal(display.order_, order)
    widths = [bar.get_width() for bar in display.bars_]
    np.testing.assert_allclose(widths, net.feature_relevance_[order])
    told = [tick.get_text() for tick in display.ax_.get_yticklabels()]
    assert told == [f"x{j}" for j in order]


def test_the_relevance_of_a_feature_is_that_of_all_its_inputs():
    net = regressor(2, data=FRAME, solver="lm", alpha="ard")
    display = FeatureRelevanceDisplay.from_estimator(net)
    assert len(net.feature_relevance_) > 3
    assert display.relevance.shape == (3,)
    assert display.relevance.sum() == pytest.approx(1)


def test_importances_may_be_given():
    net = NETS["regressor"]
    result = Bunch(
        importances_mean=np.array([0.1, 0.4, 0.2, 0.3]), importances_std=np.ones(4)
    )
    for given in (result, result.importances_mean):
        display = FeatureRelevanceDisplay.from_estimator(net, given, max_features=3)
        assert display.order_.tolist() == [1, 3, 2]
        assert [bar.get_width() for bar in display.bars_] == [0.4, 0.3, 0.2]
    assert FeatureRelevanceDisplay.from_estimator(net, result).bars_.errorbar
    display = FeatureRelevanceDisplay.from_estimator(net, [1, 2, 3, 4], color="red")
    assert mpl.colors.same_color(display.bars_[0].get_facecolor(), "red")


def test_importances_are_one_for_each_feature():
    with pytest.raises(ValueError, match=r"\(4,\), one number .* Got \(3,\)"):
        FeatureRelevanceDisplay.from_estimator(NETS["regressor"], [1, 2, 3])
    with pytest.raises(ValueError, match="alpha='ard'"):
        FeatureRelevanceDisplay.from_estimator(NETS["regressor"])


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_effects_in_a_file_are_those_in_an_array(dtype, tmp_path):
    X = np.random.default_rng(0).integers(0, 9, (2000, 80)).astype(dtype)
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    net = ShallowNNRegressor(3, alpha=1.0, max_iter=1, random_state=0)
    net.fit(X, X[:, 0].astype(float))
    told = [
        FeatureEffectDisplay.from_estimator(net, x, [0], subsample=None).effects[0]
        for x in (mapped, X)
    ]
    np.testing.assert_allclose(told[0].average, told[1].average, rtol=1e-6)
