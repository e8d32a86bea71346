"""What a user writes, as mypy and pyright see it: an error where one is marked."""

from typing import Any, assert_type

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline

from sk_shallow import (
    Activation,
    LeakyReLU,
    ShallowNNClassifier,
    ShallowNNRegressor,
    register_skl2onnx,
)
from sk_shallow.inspection import FeatureEffectDisplay, LossCurveDisplay
from sk_shallow.preprocessing import HiddenLayer, PiecewiseLinearEncoder

Floats = NDArray[np.floating[Any]]

X, y, w = np.zeros((20, 2)), np.zeros(20), np.ones(20)
frame = pd.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]})

# What is fitted.
regressor = ShallowNNRegressor(5, random_state=0).fit(X, y, w)
assert_type(regressor, ShallowNNRegressor)
assert_type(regressor.coefs_, list[Floats])
assert_type(regressor.loss_, float)
assert_type(regressor.n_iter_, int)
assert_type(regressor.loss_curve_, list[float])
assert_type(regressor.encoder_, PiecewiseLinearEncoder | None)
assert_type(regressor.n_hidden, int | None)
print(regressor.coefs_[0].shape, regressor.intercepts_[1].dtype, regressor.alpha_)
print(regressor.noise_varience_)  # pyright: ignore[reportAttributeAccessIssue]

# What is predicted.
assert_type(regressor.predict(X), Floats)
assert_type(regressor.predict(X, return_std=False), Floats)
assert_type(regressor.predict(X, True), tuple[Floats, Floats])
mean, std = regressor.predict(X, return_std=True)
print(mean.mean(), std.max(), regressor.predict(X).mean())
low, high = regressor.predict_interval(X, confidence_level=0.8).T
print(low.min(), high.max(), regressor.score(X, y))
regressor.predict(X, return_std="yes")  # type: ignore[call-overload]
regressor.predict_interval(X, confidence_level="high")  # type: ignore[arg-type]

# Losses, and what they predict.
ShallowNNRegressor(loss="quantile", quantile=[0.1, 0.9], output_activation="softplus")
ShallowNNRegressor(loss="huber", monotonic_cst={"a": 1}, linear_path=True)
ShallowNNClassifier(monotonic_cst=[1, 0, -1], linear_path=False)
ShallowNNRegressor(loss="mse")  # type: ignore[arg-type]
ShallowNNRegressor(output_activation="tanh")  # type: ignore[arg-type]

# Looking inside.
assert_type(regressor.hidden_layer(X), Floats)
assert_type(regressor.input_gradients(X), Floats)
assert_type(regressor.feature_importances_, Floats)
layer = HiddenLayer(regressor).fit(X, y)
assert_type(layer.transform(X), Floats)

# What is told of a fit.
assert_type(ShallowNNRegressor().set_callbacks(object()), ShallowNNRegressor)

# What is passed to fit.
ShallowNNRegressor().fit([[0.0], [1.0]], [0.0, 1.0], sample_weight=[1, 2]).predict(
    [[2]]
)
ShallowNNRegressor().fit(frame, frame["a"], groups=frame["b"]).predict(frame)
ShallowNNRegressor().fit(sparse.csr_array(X), y).partial_fit(X, y).predict(X).sum()
ShallowNNRegressor(early_stopping=True).fit(X, y, X_val=X, y_val=y, sample_weight_val=w)
ShallowNNRegressor().fit(X)  # type: ignore[call-arg]
ShallowNNRegressor().fit(X, y, weights=w)  # type: ignore[call-arg]
ShallowNNRegressor().fit(None, y)  # type: ignore[arg-type]

classifier = ShallowNNClassifier(class_weight="balanced").partial_fit(X, y, [0, 1])
assert_type(classifier, ShallowNNClassifier)
assert_type(classifier.predict_proba(X), Floats)
assert_type(classifier.predict_log_proba(X), Floats)
assert_type(classifier.decision_function(X), Floats)
print(classifier.predict(X).tolist(), classifier.classes_.tolist())
classifier.predict(X, return_std=True)  # type: ignore[call-arg]

# Elsewhere.
assert_type(classifier.predictor()(X), Floats)
assert_type(classifier.to_c("net", "float32"), str)
regressor.save_arrays("network.npz")
print(regressor.to_sklearn().predict(X), regressor.to_onnx().graph)
register_skl2onnx()
regressor.to_c(dtype="float16")  # type: ignore[arg-type]

# Parameters.
ShallowNNRegressor(solver="lm", alpha="ard", activation=LeakyReLU(0.1), init="he")
ShallowNNRegressor(alpha=[1.0, 2.0], cv=KFold(3), categorical_features=["b"])
ShallowNNRegressor(cv=[(np.arange(10), np.arange(10, 20))], scoring="r2", verbose=1)
ShallowNNRegressor(alpha=1, encoding=None, random_state=np.random.RandomState(0))
ShallowNNClassifier(class_weight={0: 1, 1: 2}, scoring=lambda model, X, y: 1.0)
ShallowNNRegressor(n_hidden="five")  # type: ignore[arg-type]
ShallowNNRegressor(solver="bfgs")  # type: ignore[arg-type]
ShallowNNRegressor(activation="swish")  # type: ignore[arg-type]
ShallowNNRegressor(activation=np.tanh)  # type: ignore[arg-type]
ShallowNNRegressor(alpha="evident")  # type: ignore[arg-type]
ShallowNNRegressor(cv="5")  # type: ignore[arg-type]
ShallowNNRegressor(init=None)  # type: ignore[arg-type]
ShallowNNRegressor(categorical_features="b")  # type: ignore[arg-type]
ShallowNNRegressor(5, "relu")  # type: ignore[call-arg]
ShallowNNRegressor(hidden_layer_sizes=(5,))  # type: ignore[call-arg]
ShallowNNClassifier(class_weight="balance")  # type: ignore[arg-type]

# Beside scikit-learn.
GridSearchCV(ShallowNNClassifier(), {"activation": ["tanh", LeakyReLU(0.3)]}).fit(X, y)
make_pipeline(PiecewiseLinearEncoder(), ShallowNNRegressor()).fit(X, y)

encoder = PiecewiseLinearEncoder(8, quantiles="rows", dtype=np.float32).fit(frame)
assert_type(encoder, PiecewiseLinearEncoder)
assert_type(encoder.transform(frame), Floats)
assert_type(encoder.fit_transform(frame, sample_weight=[1, 2]), Floats)
print(encoder.n_features_out_ + 1, encoder.get_feature_names_out().tolist())
print([edges is None or edges[0] for edges in encoder.bin_edges_])
PiecewiseLinearEncoder(quantiles="median")  # type: ignore[arg-type]

# Pictures.
display = LossCurveDisplay.from_estimator(regressor, candidates=True, color="red")
assert_type(display, LossCurveDisplay)
print(display.plot(name="net").ax_, display.training.min())
FeatureEffectDisplay.from_estimator(regressor, frame, ["a"], target=0, n_columns=2)
LossCurveDisplay.from_estimator(regressor, candidates="all")  # type: ignore[arg-type]


class Softsign(Activation):
    """With annotations."""

    def forward(self, Z: Floats, out: Floats | None = None) -> Floats:
        """g."""
        return np.divide(Z, 1 + np.abs(Z), out=out)

    def slope(self, A: Floats, out: Floats | None = None) -> Floats:
        """g'."""
        return np.square(1 - np.abs(A), out=out)


class Plain(Activation):
    """And without them."""

    def forward(self, Z, out=None):
        """g."""
        return np.positive(Z, out=out)


ShallowNNClassifier(5, activation=Softsign())
ShallowNNClassifier(5, activation=Plain())
